// Snapshots of WASI processes: docs/abi.md, "Snapshots of WASI programs".
#include <zlib.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/snapshot.h"
#include "runtime/snapshot/bytes.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

// Private parts of Process and System.
struct SnapshotAccess {
  static System::Impl& Of(System& system) { return *system.impl_; }
  static absl::StatusOr<std::string> Save(Process& process, const SaveOptions& options);
  static absl::StatusOr<std::unique_ptr<Process>> Restore(const ModuleInfo& info,
                                                          absl::string_view bytes,
                                                          RestoreOptions options);
  static bool Advance(Process& process) { return process.Advance(); }
  static void Begin(Process& process) { process.Next(); }
};

namespace {

constexpr char kMagic[8] = {'\x89', 'F', 'r', 'm', 'W', '\r', '\n', '\x1a'};
constexpr uint32_t kVersion = 1;

uint32_t Crc(absl::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void PutTexts(internal::Writer& w, const std::vector<std::string>& texts) {
  w.U32(texts.size());
  for (const std::string& text : texts) w.Text(text);
}
std::vector<std::string> GetTexts(internal::Reader& r) {
  std::vector<std::string> texts;
  for (uint32_t n = r.Count(4); n != 0 && r.ok(); --n) texts.push_back(r.Text());
  return texts;
}

struct SavedDescriptor {
  uint32_t fd = 0;
  Origin origin;
  Rights base = 0, inheriting = 0;
  uint16_t flags = 0;
  bool is_stream = false;
  uint64_t first = 0, second = 0;  // bytes read and written; or the position
};

void Put(internal::Writer& w, const SavedDescriptor& d) {
  w.U32(d.fd);
  w.U32(d.origin.kind);
  w.U32(d.origin.initial);
  w.Text(d.origin.path);
  w.U64(d.base);
  w.U64(d.inheriting);
  w.U32(d.flags);
  w.U32(d.is_stream);
  w.U64(d.first);
  w.U64(d.second);
}

SavedDescriptor Get(internal::Reader& r) {
  SavedDescriptor d;
  d.fd = r.U32();
  const uint32_t kind = r.U32();
  if (kind > Origin::kOpened) r.Fail();
  d.origin.kind = static_cast<Origin::Kind>(kind);
  d.origin.initial = r.U32();
  d.origin.path = r.Text();
  d.base = r.U64();
  d.inheriting = r.U64();
  const uint32_t flags = r.U32();
  if (flags > fdflags::kAll) r.Fail();
  d.flags = static_cast<uint16_t>(flags);
  d.is_stream = r.Flag();
  d.first = r.U64();
  d.second = r.U64();
  return d;
}

SavedDescriptor Describe(uint32_t fd, Descriptor& descriptor) {
  SavedDescriptor d{fd, descriptor.origin, descriptor.base, descriptor.inheriting,
                    descriptor.flags};
  if (descriptor.stream() != nullptr) {
    d.is_stream = true;
    const auto& stream = static_cast<const StreamDescriptor&>(descriptor);
    d.first = stream.bytes_read;
    d.second = stream.bytes_written;
  } else if (d.origin.kind == Origin::kOpened && descriptor.directory() == nullptr) {
    if (descriptor.Seek(0, Whence::kCur, d.first) != Errno::kSuccess) d.first = 0;
  }
  return d;
}

// Makes the descriptors of a restored program out of those of one that begins.
class Reopener {
 public:
  Reopener(DescriptorTable& table, const RestoreOptions& options)
      : table_(table), options_(options), initial_(table.TakeAll()) {}

  absl::Status Run(const std::vector<SavedDescriptor>& saved) {
    // Files first: what they were opened through may be closed.
    std::vector<std::pair<uint32_t, std::unique_ptr<Descriptor>>> all;
    for (const bool opened : {true, false}) {
      for (const SavedDescriptor& d : saved) {
        if ((d.origin.kind == Origin::kOpened) != opened) continue;
        absl::StatusOr<std::unique_ptr<Descriptor>> made = opened ? Reopen(d) : Again(d);
        if (!made.ok()) return made.status();
        (*made)->origin = d.origin;
        all.emplace_back(d.fd, *std::move(made));
      }
    }
    for (auto& [fd, descriptor] : all) {
      if (table_.At(fd) != nullptr || table_.Put(fd, std::move(descriptor)) != Errno::kSuccess) {
        return Refuse(fd, "it is listed twice, or too many are open");
      }
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Refuse(uint32_t fd, absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("descriptor ", fd, ": ", why));
  }

  absl::StatusOr<std::unique_ptr<Descriptor>> Reopen(const SavedDescriptor& d) {
    Descriptor* through =
        d.origin.initial < initial_.size() ? initial_[d.origin.initial].get() : nullptr;
    if (through == nullptr || through->directory() == nullptr || d.origin.path.empty() ||
        d.origin.path.find('\0') != std::string::npos) {
      return Refuse(d.fd, "the host has no such mount");
    }
    if (((d.base | d.inheriting) & ~through->inheriting & rights::kAll) != 0) {
      return Refuse(d.fd, "it has rights that its mount does not give");
    }
    Directory::OpenRequest request;
    request.follow = true;
    request.fdflags = d.flags;
    request.base = d.base & rights::kAll;
    request.inheriting = d.inheriting & rights::kAll;
    std::unique_ptr<Descriptor> opened;
    const Errno error = through->directory()->Open(d.origin.path, request, opened);
    if (error != Errno::kSuccess) {
      return Refuse(d.fd, absl::StrCat("\"", d.origin.path, "\" can't be opened again (error ",
                                       static_cast<int>(error), ")"));
    }
    uint64_t position = d.first;
    if (opened->directory() == nullptr && opened->stream() == nullptr &&
        opened->Seek(static_cast<int64_t>(position), Whence::kSet, position) != Errno::kSuccess) {
      return Refuse(d.fd, "its position can't be set");
    }
    return opened;
  }

  // A stream, or a mount itself.
  absl::StatusOr<std::unique_ptr<Descriptor>> Again(const SavedDescriptor& d) {
    std::unique_ptr<Descriptor> made;
    if (d.origin.kind == Origin::kInitial && d.origin.initial < initial_.size()) {
      made = std::move(initial_[d.origin.initial]);
    }
    if (d.is_stream && options_.stream != nullptr) {
      std::shared_ptr<Stream> stream = options_.stream({d.fd, d.first, d.second});
      const Rights rights = made != nullptr     ? made->base
                            : stream != nullptr ? RightsOf(*stream)
                                                : Rights{0};
      if (stream != nullptr) made = std::make_unique<StreamDescriptor>(std::move(stream), rights);
    }
    if (made == nullptr) {
      return Refuse(d.fd,
                    d.origin.kind == Origin::kInitial ? "the host does not supply it"
                    : d.is_stream
                        ? "a stream that was opened, accepted or added is not restored unless the "
                          "host supplies it"
                        : "a file or directory that the host added is not restored");
    }
    made->base &= d.base;
    made->inheriting &= d.inheriting;
    if (d.is_stream && made->stream() != nullptr) {
      auto& stream = static_cast<StreamDescriptor&>(*made);
      stream.flags = d.flags;
      stream.bytes_read = d.first;
      stream.bytes_written = d.second;
    }
    return made;
  }

  DescriptorTable& table_;
  const RestoreOptions& options_;
  std::vector<std::unique_ptr<Descriptor>> initial_;
};

}  // namespace

absl::StatusOr<std::string> SnapshotAccess::Save(Process& p, const SaveOptions& options) {
  if (p.state_ != Process::State::kReady && !p.step_.suspended() && !p.step_.paused()) {
    return absl::FailedPreconditionError("the program has ended");
  }
  const bool calling = p.state_ != Process::State::kReady;
  const DynamicStep* step = &p.step_;
  absl::StatusOr<std::string> store = fermata::Save(
      *p.store_, calling ? absl::MakeConstSpan(&step, 1) : absl::Span<const DynamicStep* const>(),
      options);
  if (!store.ok()) return store.status();
  std::string body;
  internal::Writer w(body);
  w.U32(calling);
  w.U32(static_cast<uint32_t>(p.phase_));
  w.Text(p.next_export_);
  w.U32(p.next_arguments_.size());
  for (const Value& v : p.next_arguments_) {
    w.U32(static_cast<uint32_t>(v.type));
    w.U64(v.low);
    w.U64(v.high);
  }
  w.U32(p.pending_.begun);
  w.U64(p.pending_.progress);
  System::Impl& system = Of(*p.system_);
  PutTexts(w, system.config.args);
  PutTexts(w, system.config.env);
  std::vector<SavedDescriptor> descriptors;
  for (uint32_t fd = 0; fd < system.descriptors.size(); ++fd) {
    if (Descriptor* d = system.descriptors.At(fd)) descriptors.push_back(Describe(fd, *d));
  }
  w.U32(descriptors.size());
  for (const SavedDescriptor& d : descriptors) Put(w, d);

  std::string out(kMagic, sizeof kMagic);
  internal::Writer header(out);
  header.U32(kVersion);
  header.U32(Crc(body));
  header.U64(body.size());
  return absl::StrCat(out, body, *store);
}

absl::StatusOr<std::unique_ptr<Process>> SnapshotAccess::Restore(const ModuleInfo& info,
                                                                 absl::string_view bytes,
                                                                 RestoreOptions options) {
  internal::Reader header(bytes);
  if (header.Bytes(sizeof kMagic) != absl::string_view(kMagic, sizeof kMagic)) {
    return absl::InvalidArgumentError("not a snapshot of a WASI program");
  }
  if (const uint32_t version = header.U32(); version != kVersion) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the snapshot has format ", version, ", but only format ", kVersion, " is supported"));
  }
  const uint32_t crc = header.U32();
  const absl::string_view body = header.Bytes(header.U64());
  if (!header.ok() || Crc(body) != crc) {
    return absl::DataLossError("the snapshot is damaged: its checksum does not match");
  }
  const absl::string_view store = bytes.substr(sizeof kMagic + 16 + body.size());

  internal::Reader r(body);
  std::unique_ptr<Process> process(new Process);
  Process& p = *process;
  const bool calling = r.Flag();
  const uint32_t phase = r.U32();
  if (phase > static_cast<uint32_t>(Process::Phase::kCall) || phase == 1) r.Fail();
  p.phase_ = static_cast<Process::Phase>(phase);
  p.next_export_ = r.Text();
  for (uint32_t n = r.Count(20); n != 0; --n) {
    const auto type = static_cast<ValType>(r.U32());
    const uint64_t low = r.U64();
    p.next_arguments_.push_back({type, low, r.U64()});
  }
  p.pending_.begun = r.Flag();
  p.pending_.progress = r.U64();
  Config& config = options.process.config;
  config.args = GetTexts(r);
  config.env = GetTexts(r);
  std::vector<SavedDescriptor> descriptors;
  for (uint32_t n = r.Count(52); n != 0 && r.ok(); --n) descriptors.push_back(Get(r));
  if (!r.ok() || !r.at_end()) return absl::InvalidArgumentError("not a well-formed snapshot");

  absl::StatusOr<std::unique_ptr<System>> system = System::Create(std::move(config));
  if (!system.ok()) return system.status();
  p.Own(*std::move(system));
  absl::Status status = Reopener(Of(*p.system_).descriptors, options).Run(descriptors);
  if (!status.ok()) return status;
  RestoreHost& host = options.host;
  host.modules.push_back(&info);
  host.limits = options.process.limits;
  if (host.imports.empty()) host.imports.emplace_back();
  for (Imports& imports : host.imports) {
    Imports wasi;
    Process::BindImports(*p.system_, info, options.process, wasi);
    for (uint32_t i = 0; i < info.import_count; ++i) {
      const absl::string_view module(info.imports[i].module.data, info.imports[i].module.size);
      const absl::string_view name(info.imports[i].name.data, info.imports[i].name.size);
      const Extern* bound = wasi.Find(module, name);
      if (bound != nullptr && imports.Find(module, name) == nullptr) {
        imports.Add(module, name, *bound);
      }
    }
  }
  absl::StatusOr<RestoredStore> restored = fermata::Restore(store, host);
  if (!restored.ok()) return restored.status();
  if (restored->instances.empty() || restored->steps.size() != (calling ? 1 : 0)) {
    return absl::InvalidArgumentError("not a snapshot of a WASI program");
  }
  p.store_ = std::move(restored->store);
  p.instance_ = restored->instances.back();  // what it is linked with was made before
  if (calling) p.step_ = std::move(restored->steps[0]);
  p.state_ = !calling                      ? Process::State::kReady
             : p.step_.paused()            ? Process::State::kPaused
             : p.system_->Answers(p.step_) ? Process::State::kWaiting
                                           : Process::State::kForeign;
  return process;
}

absl::StatusOr<std::string> SaveProcess(Process& process, const SaveOptions& options) {
  return SnapshotAccess::Save(process, options);
}

absl::StatusOr<std::unique_ptr<Process>> RestoreProcess(const ModuleInfo& info,
                                                        absl::string_view bytes,
                                                        RestoreOptions options) {
  return SnapshotAccess::Restore(info, bytes, std::move(options));
}

absl::StatusOr<Process::State> RunRestoring(std::unique_ptr<Process>& process,
                                            const ModuleInfo& info, const RestoreOptions& options) {
  using State = Process::State;
  for (;;) {
    const bool ready = process->state() == State::kReady;
    if (!ready && process->state() != State::kWaiting) return process->state();
    if (ready || process->step().suspended()) {
      absl::StatusOr<std::string> bytes = SaveProcess(*process);
      if (!bytes.ok()) return bytes.status();
      process = nullptr;
      absl::StatusOr<std::unique_ptr<Process>> again = RestoreProcess(info, *bytes, options);
      if (!again.ok()) return again.status();
      process = *std::move(again);
    }
    if (ready) {
      SnapshotAccess::Begin(*process);
    } else if (!SnapshotAccess::Advance(*process) && process->state() == State::kWaiting &&
               !BlockFor(process->wait())) {
      process->Abort("the program waits for something that can never come");
    }
  }
}

}  // namespace fermata::wasi
