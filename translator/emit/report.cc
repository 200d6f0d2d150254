#include "translator/emit/report.h"

#include <algorithm>

#include "translator/analysis/may_suspend.h"

namespace fermata::emit {
namespace {

// JSON strings must be UTF-8; names in the name section are, those read from elsewhere may not be.
std::string Utf8(absl::string_view s) {
  return llvm::json::fixUTF8(llvm::StringRef(s.data(), s.size()));
}

}  // namespace

Report::Report(const ModuleContext& context)
    : context_(context), stream_(text_), json_(stream_, /*IndentSize=*/1) {
  json_.objectBegin();
  json_.attribute("module", Utf8(context.module.path));
  json_.attribute("class", context.options.class_name);
  json_.attributeArray("imports", [&] {
    for (const wasm::Import& import : context_.module.imports) {
      json_.object([&] {
        json_.attribute("module", Utf8(import.module));
        json_.attribute("name", Utf8(import.name));
        if (import.kind == wasm::ExternKind::kFunction) {
          json_.attribute("suspends", !context_.immediate[import.index]);
        }
      });
    }
  });
  json_.attributeBegin("functions");
  json_.arrayBegin();
}

void Report::Add(uint32_t function, const EmittedFunction& emitted, int forced_loads) {
  ++counts_[static_cast<int>(emitted.shape)];
  points_ += emitted.sites.size();
  uint32_t words = 0;
  for (const Site& site : emitted.sites) words = std::max(words, site.words);
  const auto& names = context_.module.names.functions;
  json_.object([&] {
    json_.attribute("index", function);
    if (function < names.size() && !names[function].empty()) {
      json_.attribute("name", Utf8(names[function]));
    }
    json_.attribute("shape", Name(emitted.shape));
    json_.attribute("wasm_bytes", static_cast<int64_t>(context_.module.functions[function].body.size()));
    json_.attribute("text_bytes", static_cast<int64_t>(emitted.text.size()));
    if (context_.suspension.MayCallSuspend(function)) {
      json_.attribute("why", Utf8(analysis::Explain(context_.module, context_.suspension, function)));
      json_.attribute("suspension_points", static_cast<int64_t>(emitted.sites.size()));
      json_.attribute("max_frame_bytes", 8 * words);
    }
    if (forced_loads > 0) json_.attribute("forced_loads", forced_loads);
    if (context_.stack_need[function] != 0) {
      json_.attribute("stack_check_bytes", context_.stack_need[function]);
    }
  });
}

std::string Report::Finish() {
  json_.arrayEnd();
  json_.attributeEnd();
  json_.attributeObject("summary", [&] {
    json_.attribute("plain", counts_[0]);
    json_.attribute("split", counts_[1]);
    json_.attribute("shared", counts_[2]);
    json_.attribute("suspension_points", points_);
  });
  json_.objectEnd();
  json_.flush();
  stream_ << '\n';
  stream_.flush();
  return std::move(text_);
}

}  // namespace fermata::emit
