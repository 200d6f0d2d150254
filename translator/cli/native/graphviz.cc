#include "translator/cli/native/graphviz.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/cli/process/process.h"

namespace fermata::driver {
namespace {

absl::Status Failure(absl::string_view what, std::error_code error) {
  return absl::InternalError(absl::StrCat(what, ": ", error.message()));
}

// A file for another program to read or write, removed at the end.
class TemporaryFile {
 public:
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) llvm::sys::fs::remove(path_);
  }

  absl::Status Write(llvm::StringRef suffix, absl::string_view content) {
    int descriptor = -1;
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("fermata", suffix, descriptor, path_)) {
      return Failure("cannot make a temporary file", error);
    }
    llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/true);
    out.write(content.data(), content.size());
    out.close();
    if (!out.has_error()) return absl::OkStatus();
    const std::error_code error = out.error();
    out.clear_error();
    return Failure("cannot write a temporary file", error);
  }
  std::string path() const { return std::string(path_.str()); }

 private:
  llvm::SmallString<128> path_;
};

}  // namespace

absl::StatusOr<std::string> RenderSvg(absl::string_view dot) {
  TemporaryFile input, output;
  absl::Status status = input.Write("dot", dot);
  if (status.ok()) status = output.Write("svg", "");
  if (!status.ok()) return status;
  const absl::StatusOr<process::Result> result =
      process::Run({"dot", "-Tsvg", "-o", output.path(), input.path()});
  if (!result.ok()) {
    return absl::Status(result.status().code(),
                        absl::StrCat(result.status().message(),
                                     ": is Graphviz installed? (A .dot file does not need it.)"));
  }
  if (result->exit_code != 0) {
    return absl::InternalError(absl::StrCat("dot failed (exit ", result->exit_code, "):\n",
                                            process::Tail(result->output)));
  }
  const auto svg = llvm::MemoryBuffer::getFile(output.path());
  if (!svg) return Failure("cannot read what dot wrote", svg.getError());
  return std::string((*svg)->getBuffer());
}

}  // namespace fermata::driver
