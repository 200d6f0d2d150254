// --memory=fixed: a memory that never grows, and whose accesses are compared with a constant: the
// size that the module declares, or a smaller one that the build sets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fermata/snapshot.h"
#include "tests/support/code_fixture.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/native.h"
#include "translator/pipeline.h"

namespace fermata {
namespace {

using testing::HasSubstr;

constexpr char kAccesses[] = R"((module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (data (i32.const 8) "\01\02\03\04")
  (data $passive "abcdef")
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "word") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "wide") (param i32) (result i64) (i64.load offset=100 (local.get 0)))
  (func (export "end") (param i32) (result i32) (i32.load offset=0xffff (local.get 0)))
  (func (export "far") (param i32) (result i32) (i32.load offset=0xfffffffc (local.get 0)))
  (func (export "put") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32)
    (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (data.drop $passive))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "suspended") (param i32) (result i32)
    (i32.store (local.get 0) (call $op (i32.load (local.get 0))))
    (i32.load (local.get 0)))))";

std::vector<Variant> FixedVariants() {
  std::vector<Variant> variants;
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    for (const int bytes : {-1, 1000, 16, 65535}) {
      Variant v{compiler, bytes == 1000 ? "split" : "shared", "fixed", false, 1};
      v.memory_bytes = bytes;
      variants.push_back(v);
    }
    Variant strict{compiler, "split", "fixed", false, 1};
    strict.flag = "-DFERMATA_STRICT_ALIGNMENT";
    strict.memory_bytes = 1000;
    variants.push_back(strict);
    Variant everywhere{compiler, "auto", "fixed", false, 1, true, 1};
    everywhere.memory_bytes = 1000;
    variants.push_back(everywhere);
  }
  return variants;
}

class FixedMemory : public CodeFixture {
 protected:
  std::string Text() const override { return kAccesses; }
  uint32_t Bytes() const { return GetParam().memory_bytes < 0 ? 65536 : GetParam().memory_bytes; }
  void ExpectOutside(const std::string& name, std::vector<Value> arguments) {
    ExpectTrap(name, std::move(arguments), Trap::kMemoryOutOfBounds);
  }
  uint32_t ByteAt(uint32_t address) {
    const DynamicStep step = Run("byte", {Value::I32(address)});
    EXPECT_TRUE(step.finished()) << step.message();
    return step.finished() ? step.results()[0].i32() : ~0u;
  }
};

Value I(uint32_t v) { return Value::I32(v); }

TEST_P(FixedMemory, EndsAtItsSizeToTheByte) {
  const uint32_t bytes = Bytes();
  Expect("byte", {I(bytes - 1)}, {I(0)}, 0);
  ExpectOutside("byte", {I(bytes)});
  ExpectOutside("byte", {I(0xffffffff)});
  Expect("word", {I(bytes - 4)}, {I(0)}, 0);
  for (uint32_t i = 0; i < 4; ++i) ExpectOutside("word", {I(bytes - 3 + i)});
  ExpectOutside("word", {I(0xfffffffe)});
  Expect("word", {I(8)}, {I(0x04030201)}, 0);
}

TEST_P(FixedMemory, OffsetsCountWithTheAddress) {
  const uint32_t bytes = Bytes();
  if (bytes >= 108) {
    Expect("wide", {I(bytes - 108)}, {Value::I64(0)}, 0);
    ExpectOutside("wide", {I(bytes - 107)});
  } else {
    ExpectOutside("wide", {I(0)});
  }
  ExpectOutside("wide", {I(0xffffff9c)});  // the sum would wrap to 0
  ExpectOutside("end", {I(0)});
  ExpectOutside("end", {I(1)});
  ExpectOutside("far", {I(0)});
  ExpectOutside("far", {I(4)});  // the same
}

TEST_P(FixedMemory, AStoreThatDoesNotFitStoresNothing) {
  const uint32_t bytes = Bytes();
  Expect("put", {I(bytes - 8), Value::I64(0x1122334455667788)}, {}, 0);
  ExpectOutside("put", {I(bytes - 7), Value::I64(~uint64_t{0})});
  EXPECT_EQ(ByteAt(bytes - 1), 0x11u);
  EXPECT_EQ(ByteAt(bytes - 8), 0x88u);
}

TEST_P(FixedMemory, BulkInstructionsEndThereToo) {
  const uint32_t bytes = Bytes();
  Expect("fill", {I(bytes - 2), I(7), I(2)}, {}, 0);
  EXPECT_EQ(ByteAt(bytes - 1), 7u);
  Expect("fill", {I(bytes), I(7), I(0)}, {}, 0);
  ExpectOutside("fill", {I(bytes + 1), I(7), I(0)});
  ExpectOutside("fill", {I(bytes - 2), I(9), I(3)});
  EXPECT_EQ(ByteAt(bytes - 1), 7u);  // checked as a whole
  ExpectOutside("fill", {I(2), I(7), I(0xffffffff)});
  Expect("copy", {I(bytes - 4), I(8), I(4)}, {}, 0);
  EXPECT_EQ(ByteAt(bytes - 1), 4u);
  ExpectOutside("copy", {I(bytes - 3), I(8), I(4)});
  ExpectOutside("copy", {I(0), I(bytes - 3), I(4)});
  Expect("init", {I(bytes - 6), I(0), I(6)}, {}, 0);
  EXPECT_EQ(ByteAt(bytes - 1), static_cast<uint32_t>('f'));
  ExpectOutside("init", {I(bytes - 5), I(0), I(6)});
  ExpectOutside("init", {I(0), I(1), I(6)});
  Expect("drop", {}, {}, 0);
  Expect("init", {I(0), I(0), I(0)}, {}, 0);
  ExpectOutside("init", {I(0), I(0), I(1)});
}

TEST_P(FixedMemory, NeverGrows) {
  Expect("size", {}, {I(1)}, 0);
  Expect("grow", {I(0)}, {I(1)}, 0);
  Expect("grow", {I(1)}, {I(0xffffffff)}, 0);
  Expect("grow", {I(0xffffffff)}, {I(0xffffffff)}, 0);
  Expect("size", {}, {I(1)}, 0);
  const absl::StatusOr<Extern> memory = instance_->Find("memory");
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->memory->bytes, Bytes());
}

TEST_P(FixedMemory, SuspendsLikeAnyOther) {
  Expect("suspended", {I(8)}, {Op(I(0x04030201))}, 1);
  ExpectOutside("suspended", {I(Bytes() - 3)});
}

// Held calls and memory go from a memory of one kind to another of the same pages, as far as the
// contents fit.
TEST_P(FixedMemory, IsSavedAndRestored) {
  if (GetParam().everywhere) return;  // there are pauses before the op
  const uint32_t at = Bytes() - 4;
  Expect("fill", {I(at), I(7), I(4)}, {}, 0);
  absl::StatusOr<DynamicStep> step = instance_->Call("suspended", {I(at)});
  ASSERT_TRUE(step.ok() && step->suspended());
  const DynamicStep* const held = &*step;
  const absl::StatusOr<std::string> bytes = Save(store_, {&held, 1});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  Variant other = GetParam();
  other.memory_bytes = -1;
  other.flag = nullptr;
  for (const char* memory : {"fixed", "checked", "reserved"}) {
    other.memory = memory;
    const ModuleInfo* const module = LoadText(Text(), other);
    ASSERT_NE(module, nullptr);
    RestoreHost host;
    host.modules = {module};
    absl::StatusOr<RestoredStore> restored = Restore(*bytes, host);
    ASSERT_TRUE(restored.ok()) << memory << ": " << restored.status();
    DynamicStep& again = restored->steps[0];
    ASSERT_TRUE(again.Resume({I(0x01020304)}).ok());
    ASSERT_TRUE(again.finished()) << memory << ": " << again.message();
    EXPECT_EQ(again.results()[0].i32(), 0x01020304u);
  }
  if (Bytes() == 16) return;
  other.memory = "fixed";
  other.memory_bytes = 16;
  RestoreHost host;
  host.modules = {LoadText(Text(), other)};
  EXPECT_EQ(Restore(*bytes, host).status().code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Variants, FixedMemory, testing::ValuesIn(FixedVariants()), NameOfVariant);

// ---- What is refused ----

class Refused : public testing::Test {
 protected:
  absl::Status Translated(const std::string& text, std::optional<uint64_t> bytes = std::nullopt) {
    const std::string& path = Assemble(text);
    TranslateOptions options;
    options.output = dir_ / "out";
    options.emit.memory = emit::MemoryPolicy::kFixed;
    options.emit.memory_bytes = bytes;
    return Translate(path, options);
  }
  void Expect(const std::string& text, absl::StatusCode code, const std::string& message,
              std::optional<uint64_t> bytes = std::nullopt) {
    const absl::Status status = Translated(text, bytes);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_TRUE(testing_support::FilesIn(dir_ / "out").empty());
  }
  testing_support::Folder dir_;
};

TEST_F(Refused, MemoriesThatCannotBeFixed) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const auto unimplemented = absl::StatusCode::kUnimplemented;
  Expect("(module (memory 1 1 shared))", unimplemented,
         ".wasm: 0xb: a memory of a fixed size "
         "can't be shared");
  Expect("(module (memory i64 1))", unimplemented, "can't be one of 64-bit addresses");
  Expect("(module (import \"a\" \"b\" (memory 1)))", unimplemented, "can't be imported");
  Expect("(module (memory 1) (memory 1))", unimplemented, "can't be one of several");
}

TEST_F(Refused, SizesThatDoNotFitTheModule) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const auto invalid = absl::StatusCode::kInvalidArgument;
  Expect("(module)", invalid, "the module has no memory", 100);
  Expect("(module (memory 1))", invalid,
         "0xb: --memory-bytes=65537 is more than the 65536 bytes that the module declares", 65537);
  const std::string data = "(module (memory 1) (data (i32.const 96) \"12345\"))";
  Expect(data, invalid, "data segment 0 is at 96 to 101, beyond the 100 bytes", 100);
  EXPECT_TRUE(Translated(data, 101).ok());
  // What does not fit the declared memory traps when the instance is made, as without a bound.
  EXPECT_TRUE(Translated("(module (memory 1) (data (i32.const 65536) \"1\"))").ok());
}

TEST_F(Refused, ABoundForMemoriesThatGrow) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const auto run = testing_support::RunFermata(
      {"translate", Assemble("(module (memory 1))"), "-o", dir_ / "out", "--memory-bytes=100"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, HasSubstr("--memory-bytes needs --memory=fixed"));
}

}  // namespace
}  // namespace fermata
