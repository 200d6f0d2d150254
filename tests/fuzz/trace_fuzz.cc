// The reader of recorded traces (tests/replay/trace.h): a file, compressed or not.

#include "tests/fuzz/target.h"
#include "tests/replay/trace.h"
#include "tests/support/files.h"

namespace fermata::fuzz {

std::vector<std::string> Seeds() {
  const std::string header =
      R"({"sha256":"00","init_pages":1,"import_table":["env","t",4],"import_globals":)"
      R"([["env","g",1]],"truncated":false})"
      "\n";
  return {header + R"(["call","f",[1,"2n","nan",null,{"r":3}]])"
                   "\n"
                   R"(["imp","env","g",[1.5,"-0"]])"
                   "\n"
                   R"(["ret",[7]])"
                   "\n"
                   R"(["res",["inf"]])"
                   "\n",
          header + R"(["tcall",3,[]])"
                   "\n"
                   R"(["mem",16,"AAECAw=="])"
                   "\n"
                   R"(["grow",1])"
                   "\n"
                   R"(["tgrow",2])"
                   "\n"
                   R"(["tset",0,null])"
                   "\n"
                   R"(["tset",1,{"host":"x","sig":"ii:i"}])"
                   "\n"
                   R"(["trap","unreachable"])"
                   "\n"
                   R"(["memhash",1,"0011"])"
                   "\n"};
}

}  // namespace fermata::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fermata;  // NOLINT: the function's own name is a global one
  static const std::string path = fuzz::ScratchFolder() + "/trace";
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Line by line, since a bad line ends the reading of a file.
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const auto event = replay::ParseTraceEvent(line);
    if (event.ok()) {
      for (const replay::TraceValue& value : event->values) {
        for (const core::ValType type :
             {core::ValType::kI32, core::ValType::kI64, core::ValType::kF32, core::ValType::kF64}) {
          replay::SameNumeric(type, replay::NumericBits(value, type), value);
        }
      }
    }
    replay::ParseTraceHeader(line).IgnoreError();
    at = end + 1;
  }
  testing_support::WriteFile(path, text);
  absl::StatusOr<replay::TraceReader> reader = replay::TraceReader::Open(path);
  while (reader.ok()) {
    const auto event = reader->Next();
    if (!event.ok() || !event->has_value()) break;
  }
  return 0;
}
