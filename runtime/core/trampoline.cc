// Entering, suspending and resuming: see the story at the top of fermata/core/abi.h.
//
// A suspension and its resumption take about fifty cycles, so this file counts instructions and
// loads that wait for stores: what is rare is in functions of its own, called last where possible,
// so that the rest needs few registers and saves few.
// note [freestanding]
//
// With FERMATA_FREESTANDING, for microcontrollers, the same code is made for size: there is one
// instance in a store, frames do not grow, and their storage is also the scratch area. Frames are
// pushed at its end, downward; those of the activation grow upward from its beginning. What is
// between them is what is left.
#include "fermata/core/module_info.h"
#include "runtime/core/guarded_call.h"

namespace fermata::core {
namespace {

#if defined(FERMATA_FREESTANDING)
}  // namespace
// machine.cc asks for it: that no program has its machines run by the hosted core.
extern const u8 kFreestandingCore;
const u8 kFreestandingCore = 1;
namespace {
constexpr bool kFreestanding = true;
#else
constexpr bool kFreestanding = false;
#endif

// Whether the store has one instance.
FERMATA_INLINE bool IsAlone(const Store& store) {
  return kFreestanding || !FERMATA_UNLIKELY(store.instance_count != 1);
}

FERMATA_COLD void SetUnwindOfAll(Store& store, Unwind unwind) {
  for (u32 i = 0; i < store.instance_count; ++i) store.instances[i]->unwind = unwind;
}
FERMATA_INLINE void SetUnwind(Store& store, Unwind unwind) {
  if (!IsAlone(store)) return SetUnwindOfAll(store, unwind);
  store.instances[0]->unwind = unwind;
}

// Tells the store's instances that they run in `context`.
FERMATA_COLD void AttachAll(Context& context, Store& store) {
  for (u32 i = 0; i < store.instance_count; ++i) {
    store.instances[i]->context = &context;
    store.instances[i]->stack_limit = context.stack_limit;
  }
}
// What is there already is not stored again: whoever reads it next would wait for the store.
// Returns the first instance.
FERMATA_INLINE Instance* Attach(Context& context, Store& store) {
  Instance* const first = store.instances[0];
  if (kFreestanding) {
    first->stack_limit = context.stack_limit;
    return first;
  }
  if (FERMATA_UNLIKELY(store.instance_count != 1 || first->context != &context ||
                       first->stack_limit != context.stack_limit)) {
    AttachAll(context, store);
  }
  return first;
}

// Piece by piece: a wider load would have to wait until the stores before it have left the store
// buffer.
FERMATA_INLINE void CopyPiece(u8* to, const u8* from) {
  u64 piece;
  memcpy(&piece, from, 8);
  piece = Opaque(piece);
  memcpy(to, &piece, 8);
}
FERMATA_INLINE void CopyFrames(u8* to, const u8* from, size_t bytes) {
  if (kFreestanding) {
    memmove(to, from, bytes);  // within one storage
    return;
  }
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) CopyPiece(to + i, from + i);
  if (i != bytes) memcpy(to + i, from + i, kFrameWord);
}

bool Reserve(Activation& activation, u64 capacity) {
  if (capacity <= activation.capacity) return true;
  return activation.grow != nullptr && capacity <= ~u32{0} &&
         activation.grow(&activation, static_cast<u32>(capacity));
}

// Whether the store was interrupted; it then no longer is.
FERMATA_COLD bool TakeInterrupt(Store& store) {
  if (store.interrupt == nullptr) return false;
#if defined(__GNUC__) && !defined(FERMATA_FREESTANDING)
  return __atomic_exchange_n(store.interrupt, 0, __ATOMIC_ACQUIRE) != 0;
#elif defined(__GNUC__)
  // Machines without a system may have no exchange. An interrupt between the two belongs to the pause
  // that begins.
  const bool set = __atomic_load_n(store.interrupt, __ATOMIC_RELAXED) != 0;
  __atomic_store_n(store.interrupt, 0, __ATOMIC_RELAXED);
  return set;
#else
  const bool set = *static_cast<volatile u32*>(store.interrupt) != 0;
  *static_cast<volatile u32*>(store.interrupt) = 0;
  return set;
#endif
}

// The footer of the frame that ends at `end`, in two halves: of the second, most can be told by one
// comparison.
FERMATA_INLINE u32 SiteBefore(const u8* end) {
  u32 site;
  memcpy(&site, FERMATA_ALIGNED(end - 8), 4);
  return little(site);
}
FERMATA_INLINE u32 SizeBefore(const u8* end) {  // words and instance
  u32 size;
  memcpy(&size, FERMATA_ALIGNED(end - 4), 4);
  return little(size);
}
FERMATA_INLINE u32 WordsOf(u32 size) { return size & 0xffff; }
FERMATA_INLINE u32 InstanceOf(u32 size) { return size >> 16 & (kScannedFrame - 1u); }

FERMATA_COLD Exit Fail(Context& context, Activation& activation, Trap trap) {
  activation.trap = trap;
  activation.trapped = {activation.size, 0};
  activation.size = 0;
  activation.depth = 0;
  context.scratch_top = context.scratch_end;
  context.pushed = 0;
  context.frame_words = 0;
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
// ahead on the outcome it predicts. `Opaque` keeps the compiler from putting the arithmetic back.
// With the activation's size in a register meanwhile, this takes 14 % off a suspension and its
// resumption.
struct Frame {
  u32 bytes;
  Instance* instance;
};
FERMATA_INLINE Frame FrameBefore(const u8* end, const Activation& activation, Instance* first) {
  const u32 size = SizeBefore(end);
  if (kFreestanding) return {WordsOf(size) * kFrameWord, first};
  if (FERMATA_LIKELY(size == 4)) return {Opaque(16u), first};
  if (FERMATA_LIKELY(size == 3)) return {Opaque(12u), first};
  if (FERMATA_LIKELY(size == 5)) return {Opaque(20u), first};
  if (FERMATA_LIKELY(size == 6)) return {Opaque(24u), first};
  return {WordsOf(size) * kFrameWord, activation.store->instances[InstanceOf(size)]};
}

using CommitFunction = Exit (*)(Context&, Activation&, Unwind);

// Makes the activation the first `size` bytes it holds, `depth` frames, and those in the scratch
// area. `unwind` says why. If that does not fit, or is too much, `otherwise` has to see to it.
// No sum can wrap: a frame has 8 bytes at least.
FERMATA_INLINE Exit CommitIfFits(Context& context, Activation& activation, Unwind unwind, u32 size,
                                 u32 depth, Instance* first, CommitFunction otherwise) {
  Store& store = *activation.store;
  const u8* const top = context.scratch_top;
  u8* const end = context.scratch_end;
  const size_t bytes = static_cast<size_t>(end - top);
  const u32 total = size + static_cast<u32>(bytes);
  const u32 frames = depth + context.pushed;
  if (FERMATA_UNLIKELY(bytes > size_t{activation.capacity} - size ||
                       total > store.limits.frame_bytes || frames > store.limits.call_depth)) {
    activation.size = size;
    activation.depth = depth;
    return otherwise(context, activation, unwind);
  }
  u8* const to = activation.frames + size;
  if (!kFreestanding && FERMATA_LIKELY(bytes == 16)) {
    CopyPiece(to, top);
    CopyPiece(to + 8, top + 8);
  } else {
    CopyFrames(to, top, bytes);
  }
  activation.size = total;
  activation.depth = frames;
  context.scratch_top = end;
  context.pushed = 0;
  context.frame_words = 0;
  first->unwind = Unwind::kNone;
  if (!IsAlone(store)) SetUnwindOfAll(store, Unwind::kNone);
  if (FERMATA_LIKELY(unwind == Unwind::kSuspend)) return Exit::kSuspended;
  if (unwind == Unwind::kCollect) return Exit::kCollect;
  return unwind == Unwind::kInterrupt ? Exit::kInterrupted : Exit::kOutOfFuel;
}
Exit Exhausted(Context& context, Activation& activation, Unwind) {
  return Fail(context, activation, Trap::kCallStackExhausted);
}
FERMATA_COLD Exit CommitAndGrow(Context& context, Activation& activation, Unwind unwind) {
  const u64 bytes = static_cast<u64>(context.scratch_end - context.scratch_top);
  const u64 total = activation.size + bytes;
  if (total > activation.store->limits.frame_bytes || !Reserve(activation, total)) {
    return Exhausted(context, activation, unwind);
  }
  return CommitIfFits(context, activation, unwind, activation.size, activation.depth,
                      activation.store->instances[0], Exhausted);
}
// After a call that began with `size` bytes and `depth` frames: a frame below the pushed ones may
// have been written in place.
FERMATA_INLINE Exit Commit(Context& context, Activation& activation, Unwind unwind, u32 size,
                           u32 depth, Instance* first) {
  const u32 words = context.frame_words;
  return CommitIfFits(context, activation, unwind, size + words * kFrameWord, depth + (words != 0),
                      first, kFreestanding ? Exhausted : CommitAndGrow);
}

// The exception in flight has left the outermost frame.
FERMATA_COLD Exit Uncaught(Context& context, Activation& activation) {
  Store& store = *activation.store;
  const ref exception =
      store.keep != nullptr ? store.keep(&store, context.tag, context.results, context.payload) : 0;
  const Exit exit = Fail(context, activation, Trap::kUncaughtException);
  activation.trapped.exception = exception;
  return exit;
}

// Drops the frames that can't catch the exception in flight; false if that is all of them.
FERMATA_COLD bool UnwindToHandler(Activation& activation) {
  while (activation.size != 0) {
    const u8* const end = activation.frames + activation.size;
    const Frame frame = FrameBefore(end, activation, activation.store->instances[0]);
    if (frame.instance->module->sites[SiteBefore(end)].catches) return true;
    activation.size -= frame.bytes;
    --activation.depth;
  }
  return false;
}

// A guarded call left something rare in `unwind`.
FERMATA_COLD Exit Unwound(Context& context, Activation& activation, Unwind unwind) {
  if (unwind == Unwind::kThrow) return Uncaught(context, activation);
  if (unwind != Unwind::kTrapped) {
    return Commit(context, activation, unwind, activation.size, activation.depth,
                  activation.store->instances[0]);
  }
  return Fail(context, activation, context.trap);
}

// Puts back what an entry within another changes.
struct Outer {
  explicit Outer(Context& c) : context(c), entry(c.entry), activation(c.activation) {
    context.entry = nullptr;
  }
  ~Outer() {
    context.entry = entry;
    context.activation = activation;
  }
  Context& context;
  void* entry;
  Activation* activation;
};
FERMATA_COLD Exit EnterNested(Context& context, Activation& activation, const Function& function,
                              Invoke invoke, const u64* arguments) {
  const Outer outer(context);
  return Enter(context, activation, function, invoke, arguments);
}
FERMATA_COLD Exit ResumeNested(Context& context, Activation& activation, const u64* results,
                               u32 count) {
  const Outer outer(context);
  return Resume(context, activation, results, count);
}

u64 RunDueCalls(Instance* instance, u32, u8*, u64) { return RunTailCalls(instance); }

FERMATA_COLD void StoreResults(Context& context, const u64* results, u32 count) {
  for (u32 i = 0; i < count; ++i) context.results[i] = results[i];
}

u64 InvokeInitialize(Instance* instance, AnyFunction function, const u64*) {
  reinterpret_cast<void (*)(Instance*)>(function)(instance);
  return 0;
}

// Writes the footer of a frame of `bytes` bytes as one store: read back as a whole soon after, in
// parts it would miss the store buffer.
FERMATA_INLINE void PutFooter(u8* frame, size_t bytes, u32 site, u32 instance) {
  const u64 footer = little(site | u64{bytes / kFrameWord} << 32 | u64{instance} << 48);
  memcpy(FERMATA_ALIGNED(frame + bytes - sizeof footer), &footer, sizeof footer);
}

// Never returns; not declared so, that it can be a tail call.
FERMATA_COLD u8* NoRoom(Instance* instance) { RaiseTrap(instance, Trap::kCallStackExhausted); }

[[noreturn]] FERMATA_COLD void LeaveWith(Context& context, Store& store, Trap trap) {
  context.trap = trap;
  SetUnwindOfAll(store, Unwind::kTrapped);
#if defined(FERMATA_ASAN)
  __asan_handle_no_return();
#endif
  Leave(*static_cast<Guard*>(context.entry));
}

// Behind the frames that are not being run.
FERMATA_INLINE u8* End(const Activation& activation) { return activation.frames + activation.size; }

// A frame in the scratch area; one that is not kept is overwritten by the next.
FERMATA_INLINE u8* Push(Context& context, Instance* instance, u32 site, size_t bytes, bool keep) {
  u8* const top = context.scratch_top;
  const u8* const begin = kFreestanding ? End(*context.activation) : context.scratch_begin;
  if (FERMATA_UNLIKELY(static_cast<size_t>(top - begin) < bytes)) return NoRoom(instance);
  u8* const frame = top - bytes;
  PutFooter(frame, bytes, site, instance->index);
  if (FERMATA_LIKELY(keep)) {
    context.scratch_top = frame;
    ++context.pushed;
  }
  return frame;
}

FERMATA_INLINE size_t FrameBytes(const Instance* instance, u32 site) {
  return size_t{instance->module->site_words[site]} * kFrameWord;
}

FERMATA_COLD u8* GrowAndRewrite(Instance* instance, u32 site) {
  Activation& activation = *instance->context->activation;
  if (!Reserve(activation, activation.size + FrameBytes(instance, site))) return NoRoom(instance);
  return RewriteFrame(instance, site);
}

}  // namespace

void RaiseTrap(Instance* instance, Trap trap) {
  LeaveWith(*instance->context, *instance->store, trap);
}

void RaiseTrapIn(Context& context, Trap trap) {
  LeaveWith(context, *context.activation->store, trap);
}

// Callers that can't catch push a frame whatever the reason of `unwind` is: with an exception in
// flight it is one that nobody will see.
u8* PushFrame(Instance* instance, u32 site) {
  return Push(*instance->context, instance, site, FrameBytes(instance, site),
              instance->unwind != Unwind::kThrow);
}

u8* RewriteFrame(Instance* instance, u32 site) {
  Context& context = *instance->context;
  const Activation& activation = *context.activation;
  const size_t bytes = FrameBytes(instance, site);
  const u32 size = activation.size;
  if (kFreestanding) {
    if (static_cast<size_t>(context.scratch_top - End(activation)) < bytes) return NoRoom(instance);
  } else if (FERMATA_UNLIKELY(size_t{activation.capacity} - size < bytes)) {
    return GrowAndRewrite(instance, site);
  }
  u8* const frame = activation.frames + size;
  PutFooter(frame, bytes, site, instance->index);
  if (FERMATA_LIKELY(instance->unwind != Unwind::kThrow)) {
    context.frame_words = static_cast<u32>(bytes / kFrameWord);
  }
  return frame;
}

u64 ResumeShared(Instance* instance, u32 point, u8* frame, u64 value) {
  const SharedFunction& function = instance->module->shared[point >> kPointBits];
  instance->resume_point = (point & ((1u << kPointBits) - 1)) + 1;
  instance->resume_frame = frame;
  instance->resume_value = value;
  // Any values do as arguments; there are enough.
  return function.invoke(instance, *function.code, instance->context->results);
}

u8* PushOp(Instance* instance, u32 site, u32 slots) {
  SetUnwind(*instance->store, Unwind::kSuspend);
  return Push(*instance->context, instance, site, size_t{slots} * 8 + sizeof(Footer), true);
}

void PushPause(Instance* instance, u32 site) {
  Store& store = *instance->store;
  const bool interrupted = TakeInterrupt(store);
  SetUnwind(store, interrupted ? Unwind::kInterrupt : Unwind::kOutOfFuel);
  if (store.fuel < 0) store.fuel = 0;
  Push(*instance->context, instance, site, sizeof(Footer), true);
}

void PushCollect(Instance* instance, u32 site) {
  SetUnwind(*instance->store, Unwind::kCollect);
  Push(*instance->context, instance, site, sizeof(Footer), true);
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
  if (exception == 0 || exception > store.exception_count ||
      store.exceptions[exception - 1].tag == kFreeTag) {
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
  if (FERMATA_UNLIKELY(context.entry != nullptr)) {
    return EnterNested(context, activation, function, invoke, arguments);
  }
  activation.store = function.instance->store;
  activation.trap = Trap::kNone;
  if (!StackAbove(context.stack_limit)) return Fail(context, activation, Trap::kCallStackExhausted);
  Instance* const first = Attach(context, *activation.store);
  Guard guard;
  context.entry = &guard;
  context.activation = &activation;
  const u64 value = CallGuarded(guard, invoke, function.instance, function.code, arguments);
  context.entry = nullptr;
  context.activation = nullptr;
  // Not function.instance: a host function's own instance is in no store.
  const Unwind unwind = first->unwind;
  if (unwind == Unwind::kSuspend) return Commit(context, activation, unwind, 0, 0, first);
  if (unwind != Unwind::kNone) return Unwound(context, activation, unwind);
  activation.value = value;
  return Exit::kReturned;
}

// Drops the op, resumes the innermost frame with the answer, then its parent with what that
// returns, and so on. An exception that leaves a frame goes to the next one that may catch it.
Exit Resume(Context& context, Activation& activation, const u64* results, u32 count) {
  if (FERMATA_UNLIKELY(context.entry != nullptr)) {
    return ResumeNested(context, activation, results, count);
  }
  if (!StackAbove(context.stack_limit)) return Fail(context, activation, Trap::kCallStackExhausted);
  Instance* const first = Attach(context, *activation.store);
  u64 value = 0;
  if (FERMATA_LIKELY(count == 1)) {
    value = results[0];
  } else {
    StoreResults(context, results, count);
  }
  const u8* const top = activation.frames + activation.size;
  u32 size = activation.size - FrameBefore(top, activation, first).bytes;
  u32 depth = activation.depth - 1;
  Unwind unwind = Unwind::kNone;
  Guard guard;
  context.entry = &guard;
  context.activation = &activation;
  while (size != 0) {
    u8* const end = activation.frames + size;
    const Frame frame = FrameBefore(end, activation, first);
    Instance* const instance = frame.instance;
    const SiteInfo& site = instance->module->sites[SiteBefore(end)];
    size -= frame.bytes;
    --depth;
    activation.size = size;  // RewriteFrame goes by it
    value = CallGuarded(guard, site.resume, instance, site.point, end - frame.bytes, value);
    unwind = instance->unwind;
    if (FERMATA_LIKELY(unwind == Unwind::kSuspend)) break;
    if (FERMATA_LIKELY(unwind == Unwind::kNone)) continue;
    if (unwind == Unwind::kTailCall) {
      value = CallGuarded(guard, RunDueCalls, instance, u32{0}, end, value);
      unwind = instance->unwind;
    }
    activation.depth = depth;
    if (unwind == Unwind::kThrow && UnwindToHandler(activation)) unwind = Unwind::kNone;
    if (unwind != Unwind::kNone) break;
    size = activation.size;
    depth = activation.depth;
  }
  context.entry = nullptr;
  context.activation = nullptr;
  if (FERMATA_LIKELY(unwind == Unwind::kSuspend)) {
    return Commit(context, activation, Unwind::kSuspend, size, depth, first);
  }
  if (unwind != Unwind::kNone) return Unwound(context, activation, unwind);
  activation.size = 0;
  activation.depth = 0;
  activation.value = value;
  return Exit::kReturned;
}

Exit ResumeThrow(Context& context, Activation& activation, u32 tag, const u64* values,
                 u32 payload) {
  if (!StackAbove(context.stack_limit)) return Fail(context, activation, Trap::kCallStackExhausted);
  Store& store = *activation.store;
  const u8* const top = activation.frames + activation.size;
  const u32 op = FrameBefore(top, activation, Attach(context, store)).bytes;
  activation.size -= op;
  --activation.depth;
  StoreResults(context, values, payload);
  context.tag = tag;
  context.payload = payload;
  if (!UnwindToHandler(activation)) return Uncaught(context, activation);
  // Resume drops the frame on top.
  memmove(End(activation), top - op, op);
  activation.size += op;
  ++activation.depth;
  SetUnwind(store, Unwind::kThrow);
  return Resume(context, activation, nullptr, 0);
}

Exit Initialize(Context& context, Activation& activation, Instance& instance) {
  const Function function = {reinterpret_cast<AnyFunction>(instance.module->initialize), &instance,
                             kNoType, 0};
  return Enter(context, activation, function, InvokeInitialize, nullptr);
}

}  // namespace fermata::core
