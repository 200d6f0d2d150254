// Entering, suspending and resuming: see the story at the top of fermata/core.h.
//
// Traps leave guest code by a jump to the innermost entry. Nothing between has anything to destroy:
// generated frames hold plain values only. The jump buffer is made once an entry or resumption,
// with the compiler's own __builtin_setjmp, which saves three words where the C library's saves
// registers and obfuscates them.
#include "fermata/core.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GNUC__)
#define FERMATA_SETJMP(buffer) __builtin_setjmp(buffer)
#define FERMATA_LONGJMP(buffer) __builtin_longjmp(buffer, 1)
#else
#include <setjmp.h>
#define FERMATA_SETJMP(buffer) setjmp(buffer)
#define FERMATA_LONGJMP(buffer) longjmp(buffer, 1)
#endif

#if defined(__GNUC__)
#define FERMATA_NOINLINE __attribute__((noinline))
#else
#define FERMATA_NOINLINE
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FERMATA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FERMATA_ASAN 1
#endif
#endif
#if defined(FERMATA_ASAN)
extern "C" void __asan_handle_no_return();
#endif

namespace fermata::core {
namespace {

// What an entry has to put back, in the native frame of Enter or Resume.
struct Entry {
#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GNUC__)
  void* jump[5];
#else
  jmp_buf jump;
#endif
  Entry* previous;
  Activation* activation;
};

void SetUnwind(Store& store, Unwind unwind) {
  for (u32 i = 0; i < store.instance_count; ++i) store.instances[i]->unwind = unwind;
}

// Tells the store's instances that they run in `context`.
void Attach(Context& context, Store& store) {
  for (u32 i = 0; i < store.instance_count; ++i) {
    store.instances[i]->context = &context;
    store.instances[i]->stack_limit = context.stack_limit;
  }
}

void CopyWords(u8* to, const u8* from, u32 bytes) {
  for (u32 i = 0; i < bytes; i += 8) {
    u64 word;
    memcpy(&word, from + i, 8);
    memcpy(to + i, &word, 8);
  }
}

bool Reserve(Activation& activation, u64 capacity) {
  if (capacity <= activation.capacity) return true;
  return activation.grow != nullptr && capacity <= ~u32{0} &&
         activation.grow(&activation, static_cast<u32>(capacity));
}

// The footer of the frame that ends at `end`.
Footer FooterBefore(const u8* end) {
  u64 bits;
  memcpy(&bits, end - sizeof bits, sizeof bits);
  return {static_cast<u32>(bits), static_cast<u16>(bits >> 32), static_cast<u16>(bits >> 48)};
}

FERMATA_COLD Exit Fail(Context& context, Activation& activation, Trap trap) {
  activation.trap = trap;
  activation.size = 0;
  activation.depth = 0;
  context.scratch_top = context.scratch_end;
  context.pushed = 0;
  for (u32 i = 0; i < activation.store->instance_count; ++i) {
    activation.store->instances[i]->unwind = Unwind::kNone;
    activation.store->instances[i]->resume_point = 0;
  }
  return Exit::kTrapped;
}

// note [sizes are predicted]
//
// Where the innermost frame begins follows from the size that the suspension before stored and from
// the words in two footers that it stored too: a chain of loads that each wait for a recent store,
// one after the other through all suspensions, while the processor has nothing else to do. So the
// sizes that most frames have are compared with and then taken as constants: the processor goes
// ahead on the outcome it predicts. `Constant` keeps the compiler from putting the arithmetic back.
// With the activation's size in a register meanwhile, this takes 14 % off a suspension and its
// resumption.
#if defined(__GNUC__)
FERMATA_INLINE u32 Constant(u32 v) {
  __asm__("" : "+r"(v));
  return v;
}
#else
FERMATA_INLINE u32 Constant(u32 v) { return v; }
#endif
FERMATA_INLINE u32 Bytes(u32 words) {
  if (words == 2) return Constant(16);
  if (words == 3) return Constant(24);
  if (words == 4) return Constant(32);
  return Constant(words * 8);
}

// Makes the activation the first `size` bytes it holds, `depth` frames, and those in the scratch
// area. `unwind` says why.
FERMATA_INLINE Exit Commit(Context& context, Activation& activation, Unwind unwind, u32 size,
                           u32 depth) {
  Store& store = *activation.store;
  const u64 bytes = static_cast<u64>(context.scratch_end - context.scratch_top);
  const u64 total = size + bytes;
  const u64 frames = u64{depth} + context.pushed;
  activation.size = size;  // what has to be kept if the storage grows
  if (FERMATA_UNLIKELY(total > store.limits.frame_bytes || frames > store.limits.call_depth ||
                       !Reserve(activation, total))) {
    return Fail(context, activation, Trap::kCallStackExhausted);
  }
  CopyWords(activation.frames + size, context.scratch_top, static_cast<u32>(bytes));
  activation.size = static_cast<u32>(total);
  activation.depth = static_cast<u32>(frames);
  context.scratch_top = context.scratch_end;
  context.pushed = 0;
  SetUnwind(store, Unwind::kNone);
  return unwind == Unwind::kSuspend ? Exit::kSuspended : Exit::kOutOfFuel;
}

// The exception in flight has left the outermost frame.
FERMATA_COLD Exit Uncaught(Context& context, Activation& activation) {
  Store& store = *activation.store;
  const ref exception =
      store.keep != nullptr ? store.keep(&store, context.tag, context.results, context.payload) : 0;
  const Exit exit = Fail(context, activation, Trap::kUncaughtException);
  activation.value = exception;
  return exit;
}

// Drops the frames that can't catch the exception in flight; false if that is all of them.
FERMATA_COLD bool UnwindToHandler(Activation& activation, u32& size, u32& depth) {
  while (size != 0) {
    const Footer footer = FooterBefore(activation.frames + size);
    if (activation.store->instances[footer.instance]->module->sites[footer.site].catches) {
      return true;
    }
    size -= footer.words * 8u;
    --depth;
  }
  return false;
}

// Drops the op, resumes the innermost frame with `value`, then its parent with what that returns,
// and so on. An exception that leaves a frame goes to the next one that may catch it. Not part of a
// function that makes a jump buffer: those keep all they know in memory.
FERMATA_NOINLINE Exit Unroll(Context& context, Activation& activation, u64 value) {
  Store& store = *activation.store;
  u32 size = activation.size - Bytes(FooterBefore(activation.frames + activation.size).words);
  u32 depth = activation.depth - 1;
  while (size != 0) {
    const Footer footer = FooterBefore(activation.frames + size);
    Instance* instance = store.instances[footer.instance];
    const ModuleInfo& module = *instance->module;
    const SiteInfo& site = module.sites[footer.site];
    size -= Bytes(footer.words);
    if (FERMATA_UNLIKELY(!Reserve(activation, size + u64{module.max_frame_words} * 8))) {
      return Fail(context, activation, Trap::kCallStackExhausted);
    }
    context.frame_words = 0;
    value = site.resume(instance, site.point, activation.frames + size, value);
    --depth;
    if (instance->unwind == Unwind::kNone) continue;
    if (instance->unwind == Unwind::kTailCall) {
      value = RunTailCalls(instance);
      if (instance->unwind == Unwind::kNone) continue;
    }
    if (instance->unwind == Unwind::kThrow) {
      if (UnwindToHandler(activation, size, depth)) continue;
      return Uncaught(context, activation);
    }
    // The frame was written again in place, or (shared bodies) pushed like any other.
    const u32 words = context.frame_words;
    context.frame_words = 0;
    return Commit(context, activation, instance->unwind, size + words * 8, depth + (words != 0));
  }
  activation.size = 0;
  activation.depth = 0;
  activation.value = value;
  return Exit::kReturned;
}

// A call of a guest's function.
FERMATA_NOINLINE Exit Call(Context& context, Activation& activation, const Function& function,
                           Invoke invoke, const u64* arguments) {
  const u64 value = invoke(function.instance, function.code, arguments);
  // Not function.instance: a host function's own instance is in no store.
  const Unwind unwind = activation.store->instances[0]->unwind;
  if (unwind == Unwind::kThrow) return Uncaught(context, activation);
  if (unwind != Unwind::kNone) return Commit(context, activation, unwind, 0, 0);
  activation.value = value;
  return Exit::kReturned;
}

FERMATA_INLINE void Begin(Context& context, Activation& activation, Entry& entry) {
  entry.previous = static_cast<Entry*>(context.entry);
  entry.activation = context.activation;
  context.entry = &entry;
  context.activation = &activation;
}
FERMATA_INLINE void End(Context& context, const Entry& entry) {
  context.entry = entry.previous;
  context.activation = entry.activation;
}

FERMATA_COLD void StoreResults(Context& context, const u64* results, u32 count) {
  for (u32 i = 0; i < count; ++i) context.results[i] = results[i];
}

FERMATA_INLINE bool StackLeft(const Context& context) {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) > context.stack_limit;
}

u64 InvokeInitialize(Instance* instance, AnyFunction function, const u64*) {
  reinterpret_cast<void (*)(Instance*)>(function)(instance);
  return 0;
}

// Writes the footer of a frame of `words` words as one store: read back as a whole soon after, in
// parts it would miss the store buffer.
FERMATA_INLINE void PutFooter(u8* frame, u32 words, u32 site, u32 instance) {
  const u64 footer = site | u64{words} << 32 | u64{instance} << 48;
  memcpy(frame + words * 8 - sizeof footer, &footer, sizeof footer);
}

FERMATA_INLINE u8* Push(Context& context, Instance* instance, u32 site, u32 words) {
  const u32 bytes = words * 8;
  if (FERMATA_UNLIKELY(static_cast<size_t>(context.scratch_top - context.scratch_begin) < bytes)) {
    RaiseTrap(instance, Trap::kCallStackExhausted);
  }
  context.scratch_top -= bytes;
  ++context.pushed;
  PutFooter(context.scratch_top, words, site, instance->index);
  return context.scratch_top;
}

}  // namespace

void RaiseTrap(Instance* instance, Trap trap) { RaiseTrapIn(*instance->context, trap); }

void RaiseTrapIn(Context& context, Trap trap) {
  context.trap = trap;
#if defined(FERMATA_ASAN)
  __asan_handle_no_return();
#endif
  FERMATA_LONGJMP(static_cast<Entry*>(context.entry)->jump);
}

// Callers that can't catch push a frame whatever the reason of `unwind` is: with an exception in
// flight it is one that nobody will see.
u8* PushFrame(Instance* instance, u32 site, u32 words) {
  u8* frame = Push(*instance->context, instance, site, words);
  if (FERMATA_UNLIKELY(instance->unwind == Unwind::kThrow)) {
    instance->context->scratch_top += words * 8;
    --instance->context->pushed;
  }
  return frame;
}

u8* RewriteFrame(Instance* instance, u8* frame, u32 site, u32 words) {
  if (FERMATA_LIKELY(instance->unwind != Unwind::kThrow)) instance->context->frame_words = words;
  PutFooter(frame, words, site, instance->index);
  return frame;
}

u8* PushOp(Instance* instance, u32 site, u32 words) {
  SetUnwind(*instance->store, Unwind::kSuspend);
  return Push(*instance->context, instance, site, words);
}

void PushYield(Instance* instance, u32 site) {
  SetUnwind(*instance->store, Unwind::kOutOfFuel);
  Push(*instance->context, instance, site, 1);
}

void Throw(Instance* instance, u32 tag, u32 payload) {
  Context& context = *instance->context;
  context.tag = tag;
  context.payload = payload;
  SetUnwind(*instance->store, Unwind::kThrow);
}

void ThrowRef(Instance* instance, ref exception) {
  const Store& store = *instance->store;
  // Handles come from KeepException, or from a host that may get them wrong.
  if (exception == 0 || exception > store.exception_count) {
    RaiseTrap(instance, Trap::kNullExceptionReference);
  }
  const Exception& kept = store.exceptions[exception - 1];
  for (u32 i = 0; i < kept.payload; ++i) instance->context->results[i] = kept.values[i];
  Throw(instance, kept.tag, kept.payload);
}

ref KeepException(Instance* instance) {
  Context& context = *instance->context;
  Store& store = *instance->store;
  const ref kept =
      store.keep != nullptr ? store.keep(&store, context.tag, context.results, context.payload) : 0;
  if (kept == 0) RaiseTrap(instance, Trap::kExceptionsExhausted);
  return kept;
}

void Catch(Instance* instance) { SetUnwind(*instance->store, Unwind::kNone); }

ref NewObject(Instance* instance) {
  constexpr u32 kOwn = 0x80000000u;
  return kOwn | (instance->store->object_count++ & ~kOwn);
}

// note [tail calls]
//
// A function that makes tail calls has two forms: its *body*, which returns with kTailCall set when
// one is due, and the function that everybody calls, which calls the body and then RunTailCalls.
// The loop calls bodies, so that a chain of tail calls takes the native stack of one.
void TailCall(Instance* instance, const Function& function, Invoke invoke) {
  Context& context = *instance->context;
  Store& store = *instance->store;
  context.tail = function.code;
  context.tail_instance = function.instance;
  context.tail_invoke = invoke;
  if (function.handle != 0) {
    const ModuleInfo& module = *function.instance->module;
    const u32 index = function.handle - function.instance->function_base;
    if (index < module.function_count && module.functions[index].tail != nullptr) {
      context.tail = module.functions[index].tail;
    }
  }
  SetUnwind(store, Unwind::kTailCall);
}

u64 RunTailCalls(Instance* instance) {
  Context& context = *instance->context;
  u64 value;
  do {
    SetUnwind(*instance->store, Unwind::kNone);
    value = context.tail_invoke(context.tail_instance, context.tail, context.results);
  } while (instance->unwind == Unwind::kTailCall);
  return value;
}

Exit Enter(Context& context, Activation& activation, const Function& function, Invoke invoke,
           const u64* arguments) {
  activation.store = function.instance->store;
  activation.trap = Trap::kNone;
  if (!StackLeft(context)) return Fail(context, activation, Trap::kCallStackExhausted);
  Attach(context, *activation.store);
  Entry entry;
  Begin(context, activation, entry);
  Exit exit;
  if (FERMATA_SETJMP(entry.jump) != 0) {
    exit = Fail(context, activation, context.trap);
  } else {
    exit = Call(context, activation, function, invoke, arguments);
  }
  End(context, entry);
  return exit;
}

Exit Resume(Context& context, Activation& activation, const u64* results, u32 count) {
  if (!StackLeft(context)) return Fail(context, activation, Trap::kCallStackExhausted);
  Attach(context, *activation.store);
  if (FERMATA_UNLIKELY(count > 1)) StoreResults(context, results, count);
  const u64 value = count == 1 ? results[0] : 0;
  Entry entry;
  Begin(context, activation, entry);
  Exit exit;
  if (FERMATA_SETJMP(entry.jump) != 0) {
    exit = Fail(context, activation, context.trap);
  } else {
    exit = Unroll(context, activation, value);
  }
  End(context, entry);
  return exit;
}

Exit Initialize(Context& context, Activation& activation, Instance& instance) {
  const Function function = {reinterpret_cast<AnyFunction>(instance.module->initialize), &instance,
                             kNoType, 0};
  return Enter(context, activation, function, InvokeInitialize, nullptr);
}

}  // namespace fermata::core
