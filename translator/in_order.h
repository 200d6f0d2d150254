// Work on several threads whose results are taken in order.
//
// Results come when they come; each is taken when all before it are, by one thread at a time. So
// what is made of them does not depend on how many threads there are or which is faster, and of
// several errors the first in order is the one reported. Threads do not run further ahead of what
// has been taken than a few results, which bounds memory.
#ifndef FERMATA_TRANSLATOR_IN_ORDER_H_
#define FERMATA_TRANSLATOR_IN_ORDER_H_

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "translator/thread_pool.h"

namespace fermata {

template <typename Result>
class InOrder {
 public:
  using Make = absl::FunctionRef<absl::StatusOr<Result>(uint32_t)>;
  using Take = absl::FunctionRef<absl::Status(uint32_t, Result)>;

  // Calls `make(i)` for each i in [0, count), on up to `threads` threads, and `take(i, result)` for
  // each, in order. After an error of either for i nothing after i is taken, and little more made.
  static absl::Status Run(uint32_t count, unsigned threads, Make make, Take take) {
    threads = std::clamp<unsigned>(threads, 1, std::max<uint32_t>(count, 1));
    InOrder work(count, threads * kAhead, make, take);
    if (threads == 1) {
      work.Work();
      return work.status_;
    }
    ThreadPool pool(llvm::hardware_concurrency(threads));
    for (unsigned i = 0; i < threads; ++i) pool.async([&work] { work.Work(); });
    pool.wait();
    return work.status_;
  }

 private:
  static constexpr uint32_t kAhead = 3;  // results, by thread, that may wait or be under way

  InOrder(uint32_t count, uint32_t window, Make make, Take take)
      : count_(count), make_(make), take_(take), window_(window) {}

  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return Over() || next_ < taken_ + window_.size(); });
      if (Over()) return;
      const uint32_t i = next_++;
      lock.unlock();
      absl::StatusOr<Result> result = make_(i);
      lock.lock();
      failed_ |= !result.ok();
      window_[i % window_.size()] = std::move(result);
      TakeWhatIsReady(lock);
    }
  }

  // No more is to be made: all has been begun, or something failed.
  bool Over() const { return next_ == count_ || failed_; }

  // Takes what is next in order as long as it is there, unless another thread is doing so.
  void TakeWhatIsReady(std::unique_lock<std::mutex>& lock) {
    if (taking_) return;
    taking_ = true;
    while (status_.ok() && taken_ < count_ && window_[taken_ % window_.size()]) {
      absl::StatusOr<Result> result = *std::move(window_[taken_ % window_.size()]);
      window_[taken_ % window_.size()].reset();
      lock.unlock();
      status_ = result.ok() ? take_(taken_, *std::move(result)) : result.status();
      lock.lock();
      failed_ |= !status_.ok();
      ++taken_;
      changed_.notify_all();
    }
    taking_ = false;
    if (failed_) changed_.notify_all();
  }

  const uint32_t count_;
  const Make make_;
  const Take take_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  uint32_t next_ = 0;   // to make
  uint32_t taken_ = 0;  // results
  bool failed_ = false;
  bool taking_ = false;  // a thread is; `status_` and `taken_` are its own to write
  std::vector<std::optional<absl::StatusOr<Result>>> window_;  // result i is at i % size
  absl::Status status_;
};

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_IN_ORDER_H_
