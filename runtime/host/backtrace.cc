#include "fermata/backtrace.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fermata/core/frame.h"
#include "runtime/host/state.h"

namespace fermata {
namespace {

using Kind = BacktraceFrame::Kind;

std::string NameOf(const ModuleInfo& info, uint32_t function) {
  if (function >= info.function_name_count) return "";
  const core::Text& name = info.function_names[function];
  return std::string(name.data, name.size);
}

// `slots`: each value in 8-byte slots, as op frames have them; else as large as it is.
void ReadValues(const core::u8* frame, const char* letters, bool slots,
                std::vector<Value>& values) {
  uint32_t at = 0;
  for (; *letters != 0; ++letters) {
    Value value{};
    core::TypeOfLetter(*letters, value.type);
    const uint32_t bytes = slots ? 8 * core::SlotsOf(value.type) : core::FrameBytes(value.type);
    value.low = bytes == 4 ? core::frame_get32(frame, at) : core::frame_get64(frame, at);
    if (bytes == 16) value.high = core::frame_get64(frame, at + 8);
    at += bytes;
    values.push_back(value);
  }
}

// The frames of an activation's storage, from the last one in.
class Walk {
 public:
  Walk(const internal::StoreState& store, const core::Activation& activation, uint32_t size)
      : store_(store), activation_(activation), end_(size) {}

  uint32_t end() const { return end_; }

  // To the next frame; false if there is none, or what is there is no frame.
  bool Next() {
    if (end_ < sizeof footer_) return false;
    core::Activation last = activation_;
    last.size = end_;
    footer_ = core::LastFooter(last);
    const uint32_t bytes = footer_.words * core::kFrameWord;
    if (bytes == 0 || bytes > end_ || footer_.instance >= store_.instances.size()) return false;
    info_ = store_.instances[footer_.instance]->module;
    if (footer_.site >= info_->site_count) return false;
    if (info_->site_words[footer_.site] != footer_.words) return false;
    end_ -= bytes;
    return true;
  }

  // The frame that Next() came to; false if there is nothing to tell about it.
  bool Read(BacktraceFrame& frame) const {
    const core::SiteDetail& detail = info_->site_details[footer_.site];
    if (detail.function == core::kNoFunction) return false;  // a pause
    const bool import = info_->sites[footer_.site].resume == nullptr;
    frame.kind = import ? Kind::kImport : Kind::kHeld;
    frame.instance = store_.dynamic[footer_.instance];
    frame.function = detail.function;
    frame.offset = detail.offset;
    frame.name = import ? ImportName(detail.function, frame.instance == nullptr)
                        : NameOf(*info_, detail.function);
    ReadValues(activation_.frames + end_, detail.slots, import, frame.values);
    return true;
  }

 private:
  std::string ImportName(uint32_t function, bool of_host) const {
    for (uint32_t i = of_host ? function : 0; i < info_->import_count; ++i) {
      const core::ImportInfo& import = info_->imports[i];
      if (import.kind != ExternKind::kFunction || import.index != function) continue;
      return absl::StrCat(absl::string_view(import.module.data, import.module.size), ".",
                          absl::string_view(import.name.data, import.name.size));
    }
    return "";
  }

  const internal::StoreState& store_;
  const core::Activation& activation_;
  uint32_t end_;
  core::Footer footer_{};
  const ModuleInfo* info_ = nullptr;
};

std::string Text(const Value& value) {
  switch (value.type) {
    case ValType::kI32:
      return absl::StrCat("i32 ", static_cast<int32_t>(value.i32()));
    case ValType::kI64:
      return absl::StrCat("i64 ", static_cast<int64_t>(value.low));
    case ValType::kF32:
      return absl::StrFormat("f32 %.9g", value.f32());
    case ValType::kF64:
      return absl::StrFormat("f64 %.17g", value.f64());
    case ValType::kV128:
      return absl::StrFormat("v128 0x%016x%016x", value.high, value.low);
    default: {
      const char* name = core::NameOf(value.type);
      return value.low == 0 ? absl::StrCat(name, " null") : absl::StrCat(name, " #", value.ref());
    }
  }
}

std::string Line(size_t number, const BacktraceFrame& frame) {
  std::string line = absl::StrFormat("#%-2d ", number);
  if (frame.kind == Kind::kImport) {
    absl::StrAppend(&line, frame.name);
  } else {
    absl::StrAppend(&line, "f", frame.function, frame.name.empty() ? "" : " ", frame.name);
    if (frame.offset != 0) absl::StrAppendFormat(&line, " +0x%x", frame.offset);
  }
  if (frame.kind == Kind::kRunning) {
    absl::StrAppend(&line, frame.offset == 0 ? ", or called by it" : " and on, or called by it");
  }
  const char* separator = frame.kind == Kind::kImport ? " (" : ": ";
  for (const Value& value : frame.values) {
    absl::StrAppend(&line, separator, Text(value));
    separator = ", ";
  }
  if (frame.kind == Kind::kImport) absl::StrAppend(&line, frame.values.empty() ? " ()" : ")");
  return line + "\n";
}

}  // namespace

std::string Backtrace::ToString(size_t most) const {
  std::string text;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (frames.size() > most && i == most / 2) {
      const size_t skipped = frames.size() - most;
      absl::StrAppend(&text, "… ", skipped, " more …\n");
      i += skipped;
      if (i == frames.size()) break;
    }
    absl::StrAppend(&text, Line(i, frames[i]));
  }
  return text;
}

// A trap leaves the frames below what ran in the storage, and above them, as they were, those that
// had been resumed since the call was last suspended: the lowest of these is what ran.
void DynamicStep::State::AppendRunning(Backtrace& trace) const {
  BacktraceFrame frame;
  const internal::StoreState* store = this->store();
  Walk walk(*store, activation, suspended_size);
  bool resumed = false;
  while (walk.end() > activation.trapped.size && walk.Next()) {
    frame = {};
    resumed = walk.Read(frame) && walk.end() == activation.trapped.size;
  }
  if (resumed) {
    frame.values.clear();
  } else {
    if (activation.trapped.size != 0 || function == 0) return;
    const core::Function& called = store->functions[function - 1];
    // A function of the host's own has no module of the store's.
    if (called.instance->index >= store->instances.size() ||
        store->instances[called.instance->index] != called.instance) {
      return;
    }
    const ModuleInfo& info = *called.instance->module;
    const uint32_t k = called.handle - called.instance->function_base;
    if (k >= info.function_count) return;
    frame = {};
    frame.instance = store->dynamic[called.instance->index];
    frame.function = info.functions[k].index;
    frame.name = NameOf(info, frame.function);
  }
  frame.kind = Kind::kRunning;
  trace.frames.push_back(std::move(frame));
}

Backtrace DynamicStep::backtrace() const {
  Backtrace trace;
  if (!held() && !trapped()) return trace;
  const State& s = *state_;
  if (s.store() == nullptr) return trace;
  // A call that the host ended was not running.
  const bool ended = trapped() && s.activation.trapped.size == s.suspended_size;
  if (trapped() && (!ended || s.suspended_size == 0)) s.AppendRunning(trace);
  Walk walk(*s.store(), s.activation, trapped() ? s.activation.trapped.size : s.activation.size);
  while (walk.Next()) {
    BacktraceFrame frame;
    if (walk.Read(frame)) trace.frames.push_back(std::move(frame));
  }
  return trace;
}

}  // namespace fermata
