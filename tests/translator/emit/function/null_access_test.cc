// An access to a part of null traps, whatever becomes of the value, and nothing that comes after it
// in the program happens first. The exports of null_access.wat are called twice, with null and with
// objects. With the memory policy `reserved` the check is a fault, with `checked` a comparison.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

std::vector<Variant> Variants() {
  std::vector<Variant> variants = AccessVariants();
  for (const char* compiler : Compilers()) {
    variants.push_back({compiler, "shared", "reserved", false, 1});
    variants.push_back({compiler, "auto", "checked", false, 1, false, 0, "interrupt"});
  }
  return variants;
}

class NullAccess : public CodeFixture {
 protected:
  std::string Path() const override {
    return absl::StrCat(FERMATA_SOURCE_DIR, "/tests/translator/emit/function/null_access.wasm");
  }
  void Choose(bool null) { Run("choose", {Value::I32(null)}); }
  std::vector<std::string> Exports(const std::string& prefix) {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < module_->export_count; ++i) {
      const std::string name = module_->exports[i].name.data;
      if (absl::StartsWith(name, prefix)) names.push_back(name);
    }
    EXPECT_FALSE(names.empty());
    return names;
  }
  uint32_t Done() {
    const DynamicStep step = Run("done", {});
    EXPECT_TRUE(step.finished()) << step.message();
    return step.finished() ? step.results()[0].i32() : 0;
  }
};

TEST_P(NullAccess, TrapsWhateverBecomesOfTheValue) {
  for (const std::string& name : Exports("traps.")) {
    SCOPED_TRACE(name);
    Choose(/*null=*/true);
    ExpectTrap(name, {}, Trap::kNullReference);
    if (absl::StrContains(name, "endless") || absl::StrContains(name, "list")) continue;
    Choose(/*null=*/false);
    EXPECT_NE(Run(name, {}).trap(), Trap::kNullReference);
  }
}

TEST_P(NullAccess, TrapsInTheOrderOfTheProgram) {
  for (const std::string& name : Exports("order.")) {
    SCOPED_TRACE(name);
    Choose(/*null=*/true);
    ExpectTrap(name, {}, Trap::kNullReference);
    EXPECT_EQ(Done(), 1111u);
    Choose(/*null=*/false);
    EXPECT_TRUE(Run(name, {}).finished());
    EXPECT_EQ(Done(), 2222u);
  }
}

TEST_P(NullAccess, DoesNotTrapWhereTheProgramDoesNotGo) {
  for (const std::string& name : Exports("passes.")) {
    SCOPED_TRACE(name);
    for (const bool null : {true, false}) {
      Choose(null);
      EXPECT_TRUE(Run(name, {}).finished());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, NullAccess, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata
