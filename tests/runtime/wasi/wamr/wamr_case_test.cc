// A server and many clients, written for WAMR, as guests on one thread: by poll(2) and by Asio.
// FERMATA_WAMR_CLIENTS says how many; each keeps the server for 200 ms, so there are few by
// default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/asio.h"
#include "wamr_client.h"
#include "wamr_server.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

constexpr char kClientSays[] =
    "resolved: kind 0 type 1\nconnected: 1\nHELLO, WORLD\nONE\nTWO\nTHREE\n\xc3\xa4 0123456789 ~\n"
    "timeout 200000 us\nreceive: errno 6\nQUIT\nclosed\nnobody there: errno 14\n"
    "sock_close: errno 52\n";

int Clients() {
  const char* number = std::getenv("FERMATA_WAMR_CLIENTS");
  return number != nullptr ? std::max(std::atoi(number), 1) : 8;
}

struct Program {
  std::string output;
  std::unique_ptr<Process> process;

  Program(const ModuleInfo& module, std::vector<std::string> args) {
    Process::Options options;
    options.config.args = std::move(args);
    options.config.out = options.config.err = CollectingStream(&output);
    EXPECT_TRUE(options.config.network.Allow("127.0.0.1").ok());
    auto made = Process::Create(module, std::move(options));
    EXPECT_TRUE(made.ok()) << made.status();
    process = *std::move(made);
  }
};

class WamrCaseTest : public testing::Test {
 protected:
  void SetUp() override {
    rlimit limit;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GE(limit.rlim_max, static_cast<rlim_t>(5 * Clients() + 64)) << "descriptors";

    const std::string count = absl::StrCat(Clients());
    programs_.push_back(std::make_unique<Program>(::wamr::guests::WamrServerModuleInfo(),
                                                  std::vector<std::string>{"server", "0", count}));
    Program& server = *programs_[0];
    ASSERT_EQ(server.process->Run(), State::kWaiting) << server.output;
    const size_t at = server.output.find("port ");
    ASSERT_NE(at, std::string::npos) << server.output;
    port_ = server.output.substr(at + 5, server.output.find(',') - at - 5);
    for (int i = 0; i < Clients(); ++i) {
      programs_.push_back(
          std::make_unique<Program>(::wamr::guests::WamrClientModuleInfo(),
                                    std::vector<std::string>{"client", "127.0.0.1", port_}));
    }
  }
  void Check() {
    std::string expected = absl::StrCat("listening on 127.0.0.1 port ", port_, ", reuse 1\n");
    for (int i = 0; i < Clients(); ++i) {
      absl::StrAppend(&expected, "connection ", i, " from 127.0.0.1\nconnection ", i,
                      ": quit after 6 lines, 48 bytes\n");
    }
    EXPECT_EQ(programs_[0]->output, expected + "done\n");
    for (size_t i = 0; i < programs_.size(); ++i) {
      if (i != 0) {
        EXPECT_EQ(programs_[i]->output, kClientSays) << "client " << i;
      }
      EXPECT_EQ(programs_[i]->process->exit_code(), 0) << programs_[i]->process->message();
    }
  }

  std::string port_;
  std::vector<std::unique_ptr<Program>> programs_;
};

TEST_F(WamrCaseTest, ByPoll) {
  for (;;) {
    Wait any;
    bool all_ended = true;
    for (const auto& program : programs_) {
      Process& process = *program->process;
      if (process.state() != State::kWaiting && process.state() != State::kReady) continue;
      if (process.Run() != State::kWaiting) continue;
      all_ended = false;
      const Wait& wait = process.wait();
      any.sources.insert(any.sources.end(), wait.sources.begin(), wait.sources.end());
      if (wait.deadline)
        any.deadline = std::min(any.deadline.value_or(~uint64_t{0}), *wait.deadline);
    }
    if (all_ended) break;
    ASSERT_TRUE(BlockFor(any));
  }
  Check();
}

TEST_F(WamrCaseTest, ByAsio) {
  asio::io_context io;
  size_t ended = 0;
  for (const auto& program : programs_) {
    async_run(*program->process, io, [&](State) { ++ended; });
  }
  io.run();
  EXPECT_EQ(ended, programs_.size());
  Check();
}

}  // namespace
}  // namespace fermata::wasi
