#include "translator/report/report.h"

#include <algorithm>

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/module_analysis/may_suspend.h"

namespace fermata::emit {
namespace {

// JSON strings must be UTF-8; names in the name section are, those read from elsewhere may not be.
std::string Utf8(absl::string_view s) {
  return llvm::json::fixUTF8(llvm::StringRef(s.data(), s.size()));
}

}  // namespace

struct Report::State {
  std::string text;
  llvm::raw_string_ostream stream{text};
  llvm::json::OStream json{stream, /*IndentSize=*/1};
  uint32_t counts[4] = {};  // by FunctionShape
  uint32_t points = 0;
  bool finished = false;
};

// LLVM asserts that all which was begun is ended, also if the module turned out to be bad.
Report::~Report() {
  if (!state_->finished) Finish({});
}

Report::Report(const ModuleContext& context)
    : context_(context), state_(std::make_unique<State>()) {
  llvm::json::OStream& json = state_->json;
  json.objectBegin();
  json.attribute("module", Utf8(context.module.path));
  json.attribute("class", context.options.class_name);
  json.attributeArray("imports", [&] {
    for (const wasm::Import& import : context_.module.imports) {
      json.object([&] {
        json.attribute("module", Utf8(import.module));
        json.attribute("name", Utf8(import.name));
        if (import.kind == wasm::ExternKind::kFunction) {
          json.attribute("suspends", !context_.immediate[import.index]);
        }
      });
    }
  });
  json.attributeBegin("functions");
  json.arrayBegin();
}

void Report::Add(uint32_t function, const EmittedFunction& emitted, int forced_loads) {
  llvm::json::OStream& json = state_->json;
  ++state_->counts[static_cast<int>(emitted.shape)];
  state_->points += emitted.sites.size();
  uint32_t words = 0;
  for (const Site& site : emitted.sites) words = std::max(words, site.words);
  const auto& names = context_.module.names.functions;
  json.object([&] {
    json.attribute("index", function);
    if (function < names.size() && !names[function].empty()) {
      json.attribute("name", Utf8(names[function]));
    }
    json.attribute("shape", Name(emitted.shape));
    json.attribute("wasm_bytes",
                   static_cast<int64_t>(context_.module.functions[function].body.size()));
    json.attribute("text_bytes", static_cast<int64_t>(emitted.text_bytes()));
    if (context_.suspension.MayCallSuspend(function)) {
      // The report would otherwise grow by the square of a long chain of calls.
      constexpr uint32_t kMostFunctions = 64;
      json.attribute("why", Utf8(analysis::Explain(context_.module, context_.suspension, function,
                                                   kMostFunctions)));
      json.attribute("suspension_points", static_cast<int64_t>(emitted.sites.size()));
      json.attribute("max_frame_bytes", 4 * words);
    }
    if (forced_loads > 0) json.attribute("forced_loads", forced_loads);
    if (context_.stack_need[function] != 0) {
      json.attribute("stack_check_bytes", context_.stack_need[function]);
    }
  });
}

// What a call of each exported function needs at most; of a recursion, who takes part in it.
void Report::AddExports(const std::vector<Budget>& budgets) {
  llvm::json::OStream& json = state_->json;
  const auto path = [&](llvm::StringRef name, const Longest& longest) {
    if (longest.endless()) {
      json.attribute(name.str() + "_recursion", Utf8(longest.recursion));
    } else {
      json.attribute(name.str() + "_bytes", static_cast<int64_t>(longest.bytes));
    }
  };
  json.attributeArray("exports", [&] {
    for (const wasm::Export& e : context_.module.exports) {
      if (e.kind != wasm::ExternKind::kFunction) continue;
      json.object([&] {
        json.attribute("name", Utf8(e.name));
        json.attribute("function", e.index);
        path("frame", budgets[e.index].frames);
        path("stack", budgets[e.index].stack);
      });
    }
  });
}

std::string Report::Finish(const std::vector<Budget>& budgets) {
  state_->finished = true;
  llvm::json::OStream& json = state_->json;
  json.arrayEnd();
  json.attributeEnd();
  if (!budgets.empty()) AddExports(budgets);
  json.attributeObject("summary", [&] {
    json.attribute("plain", state_->counts[0]);
    json.attribute("split", state_->counts[1]);
    json.attribute("shared", state_->counts[2]);
    json.attribute("pieces", state_->counts[3]);
    json.attribute("suspension_points", state_->points);
  });
  json.objectEnd();
  json.flush();
  state_->stream << '\n';
  state_->stream.flush();
  return std::move(state_->text);
}

}  // namespace fermata::emit
