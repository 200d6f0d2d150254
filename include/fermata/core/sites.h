// Numbers that the translator and the runtime agree on where frames and sites are concerned. Core
// header.
#ifndef FERMATA_CORE_SITES_H_
#define FERMATA_CORE_SITES_H_

#include <stdint.h>

namespace fermata::core {

inline constexpr uint32_t kFrameWord = 4;            // what frames consist of, in bytes
inline constexpr uint32_t kMostFrameWords = 0xffff;  // in a frame: Footer::words

// Bits of SiteInfo::point that number a function's resume points, if it is one of
// ModuleInfo::shared; the bits above them are its place there.
inline constexpr uint32_t kPointBits = 12;

// What the call at a site may have led to; the frame after one of the site shows it.
inline constexpr uint16_t kCallsAny =
    0;                                  // not known: may end in a tail call, or f or t is too large
inline constexpr uint16_t kPauses = 1;  // no call: the frame of a pause, which is the last
inline constexpr uint16_t kCollects = 0xffff;  // no call: for a collection, never held
inline constexpr uint16_t kCallsFunction = 2;  // + 2 * f: function f of the module
inline constexpr uint16_t kCallsType = 3;      // + 2 * t: through a table or reference, of type t

}  // namespace fermata::core

#endif  // FERMATA_CORE_SITES_H_
