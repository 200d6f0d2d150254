// Bounded queues between native threads and guests, without locks on the way of a message:
// SpscRing (one producer thread, one consumer thread) and MpscRing (many producers, one consumer).
//
// A guest's import that waits for a message suspends while its queue is empty. The host neither
// polls nor blocks: it leaves a *waker*, which the next push calls.
//
//   fermata::MpscRing<Message> ring(1024);
//
//   // Any native thread:
//   switch (ring.TryPush(std::move(message))) {
//     case fermata::PushResult::kPushed: break;
//     case fermata::PushResult::kFull:   break;  // `message` is as it was: drop it, try later, or
//                                                // have OnSpace tell when to go on
//     case fermata::PushResult::kClosed: break;  // nobody will take it
//   }
//
//   // The guest's thread: one round for each time it is scheduled.
//   void Pump() {
//     while (step.suspended()) {
//       if (std::optional<Message> message = ring.TryPop()) {
//         step.Resume<Guest::wait_message>(Write(*message));       // the guest handles it
//       } else if (ring.finished()) {
//         step.Resume<Guest::wait_message>(0);                     // closed: no more will come
//       } else if (ring.OnReady([] { loop.Post(Pump); })) {
//         return;  // while it waits the guest costs no more than its frames
//       }
//     }
//   }
//
// In a coroutine (fermata/task.h), this continues on `loop` when there may be a message:
//
//   co_await fermata::FromCallback([&](fermata::Reply<> reply) {
//     if (!ring.OnReady([&loop, reply] { loop.Post(reply); })) reply();
//   });
//
// No wake-up is lost: OnReady and OnSpace either keep the waker, and then it is called once, or
// return that there is no need to wait. A waker is called on the thread of the push, pop or Close
// that ended the wait, so it should hand the work to where it belongs (post to a loop, set an
// eventfd, release a semaphore). It may run a little early, so the woken code must try again. It
// must not throw.
//
// Closing: after Close() every push is refused, while messages that were pushed before can still be
// popped; finished() is true when there are no more. No message is lost in between: if a push
// succeeds, its message is popped before finished() is true, and if it does not, the value stays
// with the caller. To stop without draining, destroy the ring, which destroys what is in it. Wakers
// that were never called are destroyed with the ring, or by ForgetReady.
//
// Threads: each function says which threads may call it. During constructor and destructor no other
// thread may use the ring. Progress: pushes and pops take no lock unless a thread waits for them. A
// producer that is stopped in the middle of MpscRing::TryPush holds up the messages after its own,
// but no other producer.
//
// A pop while no producer waits, and a push while the consumer does not wait, cost a few atomic
// operations and no allocation.
#ifndef FERMATA_RING_H_
#define FERMATA_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "fermata/needs_cxx20.h"

namespace fermata {

// What has come of an attempt to push a message.
enum class PushResult : uint8_t { kPushed, kFull, kClosed };

// Implementation details, not part of the API.
namespace ring_internal {

// The size of a cache line: two threads that write to the same line take it from each other. It is
// 64 bytes on all common machines.
inline constexpr size_t kLine = 64;

// The threads that wait for one side of a ring. The other side reads the flag each time. The flag
// and what is waited for are accessed in one total order (seq_cst), so that either the waiter sees
// the change, or the thread that makes it sees the waiter.
class alignas(kLine) Waiters {
 public:
  bool any() const { return any_.load(std::memory_order_seq_cst); }

  // Keeps `waker`, and then calls `ready` again. If that is true, takes the waker back and returns
  // false.
  template <class Ready>
  bool Wait(std::function<void()> waker, Ready ready) {
    uint64_t ticket;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ticket = ++last_ticket_;
      wakers_.push_back({ticket, std::move(waker)});
      any_.store(true, std::memory_order_seq_cst);
    }
    // If the waker is not there any more, it has been called or is about to be, once.
    return !ready() || !Remove(ticket);
  }

  void WakeAll() {
    std::vector<Entry> woken;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      woken.swap(wakers_);
      any_.store(false, std::memory_order_seq_cst);
    }
    for (Entry& entry : woken) entry.waker();
  }

  // True if there was a waker; it has not been called and never will be.
  bool Forget() {
    std::vector<Entry> dropped;
    std::lock_guard<std::mutex> lock(mutex_);
    dropped.swap(wakers_);
    any_.store(false, std::memory_order_seq_cst);
    return !dropped.empty();
  }

 private:
  struct Entry {
    uint64_t ticket;
    std::function<void()> waker;
  };

  bool Remove(uint64_t ticket) {
    std::function<void()> dropped;
    std::lock_guard<std::mutex> lock(mutex_);
    const auto mine = std::find_if(wakers_.begin(), wakers_.end(),
                                   [&](const Entry& e) { return e.ticket == ticket; });
    if (mine == wakers_.end()) return false;
    dropped = std::move(mine->waker);
    wakers_.erase(mine);
    any_.store(!wakers_.empty(), std::memory_order_seq_cst);
    return true;
  }

  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::vector<Entry> wakers_;
  uint64_t last_ticket_ = 0;
};

// Room for a T that comes and goes.
template <class T>
class Slot {
 public:
  void Put(T&& value) { ::new (static_cast<void*>(bytes_)) T(std::move(value)); }
  T Take() {
    T* held = std::launder(reinterpret_cast<T*>(bytes_));
    T value(std::move(*held));
    held->~T();
    return value;
  }

 private:
  alignas(T) unsigned char bytes_[sizeof(T)];
};

// The position of the next message, times two, plus one if the ring is closed. It is one word, so
// that no producer can push a message after Close.
inline constexpr uint64_t kClosedBit = 1;
inline uint64_t PositionOf(uint64_t tail) { return tail >> 1; }

// The base of both rings. `Ring` has tail(), position(), Ready() and TryPop().
template <class Ring, class T>
class Base {
 public:
  Base(const Base&) = delete;

  // Leaves `waker` for the next message or the end. True: it will be called once. False: there is a
  // message for TryPop, or finished() is true, and the waker was dropped. Consumer only, one waker
  // at a time.
  bool OnReady(std::function<void()> waker) {
    return ready_.Wait(std::move(waker), [this] { return self().Ready() || finished(); });
  }
  // Takes back the waker that OnReady left: true if that was in time, false if there was none, or
  // it has been called or is being called. Consumer only.
  bool ForgetReady() { return ready_.Forget(); }

  // Leaves `waker` for the time when the ring is at most half full, or closed. True: it will be
  // called once. False: that is so already, and the waker was dropped. Producers only; each may
  // leave one. (Waking them for every free slot would cost more than passing the messages.)
  bool OnSpace(std::function<void()> waker) {
    return space_.Wait(std::move(waker), [this] { return HalfEmpty() || closed(); });
  }

  // Accepts no more messages from now on, and wakes all who wait. Any thread, any number of times.
  void Close() {
    tail_.fetch_or(kClosedBit, std::memory_order_seq_cst);
    ready_.WakeAll();
    space_.WakeAll();
  }
  // Any thread.
  bool closed() const { return (tail_.load(std::memory_order_seq_cst) & kClosedBit) != 0; }
  // Whether the ring is closed and all messages have been popped. Any thread; once true, it stays
  // true.
  bool finished() const {
    const uint64_t tail = tail_.load(std::memory_order_seq_cst);
    return (tail & kClosedBit) != 0 && PositionOf(tail) == head_.load(std::memory_order_seq_cst);
  }

  // Pops all messages and calls `handle(T&&)` for each. Returns how many there were. Consumer only.
  template <class Handle>
  size_t Drain(Handle&& handle) {
    size_t count = 0;
    while (std::optional<T> message = self().TryPop()) {
      handle(*std::move(message));
      ++count;
    }
    return count;
  }

  size_t capacity() const { return mask_ + 1; }
  // How many messages there are, or were a moment ago. Any thread.
  size_t size() const {
    // The head first: it never overtakes the tail.
    const uint64_t head = head_.load(std::memory_order_seq_cst);
    return static_cast<size_t>(PositionOf(tail_.load(std::memory_order_seq_cst)) - head);
  }

 protected:
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "messages are moved where nothing may be thrown");

  explicit Base(size_t capacity) : mask_(std::bit_ceil(std::max<size_t>(capacity, 2)) - 1) {}

  void Pushed() {
    if (ready_.any()) ready_.WakeAll();
  }
  void Popped() {
    if (space_.any() && HalfEmpty()) space_.WakeAll();
  }

  const size_t mask_;
  alignas(kLine) std::atomic<uint64_t> tail_{0};  // written by producers
  alignas(kLine) std::atomic<uint64_t> head_{0};  // written by the consumer

 private:
  Ring& self() { return static_cast<Ring&>(*this); }
  bool HalfEmpty() const { return size() <= capacity() / 2; }

  Waiters ready_;  // the consumer
  Waiters space_;  // producers
};

}  // namespace ring_internal

// One producer thread and one consumer thread at a time.
template <class T>
class SpscRing : public ring_internal::Base<SpscRing<T>, T> {
  using Base = ring_internal::Base<SpscRing<T>, T>;
  using Base::head_;
  using Base::mask_;
  using Base::tail_;

 public:
  // `capacity` in messages, rounded up to a power of two of at least 2.
  explicit SpscRing(size_t capacity)
      : Base(capacity), slots_(new ring_internal::Slot<T>[Base::capacity()]) {}
  ~SpscRing() {
    while (TryPop()) {
    }
  }

  // `value` is moved from only if the result is kPushed. Producer only.
  PushResult TryPush(T&& value) {
    uint64_t tail = tail_.load(std::memory_order_relaxed);
    if ((tail & ring_internal::kClosedBit) != 0) return PushResult::kClosed;
    const uint64_t position = ring_internal::PositionOf(tail);
    if (position - seen_head_ > mask_) {
      seen_head_ = head_.load(std::memory_order_acquire);
      if (position - seen_head_ > mask_) return PushResult::kFull;
    }
    ring_internal::Slot<T>& slot = slots_[position & mask_];
    slot.Put(std::move(value));
    if (!tail_.compare_exchange_strong(tail, tail + 2, std::memory_order_seq_cst)) {
      // Closed in the meantime; the consumer has not seen the slot.
      GiveBack(value, slot.Take());
      return PushResult::kClosed;
    }
    this->Pushed();
    return PushResult::kPushed;
  }
  PushResult TryPush(const T& value) { return TryPush(T(value)); }

  // Consumer only.
  std::optional<T> TryPop() {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == seen_tail_) {
      seen_tail_ = ring_internal::PositionOf(tail_.load(std::memory_order_acquire));
      if (head == seen_tail_) return std::nullopt;
    }
    std::optional<T> value(slots_[head & mask_].Take());
    head_.store(head + 1, std::memory_order_seq_cst);
    this->Popped();
    return value;
  }

 private:
  friend Base;
  bool Ready() const {
    return head_.load(std::memory_order_relaxed) !=
           ring_internal::PositionOf(tail_.load(std::memory_order_seq_cst));
  }
  static void GiveBack(T& to, T&& value) {
    to.~T();
    ::new (static_cast<void*>(std::addressof(to))) T(std::move(value));
  }

  const std::unique_ptr<ring_internal::Slot<T>[]> slots_;
  // What each side last saw of the other. It has to look again only when that is used up.
  alignas(ring_internal::kLine) uint64_t seen_head_ = 0;  // producer's
  alignas(ring_internal::kLine) uint64_t seen_tail_ = 0;  // consumer's
};

// Any number of producer threads and one consumer thread at a time. The order of each producer's
// messages is kept. The algorithm is Dmitry Vyukov's bounded queue: each slot has a number that
// says whose turn it is, its position when it is free, and one more when it is full.
template <class T>
class MpscRing : public ring_internal::Base<MpscRing<T>, T> {
  using Base = ring_internal::Base<MpscRing<T>, T>;
  using Base::head_;
  using Base::mask_;
  using Base::tail_;

 public:
  // `capacity` in messages, rounded up to a power of two of at least 2.
  explicit MpscRing(size_t capacity) : Base(capacity), cells_(new Cell[Base::capacity()]) {
    for (size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }
  ~MpscRing() {
    while (TryPop()) {
    }
  }

  // `value` is moved from only if the result is kPushed. Any thread.
  PushResult TryPush(T&& value) {
    uint64_t tail = tail_.load(std::memory_order_relaxed);
    while (true) {
      if ((tail & ring_internal::kClosedBit) != 0) return PushResult::kClosed;
      const uint64_t position = ring_internal::PositionOf(tail);
      Cell& cell = cells_[position & mask_];
      const uint64_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == position) {
        if (!tail_.compare_exchange_weak(tail, tail + 2, std::memory_order_seq_cst)) continue;
        cell.slot.Put(std::move(value));
        cell.turn.store(position + 1, std::memory_order_seq_cst);
        this->Pushed();
        return PushResult::kPushed;
      }
      const uint64_t now = tail_.load(std::memory_order_relaxed);
      // It is still this position's turn, but the slot holds a message of the previous round.
      if (now == tail && static_cast<int64_t>(turn - position) < 0) return PushResult::kFull;
      tail = now;
    }
  }
  PushResult TryPush(const T& value) { return TryPush(T(value)); }

  // Consumer only.
  std::optional<T> TryPop() {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    Cell& cell = cells_[head & mask_];
    if (cell.turn.load(std::memory_order_acquire) != head + 1) return std::nullopt;
    std::optional<T> value(cell.slot.Take());
    cell.turn.store(head + mask_ + 1, std::memory_order_release);
    head_.store(head + 1, std::memory_order_seq_cst);
    this->Popped();
    return value;
  }

 private:
  friend Base;
  struct Cell {
    std::atomic<uint64_t> turn{0};
    ring_internal::Slot<T> slot;
  };
  bool Ready() const {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    return cells_[head & mask_].turn.load(std::memory_order_seq_cst) == head + 1;
  }

  const std::unique_ptr<Cell[]> cells_;
};

}  // namespace fermata

#endif  // FERMATA_RING_H_
