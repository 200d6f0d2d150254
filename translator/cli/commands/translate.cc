#include "translator/cli/commands/translate.h"

#include <unistd.h>

#include <cctype>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/cli/commands/common.h"
#include "translator/emit/header/header_names.h"
#include "translator/pipeline.h"

namespace fermata::commands::translate {
namespace {

namespace cl = llvm::cl;
using emit::MemoryPolicy;
using emit::Preempt;
using emit::ShapeChoice;

enum class Profile : uint8_t { kHosted, kFreestanding };

cl::SubCommand command(
    "translate", "Translate a WebAssembly module into a folder of C++ that can suspend at imports");
cl::OptionCategory category("Translation");

cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<module.wasm>"),
                           cl::sub(command), cl::cat(category));
cl::opt<std::string> output(
    "o", cl::Required, cl::value_desc("folder"),
    cl::desc("The folder of the generated files (made if needed); the compiler finds them by "
             "-iquote"),
    cl::sub(command), cl::cat(category));
cl::opt<std::string> class_name("class", cl::value_desc("Name"),
                                cl::desc("The guest's C++ class (default: from the file name)"),
                                cl::sub(command), cl::cat(category));
cl::opt<std::string> name_space("namespace", cl::init("guest"), cl::value_desc("a::b"),
                                cl::desc("The C++ namespace of the class (default: guest)"),
                                cl::sub(command), cl::cat(category));
cl::opt<std::string> stem(
    "name", cl::value_desc("stem"),
    cl::desc("Generated files are <stem>.h, <stem>_module.cc, <stem>_data.cc, "
             "<stem>_0.cc… (default: from the file name)"),
    cl::sub(command), cl::cat(category));
cl::list<std::string> immediate(
    "immediate", cl::value_desc("module.field"), cl::CommaSeparated,
    cl::desc("Imports that are plain calls and never suspend; globs such as 'env.*' (repeatable)"),
    cl::sub(command), cl::cat(category));
cl::opt<bool> wasi("wasi",
                   cl::desc("The module's WASI preview 1 functions that never wait are plain "
                            "calls, which the host leaves to wasi::System"),
                   cl::sub(command), cl::cat(category));
cl::opt<unsigned> shards("shards", cl::init(1), cl::value_desc("n"),
                         cl::desc("Number of C++ files the functions are spread over (default: 1)"),
                         cl::sub(command), cl::cat(category));
cl::opt<ShapeChoice> shape(
    "shape", cl::init(ShapeChoice::kAuto), cl::desc("How functions that may suspend are emitted:"),
    cl::values(clEnumValN(ShapeChoice::kAuto, "auto", "by size and loops (default)"),
               clEnumValN(ShapeChoice::kSplit, "split", "fast and resume clone: fastest, largest"),
               clEnumValN(ShapeChoice::kTails, "tails",
                          "the same, but what is resumed goes on in the fast clone where a loop "
                          "begins; auto does so in deep nests of loops"),
               clEnumValN(ShapeChoice::kShared, "shared", "one body: smallest")),
    cl::sub(command), cl::cat(category));
cl::opt<MemoryPolicy> memory(
    "memory", cl::init(MemoryPolicy::kReserved), cl::desc("How accesses are bounded:"),
    cl::values(clEnumValN(MemoryPolicy::kReserved, "reserved", "guard pages, no checks (default)"),
               clEnumValN(MemoryPolicy::kChecked, "checked", "a check at each access"),
               clEnumValN(MemoryPolicy::kFixed, "fixed",
                          "the memory never grows: a check against a constant")),
    cl::sub(command), cl::cat(category));
cl::opt<uint64_t> memory_bytes(
    "memory-bytes", cl::value_desc("n"),
    cl::desc("With --memory=fixed: the bytes of memory that the guest may use; accesses beyond "
             "them trap (default: what the module declares)"),
    cl::sub(command), cl::cat(category));
cl::opt<Profile> profile(
    "profile", cl::init(Profile::kHosted), cl::desc("Where the guest runs:"),
    cl::values(clEnumValN(Profile::kHosted, "hosted", "with an operating system (default)"),
               clEnumValN(Profile::kFreestanding, "freestanding",
                          "on a microcontroller: no heap, nothing but the core")),
    cl::sub(command), cl::cat(category));
cl::opt<unsigned> frame_bytes(
    "frame-bytes", cl::value_desc("n"),
    cl::desc("With --profile=freestanding: the bytes of frames that a held call may have (default: "
             "what the deepest chain of calls needs)"),
    cl::sub(command), cl::cat(category));
cl::opt<Preempt> preempt(
    "preempt", cl::ValueOptional, cl::init(Preempt::kNone),
    cl::desc("Let the host pause a guest that runs, by checks in loops and recursive functions:"),
    cl::values(clEnumValN(Preempt::kInterrupt, "interrupt", "when its store is interrupted"),
               clEnumValN(Preempt::kFuel, "fuel", "the same, and when the store is out of fuel"),
               clEnumValN(Preempt::kInterrupt, "", "")),
    cl::sub(command), cl::cat(category));
cl::list<std::string> features(
    "features", cl::value_desc("proposal"), cl::CommaSeparated,
    cl::desc("Proposals that the module may use, or with a '-' must not (default: all supported)"),
    cl::sub(command), cl::cat(category));
cl::opt<bool> suspend_everywhere(
    "suspend-everywhere", cl::Hidden,
    cl::desc("For tests: suspend at each function entry, loop header and growth"), cl::sub(command),
    cl::cat(category));
cl::opt<unsigned> piece_size(
    "piece-size", cl::Hidden, cl::value_desc("n"),
    cl::desc("For tests: emit every function in pieces of about this many operations"),
    cl::sub(command), cl::cat(category));
cl::opt<std::string> depfile("depfile", cl::value_desc("file"),
                             cl::desc("Write a dependency file for make or ninja"),
                             cl::sub(command), cl::cat(category));
cl::opt<std::string> report("report", cl::value_desc("file"),
                            cl::desc("Write a JSON report: shape, frame size and suspension points "
                                     "of each function, and why it may suspend"),
                            cl::sub(command), cl::cat(category));
cl::opt<std::string> ir("ir", cl::value_desc("file"),
                        cl::desc("Write the intermediate representation as text"), cl::sub(command),
                        cl::cat(category));

bool IsIdentifier(llvm::StringRef s) {
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0]))) return false;
  for (unsigned char c : s) {
    if (!std::isalnum(c) && c != '_') return false;
  }
  return true;
}

bool IsNamespace(llvm::StringRef s) {
  llvm::SmallVector<llvm::StringRef, 4> parts;
  s.split(parts, "::");
  for (llvm::StringRef part : parts) {
    if (!IsIdentifier(part) || !emit::CanBeNamespace({part.data(), part.size()})) return false;
  }
  return true;
}

// "my_guest" -> "MyGuest". Any name gives a class: "start", which generated code has another use
// for, and "_1x" give "GuestStart" and "Guest1x".
std::string ClassOf(const std::string& name) {
  std::string result;
  bool upper = true;
  for (unsigned char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      result.push_back(upper ? std::toupper(c) : c);
      upper = false;
    }
  }
  if (!IsIdentifier(result) || !emit::CanBeClass(result)) result.insert(0, "Guest");
  return result;
}

}  // namespace

void Prepare() { cl::HideUnrelatedOptions(category, command); }

bool Selected() { return static_cast<bool>(command); }

int Run() {
  TranslateOptions options;
  options.output = output;
  options.depfile = depfile;
  options.report = report;
  options.ir = ir;
  options.emit.name_space = name_space;
  options.emit.file_stem = stem.empty() ? StemOf(input) : stem;
  options.emit.class_name = class_name.empty() ? ClassOf(StemOf(input)) : class_name;
  const absl::Status known = wasm::ChangeFeatures(absl::StrJoin(features, ","), options.features);
  if (!known.ok()) return Fail(absl::StrCat("--features: ", known.message()));
  options.emit.immediate.assign(immediate.begin(), immediate.end());
  options.emit.wasi = wasi;
  options.emit.shards = shards;
  options.emit.shape = shape;
  options.emit.memory = memory;
  if (memory_bytes.getNumOccurrences() > 0) {
    if (memory != MemoryPolicy::kFixed && profile != Profile::kFreestanding) {
      return Fail("--memory-bytes needs --memory=fixed");
    }
    options.emit.memory_bytes = memory_bytes;
  }
  options.emit.preempt = preempt;
  if (profile == Profile::kFreestanding) {
    if (memory.getNumOccurrences() > 0 && memory != MemoryPolicy::kFixed) {
      return Fail("--profile=freestanding has --memory=fixed");
    }
    options.emit.freestanding = true;
    options.emit.memory = MemoryPolicy::kFixed;
    options.tell = [](absl::string_view line) {
      llvm::outs() << llvm::StringRef(line.data(), line.size()) << "\n";
    };
  }
  if (frame_bytes.getNumOccurrences() > 0) {
    if (profile != Profile::kFreestanding) {
      return Fail("--frame-bytes needs --profile=freestanding");
    }
    options.emit.frame_bytes = frame_bytes;
  }
  options.emit.suspend_everywhere = suspend_everywhere;
  if (piece_size.getNumOccurrences() > 0) {
    options.emit.giant_bytes = 0;
    options.emit.piece_size = piece_size;
  }
  if (!IsIdentifier(options.emit.class_name)) {
    return Fail(absl::StrCat("--class '", options.emit.class_name, "' is not a C++ identifier"));
  }
  if (!emit::CanBeClass(options.emit.class_name)) {
    return Fail(absl::StrCat("--class '", options.emit.class_name,
                             "' is a reserved word, or a name that generated code uses"));
  }
  if (!IsNamespace(options.emit.name_space)) {
    return Fail(absl::StrCat("--namespace '", options.emit.name_space,
                             "' is not a C++ namespace that generated code can be in"));
  }
  if (options.emit.file_stem.find('/') != std::string::npos) {
    return Fail("--name begins file names and can't contain a '/'");
  }
  if (shards < 1 || shards > 1024) return Fail("--shards takes a number from 1 to 1024");

  int shown = -1;
  if (isatty(STDERR_FILENO)) {
    options.progress = [&shown](double done) {
      const int percent = static_cast<int>(done * 100);
      if (percent == shown) return;
      shown = percent;
      llvm::errs() << "\rfermata: " << percent << " %";
    };
  }
  const absl::Status status = Translate(input, options);
  if (shown >= 0) llvm::errs() << "\r              \r";
  if (!status.ok()) return Fail(std::string(status.message()));
  return 0;
}

}  // namespace fermata::commands::translate
