// SHA-256, by the processor's own instructions where it has them, else LLVM's. LLVM's alone takes three
// times as long, 6 ms a megabyte: a tenth of the time that a large module is translated in, by two
// threads. (bench/run: translate_speed_vs_wasm2c.)
#ifndef FERMATA_TRANSLATOR_SHA256_H_
#define FERMATA_TRANSLATOR_SHA256_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace fermata {

std::array<uint8_t, 32> Sha256(absl::Span<const uint8_t> bytes);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_SHA256_H_
