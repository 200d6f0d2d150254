// Values in frames and slots: little-endian, fixed width. Core header.
#ifndef FERMATA_CORE_FRAME_H_
#define FERMATA_CORE_FRAME_H_

#include "fermata/core/abi.h"
#include "fermata/core/numeric.h"

namespace fermata::core {

// As they lie in frames: at multiples of kFrameWord.
#if defined(__GNUC__)
typedef u32 FrameU32 __attribute__((may_alias));
typedef u64 FrameU64 __attribute__((may_alias, aligned(4)));
#else
using FrameU32 = u32;
using FrameU64 = u64;
#endif

// Volatile, so that compilers don't gather values in vector registers first, which takes more code
// and, in large functions, minutes.
FERMATA_INLINE void frame_put32(u8* frame, u32 offset, u32 v) {
  *reinterpret_cast<volatile FrameU32*>(frame + offset) = little(v);
}
FERMATA_INLINE void frame_put64(u8* frame, u32 offset, u64 v) {
  *reinterpret_cast<volatile FrameU64*>(frame + offset) = little(v);
}
FERMATA_INLINE void frame_put_f32(u8* frame, u32 offset, f32 v) {
  frame_put32(frame, offset, i32_reinterpret_f32(v));
}
FERMATA_INLINE void frame_put_f64(u8* frame, u32 offset, f64 v) {
  frame_put64(frame, offset, i64_reinterpret_f64(v));
}
FERMATA_INLINE u32 frame_get32(const u8* frame, u32 offset) {
  u32 v;
  memcpy(&v, FERMATA_ALIGNED(frame + offset), sizeof v);
  return little(v);
}
FERMATA_INLINE u64 frame_get64(const u8* frame, u32 offset) {
  u64 v;
  memcpy(&v, FERMATA_ALIGNED(frame + offset), sizeof v);
  return little(v);
}
FERMATA_INLINE f32 frame_get_f32(const u8* frame, u32 offset) {
  return f32_reinterpret_i32(frame_get32(frame, offset));
}
FERMATA_INLINE f64 frame_get_f64(const u8* frame, u32 offset) {
  return f64_reinterpret_i64(frame_get64(frame, offset));
}

// PushOp in line, where there is one instance and room; `slots` is constant.
FERMATA_INLINE u8* push_op(Instance* instance, u32 site, u32 slots) {
  Context& context = *instance->context;
  u8* const top = context.scratch_top;
  const size_t bytes = size_t{slots} * 8 + sizeof(Footer);
  if (FERMATA_UNLIKELY(instance->store->instance_count != 1 ||
                       static_cast<size_t>(top - context.scratch_begin) < bytes)) {
    return PushOp(instance, site, slots);
  }
  const u64 footer = little((site | u64{bytes / kFrameWord} << 32) | u64{instance->index} << 48);
  memcpy(top - sizeof footer, &footer, sizeof footer);
  context.scratch_top = top - bytes;
  ++context.pushed;
  instance->unwind = Unwind::kSuspend;
  return top - bytes;
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_FRAME_H_
