// What `fermata inspect` finds in a module, and how it shows it as text, JSON and DOT.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/support/value_or.h"
#include "tests/support/wasm_builder.h"
#include "translator/inspect/graph.h"
#include "translator/inspect/inspection.h"
#include "translator/inspect/json.h"
#include "translator/inspect/text.h"
#include "translator/wasm/printable.h"

namespace fermata::inspect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::Bytes;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Sized;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using Op = wasm::Opcode;

Bytes NameBytes(absl::string_view name) { return testing_support::Name(name); }

absl::StatusOr<std::unique_ptr<Inspection>> TryInspect(const Bytes& bytes, Options options = {}) {
  return Inspect("m.wasm", bytes, options);
}

std::unique_ptr<Inspection> MustInspect(const Bytes& bytes, const Options& options = {}) {
  auto in = TryInspect(bytes, options);
  EXPECT_TRUE(in.ok()) << in.status();
  return in.ok() ? *std::move(in) : nullptr;
}

std::string Text(const Inspection& in, bool functions = false) {
  std::string text;
  llvm::raw_string_ostream out(text);
  WriteText(in, functions, out);
  return out.str();
}

llvm::json::Value Json(const Inspection& in, bool functions = false) {
  std::string text;
  llvm::raw_string_ostream out(text);
  WriteJson(in, functions, out);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(out.str());
  if (value) return *value;
  ADD_FAILURE() << llvm::toString(value.takeError()) << "\n" << text;
  return nullptr;
}

int64_t Number(const llvm::json::Object& object, const char* key) {
  return ValueOr(object.getInteger(key), -1);
}

// The name section, with names for functions.
Bytes FunctionNames(const std::vector<std::pair<uint32_t, std::string>>& names) {
  Bytes map = Unsigned(names.size());
  for (const auto& [index, name] : names) map = Concat({map, Unsigned(index), NameBytes(name)});
  return Concat({{1}, Sized(map)});
}

// Imports "env" "op" and "env" "log"; "run" calls the first directly, "indirect" through a table,
// "plain" only the second.
WasmBuilder Echo() {
  WasmBuilder b;
  const uint32_t type = b.Type("i", "i");
  const uint32_t none = b.Type("", "");
  b.ImportFunction(type);
  b.ImportFunction(none);
  b.Section(2, Concat({{2},
                       NameBytes("env"),
                       NameBytes("op"),
                       {0, 0},
                       NameBytes("env"),
                       NameBytes("log"),
                       {0, 1}}));
  b.Function(type, "", Code(Op::kLocalGet, 0, Op::kCall, 0, Op::kCall, 0));                 // 2
  b.Function(type, "", Code(Op::kLocalGet, 0, Op::kI32Const, 0, Op::kCallIndirect, 0, 0));  // 3
  b.Function(none, "", Code(Op::kCall, 1, Op::kCall, 4));                                   // 4
  b.Table('r', 1);
  b.Memory(2);
  b.Export("run", 0, 2);
  b.Export("indirect", 0, 3);
  b.Export("plain", 0, 4);
  b.Export("memory", 2, 0);
  b.Element(Concat({{0, 0x41, 0, 0x0b, 1, 2}}));
  b.Custom("name", FunctionNames({{2, "run it"}, {3, "dispatch"}}));
  return b;
}

Options ImmediateLog() {
  Options options;
  options.immediate = {"env.log"};
  return options;
}

// ---- Text ----

TEST(InspectText, TellsAll) {
  const Bytes bytes = Echo().Build();
  const auto in = MustInspect(bytes, ImmediateLog());
  const std::string text = Text(*in, /*functions=*/true);
  const size_t custom = text.find("  custom");
  ASSERT_NE(custom, std::string::npos) << text;
  EXPECT_EQ(text.substr(custom), R"(  custom     name

memories and tables
  memory 0    at least 2 pages of 64 KiB
  table 0     at least 1 funcref

imports (2)
  env.op   function 0  [i32] -> [i32]  suspends
  env.log  function 1  [] -> []        immediate

exports (4)
  run       function 2  [i32] -> [i32]              may suspend: f2 "run it" -> import env.op
  indirect  function 3  [i32] -> [i32]              may suspend: f3 "dispatch" -> (table 0) f2 "run it" -> import env.op
  plain     function 4  [] -> []                    plain
  memory    memory 0    at least 2 pages of 64 KiB

features beyond WebAssembly 1.0 (0)

suspension
  3 functions           2 may suspend
  5 call sites          3 may suspend
  1 indirect call site  1 may suspend

types that may suspend when called indirectly (1)
  type 0 [i32] -> [i32] through table 0  1 site in 1 function  1 of 1 function may suspend: f2 "run it" -> import env.op

functions (3)
        8 bytes  resumable  f2 "run it" -> import env.op
        9 bytes  resumable  f3 "dispatch" -> (table 0) f2 "run it" -> import env.op
        6 bytes  plain      f4
)");
  EXPECT_THAT(text, testing::StartsWith("m.wasm\n  size       "));
  EXPECT_THAT(text, HasSubstr("  functions  5, 2 of them imported\n"));
}

TEST(InspectText, HashIsThatOfTheFile) {
  // sha256 of the eight bytes of an empty module.
  const Bytes bytes = testing_support::Module({});
  EXPECT_THAT(Text(*MustInspect(bytes)),
              HasSubstr("93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476"));
}

TEST(InspectText, WithoutImportsNothingSuspends) {
  WasmBuilder b;
  b.Type("", "");
  b.Function(0, "", Code(Op::kCall, 0));
  b.Export("run", 0, 0);
  const Bytes bytes = b.Build();
  const auto in = MustInspect(bytes);
  EXPECT_THAT(Text(*in), HasSubstr("imports (0)\n"));
  EXPECT_THAT(Text(*in), HasSubstr("run  function 0  [] -> []  plain\n"));
  EXPECT_THAT(Text(*in), HasSubstr("1 function             0 may suspend\n"));
  EXPECT_THAT(DrawGraph(*in).dot, HasSubstr("no function may suspend"));
}

TEST(InspectText, OpenTablesPoisonTheirTypes) {
  WasmBuilder b;
  b.Type("", "");
  b.Table('r', 1);
  b.Function(0, "", Code(Op::kI32Const, 0, Op::kCallIndirect, 0, 0));
  b.Export("table", 1, 0);
  const Bytes bytes = b.Build();
  const auto in = MustInspect(bytes);
  ASSERT_EQ(in->types.size(), 1u);
  EXPECT_TRUE(in->types[0].open);
  EXPECT_THAT(Text(*in), HasSubstr("any function of the type: others can write to the table"));
  EXPECT_THAT(Text(*in, true), HasSubstr("resumable  f0 -> any function of type 0 in table 0\n"));
}

TEST(InspectText, LimitsAndTypes) {
  WasmBuilder b;
  b.Type("Vn", "");
  b.RawType({0x60, 3, 0x63, 0, 0x64, 0x70, 0x64, 0x72, 0});
  b.RawMemory({0x07, 1, 2});
  b.RawMemory({0x09, 5, 5, 0});
  b.RawTable({0x70, 5, 3, 9});
  b.Function(1, "", {});
  b.Export("f", 0, 0);
  const Bytes bytes = b.Build();
  const std::string text = Text(*MustInspect(bytes));
  EXPECT_THAT(text, HasSubstr("memory 0    1 to 2 pages of 64 KiB, 64-bit, shared\n"));
  EXPECT_THAT(text, HasSubstr("memory 1    5 pages of one byte\n"));
  EXPECT_THAT(text, HasSubstr("table 0     3 to 9 funcref, 64-bit\n"));
  EXPECT_THAT(text, HasSubstr("[(ref null 0) (ref func) (ref noextern)] -> []"));
}

// ---- Features ----

std::vector<std::string> FeaturesOf(const Bytes& bytes) {
  std::vector<std::string> found;
  const auto in = MustInspect(bytes);
  for (const FeatureNeed& need : in->features) {
    found.push_back(absl::StrCat(Name(need.feature), " ", need.offset, " ", need.place));
  }
  return found;
}

TEST(InspectFeatures, NoneInWebAssembly1) {
  EXPECT_THAT(FeaturesOf(Echo().Build()), ElementsAre());
}

TEST(InspectFeatures, TheFirstPlaceCounts) {
  WasmBuilder b;
  b.Type("i", "i");
  b.Memory(1);
  b.Function(0, "", Code(Op::kLocalGet, 0));
  b.Function(0, "", Code(Op::kLocalGet, 0, Op::kI32Extend8S));
  b.Function(0, "", Code(Op::kLocalGet, 0, Op::kI32Extend8S, Op::kReturnCall, 1));
  b.Data({1, 0});
  b.Custom("name", FunctionNames({{1, "ext\"end"}}));
  // The header takes 8 bytes, the sections of types, functions and memories 8, 6 and 5; the bodies
  // begin at 31, after the code section's header and the first one's size.
  EXPECT_THAT(FeaturesOf(b.Build()),
              ElementsAre("sign-extension 39 function 1 \"ext\\\"end\"",
                          "bulk-memory 52 data section", "tail-call 46 function 2"));
}

TEST(InspectFeatures, OfSections) {
  WasmBuilder b;
  b.RawType({0x60, 0, 2, 0x7f, 0x7b});
  b.Memory(1);
  b.Memory(1);
  b.Table('e', 1);
  b.Global('i', true, Code(Op::kI32Const, 1, Op::kI32Const, 1, Op::kI32Add));
  b.Export("g", 3, 0);
  b.DataCount(0);
  EXPECT_THAT(FeaturesOf(b.Build()),
              ElementsAre("mutable-globals 45 export section", "multi-value 11 type section",
                          "bulk-memory 47 data count section", "reference-types 19 table section",
                          "extended-const 38 global section", "simd 15 type section",
                          "multi-memory 27 memory section"));
}

TEST(InspectFeatures, MissingProposals) {
  const auto body = [](const Bytes& code) {
    WasmBuilder b;
    b.Type("", "");
    b.Function(0, "", code);
    b.Custom("name", FunctionNames({{0, "parse"}}));
    return b.Build();
  };
  const std::vector<std::pair<Bytes, std::string>> cases = {
      {body({0xe2, 0, 0}),
       "m.wasm: 0x17 (function 0 \"parse\"): opcode e2 needs the \"stack-switching\" proposal, "
       "which Fermata does not support yet"},
      {testing_support::Module({{1, {1, 0x5d, 0}}}),
       "m.wasm: 0xb: a continuation type needs the \"stack-switching\" proposal, which Fermata "
       "does not support yet"},
      {testing_support::Module({{1, {1, 0x65, 0x60, 0, 0}}}),
       "m.wasm: 0xb: a shared type needs the \"shared-everything-threads\" proposal, which Fermata "
       "does not support yet"},
  };
  for (const auto& [bytes, message] : cases) {
    const absl::Status error = TryInspect(bytes).status();
    EXPECT_EQ(error.message(), message);
    const std::optional<wasm::Feature> missing = wasm::MissingProposal(error);
    ASSERT_TRUE(missing.has_value());
    std::string text, json;
    llvm::raw_string_ostream text_out(text), json_out(json);
    WriteMissingText("m.wasm", bytes, error, text_out);
    WriteMissingJson("m.wasm", bytes, error, json_out);
    const std::string place = message.substr(strlen("m.wasm: "));
    EXPECT_THAT(text_out.str(),
                HasSubstr(absl::StrCat("  missing  ", Name(*missing), ": ", place, "\n")));
    auto value = llvm::json::parse(json_out.str());
    ASSERT_TRUE(static_cast<bool>(value));
    const llvm::json::Object* object = value->getAsObject()->getObject("missing");
    EXPECT_EQ(object->getString("name"), llvm::StringRef(Name(*missing)));
    EXPECT_EQ(object->getString("error"), llvm::StringRef(place));
  }
  EXPECT_FALSE(wasm::MissingProposal(TryInspect({1, 2, 3}).status()).has_value());
  EXPECT_FALSE(wasm::MissingProposal(absl::OkStatus()).has_value());
}

// ---- JSON ----

TEST(InspectJson, TellsAll) {
  const Bytes bytes = Echo().Build();
  const auto in = MustInspect(bytes, ImmediateLog());
  const llvm::json::Value value = Json(*in, /*functions=*/true);
  const llvm::json::Object& o = *value.getAsObject();
  EXPECT_EQ(o.getString("file"), llvm::StringRef("m.wasm"));
  EXPECT_EQ(Number(o, "size"), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(Number(*o.getObject("counts"), "functions"), 5);
  const llvm::json::Object& op = *(*o.getArray("imports"))[0].getAsObject();
  EXPECT_EQ(op.getString("module"), llvm::StringRef("env"));
  EXPECT_EQ(op.getBoolean("suspends"), true);
  EXPECT_EQ((*o.getArray("imports"))[1].getAsObject()->getBoolean("suspends"), false);
  const llvm::json::Object& run = *(*o.getArray("exports"))[0].getAsObject();
  EXPECT_EQ(run.getString("type"), llvm::StringRef("[i32] -> [i32]"));
  EXPECT_EQ(run.getBoolean("may_suspend"), true);
  EXPECT_EQ(run.getString("why"), llvm::StringRef("f2 \"run it\" -> import env.op"));
  const llvm::json::Object& suspension = *o.getObject("suspension");
  EXPECT_EQ(Number(suspension, "suspending_call_sites"), 3);
  EXPECT_EQ(Number(*(*suspension.getArray("types"))[0].getAsObject(), "targets"), 1);
  ASSERT_EQ(o.getArray("functions")->size(), 3u);
  const llvm::json::Object& plain = *(*o.getArray("functions"))[2].getAsObject();
  EXPECT_EQ(Number(plain, "index"), 4);
  EXPECT_EQ(plain.getBoolean("may_suspend"), false);
  EXPECT_EQ(plain.get("why"), nullptr);
  EXPECT_EQ(Json(*in).getAsObject()->get("functions"), nullptr);
}

TEST(InspectJson, HugeNumbersAreExact) {
  WasmBuilder b;
  b.RawTable(Concat({{0x70, 5}, Unsigned(0), Unsigned(~uint64_t{0})}));
  const Bytes bytes = b.Build();
  std::string text;
  llvm::raw_string_ostream out(text);
  WriteJson(*MustInspect(bytes), /*functions=*/false, out);
  EXPECT_THAT(out.str(), HasSubstr("\"max\": 18446744073709551615,"));
}

// ---- Hostile names ----

const char* const kHostile[] = {
    "a\"b\\c",    "line\nbreak\r\ttab",   "",       "\x1b[31mred", "\xe2\x80\xaegnitirw",
    "\302\2332J", "}; x [label=<b>&amp;", "%s%n$0",
};

std::vector<std::string> HostileNames() {
  std::vector<std::string> names(std::begin(kHostile), std::end(kHostile));
  names.push_back(std::string("nul\0inside", 10));
  names.push_back(std::string(2000, 'x'));
  std::string wide;
  for (int i = 0; i < 500; ++i) wide.append("€");
  names.push_back(wide);
  return names;
}

// Each name as an import's, an export's, a function's and a custom section's.
Bytes HostileModule() {
  const std::vector<std::string> names = HostileNames();
  const uint32_t count = static_cast<uint32_t>(names.size());
  WasmBuilder b;
  b.Type("", "");
  Bytes imports = Unsigned(count);
  std::vector<std::pair<uint32_t, std::string>> functions;
  for (uint32_t i = 0; i < count; ++i) {
    b.ImportFunction(0);
    imports = Concat({imports, NameBytes(names[i]), NameBytes(names[i]), {0, 0}});
  }
  b.Section(2, imports);
  for (uint32_t i = 0; i < count; ++i) {
    b.Function(0, "", Code(Op::kCall, static_cast<int>(i)));
    b.Export(names[i], 0, count + i);
    b.Custom(names[i], {});
    functions.push_back({count + i, names[i]});
  }
  b.Custom("name", FunctionNames(functions));
  return b.Build();
}

TEST(InspectNames, TextStaysInItsLines) {
  const Bytes bytes = HostileModule();
  const auto in = MustInspect(bytes);
  const std::string text = Text(*in, /*functions=*/true);
  const size_t count = HostileNames().size();
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  // A line for each name as an import, an export and a function; the others are always the same.
  EXPECT_EQ(lines.size(), 3 * count + 23) << text;
  for (const std::string& line : lines) {
    EXPECT_LT(line.size(), 1000u);
    for (char c : line) EXPECT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << line;
    EXPECT_THAT(line, Not(HasSubstr("\xe2\x80\xae")));
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
  }
  EXPECT_THAT(text, HasSubstr("\"a\\\"b\\\\c\""));
  EXPECT_THAT(text, HasSubstr("line\\nbreak\\r\\ttab"));
  EXPECT_THAT(text, HasSubstr("\\033[31mred"));
}

TEST(InspectNames, JsonGivesThemBack) {
  const Bytes bytes = HostileModule();
  const auto in = MustInspect(bytes);
  const llvm::json::Value value = Json(*in, /*functions=*/true);
  const llvm::json::Object& o = *value.getAsObject();
  const std::vector<std::string> names = HostileNames();
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ((*o.getArray("imports"))[i].getAsObject()->getString("module"),
              llvm::StringRef(names[i]));
    EXPECT_EQ((*o.getArray("exports"))[i].getAsObject()->getString("name"),
              llvm::StringRef(names[i]));
    if (names[i].empty()) continue;  // as good as no name
    EXPECT_EQ((*o.getArray("functions"))[i].getAsObject()->getString("name"),
              llvm::StringRef(names[i]));
  }
}

// Checks that a line of DOT holds whole strings, and returns it without them.
std::string WithoutStrings(const std::string& line) {
  std::string rest;
  bool inside = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (inside && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      inside = !inside;
    } else if (!inside) {
      rest.push_back(line[i]);
    }
  }
  EXPECT_FALSE(inside) << line;
  return rest;
}

TEST(InspectNames, DotStringsAreWhole) {
  const Bytes bytes = HostileModule();
  const auto in = MustInspect(bytes);
  const uint32_t count = static_cast<uint32_t>(HostileNames().size());
  const std::string dot = DrawGraph(*in).dot;
  const std::vector<std::string> lines = absl::StrSplit(dot, '\n');
  ASSERT_EQ(lines.size(), 6 + 3 * count + 2);
  for (uint32_t i = 0; i < count; ++i) {
    EXPECT_EQ(WithoutStrings(lines[6 + i]), absl::StrCat("  f", i, " [shape=box, label=];"));
    EXPECT_EQ(WithoutStrings(lines[6 + count + i]), absl::StrCat("  f", count + i, " [label=];"));
    EXPECT_EQ(lines[6 + 2 * count + i], absl::StrCat("  f", count + i, " -> f", i, ";"));
  }
  EXPECT_THAT(dot, HasSubstr("label=<b>&amp;amp;"));
}

TEST(InspectNames, NotUtf8) {
  const std::string bad = "\xff\xfe\"";
  WasmBuilder exported;
  exported.Memory(1);
  exported.Export(bad, 2, 0);
  EXPECT_THAT(std::string(TryInspect(exported.Build()).status().message()),
              HasSubstr("m.wasm: 0x10: malformed UTF-8 encoding"));
  // The name section can make no module wrong.
  WasmBuilder named;
  named.Type("", "");
  named.Function(0, "", {});
  named.Custom("name", FunctionNames({{0, bad}}));
  const Bytes bytes = named.Build();
  EXPECT_THAT(Text(*MustInspect(bytes), true), HasSubstr("plain  f0\n"));
  // The file's own name is the user's.
  auto in = Inspect("dir/\xff\".wasm", bytes, {});
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(Json(**in).getAsObject()->getString("file"),
            llvm::StringRef("dir/\xef\xbf\xbd\".wasm"));
  EXPECT_TRUE(llvm::json::isUTF8(DrawGraph(**in).dot));
}

TEST(InspectNames, PrintableCutsBetweenCharacters) {
  EXPECT_EQ(wasm::Printable("plain name's", 20), "plain name's");
  EXPECT_EQ(wasm::Printable("€€€", 7), "€€…");
  EXPECT_EQ(wasm::Printable("€€€", 9), "€€€");
  EXPECT_EQ(wasm::Printable("\xe2\x80", 9), "\xe2\x80");  // ends within a character
  EXPECT_EQ(wasm::Printable(absl::string_view("\0\x7f", 2)), "\\000\\177");
  EXPECT_EQ(wasm::Printable("\xe2\x81\xa6"), "\\342\\201\\246");
}

// ---- Graphs ----

TEST(InspectGraph, NodesAndEdges) {
  const Bytes bytes = Echo().Build();
  const auto in = MustInspect(bytes, ImmediateLog());
  const Graph graph = DrawGraph(*in);
  EXPECT_EQ(graph.nodes, 4u);
  EXPECT_EQ(graph.shown, 4u);
  EXPECT_EQ(graph.dot, R"(digraph fermata {
  label="m.wasm: functions that may suspend, and why";
  labelloc=t;
  rankdir=LR;
  node [fontname="sans-serif"];
  edge [fontname="sans-serif"];
  f0 [shape=box, label="env.op"];
  f2 [label="f2\nrun it"];
  f3 [label="f3\ndispatch"];
  t0 [shape=diamond, style=dashed, label="[i32] -> [i32]\ntable 0"];
  f2 -> f0;
  f3 -> t0 [style=dashed, label="type 0"];
  t0 -> f2 [style=dashed];
}
)");
}

// Function 1 calls the import, each other one the one before.
Bytes Chain(uint32_t functions) {
  Bytes types = {1, 0x60, 0, 0};
  Bytes declared = Unsigned(functions), bodies = Unsigned(functions);
  for (uint32_t i = 0; i < functions; ++i) {
    declared.push_back(0);
    const Bytes body = Sized(Concat({{0, 0x10}, Unsigned(i), {0x0b}}));
    bodies.insert(bodies.end(), body.begin(), body.end());
  }
  return testing_support::Module({{1, types},
                                  {2, Concat({{1}, NameBytes("env"), NameBytes("op"), {0, 0}})},
                                  {3, declared},
                                  {10, bodies}});
}

TEST(InspectGraph, OfManyNodesTheNearest) {
  const Bytes bytes = Chain(5000);
  const Graph graph = DrawGraph(*MustInspect(bytes));
  EXPECT_EQ(graph.nodes, 5001u);
  EXPECT_EQ(graph.shown, kMaxNodes);
  EXPECT_THAT(graph.dot, HasSubstr("\\n2000 of 5001 nodes: those nearest to the imports"));
  EXPECT_THAT(graph.dot, HasSubstr("  f1999 -> f1998;\n"));
  EXPECT_THAT(graph.dot, Not(HasSubstr("f2000")));
  // Layouts in ranks are for graphs that `dot` can do in seconds.
  EXPECT_THAT(graph.dot, HasSubstr("  layout=sfdp;\n"));
  const Graph small = DrawGraph(*MustInspect(bytes), 2);
  EXPECT_THAT(small.dot, HasSubstr("  rankdir=LR;\n"));
  EXPECT_THAT(small.dot, HasSubstr("  f1 -> f0;\n}\n"));
}

TEST(InspectPaths, LongOnesAreShortened) {
  const Bytes bytes = Chain(100'000);
  const auto in = MustInspect(bytes);
  EXPECT_EQ(in->Explain(3), "f3 -> f2 -> f1 -> import env.op");
  EXPECT_EQ(in->Explain(7), "f7 -> f6 -> f5 -> f4 -> f3 -> f2 -> f1 -> import env.op");
  EXPECT_EQ(in->Explain(100'000),
            "f100000 -> f99999 -> f99998 -> f99997 -> f99996 -> f99995 -> … 99994 more … -> "
            "import env.op");
  EXPECT_EQ(in->paths.length(100'000), 100'000u);
  EXPECT_LT(Text(*in, /*functions=*/true).size(), 20'000'000u);
}

// ---- Broken modules ----

// Shows what can be inspected in all ways.
bool Survives(const Bytes& bytes) {
  const Bytes exact(bytes.begin(), bytes.end());
  const auto in = TryInspect(exact);
  if (!in.ok()) {
    EXPECT_TRUE(absl::StartsWith(in.status().message(), "m.wasm: 0x")) << in.status();
    return false;
  }
  Text(**in, true);
  Json(**in, true);
  DrawGraph(**in);
  return true;
}

TEST(InspectBroken, TruncatedAndFlipped) {
  for (const Bytes& module : {Echo().Build(), HostileModule()}) {
    const size_t size = std::min<size_t>(module.size(), 600);
    for (size_t i = 0; i < size; ++i) Survives(Bytes(module.begin(), module.begin() + i));
    int accepted = 0;
    for (size_t bit = 0; bit < 8 * size; ++bit) {
      Bytes flipped = module;
      flipped[bit / 8] ^= 1 << bit % 8;
      accepted += Survives(flipped);
    }
    EXPECT_GT(accepted, 0);
  }
}

}  // namespace
}  // namespace fermata::inspect
