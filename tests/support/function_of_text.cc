#include "tests/support/function_of_text.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/code_fixture.h"
#include "translator/input_file.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/translate_function.h"
#include "translator/wasm/reader.h"

namespace fermata::testing_support {

// (Assertions return.)
void FunctionOfText::Build(const std::string& body, int pages) {
  const std::string& path = Assemble(absl::StrCat(
      "(module (import \"env\" \"op\" (func $op (param i32) (result i32)))", "(memory $m ", pages,
      ") (memory $shared 1 1 shared) (memory $large i64 1)",
      "(global $g (mut i32) (i32.const 0)) (tag $e) (table $t 1 funcref)",
      "(func $throws (param i32) (result i32)",
      " (if (local.get 0) (then (throw $e))) (local.get 0))",
      "(func (param $n i32) (param $p i32) (local $i i32) (local $j i32) (local $k i32)",
      " (local $l i32) (local $w i64) (local $x f64) (local $y f64) ", body, "))"));
  if (path.empty()) return;
  auto file = ReadInput(path);
  ASSERT_TRUE(file.ok()) << file.status();
  file_ = *std::move(file);
  auto module = wasm::ReadModule(path, BytesOf(*file_));
  ASSERT_TRUE(module.ok()) << module.status();
  module_ = std::make_unique<wasm::Module>(*std::move(module));
  const auto graph = analysis::BuildCallGraph(*module_);
  ASSERT_TRUE(graph.ok()) << graph.status();
  suspension_ = analysis::AnalyzeSuspension(*module_, *graph, {false}, std::vector<bool>(3, false));
  auto function = BuildFunction(*module_, 2, suspension_);
  ASSERT_TRUE(function.ok()) << function.status();
  function_ = *std::move(function);
}

}  // namespace fermata::testing_support
