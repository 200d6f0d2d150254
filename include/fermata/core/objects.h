// How references and objects of garbage collection are laid out: what the translator, generated code
// and the runtime agree on. Core header.
//
// A reference of the hierarchies of any and extern is a word of 32 bits:
//
//   0                 null
//   …1                an i31: the number in the upper 31 bits
//   …10               a value of the host: its number in the upper 30 bits
//   …00               an object: its offset in the store's heap
//
// so converting between the two hierarchies changes nothing, and ref.eq compares words.
//
// An object begins with the number of its type within the store. The length of an array follows.
// Fields and elements are little-endian, of their natural size, and aligned to at most 4 bytes.
#ifndef FERMATA_CORE_OBJECTS_H_
#define FERMATA_CORE_OBJECTS_H_

#include <stdint.h>

namespace fermata::core {

inline constexpr uint32_t kStructHeader = 4;     // bytes before the first field
inline constexpr uint32_t kArrayLengthAt = 4;    // offset of an array's length
inline constexpr uint32_t kArrayHeader = 8;      // bytes before the first element
inline constexpr uint32_t kObjectAlignment = 4;  // objects are a multiple of this

// Offsets below kFirstYoung are of no object; from there to kYoungEnd lies the nursery, where most
// objects are made; objects behind it are old.
inline constexpr uint32_t kFirstYoung = 1u << 20;  // more than any field's offset
inline constexpr uint32_t kYoungEnd = 2u << 20;

// The two low bits of references that are neither null nor objects; of an i31, the low one.
inline constexpr uint32_t kI31Tag = 1;
inline constexpr uint32_t kHostTag = 2;
inline constexpr uint32_t kTagMask = 3;

// A type's supertypes are looked up in its *display*: the type numbers from the root of its
// hierarchy to itself. A type number is the display's place, in bytes, in a table of words of the
// store. Displays have room for at least kDisplayWords types, so that looking up a supertype of
// less depth needs no check of the length. The word before a display says what objects of the type
// are.
inline constexpr uint32_t kDisplayWords = 8;
inline constexpr uint32_t kArrayFlag = 1;   // in that word: an array
inline constexpr uint32_t kOpaqueFlag = 2;  // a string of the host's: neither struct nor array to
                                            // guests, and not of the type eq
inline constexpr uint32_t kDescriptionShift = 2;  // above: the number of the type's description

}  // namespace fermata::core

#endif  // FERMATA_CORE_OBJECTS_H_
