#include "translator/debug/source_map.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "translator/debug/bytes.h"
#include "translator/wasm/printable.h"

namespace fermata::debug {
namespace {

// The URL that the module names; nothing if it names none.
std::optional<absl::string_view> FindUrl(const wasm::Module& module,
                                         absl::Span<const uint8_t> file) {
  for (const wasm::Section& section : module.sections) {
    if (section.id != 0 || section.name != "sourceMappingURL") continue;
    Bytes contents(file.subspan(section.contents, section.size));
    contents.Skip(contents.Uleb());  // the section's name
    const uint64_t length = contents.Uleb();
    if (length > contents.left()) return absl::string_view();
    const uint8_t* text = file.data() + section.contents + contents.at();
    return absl::string_view(reinterpret_cast<const char*>(text), length);
  }
  return std::nullopt;
}

// A number in base 64, its sign in the lowest bit. False: it is cut off, too large, or no number.
bool ReadVlq(absl::string_view& text, int64_t& value) {
  uint64_t bits = 0;
  for (uint32_t shift = 0; shift < 40; shift += 5) {
    if (text.empty()) return false;
    const char c = text.front();
    text.remove_prefix(1);
    uint32_t digit;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else {
      return false;
    }
    bits |= uint64_t{digit & 31} << shift;
    if ((digit & 32) != 0) continue;
    const auto magnitude = static_cast<int64_t>(bits >> 1);
    value = (bits & 1) != 0 ? -magnitude : magnitude;
    return true;
  }
  return false;
}

// The fields of segments, each counted on from the one before.
class Mappings {
 public:
  explicit Mappings(std::vector<uint32_t> sources) : sources_(std::move(sources)) {}

  // False: malformed, at text that is `left` long.
  bool Read(absl::string_view text, size_t& left) {
    while (!text.empty()) {
      left = text.size();
      if (text.front() == ';') return true;  // a module has one line
      if (text.front() == ',') {
        text.remove_prefix(1);
      } else if (!ReadSegment(text)) {
        return false;
      }
    }
    return true;
  }
  std::vector<LineRow> Take() { return std::move(rows_); }

 private:
  static bool AtEnd(absl::string_view text) {
    return text.empty() || text.front() == ',' || text.front() == ';';
  }
  bool ReadSegment(absl::string_view& text) {
    if (!Add(text, offset_)) return false;
    LineRow row;
    row.address = static_cast<uint64_t>(offset_);
    if (!AtEnd(text)) {
      if (!Add(text, source_) || !Add(text, line_) || !Add(text, column_)) return false;
      if (static_cast<uint64_t>(source_) >= sources_.size()) return false;
      row.file = sources_[static_cast<size_t>(source_)];
      row.line = static_cast<uint32_t>(line_) + 1;
      row.column = static_cast<uint32_t>(column_) + 1;
      if (!AtEnd(text) && !Add(text, name_)) return false;
    }
    if (!AtEnd(text)) return false;
    rows_.push_back(row);
    return true;
  }
  static bool Add(absl::string_view& text, int64_t& field) {
    int64_t value;
    if (!ReadVlq(text, value)) return false;
    field += value;
    return field >= 0 && field < INT32_MAX;
  }

  const std::vector<uint32_t> sources_;
  std::vector<LineRow> rows_;
  int64_t offset_ = 0, source_ = 0, line_ = 0, column_ = 0, name_ = 0;
};

// What `found` holds, of LLVM's type or, since LLVM 17, of C++'s.
template <class Found, class T>
T ValueOr(const Found& found, T otherwise) {
  return found ? T(*found) : otherwise;
}

std::vector<uint32_t> ReadSources(const llvm::json::Object& map, FileTable& files) {
  std::vector<uint32_t> numbers;
  const llvm::json::Array* sources = map.getArray("sources");
  if (sources == nullptr) return numbers;
  const llvm::StringRef root = ValueOr(map.getString("sourceRoot"), llvm::StringRef());
  // A root that is repeated for each source is not to take memory without end.
  constexpr size_t kLongestRoot = 4096;
  const bool use_root = !root.empty() && root.size() <= kLongestRoot;
  for (const llvm::json::Value& source : *sources) {
    const llvm::StringRef path = ValueOr(source.getAsString(), llvm::StringRef());
    numbers.push_back(
        path.empty() ? 0
                     : files.Number(use_root ? absl::StrCat(root.str(), path.str()) : path.str()));
  }
  return numbers;
}

}  // namespace

std::vector<LineRow> ParseSourceMap(absl::string_view json, FileTable& files,
                                    std::string& warning) {
  // XSSI protection, which is no JSON.
  absl::ConsumePrefix(&json, ")]}'");
  llvm::Expected<llvm::json::Value> parsed =
      llvm::json::parse(llvm::StringRef(json.data(), json.size()));
  if (!parsed) {
    warning = absl::StrCat("a source map that is no JSON: ", llvm::toString(parsed.takeError()));
    return {};
  }
  const llvm::json::Object* map = parsed->getAsObject();
  if (map == nullptr || ValueOr(map->getInteger("version"), int64_t{0}) != 3 ||
      !map->getString("mappings")) {
    warning = "a source map that is not of version 3, or without mappings";
    return {};
  }
  const std::string text = map->getString("mappings")->str();
  Mappings mappings(ReadSources(*map, files));
  size_t left = 0;
  if (!mappings.Read(text, left)) {
    warning = absl::StrCat("a source map whose mappings are malformed after ", text.size() - left,
                           " characters");
  }
  return mappings.Take();
}

std::vector<LineRow> ReadSourceMap(const wasm::Module& module, absl::Span<const uint8_t> file,
                                   const std::string& folder, FileTable& files,
                                   std::string& warning) {
  const std::optional<absl::string_view> url = FindUrl(module, file);
  if (!url) return {};
  constexpr absl::string_view kBase64 = ";base64,";
  if (absl::StartsWith(*url, "data:")) {
    const size_t data = url->find(kBase64);
    std::string json;
    if (data == absl::string_view::npos ||
        !absl::Base64Unescape(url->substr(data + kBase64.size()), &json)) {
      warning = "sourceMappingURL: a data URL that is not in base 64";
      return {};
    }
    return ParseSourceMap(json, files, warning);
  }
  // A name in the module's own folder; a module does not choose which files are read.
  const absl::string_view name = url->substr(url->find_last_of("/\\") + 1);
  if (folder.empty()) return {};
  auto buffer = llvm::MemoryBuffer::getFile(absl::StrCat(folder, "/", name), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer || name.empty()) {
    warning = absl::StrCat("the source map ", wasm::Printable(name), " is not there");
    return {};
  }
  return ParseSourceMap({(*buffer)->getBufferStart(), (*buffer)->getBufferSize()}, files, warning);
}

}  // namespace fermata::debug
