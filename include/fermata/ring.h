// Bounded queues between native threads and guests, without locks on the way of a message:
// SpscRing (one producer thread, one consumer thread) and MpscRing (many producers, one consumer).
//
// A guest's import that waits for a message suspends while its queue is empty. Its host neither
// polls nor blocks: it leaves a *waker*, and the push that finds it calls it.
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
// In a coroutine (fermata/task.h): go on on `loop` when there may be a message.
//
//   co_await fermata::FromCallback([&](fermata::Reply<> reply) {
//     if (!ring.OnReady([&loop, reply] { loop.Post(reply); })) reply();
//   });
//
// No wake-up is lost: OnReady and OnSpace either keep the waker, and then it is called once, or say
// that there is no need to wait. A waker is called on the thread of the push, pop or Close that
// ended the wait, so it should hand the work to where it belongs (post to a loop, set an eventfd,
// release a semaphore). It may run a little early: whoever it wakes tries again. It must not throw.
//
// Closing: after Close() every push is refused, while what was pushed before can still be popped;
// finished() tells when that is all. A push either succeeds, and its message is then popped before
// finished() is true, or it does not, and its value stays with the caller: none is lost between.
// Stopping without draining: destroy the ring, which destroys what is in it. Wakers that were never
// called are destroyed with the ring, or by ForgetReady.
//
// Threads: each function says who may call it. Constructor and destructor: nobody else uses the
// ring meanwhile. Progress: pushes and pops take no lock unless somebody waits for them; one
// producer that is stopped in the middle of TryPush of an MpscRing holds up the messages after its
// own, and no other producer.
//
// A pop while no producer waits, and a push while the consumer does not, cost a few atomic
// operations, and no allocation.
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

enum class PushResult : uint8_t { kPushed, kFull, kClosed };

// What the rings are made of; the embedder has no business here.
namespace ring_internal {

// Two threads that write to the same line take it from each other; 64 on all common machines.
inline constexpr size_t kLine = 64;

// Those who wait for one side of a ring. The flag is what the other side reads each time, so it and
// what is waited for are accessed in one total order (seq_cst): either the waiter sees the change,
// or who makes it sees the waiter.
class alignas(kLine) Waiters {
 public:
  bool any() const { return any_.load(std::memory_order_seq_cst); }

  // Keeps `waker` and then asks `ready` again; if it is ready takes the waker back: false.
  template <class Ready>
  bool Wait(std::function<void()> waker, Ready ready) {
    uint64_t ticket;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ticket = ++last_ticket_;
      wakers_.push_back({ticket, std::move(waker)});
      any_.store(true, std::memory_order_seq_cst);
    }
    // If it is not there any more, it has been called or is about to be: once.
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

  // True if there was one that has not been called, and will not be.
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

// Where the next message goes, times two, and whether the ring is closed: one word, so that a
// producer can't get a message in behind Close's back.
inline constexpr uint64_t kClosedBit = 1;
inline uint64_t PositionOf(uint64_t tail) { return tail >> 1; }

// What both rings share: `Ring` has tail(), position(), Ready() and TryPop().
template <class Ring, class T>
class Base {
 public:
  // Leaves `waker` for the next message, or the end, of which there is neither yet: true, and it
  // will be called once. False: TryPop has a message, or finished() is true; the waker was dropped.
  // Consumer only, who leaves one waker at a time.
  bool OnReady(std::function<void()> waker) {
    return ready_.Wait(std::move(waker), [this] { return self().Ready() || finished(); });
  }
  // Takes the waker left by OnReady back: true if that was in time; false: there was none, or it
  // has been called, or is being called. Consumer only.
  bool ForgetReady() { return ready_.Forget(); }

  // Leaves `waker` for the time when the ring is no more than half full, or closed: true, and it
  // will be called once. False: that is so already; the waker was dropped. Producers only; each may
  // leave one. (Half: to be woken for every free slot would cost more than what goes through it.)
  bool OnSpace(std::function<void()> waker) {
    return space_.Wait(std::move(waker), [this] { return HalfEmpty() || closed(); });
  }

  // No more messages from now on. Wakes everybody who waits. Any thread, any number of times.
  void Close() {
    tail_.fetch_or(kClosedBit, std::memory_order_seq_cst);
    ready_.WakeAll();
    space_.WakeAll();
  }
  // Any thread.
  bool closed() const { return (tail_.load(std::memory_order_seq_cst) & kClosedBit) != 0; }
  // Closed, and all that was pushed has been popped. Any thread; once true it stays so.
  bool finished() const {
    const uint64_t tail = tail_.load(std::memory_order_seq_cst);
    return (tail & kClosedBit) != 0 && PositionOf(tail) == head_.load(std::memory_order_seq_cst);
  }

  // Pops all there is, and calls `handle(T&&)` for each: how many. Consumer only.
  template <class Handle>
  size_t Drain(Handle&& handle) {
    size_t count = 0;
    for (; std::optional<T> message = self().TryPop(); ++count) handle(*std::move(message));
    return count;
  }

  size_t capacity() const { return mask_ + 1; }
  // How many there are, or were a moment ago. Any thread.
  size_t size() const {
    // The head first: it never overtakes the tail.
    const uint64_t head = head_.load(std::memory_order_seq_cst);
    return static_cast<size_t>(PositionOf(tail_.load(std::memory_order_seq_cst)) - head);
  }

 protected:
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "messages are moved where nothing may be thrown");

  explicit Base(size_t capacity) : mask_(std::bit_ceil(std::max<size_t>(capacity, 2)) - 1) {}
  Base(const Base&) = delete;

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
      // Closed meanwhile: nobody has seen the slot.
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
  // What each side last saw of the other, so that it has to look only when that is used up.
  alignas(ring_internal::kLine) uint64_t seen_head_ = 0;  // producer's
  alignas(ring_internal::kLine) uint64_t seen_tail_ = 0;  // consumer's
};

// Any number of producer threads and one consumer thread at a time. The order of each producer's
// messages is kept. After Dmitry Vyukov's bounded queue: each slot has a number that says whose
// turn it is: its position when it is free, one more when it is full.
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
      // Still this position's turn, but the slot holds a message of the round before.
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
