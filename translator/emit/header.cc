#include "translator/emit/header.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "translator/analysis/immediate.h"
#include "translator/emit/names.h"
#include "translator/emit/writer.h"

namespace fermata::emit {
namespace {

using wasm::ExternKind;
using wasm::FuncType;
using wasm::Module;

// Names that can't be a member's or a parameter's: C++ keywords, names that generated text uses,
// and macros of the C headers that hosts include most.
constexpr const char* kReserved[] = {
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char8_t",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "concept",
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "const_cast",
    "continue",
    "co_await",
    "co_return",
    "co_yield",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
    // Used by generated text.
    "Create",
    "ModuleInfo",
    "Op",
    "ReadOp",
    "Result",
    "Start",
    "absl",
    "arguments",
    "fermata",
    "float_t",
    "host",
    "imports",
    "instance",
    "int32_t",
    "int64_t",
    "kImport",
    "limits",
    "size_t",
    "std",
    "step",
    "store",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    // Macros.
    "BUFSIZ",
    "EDOM",
    "EOF",
    "ERANGE",
    "EXIT_FAILURE",
    "EXIT_SUCCESS",
    "HUGE_VAL",
    "INFINITY",
    "NAN",
    "NULL",
    "RAND_MAX",
    "SEEK_CUR",
    "SEEK_END",
    "SEEK_SET",
    "assert",
    "errno",
    "i386",
    "linux",
    "major",
    "makedev",
    "minor",
    "offsetof",
    "setjmp",
    "sigsetjmp",
    "stderr",
    "stdin",
    "stdout",
    "unix",
    "va_arg",
    "va_copy",
    "va_end",
    "va_start",
};

// Gives out names, each once: the wanted one, or with a number after it.
class NameSet {
 public:
  NameSet() : used_(std::begin(kReserved), std::end(kReserved)) {}
  void Reserve(std::string name) { used_.insert(std::move(name)); }
  std::string Unique(absl::string_view wasm_name, absl::string_view fallback) {
    std::string wanted = Sanitize(wasm_name, 80);
    if (wanted.empty()) wanted = std::string(fallback);
    if (absl::ascii_isdigit(wanted[0])) wanted.insert(0, "n");
    std::string name = wanted;
    for (int i = 2; !used_.insert(name).second; ++i) name = absl::StrCat(wanted, "_", i);
    return name;
  }

 private:
  absl::flat_hash_set<std::string> used_;
};

absl::string_view HostType(const wasm::Module& module, wasm::ValType type) {
  switch (wasm::RepOf(module, type)) {
    case wasm::ValType::kI32:
      return "int32_t";
    case wasm::ValType::kI64:
      return "int64_t";
    case wasm::ValType::kF32:
      return "float";
    case wasm::ValType::kF64:
      return "double";
    case wasm::ValType::kV128:
      return "fermata::V128";
    case wasm::ValType::kExternRef:
      return "fermata::ExternRef";
    case wasm::ValType::kExnRef:
      return "fermata::ExnRef";
    case wasm::ValType::kAnyRef:
      return "fermata::AnyRef";
    default:
      return "fermata::FuncRef";
  }
}

std::string HostResult(const wasm::Module& module, const FuncType& type) {
  if (type.results.empty()) return "void";
  if (type.results.size() == 1) return std::string(HostType(module, type.results[0]));
  return absl::StrCat("std::tuple<",
                      absl::StrJoin(type.results, ", ",
                                    [&](std::string* out, wasm::ValType t) {
                                      absl::StrAppend(out, HostType(module, t));
                                    }),
                      ">");
}

struct Param {
  std::string type;
  std::string name;
};

// A function that is part of the interface.
struct Member {
  std::string name;
  uint32_t function;  // wasm function index
  uint32_t index;     // of the import in Module::imports, or the export in Module::exports
};

constexpr absl::string_view kTop =
    R"(// Generated by fermata from a WebAssembly module; do not edit. $0: its host's interface.
//
// $0 is the guest. See fermata/step.h for how its calls are made, suspended and resumed.
#ifndef $1
#define $1

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "fermata/step.h"

namespace $2 {

// The translated module itself, for the dynamic API.
const fermata::core::ModuleInfo& $0ModuleInfo();
)";

constexpr absl::string_view kHostTop = R"(
// What $0 needs of its host at once: the imports that are plain calls. Its methods run on the
// guest's stack, must not throw, and may call the guest again.
struct $0Host {
  virtual ~$0Host() = default;
)";

constexpr absl::string_view kClassTop = R"(
class $0 : public fermata::typed::GuestBase {
 public:
)";

// $0 class, $1 "Host& host, ", $2 code that binds immediate imports, $3 the host's address.
constexpr absl::string_view kCreateAlone = R"(
  // An instance in a store of its own. Errors: no memory, or a trap during initialization.
  static absl::StatusOr<std::unique_ptr<$0>> Create(
      $1const fermata::Limits& limits = {}) {
    fermata::Imports imports;
$2    return CreateAlone_<$0>(limits, $0ModuleInfo(), std::move(imports), $3);
  }
)";
constexpr absl::string_view kCreateLinked = R"(
  // An instance linked with what `imports` holds; functions not in it suspend. `store` must outlive
  // it. Errors also: an import that is missing or of another type.
  static absl::StatusOr<std::unique_ptr<$0>> Create(
      $1fermata::StoreHandle& store, fermata::Imports imports) {
$2    return Create_<$0>(store, $0ModuleInfo(), std::move(imports), $3);
  }
)";

// $0 class, $1 "Host& host, ", $2 code that binds immediate imports, $3 code that sets the host.
constexpr absl::string_view kRestore = R"(
  // For snapshots (fermata/snapshot.h). Adds what Create binds by itself to RestoreHost::imports.
  static void Bind_($1[[maybe_unused]] fermata::Imports& imports) {
$2$3  }
  // The guest of an instance that was restored or forked; its store must outlive it. Null: it is of
  // another module.
  static std::unique_ptr<$0> Of_(fermata::DynamicInstance& instance) {
    return &instance.info() == &$0ModuleInfo() ? Adopt_<$0>(instance) : nullptr;
  }
)";

constexpr absl::string_view kReadOpTop = R"(
  // Sets `op` to the one that `step` is suspended on, if it is one of this module's. Step's own
  // business.
  static void ReadOp([[maybe_unused]] std::optional<Op>& op, const fermata::DynamicStep& step) {
    if (!IsOpOf_(step, $0ModuleInfo())) return;
)";

constexpr absl::string_view kBottom = R"(
 private:
  friend class fermata::typed::GuestBase;
  explicit $0(fermata::DynamicInstance* instance) : GuestBase(instance) {}
};

}  // namespace $1

#endif  // $2
)";

class HeaderEmitter {
 public:
  HeaderEmitter(const Module& module, const HeaderOptions& options)
      : module_(module), options_(options) {
    members_.Reserve(options.class_name);
    members_.Reserve(options.class_name + "Host");
    members_.Reserve(options.class_name + "ModuleInfo");
    members_.Reserve("memory");
    ChooseImportNames();
  }

  std::string Run() {
    const std::string& name = options_.class_name;
    const std::string guard =
        absl::StrCat("FERMATA_GUEST_", Sanitize(options_.name_space, 80), "_", name, "_H_");
    out_.Emit(kTop, name, guard, options_.name_space);
    if (!immediate_.empty()) EmitHost();
    out_.Emit(kClassTop, name);
    EmitOps();
    EmitCreate();
    EmitReadOp();
    EmitStart();
    EmitMemories();
    EmitExports();
    out_.Emit(kBottom, name, options_.name_space, guard);
    return out_.Take();
  }

 private:
  bool IsImmediate(uint32_t function) const {
    return function < options_.immediate.size() && options_.immediate[function];
  }
  bool MaySuspend(uint32_t function) const {
    return function >= options_.may_suspend.size() || options_.may_suspend[function];
  }

  // Ops are members of the class, immediate imports of the host interface.
  void ChooseImportNames() {
    NameSet host;
    host.Reserve(options_.class_name + "Host");
    for (uint32_t i = 0; i < module_.imports.size(); ++i) {
      const wasm::Import& import = module_.imports[i];
      if (import.kind != ExternKind::kFunction) {
        needs_imports_ = true;
        continue;
      }
      const bool immediate = IsImmediate(import.index);
      if (options_.wasi && immediate && import.module == analysis::kWasiModule) {
        needs_imports_ = true;
        continue;
      }
      const std::string name = (immediate ? host : members_)
                                   .Unique(absl::StrCat(import.module, "_", import.name),
                                           absl::StrCat("import_", import.index));
      (immediate ? immediate_ : ops_).push_back({name, import.index, i});
    }
  }

  // Parameters named as in the name section if it names them, else a0, a1, …
  std::vector<Param> ParamsOf(const Member& member) const {
    const FuncType& type = module_.TypeOf(member.function);
    const auto& locals = module_.names.locals;
    NameSet names;
    names.Reserve(member.name);
    names.Reserve(options_.class_name);
    std::vector<Param> params;
    for (uint32_t p = 0; p < type.params.size(); ++p) {
      absl::string_view own;
      if (member.function < locals.size() && p < locals[member.function].size()) {
        own = locals[member.function][p];
      }
      params.push_back({std::string(HostType(module_, type.params[p])),
                        names.Unique(own, absl::StrCat("a", p))});
    }
    return params;
  }

  static std::string Declare(const std::vector<Param>& params) {
    return absl::StrJoin(params, ", ", [](std::string* out, const Param& p) {
      absl::StrAppend(out, p.type, " ", p.name);
    });
  }

  std::string ImportName(const Member& member) const {
    const wasm::Import& import = module_.imports[member.index];
    return absl::StrCat(import.module, ".", import.name);
  }

  void EmitHost() {
    out_.Emit(kHostTop, options_.class_name);
    for (const Member& m : immediate_) {
      out_.Emit("  // Import \"$0\" (function $1).\n  virtual $2 $3($4) = 0;\n",
                ForComment(ImportName(m)), m.function,
                HostResult(module_, module_.TypeOf(m.function)), m.name, Declare(ParamsOf(m)));
    }
    out_.Put("};\n");
  }

  void EmitOps() {
    for (const Member& m : ops_) {
      out_.Emit("  // Import \"$0\" (function $1).\n  struct $2 {\n", ForComment(ImportName(m)),
                m.function, m.name);
      for (const Param& p : ParamsOf(m)) out_.Emit("    $0 $1;\n", p.type, p.name);
      out_.Emit("    using Result = $0;\n    static constexpr const char* kImport = $1;\n  };\n",
                HostResult(module_, module_.TypeOf(m.function)), Quote(ForComment(ImportName(m))));
    }
    const std::string names =
        absl::StrJoin(ops_, ",\n                          ",
                      [](std::string* out, const Member& m) { absl::StrAppend(out, m.name); });
    if (ops_.empty()) {
      out_.Put("  // No import suspends.\n  using Op = std::variant<std::monostate>;\n");
    } else {
      out_.Emit("  // What a suspended call waits for.\n  using Op = std::variant<$0>;\n", names);
    }
  }

  void EmitCreate() {
    const std::string& name = options_.class_name;
    std::string bind;
    for (const Member& m : immediate_) {
      absl::SubstituteAndAppend(&bind, R"(    BindImmediate_(imports, $0ModuleInfo(), $1,
                   reinterpret_cast<fermata::core::AnyFunction>(
                       &fermata::typed::Thunk<&$0Host::$2>::Call));
)",
                                name, m.index, m.name);
    }
    const bool host = !immediate_.empty();
    const std::string parameter = host ? name + "Host& host, " : "";
    const std::string address = host ? "&host" : "nullptr";
    // Memories, tables, globals and WASI's plain calls can't be left out.
    if (!needs_imports_) out_.Emit(kCreateAlone, name, parameter, bind, address);
    out_.Emit(kCreateLinked, name, parameter, bind, address);
    out_.Emit(kRestore, name, host ? name + "Host& host, " : "", bind,
              host ? "    imports.SetHost(&host);\n" : "");
  }

  void EmitReadOp() {
    out_.Emit(kReadOpTop, options_.class_name);
    if (!ops_.empty())
      out_.Put(
          "    [[maybe_unused]] const auto& a = step.op_arguments();\n"
          "    switch (step.op_import()) {\n");
    for (const Member& m : ops_) {
      const FuncType& type = module_.TypeOf(m.function);
      std::string values;
      for (size_t i = 0; i < type.params.size(); ++i) {
        absl::StrAppend(&values, i == 0 ? "" : ",", "\n            fermata::typed::Wire<",
                        HostType(module_, type.params[i]), ">::From(a[", i, "])");
      }
      out_.Emit(
          "      case $0:\n        op.emplace(std::in_place_type<$1>, $1{$2});\n        break;\n",
          m.index, m.name, values);
    }
    out_.Put(ops_.empty() ? "" : "    }\n", "  }\n");
  }

  // "_initialize" of a reactor (fermata/dynamic.h, DynamicInstance::Start says what that is).
  std::optional<uint32_t> Initialize() const {
    std::optional<uint32_t> found;
    for (const wasm::Export& e : module_.exports) {
      if (e.kind != ExternKind::kFunction) continue;
      if (e.name == "_start") return std::nullopt;
      const FuncType& type = module_.TypeOf(e.index);
      if (e.name == "_initialize" && type.params.empty() && type.results.empty()) found = e.index;
    }
    return found;
  }

  void EmitStart() {
    std::vector<std::string> suspends;
    if (module_.has_start && MaySuspend(module_.start)) {
      suspends.push_back(absl::StrCat("the start function (function ", module_.start, ")"));
    }
    const std::optional<uint32_t> initialize = Initialize();
    if (initialize && MaySuspend(*initialize)) {
      suspends.push_back(absl::StrCat("\"_initialize\" (function ", *initialize, ")"));
    }
    if (suspends.empty()) return;
    out_.Emit(R"(
  // How the instance starts may suspend: $0. So Create has not run all
  // of it. To be finished before any other call.
  fermata::Step<void, $1> Start() { return Start_<$1>(); }
)",
              absl::StrJoin(suspends, ", "), options_.class_name);
  }

  void EmitMemories() {
    for (uint32_t i = 0; i < module_.memories.size(); ++i) {
      const std::string name =
          i == 0 ? "memory" : members_.Unique(absl::StrCat("memory", i), "memory");
      out_.Emit(R"(
  // Linear memory $0, also while calls are suspended.
  fermata::Memory $1() const { return Memory_($0); }
)",
                i, name);
    }
  }

  void EmitExports() {
    for (uint32_t i = 0; i < module_.exports.size(); ++i) {
      const wasm::Export& e = module_.exports[i];
      if (e.kind == ExternKind::kFunction) {
        EmitMethod({members_.Unique(e.name, absl::StrCat("export_", i)), e.index, i}, e);
      } else if (e.kind == ExternKind::kTable) {
        out_.Emit(R"(
  // Export "$0" (table $1).
  fermata::Table $2() const { return Table_($1); }
)",
                  ForComment(e.name), e.index, members_.Unique(e.name, absl::StrCat("export_", i)));
      } else if (e.kind == ExternKind::kGlobal) {
        EmitGlobal(i, e);
      }
    }
  }

  void EmitGlobal(uint32_t i, const wasm::Export& e) {
    const wasm::GlobalType& type = module_.globals[e.index].type;
    out_.Emit(R"(
  // Export "$0" (global $1).
  fermata::GlobalView<$2$3> $4() const { return fermata::GlobalView<$2$3>(Global_($1)); }
)",
              ForComment(e.name), e.index, type.mut ? "" : "const ", HostType(module_, type.type),
              members_.Unique(e.name, absl::StrCat("export_", i)));
  }

  void EmitMethod(const Member& member, const wasm::Export& e) {
    const std::vector<Param> params = ParamsOf(member);
    std::string arguments = absl::StrCat(member.index);
    for (const Param& p : params) absl::StrAppend(&arguments, ", ", p.name);
    const std::string result = HostResult(module_, module_.TypeOf(member.function));
    if (MaySuspend(member.function)) {
      out_.Emit(R"(
  // Export "$0" (function $1): may suspend.
  fermata::Step<$2, $3> $4($5) {
    return CallStep_<$2, $3>($6);
  }
)",
                ForComment(e.name), member.function, result, options_.class_name, member.name,
                Declare(params), arguments);
    } else {
      out_.Emit(R"(
  // Export "$0" (function $1): never suspends.
  fermata::Outcome<$2> $3($4) {
    return CallPlain_<$2>($5);
  }
)",
                ForComment(e.name), member.function, result, member.name, Declare(params),
                arguments);
    }
  }

  const Module& module_;
  const HeaderOptions& options_;
  NameSet members_;
  std::vector<Member> ops_;        // suspending function imports
  std::vector<Member> immediate_;  // the other function imports
  bool needs_imports_ = false;     // imports what only `imports` can provide
  Writer out_;
};

}  // namespace

std::string EmitHostedHeader(const Module& module, const HeaderOptions& options) {
  return HeaderEmitter(module, options).Run();
}

}  // namespace fermata::emit
