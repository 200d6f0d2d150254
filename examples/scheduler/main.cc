// 10,000 guests, each with one long call that never calls an import, take turns on two threads. A
// guest runs for a slice and is interrupted. Then it goes to the end of the queue, from which
// either thread takes it to continue it.
//
//   scheduler [--guests N] [--threads N] [--slice MICROSECONDS] [--rounds N]
#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "fermata/deadline.h"
#include "worker.h"

namespace {

using guest::Worker;

struct Settings {
  int guests = 10000;
  int threads = 2;
  int slice = 100;       // microseconds
  int rounds = 500'000;  // of the guests' loops, give or take 5 %
};

struct Task {
  std::unique_ptr<Worker> worker;
  uint32_t seed, rounds;
  fermata::Step<int32_t, Worker> step;  // after the worker: it is gone before its store is
  bool started = false;
  int slices = 0;  // belongs to the scheduler's mutex
};

// What the guest computes, natively.
uint32_t Expected(uint32_t seed, uint32_t rounds) {
  uint32_t x = seed, sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    sum += x;
  }
  return sum;
}

class Scheduler {
 public:
  explicit Scheduler(const Settings& settings) : slice_(settings.slice) {}

  absl::Status Add(uint32_t seed, uint32_t rounds) {
    absl::StatusOr<std::unique_ptr<Worker>> worker = Worker::Create();
    if (!worker.ok()) return worker.status();
    tasks_.push_back(std::make_unique<Task>(Task{*std::move(worker), seed, rounds}));
    queue_.push_back(tasks_.back().get());
    return absl::OkStatus();
  }

  // Runs on each of the threads until no guest is left to run.
  void Run() {
    while (Task* task = Next()) {
      RunSlice(*task);
      const std::lock_guard lock(mutex_);
      if (task->step.paused()) {
        queue_.push_back(task);
      } else if (finished_++ == 0) {
        MeasureSpread();
      }
    }
  }

  // Checks that all guests have the right result, and that none was far ahead of another.
  bool Report() const {
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> expected;
    long slices = 0, right = 0;
    for (const auto& task : tasks_) {
      const auto [it, fresh] = expected.try_emplace({task->seed, task->rounds});
      if (fresh) it->second = Expected(task->seed, task->rounds);
      slices += task->slices;
      right += task->step.finished() && static_cast<uint32_t>(task->step.value()) == it->second;
    }
    std::printf("%zu guests, %ld right, %ld slices; ", tasks_.size(), right, slices);
    std::printf("each had had %d to %d when the first had finished\n", least_, most_);
    return right == static_cast<long>(tasks_.size()) && most_ - least_ <= 2;
  }

 private:
  Task* Next() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return nullptr;
    Task* task = queue_.front();
    queue_.pop_front();
    ++task->slices;
    return task;
  }

  void RunSlice(Task& task) {
    const auto deadline = timer_.InterruptAfter(task.worker->store()->interrupter(), slice_);
    if (!task.started) {
      task.started = true;
      task.step =
          task.worker->work(static_cast<int32_t>(task.seed), static_cast<int32_t>(task.rounds));
    } else if (!task.step.Continue().ok()) {
      task.step.Cancel();
    }
  }

  void MeasureSpread() {
    for (const auto& task : tasks_) {
      least_ = std::min(least_, task->slices);
      most_ = std::max(most_, task->slices);
    }
  }

  const std::chrono::microseconds slice_;
  std::vector<std::unique_ptr<Task>> tasks_;
  fermata::DeadlineTimer timer_;
  std::mutex mutex_;
  std::deque<Task*> queue_;
  int finished_ = 0, least_ = INT_MAX, most_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const int value = std::atoi(argv[i + 1]);
    if (!std::strcmp(argv[i], "--guests")) settings.guests = value;
    if (!std::strcmp(argv[i], "--threads")) settings.threads = value;
    if (!std::strcmp(argv[i], "--slice")) settings.slice = value;
    if (!std::strcmp(argv[i], "--rounds")) settings.rounds = value;
  }
  Scheduler scheduler(settings);
  for (int i = 0; i < settings.guests; ++i) {
    const int kind = i % 11;
    const absl::Status added = scheduler.Add(kind + 1, settings.rounds / 100 * (95 + kind));
    if (!added.ok()) return std::fprintf(stderr, "%s\n", added.ToString().c_str()), 1;
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < settings.threads; ++i) threads.emplace_back([&] { scheduler.Run(); });
  for (std::thread& thread : threads) thread.join();
  return scheduler.Report() ? 0 : 1;
}
