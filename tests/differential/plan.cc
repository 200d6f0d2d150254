#include <algorithm>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/differential/subject.h"

namespace fermata::differential {
namespace {

constexpr uint64_t kI32[] = {0,          1,          2,         4,      7,       8,
                             255,        256,        4095,      65528,  65532,   65533,
                             65535,      65536,      131068,    131072, 1 << 20, 0x7fffffff,
                             0x80000000, 0xfffffffc, 0xffffffff};
constexpr uint64_t kI64[] = {0,          1,          2,          8,          255,        65528,
                             65529,      65536,      131064,     0x7fffffff, 0x80000000, 0xffffffff,
                             1ull << 32, 1ull << 47, ~0ull >> 1, 1ull << 63, ~0ull - 6,  ~0ull};
constexpr uint64_t kF32[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000,
                             0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x5f000000, 0x7f800000,
                             0xff800000, 0x00000001, 0x7f7fffff, 0x42c80000};
constexpr uint64_t kF64[] = {0,
                             1ull << 63,
                             0x3ffull << 52,
                             0xbffull << 52,
                             0x3fe0000000000000,
                             0xbfe0000000000000,
                             1,
                             0x41dfffffffc00000,
                             0x41e0000000000000,
                             0xc1e0000000000000,
                             0xc1e0000000200000,
                             0x43e0000000000000,
                             0xc3e0000000000000,
                             0x7ff0000000000000,
                             0xfff0000000000000,
                             0x7fefffffffffffff,
                             0x41f0000000000000,
                             0x4059000000000000};

template <size_t n>
uint64_t Pick(const uint64_t (&from)[n], uint64_t random) {
  return from[random % n];
}

// One word for a type's letter; a v128 is two of 'I'.
uint64_t Word(char letter, uint64_t random) {
  const uint64_t choice = random >> 8;
  switch (letter) {
    case 'i':
      return random % 5 == 0 ? (random >> 20) & 0xffffffff : Pick(kI32, choice);
    case 'f':
      return Pick(kF32, choice);
    case 'F':
      return Pick(kF64, choice);
    default:
      return random % 5 == 0 ? random * 0x9e3779b97f4a7c15 : Pick(kI64, choice);
  }
}

uint64_t Scramble(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

char LetterOf(const wasm::Module& module, wasm::ValType type) {
  return wasm::LetterOf(wasm::RepOf(module, type));
}

std::string Letters(const wasm::Module& module, const std::vector<wasm::ValType>& types) {
  std::string letters;
  for (const wasm::ValType type : types) letters += LetterOf(module, type);
  return letters;
}

FunctionType TypeOf(const wasm::Module& module, const wasm::FuncType& type) {
  return {Letters(module, type.params), Letters(module, type.results)};
}

// Whether null is a value of all of them.
bool HaveNull(const std::vector<wasm::ValType>& types) {
  return std::all_of(types.begin(), types.end(),
                     [](wasm::ValType type) { return type.is_defaultable(); });
}

// Whether an i31 is one, or is one when converted.
bool MayBeI31(wasm::ValType type) {
  using Kind = wasm::ValType::Kind;
  return type.kind() == Kind::kExternRef || type.kind() == Kind::kAnyRef ||
         type.kind() == Kind::kEqRef || type.kind() == Kind::kI31Ref;
}

absl::Status PlanImports(const wasm::Module& module, Plan& plan) {
  for (const wasm::Import& import : module.imports) {
    const std::string from(import.module), name(import.name);
    const auto unsupported = [&] {
      return absl::UnavailableError(absl::StrCat("nobody provides ", from, ".", name));
    };
    switch (import.kind) {
      case wasm::ExternKind::kFunction: {
        const wasm::FuncType& type = module.TypeOf(import.index);
        if (!HaveNull(type.results)) return unsupported();
        plan.imports.push_back({from, name, TypeOf(module, type)});
        break;
      }
      case wasm::ExternKind::kGlobal: {
        const wasm::GlobalType& type = module.globals[import.index].type;
        const bool null = type.type.is_defaultable();
        if (type.mut || !(null || MayBeI31(type.type))) return unsupported();
        plan.others.push_back({from, name, import.kind, {LetterOf(module, type.type)}, null});
        break;
      }
      case wasm::ExternKind::kTag:
        plan.others.push_back({from, name, import.kind,
                               Letters(module, module.types[module.tags[import.index].type].params),
                               true});
        break;
      default:
        return unsupported();
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<uint64_t> AnswerWords(absl::string_view types, uint64_t number) {
  std::vector<uint64_t> words;
  for (const char letter : types) {
    number = Scramble(number);
    if (letter == 'V') words.push_back(Word('I', Scramble(number ^ 1)));
    if (std::string("iIfFV").find(letter) != std::string::npos)
      words.push_back(Word(letter, number));
  }
  return words;
}

absl::StatusOr<Plan> MakePlan(const wasm::Module& module, const PlanOptions& options) {
  Plan plan;
  const absl::Status status = PlanImports(module, plan);
  if (!status.ok()) return status;
  for (size_t i = 0; i < module.memories.size(); ++i) {
    plan.memories.push_back(absl::StrCat("fz:m", i));
  }
  for (size_t i = 0; i < module.globals.size(); ++i) {
    const wasm::ValType type = module.globals[i].type.type;
    plan.globals.push_back({absl::StrCat("fz:g", i), LetterOf(module, type)});
  }
  for (uint32_t i = module.imported_functions; i < module.functions.size(); ++i) {
    const wasm::FuncType& type = module.TypeOf(i);
    if (!HaveNull(type.params)) continue;
    plan.callees.push_back({absl::StrCat("fz:f", i), i, TypeOf(module, type)});
  }
  // What older versions of binaryen put before each call, against endless loops.
  uint32_t reset = static_cast<uint32_t>(plan.callees.size());
  for (const wasm::Export& e : module.exports) {
    if (e.name != "hangLimitInitializer") continue;
    for (reset = 0; reset < plan.callees.size() && plan.callees[reset].function != e.index;)
      ++reset;
  }
  size_t number = 0;
  const auto add = [&](uint32_t callee, std::vector<uint64_t> words) {
    const auto& only = options.only;
    if (only.empty() || std::find(only.begin(), only.end(), number) != only.end()) {
      plan.calls.push_back({number, callee, std::move(words)});
    }
    ++number;
  };
  for (uint64_t round = 0; round < 4; ++round) {
    for (uint32_t i = 0; i < plan.callees.size() && number < options.most_calls; ++i) {
      const FunctionType& type = plan.callees[i].type;
      if (round > 0 && type.params.empty()) continue;
      if (reset < plan.callees.size()) add(reset, {});
      add(i, AnswerWords(type.params, Scramble(options.seed + 1000 * round) + i));
    }
  }
  return plan;
}

}  // namespace fermata::differential
