#include "tests/support/code_fixture.h"

#include <filesystem>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/native.h"

namespace fermata {
namespace {

const ModuleInfo* Load(const std::string& path, const Variant& v) {
  static std::map<std::tuple<std::string, std::string>, const ModuleInfo*> loaded;
  driver::NativeBuildOptions options = testing_support::BuildOptions(path);
  options.compiler = v.compiler;
  options.optimization = v.optimization;
  options.shards = v.shards;
  options.translator_flags = {absl::StrCat("--shape=", v.shape),
                              absl::StrCat("--memory=", v.memory)};
  if (v.plain_functions) options.translator_flags.push_back("--immediate=*");
  if (v.everywhere) options.translator_flags.push_back("--suspend-everywhere");
  if (v.preempt != nullptr)
    options.translator_flags.push_back(absl::StrCat("--preempt=", v.preempt));
  if (v.flag != nullptr) options.compiler_flags.push_back(v.flag);
  if (v.memory_bytes >= 0) {
    options.translator_flags.push_back(absl::StrCat("--memory-bytes=", v.memory_bytes));
  }
  if (v.piece_size != 0) {
    options.translator_flags.push_back(absl::StrCat("--piece-size=", v.piece_size));
  }
  const auto key = std::make_tuple(path, NameOfVariant({v, 0}));
  if (auto it = loaded.find(key); it != loaded.end()) return it->second;
  return loaded[key] = testing_support::BuildAndLoad(options);
}

}  // namespace

const std::string& Assemble(const std::string& text) {
  static const testing_support::Folder folder;
  static std::map<std::string, std::string> paths;
  auto [it, fresh] = paths.try_emplace(text);
  if (!fresh) return it->second;
  const std::string path = folder / absl::StrCat(paths.size(), ".wasm");
  if (testing_support::Assemble(text, path)) it->second = path;
  return it->second;
}

void PrintTo(const Variant& v, std::ostream* out) { *out << NameOfVariant({v, 0}); }

std::string NameOfVariant(const testing::TestParamInfo<Variant>& info) {
  const Variant& v = info.param;
  const std::string compiler = std::filesystem::path(v.compiler).filename();
  const std::string optimization = v.optimization;
  return absl::StrCat(absl::StrReplaceAll(compiler, {{"+", "x"}, {"-", "_"}, {".", "_"}}), "_",
                      v.plain_functions ? "plain" : v.shape, "_", v.memory, "_", v.shards,
                      v.flag == nullptr ? "" : absl::StrReplaceAll(v.flag, {{"-", "_"}}),
                      v.memory_bytes < 0 ? "" : absl::StrCat("_of_", v.memory_bytes),
                      v.everywhere ? "_everywhere" : "", v.preempt == nullptr ? "" : "_",
                      v.preempt == nullptr ? "" : v.preempt,
                      v.piece_size == 0 ? "" : absl::StrCat("_pieces_", v.piece_size),
                      optimization == "-O2" ? "" : absl::StrReplaceAll(optimization, {{"-", "_"}}));
}

std::vector<const char*> Compilers() {
  std::vector<const char*> compilers;
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler != '\0') compilers.push_back(compiler);
  }
  return compilers;
}

std::vector<Variant> AccessVariants() {
  std::vector<Variant> variants;
  for (const char* compiler : Compilers()) {
    for (const char* optimization : {"-O0", "-O1", "-O2", "-O3"}) {
      variants.push_back({compiler, "auto", "reserved", false, 1});
      variants.back().optimization = optimization;
    }
    variants.push_back({compiler, "auto", "checked", false, 1});
    variants.push_back({compiler, "auto", "reserved", false, 1, true});
    variants.push_back({compiler, "auto", "reserved", false, 1, false, 12});
    variants.push_back({compiler, "auto", "reserved", false, 1, false, 0, "fuel"});
  }
  return variants;
}

std::vector<Variant> AllVariants() {
  std::vector<Variant> variants;
  for (const char* compiler : Compilers()) {
    for (const char* memory : {"reserved", "checked"}) {
      variants.push_back({compiler, "split", memory, false, 1});
      variants.push_back({compiler, "tails", memory, false, 1});
      variants.push_back({compiler, "shared", memory, false, 3});
    }
    variants.push_back({compiler, "tails", "reserved", false, 1, true});
    variants.push_back({compiler, "auto", "reserved", true, 1});
    variants.push_back({compiler, "auto", "reserved", false, 1, true});
    // Pieces of one statement, spread over files; of a few; with everything else.
    variants.push_back({compiler, "auto", "reserved", false, 3, false, 1});
    variants.push_back({compiler, "auto", "checked", false, 1, false, 12});
    variants.push_back({compiler, "auto", "checked", true, 1, false, 1});
    variants.push_back({compiler, "auto", "reserved", false, 2, true, 1});
    variants.push_back({compiler, "auto", "reserved", false, 1, true, 12});
    for (const char* preempt : {"interrupt", "fuel"}) {
      variants.push_back({compiler, "split", "reserved", false, 1, false, 0, preempt});
      variants.push_back({compiler, "tails", "reserved", false, 1, false, 0, preempt});
      variants.push_back({compiler, "shared", "checked", false, 1, false, 0, preempt});
      variants.push_back({compiler, "auto", "reserved", true, 1, false, 0, preempt});
      variants.push_back({compiler, "auto", "reserved", false, 1, false, 12, preempt});
    }
  }
  return variants;
}

Value Op(Value v) {
  switch (v.type) {
    case ValType::kI32:
      return Value::I32(v.i32() * 3 + 1);
    case ValType::kI64:
      return Value::I64(v.i64() * 5 + (uint64_t{1} << 40));
    case ValType::kF32:
      return Value::F32(v.f32() * 2.0f + 0.5f);
    case ValType::kF64:
      return Value::F64(v.f64() * 2.0 + 0.25);
    case ValType::kV128:
      return Value::V128(v.low + 3, v.high + 5);
    default:
      return v;
  }
}

const ModuleInfo* LoadText(const std::string& text, const Variant& variant) {
  const std::string path = Assemble(text);
  EXPECT_FALSE(path.empty()) << "wat2wasm refused the module";
  return path.empty() ? nullptr : Load(path, variant);
}

std::string CodeFixture::Path() const { return Assemble(Text()); }

void CodeFixture::SetUp() {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const std::string path = Path();
  ASSERT_FALSE(path.empty()) << "wat2wasm refused the module";
  module_ = Load(path, GetParam());
  ASSERT_NE(module_, nullptr);
  Imports imports;
  if (GetParam().plain_functions) {
    for (uint32_t i = 0; i < module_->import_count; ++i) {
      const core::ImportInfo& import = module_->imports[i];
      const core::FuncType& type = module_->types[module_->function_imports[import.index].type];
      const ValType t = type.params[0];
      absl::StatusOr<Extern> function = store_.MakeFunction(
          import.name.data, Signature{{t}, {t}},
          [t](absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results) {
            const bool wide = t == ValType::kV128;
            const Value answer = Op(Value{t, arguments[0], wide ? arguments[1] : 0});
            results[0] = answer.low;
            if (wide) results[1] = answer.high;
            return Trap::kNone;
          });
      ASSERT_TRUE(function.ok()) << function.status();
      imports.Add("env", import.name.data, *function);
    }
  }
  absl::StatusOr<DynamicInstance*> instance = store_.Instantiate(*module_, imports);
  ASSERT_TRUE(instance.ok()) << instance.status();
  instance_ = *instance;
}

DynamicStep CodeFixture::Run(const std::string& name, std::vector<Value> arguments) {
  suspensions_ = 0;
  pauses_ = 0;
  const bool interrupts = GetParam().preempt != nullptr && *GetParam().preempt == 'i';
  if (GetParam().preempt != nullptr && !interrupts) store_.SetFuel(0);
  const Interrupter interrupter = store_.interrupter();
  if (interrupts) interrupter.Interrupt();
  absl::StatusOr<DynamicStep> step = instance_->Call(name, arguments);
  EXPECT_TRUE(step.ok()) << name << ": " << step.status();
  if (!step.ok()) return DynamicStep();
  while (step->suspended() || step->paused()) {
    if (step->paused()) {
      ++pauses_;
      EXPECT_EQ(step->interrupted(), interrupts);
      if (interrupts) interrupter.Interrupt();
      EXPECT_TRUE(step->Continue().ok());
      continue;
    }
    ++suspensions_;
    deepest_ = std::max(deepest_, step->depth());
    EXPECT_EQ(step->op_module(), "env");
    EXPECT_EQ(step->op_arguments().size(), 1u);
    const Value answer = Op(step->op_arguments()[0]);
    EXPECT_TRUE(step->Resume({answer}).ok());
  }
  return *std::move(step);
}

void CodeFixture::Expect(const std::string& name, std::vector<Value> arguments,
                         std::vector<Value> results, int suspensions) {
  const DynamicStep step = Run(name, std::move(arguments));
  ASSERT_TRUE(step.finished()) << name << ": " << step.message();
  ASSERT_EQ(step.results().size(), results.size()) << name;
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(step.results()[i].type, results[i].type) << name << " result " << i;
    EXPECT_EQ(step.results()[i].low, results[i].low) << name << " result " << i;
    EXPECT_EQ(step.results()[i].high, results[i].high) << name << " result " << i;
  }
  EXPECT_EQ(suspensions_, GetParam().plain_functions ? 0 : suspensions) << name;
  if (GetParam().preempt == nullptr) {
    EXPECT_EQ(pauses_ != 0, GetParam().everywhere) << name;
  }
}

void CodeFixture::ExpectTrap(const std::string& name, std::vector<Value> arguments, Trap trap) {
  const DynamicStep step = Run(name, std::move(arguments));
  ASSERT_TRUE(step.trapped()) << name;
  EXPECT_EQ(step.trap(), trap) << name << ": " << step.message();
}

}  // namespace fermata
