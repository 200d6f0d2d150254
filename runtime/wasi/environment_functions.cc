// args_*, environ_*, clock_*, random_get, proc_*, sched_yield.
#include <cstring>

#include "runtime/os/random.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

// How many bytes they take, with a NUL after each.
uint64_t SizeOf(const std::vector<std::string>& strings) {
  uint64_t size = 0;
  for (const std::string& s : strings) size += s.size() + 1;
  return size;
}

Result Sizes(Call& call, const std::vector<std::string>& strings, uint32_t count_at,
             uint32_t size_at) {
  const uint64_t size = SizeOf(strings);
  if (size > 0xffffffffu || strings.size() > 0xffffffffu) return Errno::kOverflow;
  const Errno error = call.memory.Store(count_at, static_cast<uint32_t>(strings.size()));
  if (error != Errno::kSuccess) return error;
  return call.memory.Store(size_at, static_cast<uint32_t>(size));
}

Result Strings(Call& call, const std::vector<std::string>& strings, uint32_t pointers,
               uint32_t bytes) {
  uint8_t* pointer = call.memory.At(pointers, uint64_t{4} * strings.size());
  uint8_t* to = call.memory.At(bytes, SizeOf(strings));
  if (pointer == nullptr || to == nullptr) return Errno::kFault;
  for (const std::string& s : strings) {
    StoreLittle(pointer, bytes);
    memcpy(to, s.c_str(), s.size() + 1);
    pointer += 4;
    to += s.size() + 1;
    bytes += static_cast<uint32_t>(s.size() + 1);
  }
  return Errno::kSuccess;
}

Result ArgsGet(Call& call, uint32_t argv, uint32_t buffer) {
  return Strings(call, call.system.config.args, argv, buffer);
}
Result ArgsSizesGet(Call& call, uint32_t count, uint32_t size) {
  return Sizes(call, call.system.config.args, count, size);
}
Result EnvironGet(Call& call, uint32_t variables, uint32_t buffer) {
  return Strings(call, call.system.config.env, variables, buffer);
}
Result EnvironSizesGet(Call& call, uint32_t count, uint32_t size) {
  return Sizes(call, call.system.config.env, count, size);
}

Result ClockResGet(Call& call, uint32_t id, uint32_t to) {
  uint64_t time = 0;
  const Errno error = call.system.config.clock->Resolution(static_cast<ClockId>(id), time);
  return error != Errno::kSuccess ? error : call.memory.Store(to, time);
}
Result ClockTimeGet(Call& call, uint32_t id, uint64_t /*precision*/, uint32_t to) {
  uint64_t time = 0;
  const Errno error = call.system.config.clock->Now(static_cast<ClockId>(id), time);
  return error != Errno::kSuccess ? error : call.memory.Store(to, time);
}

Result RandomGet(Call& call, uint32_t buffer, uint32_t size) {
  uint8_t* to = call.memory.At(buffer, size);
  if (to == nullptr) return Errno::kFault;
  if (call.system.config.random != nullptr) {
    return call.system.config.random({to, size}) ? Errno::kSuccess : Errno::kIo;
  }
  return internal::FillRandom(to, size) ? Errno::kSuccess : Errno::kIo;
}

Result ProcExit(Call& call, uint32_t code) {
  call.system.exit_code = code;
  return Result::Exit();
}

// What POSIX does by default: ends the program, or ignores the signal. Nothing can be stopped.
Result ProcRaise(Call& call, uint32_t signal) {
  constexpr uint32_t kNone = 0, kChld = 16, kCont = 17, kStop = 18, kTtou = 21, kUrg = 22,
                     kWinch = 27, kLast = 30;
  if (signal > kLast) return Errno::kInval;
  if (signal == kNone || signal == kChld || signal == kCont || signal == kUrg || signal == kWinch) {
    return Errno::kSuccess;
  }
  if (signal >= kStop && signal <= kTtou) return Errno::kNotSup;
  call.system.exit_code = 128 + signal;
  return Result::Exit();
}

Result SchedYield(Call& call) {
  if (call.pending != nullptr && call.pending->begun) return Errno::kSuccess;
  if (call.pending != nullptr) {
    call.pending->begun = true;
    call.pending->wait.yield = true;
  }
  return Result::Wait();
}

}  // namespace

void AddEnvironmentFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<ArgsGet>::Make("args_get"));
  table.push_back(Wrap<ArgsSizesGet>::Make("args_sizes_get"));
  table.push_back(Wrap<EnvironGet>::Make("environ_get"));
  table.push_back(Wrap<EnvironSizesGet>::Make("environ_sizes_get"));
  table.push_back(Wrap<ClockResGet>::Make("clock_res_get"));
  table.push_back(Wrap<ClockTimeGet>::Make("clock_time_get"));
  table.push_back(Wrap<RandomGet>::Make("random_get"));
  table.push_back(Wrap<ProcExit>::Make("proc_exit"));
  table.push_back(Wrap<ProcRaise>::Make("proc_raise"));
  table.push_back(Wrap<SchedYield>::Make("sched_yield", /*may_wait=*/true));
  table[table.size() - 3].signature.results.clear();  // proc_exit does not return
}

}  // namespace fermata::wasi
