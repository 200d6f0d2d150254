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

// What the innermost entry has to put back, in the native frame of Protected.
struct Entry {
#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GNUC__)
  void* jump[5];
#else
  jmp_buf jump;
#endif
  Entry* previous;
  Activation* activation;
};

void ClearUnwind(Store& store) {
  for (u32 i = 0; i < store.instance_count; ++i) store.instances[i]->unwind = Unwind::kNone;
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

bool Reserve(Activation& activation, u32 capacity) {
  if (capacity <= activation.capacity) return true;
  return activation.grow != nullptr && activation.grow(&activation, capacity);
}

Exit Fail(Context& context, Activation& activation, Trap trap) {
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

// Appends the frames in the scratch area to the activation.
Exit Commit(Context& context, Activation& activation) {
  Store& store = *activation.store;
  const u64 bytes = static_cast<u64>(context.scratch_end - context.scratch_top);
  const u64 size = activation.size + bytes;
  if (size > store.limits.frame_bytes ||
      u64{activation.depth} + context.pushed > store.limits.call_depth ||
      !Reserve(activation, static_cast<u32>(size))) {
    return Fail(context, activation, Trap::kCallStackExhausted);
  }
  CopyWords(activation.frames + activation.size, context.scratch_top, static_cast<u32>(bytes));
  activation.size = static_cast<u32>(size);
  activation.depth += context.pushed;
  context.scratch_top = context.scratch_end;
  context.pushed = 0;
  ClearUnwind(store);
  return Exit::kSuspended;
}

// Resumes the innermost frame with `value`, then its parent with what that returns, and so on.
Exit Unroll(Context& context, Activation& activation, u64 value) {
  Store& store = *activation.store;
  while (activation.size != 0) {
    const Footer footer = LastFooter(activation);
    Instance* instance = store.instances[footer.instance];
    const ModuleInfo& module = *instance->module;
    const SiteInfo& site = module.sites[footer.site];
    const u32 start = activation.size - footer.words * 8u;
    if (FERMATA_UNLIKELY(!Reserve(activation, start + module.max_frame_words * 8u))) {
      return Fail(context, activation, Trap::kCallStackExhausted);
    }
    context.frame_words = 0;
    value = site.resume(instance, site.point, activation.frames + start, value);
    activation.size = start;
    if (instance->unwind == Unwind::kNone) {
      --activation.depth;
      continue;
    }
    // The frame was written again in place, or (shared bodies) pushed like any other.
    activation.size = start + context.frame_words * 8u;
    if (context.frame_words == 0) --activation.depth;
    return Commit(context, activation);
  }
  activation.value = value;
  return Exit::kReturned;
}

// One run of guest code: a fresh call if `function` is set, else a resumption with `value`.
__attribute__((noinline)) Exit Protected(Context& context, Activation& activation,
                                         const Function* function, Invoke invoke,
                                         const u64* arguments, u64 value) {
  Entry entry;
  entry.previous = static_cast<Entry*>(context.entry);
  entry.activation = context.activation;
  context.entry = &entry;
  context.activation = &activation;
  Exit exit;
  if (FERMATA_SETJMP(entry.jump) != 0) {
    exit = Fail(context, activation, context.trap);
  } else if (function == nullptr) {
    exit = Unroll(context, activation, value);
  } else {
    const u64 result = invoke(function->instance, function->code, arguments);
    // Not function->instance: a host function's own instance is in no store.
    if (activation.store->instances[0]->unwind != Unwind::kNone) {
      exit = Commit(context, activation);
    } else {
      activation.value = result;
      exit = Exit::kReturned;
    }
  }
  context.entry = entry.previous;
  context.activation = entry.activation;
  return exit;
}

bool StackLeft(const Context& context) {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) > context.stack_limit;
}

u64 InvokeInitialize(Instance* instance, AnyFunction function, const u64*) {
  reinterpret_cast<void (*)(Instance*)>(function)(instance);
  return 0;
}

// Writes the footer of a frame of `words` words as one store: read back as a whole soon after, in
// parts it would miss the store buffer.
void PutFooter(u8* frame, u32 words, u32 site, u32 instance) {
  const u64 footer = site | u64{words} << 32 | u64{instance} << 48;
  memcpy(frame + words * 8 - sizeof footer, &footer, sizeof footer);
}

u8* Push(Context& context, Instance* instance, u32 site, u32 words) {
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

u8* PushFrame(Instance* instance, u32 site, u32 words) {
  return Push(*instance->context, instance, site, words);
}

u8* RewriteFrame(Instance* instance, u8* frame, u32 site, u32 words) {
  instance->context->frame_words = words;
  PutFooter(frame, words, site, instance->index);
  return frame;
}

u8* PushOp(Instance* instance, u32 site, u32 words) {
  Store& store = *instance->store;
  for (u32 i = 0; i < store.instance_count; ++i) store.instances[i]->unwind = Unwind::kSuspend;
  return Push(*instance->context, instance, site, words);
}

Exit Enter(Context& context, Activation& activation, const Function& function, Invoke invoke,
           const u64* arguments) {
  activation.store = function.instance->store;
  activation.trap = Trap::kNone;
  if (!StackLeft(context)) return Fail(context, activation, Trap::kCallStackExhausted);
  Attach(context, *activation.store);
  return Protected(context, activation, &function, invoke, arguments, 0);
}

Exit Resume(Context& context, Activation& activation, const u64* results, u32 count) {
  if (!StackLeft(context)) return Fail(context, activation, Trap::kCallStackExhausted);
  Attach(context, *activation.store);
  for (u32 i = 0; count > 1 && i < count; ++i) context.results[i] = results[i];
  activation.size -= LastFooter(activation).words * 8u;  // the op
  --activation.depth;
  return Protected(context, activation, nullptr, nullptr, nullptr, count == 1 ? results[0] : 0);
}

Exit Initialize(Context& context, Activation& activation, Instance& instance) {
  const Function function = {reinterpret_cast<AnyFunction>(instance.module->initialize), &instance,
                             kNoType, 0};
  return Enter(context, activation, function, InvokeInitialize, nullptr);
}

}  // namespace fermata::core
