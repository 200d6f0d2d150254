// What the guests share. The members whose names begin with board_ are their imports that are plain
// calls.
#ifndef TWO_GUESTS_VALUES_H_
#define TWO_GUESTS_VALUES_H_

#include <stdint.h>

#include <atomic>

#include "board/board.h"

// Each value is a word of its own, and no two depend on each other, so guests on two cores may
// share them. (Cortex-M0 has no atomic addition: each word has one writer, except for those that
// commands set.)
class Values {
 public:
  // The numbers of the values are those of guests/guest.h.
  int32_t board_get(int32_t which) const {
    const auto at = static_cast<uint32_t>(which);
    if (at < kSettable) return values_[at].load(std::memory_order_relaxed);
    if (at == kSettable) return static_cast<int32_t>(board::Ticks());
    if (at == kSettable + 1) return static_cast<int32_t>(longest_gap());
    if (at == kSettable + 2) return static_cast<int32_t>(rounds());
    return 0;
  }
  void board_set(int32_t which, int32_t value) {
    const auto at = static_cast<uint32_t>(which);
    if (at < kSettable) values_[at].store(value, std::memory_order_relaxed);
  }
  // A stand-in for a sensor, the same on all boards: a triangle from 19.5 to 22.5 degrees.
  int32_t board_temperature() {
    const auto phase = static_cast<int32_t>(measured_++ % 12);
    return 195 + 5 * (phase < 6 ? phase : 12 - phase);
  }

  uint32_t readings() const { return static_cast<uint32_t>(values_[1].load()); }
  // In microseconds.
  uint32_t longest_gap() const { return longest_gap_.load(std::memory_order_relaxed); }
  void NoteGap(uint32_t gap) {
    if (gap > longest_gap()) longest_gap_.store(gap, std::memory_order_relaxed);
  }
  // Of the sieve.
  uint32_t rounds() const { return rounds_.load(std::memory_order_relaxed); }
  void CountRound() { rounds_.store(rounds() + 1, std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kSettable = 4;
  std::atomic<int32_t> values_[kSettable] = {300, 0, 0, 0};
  std::atomic<uint32_t> longest_gap_{0}, rounds_{0};
  uint32_t measured_ = 0;
};

inline Values values;

#endif  // TWO_GUESTS_VALUES_H_
