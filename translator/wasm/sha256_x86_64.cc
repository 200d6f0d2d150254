// By the instructions that newer processors have for it, where they are there.
#include <cpuid.h>
#include <immintrin.h>

#include <cstring>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/SHA256.h"
#include "translator/wasm/sha256.h"

namespace fermata {
namespace {

// FIPS 180-4, 4.2.2.
alignas(16) constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool HasShaInstructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
  return sha && __builtin_cpu_supports("sse4.1");
}

// The state, a to h, as the instructions want it: abef and cdgh.
struct State {
  __m128i abef, cdgh;
};

__attribute__((target("sha,sse4.1"))) void HashBlocks(State& state, const uint8_t* p,
                                                      size_t blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (; blocks > 0; --blocks, p += 64) {
    const State before = state;
    __m128i words[4];  // the last 16 of the message schedule
    for (int i = 0; i < 16; ++i) {
      __m128i& w = words[i % 4];
      if (i < 4) {
        w = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
        w = _mm_shuffle_epi8(w, big_endian);
      } else {
        const __m128i &w1 = words[(i + 1) % 4], &w2 = words[(i + 2) % 4], &w3 = words[(i + 3) % 4];
        w = _mm_add_epi32(_mm_sha256msg1_epu32(w, w1), _mm_alignr_epi8(w3, w2, 4));
        w = _mm_sha256msg2_epu32(w, w3);
      }
      __m128i sum =
          _mm_add_epi32(w, _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds + 4 * i)));
      state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
      sum = _mm_shuffle_epi32(sum, 0x0e);
      state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, sum);
    }
    state.abef = _mm_add_epi32(state.abef, before.abef);
    state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
  }
}

std::array<uint8_t, 32> HashByInstructions(absl::Span<const uint8_t> bytes) {
  // FIPS 180-4, 5.3.3.
  State state = {_mm_set_epi64x(0x6a09e667bb67ae85, 0x510e527f9b05688c),
                 _mm_set_epi64x(0x3c6ef372a54ff53a, 0x1f83d9ab5be0cd19)};
  const size_t whole = bytes.size() / 64;
  HashBlocks(state, bytes.data(), whole);
  uint8_t last[128] = {};  // the rest, 0x80, zeros and the length in bits
  const size_t rest = bytes.size() - 64 * whole;
  if (rest > 0) std::memcpy(last, bytes.data() + 64 * whole, rest);
  last[rest] = 0x80;
  const size_t end = rest < 56 ? 64 : 128;
  const uint64_t bits = 8 * static_cast<uint64_t>(bytes.size());
  for (int i = 0; i < 8; ++i) last[end - 1 - i] = static_cast<uint8_t>(bits >> 8 * i);
  HashBlocks(state, last, end / 64);

  uint32_t abef[4], cdgh[4];  // lowest first: f e b a, h g d c
  std::memcpy(abef, &state.abef, sizeof abef);
  std::memcpy(cdgh, &state.cdgh, sizeof cdgh);
  const uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2],
                             abef[1], abef[0], cdgh[1], cdgh[0]};
  std::array<uint8_t, 32> hash;
  for (int i = 0; i < 32; ++i) hash[i] = static_cast<uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
  return hash;
}

}  // namespace

std::array<uint8_t, 32> Sha256(absl::Span<const uint8_t> bytes) {
  if (HasShaInstructions()) return HashByInstructions(bytes);
  return llvm::SHA256::hash(llvm::ArrayRef(bytes.data(), bytes.size()));
}

}  // namespace fermata
