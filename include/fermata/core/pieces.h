// What a giant function needs that was emitted as many small ones, its pieces (see
// translator/emit/function/pieces.h). Core header.
#ifndef FERMATA_CORE_PIECES_H_
#define FERMATA_CORE_PIECES_H_

#include "fermata/core/abi.h"
#include "fermata/core/frame.h"

namespace fermata::core {

// The structure of variables is reached by the piece alone while it runs.
#if defined(__GNUC__) || defined(_MSC_VER)
#define FERMATA_RESTRICT __restrict
#else
#define FERMATA_RESTRICT
#endif

// What a piece returns: where the function continues, as number of the piece << 16 | its entry, or
// that it returns.
inline constexpr u32 kDone = 0xffffffffu;
inline constexpr u32 kPushFrame = 0xfffffffeu;  // suspended: with a frame

// What a frame holds: members of the structure of variables, by their offsets in it.
struct PieceFrame {
  u32 first;     // in the function's table of offsets
  u32 count128;  // first the values of 16 bytes, then those of 8 bytes, then of 4
  u32 count64;
  u32 count32;
};

// A resume point.
struct PiecePoint {
  u32 at;     // the piece and its entry
  u32 frame;  // index of its PieceFrame
};

FERMATA_COLD inline void frame_put_members(u8* frame, const void* variables,
                                           const PieceFrame& layout, const u32* offsets) {
  const u8* from = static_cast<const u8*>(variables);
  offsets += layout.first;
  for (u32 i = 0; i < layout.count128; ++i, frame += 16) memcpy(frame, from + *offsets++, 16);
  for (u32 i = 0; i < layout.count64; ++i, frame += 8) {
    u64 value;
    memcpy(&value, from + *offsets++, sizeof value);
    frame_put64(frame, 0, value);
  }
  for (u32 i = 0; i < layout.count32; ++i, frame += 4) {
    u32 value;
    memcpy(&value, from + *offsets++, sizeof value);
    frame_put32(frame, 0, value);
  }
}

FERMATA_COLD inline void frame_get_members(const u8* frame, void* variables,
                                           const PieceFrame& layout, const u32* offsets) {
  u8* to = static_cast<u8*>(variables);
  offsets += layout.first;
  for (u32 i = 0; i < layout.count128; ++i, frame += 16) memcpy(to + *offsets++, frame, 16);
  for (u32 i = 0; i < layout.count64; ++i, frame += 8) {
    const u64 value = frame_get64(frame, 0);
    memcpy(to + *offsets++, &value, sizeof value);
  }
  for (u32 i = 0; i < layout.count32; ++i, frame += 4) {
    const u32 value = frame_get32(frame, 0);
    memcpy(to + *offsets++, &value, sizeof value);
  }
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_PIECES_H_
