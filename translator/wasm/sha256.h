// SHA-256, by the processor's own instructions where it has them, else LLVM's. LLVM's alone takes three
// times as long, which is 3 % of the processor time of a translation (bench/run:
// translate_speed_vs_wasm2c).
#ifndef FERMATA_TRANSLATOR_WASM_SHA256_H_
#define FERMATA_TRANSLATOR_WASM_SHA256_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace fermata {

std::array<uint8_t, 32> Sha256(absl::Span<const uint8_t> bytes);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_WASM_SHA256_H_
