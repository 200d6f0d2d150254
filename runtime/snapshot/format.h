// The header of snapshots: docs/abi.md, "Snapshots".
#ifndef FERMATA_RUNTIME_SNAPSHOT_FORMAT_H_
#define FERMATA_RUNTIME_SNAPSHOT_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fermata::internal {

// As in PNG: the ends tell of transfers that change line ends or drop the eighth bit.
inline constexpr char kMagic[8] = {'\x89', 'F', 'r', 'm', 't', '\r', '\n', '\x1a'};
inline constexpr uint32_t kFormatVersion = 4;
inline constexpr size_t kVersionAt = 8;
inline constexpr size_t kFlagsAt = 12;
inline constexpr size_t kSizeAt = 16;
inline constexpr size_t kChecksumAt = 24;
inline constexpr size_t kHeaderBytes = 32;
inline constexpr uint32_t kCompressed = 1;  // flag: the body is a zlib stream

// Of all bytes but the checksum itself and the four after it. At least a header.
uint32_t Checksum(absl::string_view bytes);
// Writes it.
void Seal(std::string& bytes);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_SNAPSHOT_FORMAT_H_
