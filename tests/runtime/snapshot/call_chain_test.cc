// Forged snapshots whose frames are all right, each by itself, but are of functions that the frames
// beneath did not call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "fermata/snapshot.h"
#include "tests/support/code_fixture.h"
#include "tests/support/commands.h"

namespace fermata {
namespace {

using testing::HasSubstr;

// By index: those of imports, and others, whose frames all have one size.
enum Function : uint32_t {
  kAsk,
  kTell,
  kLeaf,
  kTwin,
  kWide,
  kHidden,
  kTailing,
  kDirect,
  kAlsoDirect
};

// `tail`: what the function in the table's last element does; nothing else can make tail calls.
std::string Text(const std::string& tail) {
  return absl::StrCat(R"((module
    (type $t (func (param i32) (result i32)))
    (import "env" "ask" (func $ask (type $t)))
    (import "env" "tell" (func $tell (type $t)))
    (table 4 funcref)
    (elem (i32.const 0) $leaf $twin $wide $tailing)
    (func $leaf (type $t) (i32.add (call $ask (local.get 0)) (local.get 0)))
    (func $twin (type $t) (i32.mul (call $ask (local.get 0)) (local.get 0)))
    (func $wide (param i64) (result i32) (local $low i32)
      (local.set $low (i32.wrap_i64 (local.get 0)))
      (i32.add (call $ask (i32.const 1)) (local.get $low)))
    (func $hidden (type $t) (i32.sub (call $ask (local.get 0)) (local.get 0)))
    (func $tailing (type $t) )",
                      tail, R"()
    (func (export "direct") (type $t) (i32.add (call $leaf (local.get 0)) (local.get 0)))
    (func (export "also_direct") (type $t) (i32.add (call $leaf (local.get 0)) (local.get 0)))
    (func (export "indirect") (type $t)
      (i32.add (call_indirect (type $t) (local.get 0) (i32.const 0)) (local.get 0)))
    (func (export "tail") (type $t) (i32.add (call $tailing (local.get 0)) (local.get 0)))
    (func (export "tell") (type $t) (call $tell (call $hidden (local.get 0)))))
  )");
}

class CallChain : public testing::Test {
 protected:
  void Load(const std::string& tail = "(local.get 0)") {
    FERMATA_SKIP_WITHOUT_WAT2WASM();
    module_ = LoadText(Text(tail), {FERMATA_CXX, "auto", "reserved", false, 1});
    ASSERT_NE(module_, nullptr);
  }
  // The only site of a function.
  uint32_t SiteOf(uint32_t function) const {
    for (uint32_t s = 0; s < module_->site_count; ++s) {
      if (module_->site_details[s].function == function) return s;
    }
    ADD_FAILURE() << "no site of function " << function;
    return 0;
  }
  // What restoring says of a call of `name`, suspended in $ask, once `frame`, counted from the last
  // one, was made one of `function`.
  absl::Status Forged(const char* name, uint32_t frame, uint32_t function) {
    StoreHandle store;
    DynamicInstance* instance = *store.Instantiate(*module_, {});
    DynamicStep step = *instance->Call(name, {{Value::I32(5)}});
    EXPECT_TRUE(step.suspended());
    core::Activation& activation = *step.raw_activation();
    uint8_t* end = activation.frames + activation.size;
    for (; frame != 0; --frame) end -= Words(end) * core::kFrameWord;
    const uint32_t site = SiteOf(function);
    EXPECT_EQ(module_->site_words[site], Words(end)) << "another size would be found out anyway";
    std::memcpy(end - 8, &site, sizeof site);
    return Restored(store, step);
  }
  // The same without a forgery; the call goes on to its end, which is `result`.
  void ExpectHonest(const char* name, uint32_t result) {
    StoreHandle store;
    DynamicInstance* instance = *store.Instantiate(*module_, {});
    DynamicStep step = *instance->Call(name, {{Value::I32(5)}});
    while (step.suspended()) {
      EXPECT_EQ(Restored(store, step), absl::OkStatus()) << name;
      ASSERT_TRUE(step.Resume({{Value::I32(7)}}).ok());
    }
    ASSERT_TRUE(step.finished()) << step.message();
    EXPECT_EQ(step.results()[0].i32(), result) << name;
  }

 private:
  static uint16_t Words(const uint8_t* end) {
    uint16_t words;
    std::memcpy(&words, end - 4, sizeof words);
    return words;
  }
  absl::Status Restored(StoreHandle& store, const DynamicStep& step) const {
    const absl::StatusOr<std::string> bytes = Save(store, {&step});
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    RestoreHost host;
    host.modules = {module_};
    return Restore(*bytes, host).status();
  }

  const ModuleInfo* module_ = nullptr;
};

TEST_F(CallChain, WhatWasCalledIsRestored) {
  Load();
  ExpectHonest("direct", 7 + 5 + 5);
  ExpectHonest("indirect", 7 + 5 + 5);
  ExpectHonest("tell", 7);
}

TEST_F(CallChain, ADirectCallHasOneCallee) {
  Load();
  EXPECT_THAT(std::string(Forged("direct", 1, kTwin).message()), HasSubstr("did not call"));
  EXPECT_TRUE(Forged("direct", 1, kLeaf).ok()) << "as it was";
}

TEST_F(CallChain, AnImportIsOneOp) {
  Load();
  EXPECT_THAT(std::string(Forged("direct", 0, kTell).message()), HasSubstr("did not call"));
}

TEST_F(CallChain, AnIndirectCallHasATypeAndReachesWhatHasAReference) {
  Load();
  EXPECT_TRUE(Forged("indirect", 1, kTwin).ok()) << "the table could hold it";
  EXPECT_THAT(std::string(Forged("indirect", 1, kWide).message()), HasSubstr("did not call"));
  EXPECT_THAT(std::string(Forged("indirect", 1, kHidden).message()), HasSubstr("did not call"));
}

TEST_F(CallChain, TheFirstFrameIsOfTheFunctionCalled) {
  Load();
  EXPECT_THAT(std::string(Forged("direct", 2, kAlsoDirect).message()), HasSubstr("first frame"));
}

TEST_F(CallChain, TailCallsLeadAnywhere) {
  Load("(return_call $hidden (local.get 0))");
  ExpectHonest("tail", 7 - 5 + 5);
  ExpectHonest("direct", 7 + 5 + 5);
  EXPECT_TRUE(Forged("tail", 1, kTwin).ok());
  EXPECT_TRUE(Forged("indirect", 1, kHidden).ok());
  EXPECT_FALSE(Forged("direct", 1, kTwin).ok()) << "$leaf makes none";
}

}  // namespace
}  // namespace fermata
