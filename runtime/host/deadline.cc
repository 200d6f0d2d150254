#include "fermata/deadline.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

namespace fermata {

struct DeadlineTimer::State {
  std::mutex mutex;
  std::condition_variable changed;
  // By time, and among equals in the order they were set.
  std::map<std::pair<Clock::time_point, uint64_t>, Interrupter> deadlines;
  uint64_t next_id = 0;
  bool ends = false;
  std::thread thread;

  void Run() {
    std::unique_lock lock(mutex);
    while (!ends) {
      if (deadlines.empty()) {
        changed.wait(lock);
        continue;
      }
      const auto first = deadlines.begin();
      const Clock::time_point at = first->first.first;
      if (Clock::now() < at) {
        changed.wait_until(lock, at);
        continue;
      }
      // Under the lock, so that a deadline that was taken back does not come.
      first->second.Interrupt();
      deadlines.erase(first);
    }
  }
};

DeadlineTimer::DeadlineTimer() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

DeadlineTimer::~DeadlineTimer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ends = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

DeadlineTimer::Deadline DeadlineTimer::InterruptAt(Interrupter interrupter, Clock::time_point at) {
  Deadline deadline;
  deadline.timer_ = this;
  deadline.at_ = at;
  bool first;
  {
    const std::lock_guard lock(state_->mutex);
    deadline.id_ = state_->next_id++;
    const auto [it, fresh] =
        state_->deadlines.emplace(std::pair(at, deadline.id_), std::move(interrupter));
    first = it == state_->deadlines.begin();
  }
  if (first) state_->changed.notify_one();
  return deadline;
}

void DeadlineTimer::Deadline::TakeBack() {
  if (timer_ == nullptr) return;
  const std::lock_guard lock(timer_->state_->mutex);
  timer_->state_->deadlines.erase({at_, id_});
  timer_ = nullptr;
}

}  // namespace fermata
