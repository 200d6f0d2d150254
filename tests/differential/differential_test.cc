// The parts of the differential program, and the whole of it with a peer that is always wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/differential/log.h"
#include "tests/differential/shapes.h"
#include "tests/differential/subject.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "translator/wasm/reader.h"

namespace fermata::differential {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Differential, LogsAreComparedUpToAUsedUpStack) {
  const std::string log = "instantiate ok\ncall 0 f\n  import 0 i:1\nreturns i:2\n";
  EXPECT_TRUE(Compare(log, log).same);
  EXPECT_EQ(Compare(log, log).calls, 1u);
  const Comparison other = Compare(log, "instantiate ok\ncall 0 f\n  import 0 i:1\ntraps zero\n");
  EXPECT_FALSE(other.same);
  EXPECT_EQ(other.line, 4u);
  EXPECT_EQ(other.found, "traps zero");
  EXPECT_FALSE(Compare(log, "instantiate ok\n").same);
  EXPECT_TRUE(Compare(log, "instantiate ok\ncall 0 f\ntraps stack\n").same);
  EXPECT_TRUE(Compare("call 0 f\n  import 0\n  import 0\ntraps stack\n",
                      "call 0 f\n  import 0\ntraps stack\n")
                  .same);
}

TEST(Differential, WordsHideWhichNanItIs) {
  EXPECT_EQ(Words("fFf", {0x7fc00001, 0xfff8000000000000, 0x7f800000}), " f:nan F:nan f:7f800000");
  EXPECT_EQ(Words("iVe", {255, 1, 2, 1}), " i:ff V:1,2 e:null");
}

TEST(Differential, ShapesAreValidAndAlwaysTheSame) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Bytes module = RandomModule(seed);
    EXPECT_EQ(module, RandomModule(seed));
    const absl::Status status = testing_support::Check(module);
    EXPECT_TRUE(status.ok()) << seed << ": " << status;
  }
}

TEST(Differential, ReadyModulesStayAsTheyAreAndTheirBridgesAreValid) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const absl::StatusOr<Bytes> ready = Prepare(RandomModule(seed));
    ASSERT_TRUE(ready.ok()) << ready.status();
    const absl::StatusOr<Bytes> again = Prepare(*ready);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*ready, *again);
    const absl::StatusOr<wasm::Module> module = wasm::ReadModule("m.wasm", *ready);
    ASSERT_TRUE(module.ok()) << module.status();
    const absl::StatusOr<Plan> plan = MakePlan(*module, {});
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->callees.size(), module->functions.size() - 2);
    EXPECT_FALSE(plan->calls.empty());
    const absl::Status host = testing_support::Check(HostModule(*module, *plan));
    EXPECT_TRUE(host.ok()) << host;
    const absl::Status wrapper = testing_support::Check(WrapperModule(*module, *plan));
    EXPECT_TRUE(wrapper.ok()) << wrapper;
  }
}

TEST(Differential, PlansKeepTheNumbersOfTheirCalls) {
  const absl::StatusOr<Bytes> ready = Prepare(RandomModule(1));
  ASSERT_TRUE(ready.ok());
  const absl::StatusOr<wasm::Module> module = wasm::ReadModule("m.wasm", *ready);
  ASSERT_TRUE(module.ok());
  PlanOptions options;
  const Plan all = *MakePlan(*module, options);
  options.only = {3};
  const Plan one = *MakePlan(*module, options);
  ASSERT_EQ(one.calls.size(), 1u);
  EXPECT_EQ(one.calls[0].number, 3u);
  EXPECT_EQ(one.calls[0].callee, all.calls[3].callee);
  EXPECT_EQ(one.calls[0].words, all.calls[3].words);
}

// A peer that says of every module that it traps when it is instantiated: each is a difference, and
// all that is in it can be taken out.
TEST(Differential, FindsKeepsAndReduces) {
  const testing_support::Folder folder;
  const std::string peer = folder / "peer.sh";
  testing_support::WriteProgram(peer,
                                "#!/bin/sh\n"
                                "[ \"$1\" = --input-type=module ] && exit 0\n"
                                "sed -n 's/.*\"path\":\"\\([^\"]*\\)\".*/\\1/p' \"$2\" |\n"
                                "while read path; do\n"
                                "  echo 'instantiate traps memory' > \"$path.v8.log\"\n"
                                "done\n");
  const process::Result run = testing_support::MustRun(
      {FERMATA_DIFFERENTIAL, "--output=" + folder.path(), "--node=" + peer, "--from=shapes",
       "--modules=1", "--batch=1", "--seed=3", "--modes=plain", "--memory=checked", "--opt=-O0",
       "--compilers=" FERMATA_CXX, "--reduce=12"});
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("expected \"instantiate traps memory\", found \"instantiate "
                                    "ok\""));
  const fs::path kept = folder / "differences/shapes3";
  EXPECT_THAT(testing_support::ReadFile(kept / "difference.txt"),
              HasSubstr("reduced.wasm --seed=3"));
  ASSERT_TRUE(fs::exists(kept / "module.wasm"));
  ASSERT_TRUE(fs::exists(kept / "reduced.wasm"));
  EXPECT_LT(fs::file_size(kept / "reduced.wasm"), fs::file_size(kept / "module.wasm"));
}

}  // namespace
}  // namespace fermata::differential
