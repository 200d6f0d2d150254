#include "tests/replay/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/support/value_or.h"

namespace fermata::replay {
namespace {

namespace json = llvm::json;

json::Value ToValue(const GuestResult& r) {
  const auto text = [](const std::string& s) { return json::isUTF8(s) ? s : json::fixUTF8(s); };
  json::Object object{{"name", text(r.name)},
                      {"status", r.status},
                      {"imports", static_cast<int64_t>(r.imports)},
                      {"calls", static_cast<int64_t>(r.calls)},
                      {"suspensions", static_cast<int64_t>(r.suspensions)},
                      {"restores", static_cast<int64_t>(r.restores)},
                      {"snapshot_bytes", static_cast<int64_t>(r.snapshot_bytes)},
                      {"nesting", static_cast<int64_t>(r.nesting)},
                      {"frame_bytes", static_cast<int64_t>(r.frame_bytes)},
                      {"depth", static_cast<int64_t>(r.depth)},
                      {"memory_bytes", static_cast<int64_t>(r.memory_bytes)},
                      {"memory_checked", r.memory_checked},
                      {"cached", r.cached},
                      {"translate_seconds", r.translate_seconds},
                      {"compile_seconds", r.compile_seconds},
                      {"compile_peak_bytes", static_cast<int64_t>(r.compile_peak_bytes)},
                      {"seconds", r.seconds}};
  if (!r.reason.empty()) object["reason"] = text(r.reason);
  return object;
}

}  // namespace

std::string ToLine(const GuestResult& r) {
  if (r.status == "ok") {
    std::string line =
        absl::StrFormat("ok %s imports=%d seconds=%.3f", r.name, r.imports, r.seconds);
    if (r.restores != 0) absl::StrAppend(&line, " restores=", r.restores);
    return line;
  }
  // One line, whatever the reason holds.
  return absl::StrCat(r.status, " ", r.name, " ", absl::StrReplaceAll(r.reason, {{"\n", "; "}}));
}

std::string ToJson(const GuestResult& result) {
  std::string line;
  llvm::raw_string_ostream out(line);
  out << ToValue(result);
  out.flush();
  return line;
}

absl::StatusOr<GuestResult> FromJson(const std::string& text) {
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value) return absl::InvalidArgumentError(llvm::toString(value.takeError()));
  const json::Object* object = value->getAsObject();
  if (object == nullptr) return absl::InvalidArgumentError("a result is not an object");
  const auto number = [&](const char* key) {
    return static_cast<uint64_t>(ValueOr(object->getInteger(key), 0));
  };
  GuestResult r;
  r.name = ValueOr(object->getString("name"), "").str();
  r.status = ValueOr(object->getString("status"), "").str();
  r.reason = ValueOr(object->getString("reason"), "").str();
  r.imports = number("imports");
  r.calls = number("calls");
  r.suspensions = number("suspensions");
  r.restores = number("restores");
  r.snapshot_bytes = number("snapshot_bytes");
  r.nesting = number("nesting");
  r.frame_bytes = number("frame_bytes");
  r.depth = number("depth");
  r.memory_bytes = number("memory_bytes");
  r.memory_checked = ValueOr(object->getBoolean("memory_checked"), false);
  r.cached = ValueOr(object->getBoolean("cached"), false);
  r.translate_seconds = ValueOr(object->getNumber("translate_seconds"), 0);
  r.compile_seconds = ValueOr(object->getNumber("compile_seconds"), 0);
  r.compile_peak_bytes = number("compile_peak_bytes");
  r.seconds = ValueOr(object->getNumber("seconds"), 0);
  return r;
}

absl::Status WriteReport(const std::string& path, const std::vector<GuestResult>& results) {
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat(path, ": ", error.message()));
  json::Array array;
  for (const GuestResult& result : results) array.push_back(ToValue(result));
  out << llvm::formatv("{0:2}\n", json::Value(std::move(array)));
  out.close();
  if (!out.has_error()) return absl::OkStatus();
  error = out.error();
  out.clear_error();  // else its destructor ends the process
  return absl::DataLossError(absl::StrCat(path, ": cannot write: ", error.message()));
}

}  // namespace fermata::replay
