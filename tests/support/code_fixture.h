// Tests of generated code: a module written as text is assembled by wat2wasm, translated, compiled
// and loaded when the test runs, and its exports are called with every import suspended.
#ifndef FERMATA_TESTS_SUPPORT_CODE_FIXTURE_H_
#define FERMATA_TESTS_SUPPORT_CODE_FIXTURE_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "fermata/dynamic.h"

namespace fermata {

// One way to translate and compile a module.
struct Variant {
  const char* compiler;
  const char* shape;
  const char* memory;
  bool plain_functions;  // every import immediate: no function may suspend
  int shards;
  bool everywhere = false;  // --suspend-everywhere
  int piece_size = 0;       // of every function, if not 0: shape `pieces`
  // --preempt: interrupted, or without fuel, at every check.
  const char* preempt = nullptr;
  const char* optimization = "-O2";
  const char* flag = nullptr;  // a further one of the compiler
  int memory_bytes = -1;       // --memory-bytes, if not negative
};

void PrintTo(const Variant& v, std::ostream* out);
std::string NameOfVariant(const testing::TestParamInfo<Variant>& info);

// The shapes and memory policies, with each compiler that the build found.
std::vector<Variant> AllVariants();
// For accesses that trap, which compilers may drop or move: each level of optimization, and the
// modes, with each compiler.
std::vector<Variant> AccessVariants();
// The compilers that the build found.
std::vector<const char*> Compilers();

// The file of a module of this text, assembled once; empty, and a failure, if wat2wasm refuses it.
const std::string& Assemble(const std::string& text);
// The module of this text, translated, compiled and loaded; null, and a failure, if that is not
// possible.
const ModuleInfo* LoadText(const std::string& text, const Variant& variant);

// What the imports "op_…" do with their argument, by type.
Value Op(Value v);

// The imports of the module are functions "env" "op_…" of one parameter and a result of its type.
class CodeFixture : public testing::TestWithParam<Variant> {
 protected:
  // The module's text, the same for all tests of the fixture.
  virtual std::string Text() const { return ""; }
  // The module's file: by default, the text assembled. Empty if that fails.
  virtual std::string Path() const;

  void SetUp() override;

  // Runs a call to its end, answering each op; counts the suspensions.
  DynamicStep Run(const std::string& name, std::vector<Value> arguments);
  void Expect(const std::string& name, std::vector<Value> arguments, std::vector<Value> results,
              int suspensions);
  void ExpectTrap(const std::string& name, std::vector<Value> arguments, Trap trap);

  StoreHandle store_;
  const ModuleInfo* module_ = nullptr;
  DynamicInstance* instance_ = nullptr;
  int suspensions_ = 0;
  int pauses_ = 0;
  uint32_t deepest_ = 0;
};

}  // namespace fermata

#endif  // FERMATA_TESTS_SUPPORT_CODE_FIXTURE_H_
