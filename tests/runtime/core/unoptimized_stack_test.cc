// Native stack that unoptimized code needs.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

// Each helper of the runtime that is called in a function would take its own part of the frame if
// it were inlined without optimization: here, half a megabyte.
TEST(UnoptimizedCode, FramesAreSmall) {
  std::string body;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&body, "(i32.store offset=", 4 * i,
                    " (local.get 0) (i32.add (i32.load offset=", 4 * i,
                    " (local.get 0)) (local.get 1)))\n");
  }
  const std::string text =
      absl::StrCat("(module (memory 1) (func $f (export \"f\") (param i32 i32) (result i32)\n",
                   body, "(if (result i32) (local.get 1)\n",
                   "(then (call $f (local.get 0) (i32.sub (local.get 1) (i32.const 1))))",
                   "(else (i32.load offset=7996 (local.get 0))))))");
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    SCOPED_TRACE(compiler);
    Variant variant{compiler, "auto", "checked", false, 1};
    variant.optimization = "-O0";
    const ModuleInfo* module = LoadText(text, variant);
    ASSERT_NE(module, nullptr);
    StoreHandle store;
    absl::StatusOr<DynamicInstance*> instance = store.Instantiate(*module, {});
    ASSERT_TRUE(instance.ok()) << instance.status();
    absl::StatusOr<DynamicStep> step = (*instance)->Call("f", {Value::I32(0), Value::I32(100)});
    ASSERT_TRUE(step->finished()) << step->message();
    EXPECT_EQ(step->results()[0].i32(), 100u * 101 / 2);
    step = (*instance)->Call("f", {Value::I32(0), Value::I32(~0u)});
    EXPECT_EQ(step->trap(), Trap::kCallStackExhausted);
  }
}

}  // namespace
}  // namespace fermata
