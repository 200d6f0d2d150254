// Runs a guest for some suspensions, on this machine, and leaves the rest to another one.
//
//   mover GUEST [--restore FILE] [--stop-after N] [--save FILE] [--compress] [--output FILE]
//               [--hashes FILE]
//   mover GUEST --restore FILE --tamper SEED COUNT --output FILE
//   mover --guests
//
// The guest is called, or its call restored; answered N times, or until it has ended; and saved, if it
// is still held. --output: where to append what the guest says. --hashes: where to write the hash of the
// snapshot at each suspension. --tamper: restores COUNT copies of the snapshot that were tampered
// with, and writes what became of each. --guests: prints the names of the guests.
//
// The last line that is printed is either
//
//   held answered=N frames=BYTES depth=N snapshot=BYTES hash=H
//   ended answered=N memory=H state=H
//
// "memory" is the hash of the exported memories, "state" that of a snapshot of the whole store.
// Exits with 1, and a message, if anything fails.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/moves/session.h"

namespace fermata::moves {
namespace {

struct Arguments {
  std::string guest, restore, save, output, hashes;
  uint64_t stop_after = ~uint64_t{0};
  bool compress = false, tamper = false;
  uint64_t seed = 0, count = 0;
};

int Usage() {
  std::fprintf(stderr,
               "mover GUEST [--restore FILE] [--stop-after N] [--save FILE] [--compress] "
               "[--output FILE] [--hashes FILE] [--tamper SEED COUNT]\nmover --guests\n");
  return 2;
}

void Say(const std::string& line) { std::puts(line.c_str()); }

bool Parse(int argc, char** argv, Arguments& a) {
  if (argc < 2) return false;
  a.guest = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string name = argv[i];
    const auto text = [&](std::string& value) {
      if (++i == argc) return false;
      value = argv[i];
      return true;
    };
    const auto number = [&](uint64_t& value) {
      if (++i == argc) return false;
      value = std::strtoull(argv[i], nullptr, 10);
      return true;
    };
    bool ok = false;
    if (name == "--restore") ok = text(a.restore);
    if (name == "--save") ok = text(a.save);
    if (name == "--output") ok = text(a.output);
    if (name == "--hashes") ok = text(a.hashes);
    if (name == "--stop-after") ok = number(a.stop_after);
    if (name == "--compress") ok = a.compress = true;
    if (name == "--tamper") ok = a.tamper = number(a.seed) && number(a.count);
    if (!ok) return false;
  }
  return !a.tamper || !a.restore.empty();
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot read"));
  return bytes;
}

// `path` may be empty: nothing is written.
absl::Status Write(const std::string& path, absl::string_view bytes,
                   std::ios::openmode mode = std::ios::trunc) {
  if (path.empty()) return absl::OkStatus();
  std::ofstream file(path, std::ios::binary | std::ios::out | mode);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  return file ? absl::OkStatus() : absl::UnknownError(absl::StrCat(path, ": cannot write"));
}

absl::Status PrintEnd(Session& session, uint64_t answered) {
  std::string memories;
  for (DynamicInstance* instance : session.store().instances()) {
    const ModuleInfo& info = instance->info();
    for (uint32_t i = 0; i < info.export_count; ++i) {
      if (info.exports[i].kind != ExternKind::kMemory) continue;
      absl::StatusOr<Memory> memory =
          instance->FindMemory({info.exports[i].name.data, info.exports[i].name.size});
      if (!memory.ok()) return memory.status();
      memories.append(reinterpret_cast<const char*>(memory->data()),
                      static_cast<size_t>(memory->size()));
    }
  }
  absl::StatusOr<std::string> state = Save(session.store(), {});
  if (!state.ok()) return state.status();
  Say(absl::StrCat("ended answered=", answered, " memory=", HashOf(memories),
                   " state=", HashOf(*state)));
  return absl::OkStatus();
}

absl::Status Move(const Arguments& a) {
  const std::unique_ptr<Session> session = MakeSession(a.guest);
  if (session == nullptr) return absl::NotFoundError(absl::StrCat("no guest \"", a.guest, "\""));
  absl::Status status;
  if (a.restore.empty()) {
    status = session->Begin();
  } else {
    absl::StatusOr<std::string> bytes = ReadAll(a.restore);
    if (!bytes.ok()) return bytes.status();
    if (a.tamper) {
      return Write(a.output, Tamper(a.guest, *bytes, a.seed, a.count), std::ios::app);
    }
    status = session->Restore(*bytes);
  }
  std::string hashes, bytes;
  uint64_t answered = 0;
  for (;;) {
    if (!status.ok()) return status;
    const bool last = !session->held() || answered == a.stop_after;
    if (session->held() && (last || !a.hashes.empty())) {
      absl::StatusOr<std::string> saved = session->Save({a.compress});
      if (!saved.ok()) return saved.status();
      bytes = *std::move(saved);
      absl::StrAppend(&hashes, HashOf(bytes), "\n");
    }
    if (last) break;
    ++answered;
    status = session->Advance();
  }
  for (const absl::Status& written :
       {Write(a.output, session->output(), std::ios::app), Write(a.hashes, hashes)}) {
    if (!written.ok()) return written;
  }
  if (!session->held()) return PrintEnd(*session, answered);
  uint32_t frames = 0, depth = 0;
  for (const DynamicStep& step : session->steps()) {
    frames += step.frame_bytes();
    depth += step.depth();
  }
  Say(absl::StrCat("held answered=", answered, " frames=", frames, " depth=", depth,
                   " snapshot=", bytes.size(), " hash=", HashOf(bytes)));
  return Write(a.save, bytes);
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--guests") == 0) {
    for (const std::string& name : GuestNames()) Say(name);
    return 0;
  }
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) return Usage();
  const absl::Status status = Move(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "mover: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace fermata::moves

int main(int argc, char** argv) { return fermata::moves::Main(argc, argv); }
