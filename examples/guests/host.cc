// A host for the libraries: it calls an export and answers what the guest asks.
//
//   guests_host ./total.so total 4       without an export's name: _start
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "fermata/wasi/process.h"

using fermata::Value;
using fermata::wasi::Process;

static int Fail(const std::string& message) {
  return std::fprintf(stderr, "guests_host: %s\n", message.c_str()), 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return Fail("usage: guests_host MODULE.so [EXPORT [NUMBER…]]");
  const auto module = fermata::LoadModule(argv[1]);
  if (!module.ok()) return Fail(module.status().ToString());

  Process::Options options;
  options.config.inherit_stdio = true;  // for libraries that print
  auto process = Process::Create(**module, options);
  if (!process.ok()) return Fail(process.status().ToString());
  if (argc > 2) {
    std::vector<Value> numbers;
    for (int i = 3; i < argc; ++i) numbers.push_back(Value::I32(std::atoi(argv[i])));
    const absl::Status status = (*process)->Begin(argv[2], numbers);
    if (!status.ok()) return Fail(status.ToString());
  }
  // The process answers WASI's calls by itself; other imports suspend the guest.
  while (fermata::wasi::RunToEnd(**process) == Process::State::kForeign) {
    fermata::DynamicStep& step = (*process)->step();
    const std::string name = std::string(step.op_module()) + "." + std::string(step.op_name());
    if (name != "env.ask") return Fail("nobody answers " + name);
    const uint32_t question = step.op_arguments()[0].i32();
    std::printf("ask %u? suspended\n", question);
    std::fflush(stdout);
    const absl::Status status = step.Resume({Value::I32(question * 10)});
    if (!status.ok()) return Fail(status.ToString());
  }
  if ((*process)->state() == Process::State::kTrapped) return Fail((*process)->message());
  if ((*process)->state() == Process::State::kExited) return (*process)->exit_code();
  for (const Value& value : (*process)->step().results()) std::printf("= %u\n", value.i32());
}
