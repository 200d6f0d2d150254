#include "runtime/wasi/system.h"

#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

// NOLINTNEXTLINE(readability-redundant-declaration): here it is weak
extern "C" __attribute__((weak)) void fermata_wasi_sockets(
    std::vector<fermata::wasi::Function>* table);

namespace fermata::wasi {
namespace {

const std::vector<Function>& Table() {
  static const std::vector<Function>* table = [] {
    auto* t = new std::vector<Function>;
    AddEnvironmentFunctions(*t);
    AddDescriptorFunctions(*t);
    AddTransferFunctions(*t);
    AddPathFunctions(*t);
    AddPollFunctions(*t);
    if (fermata_wasi_sockets != nullptr) fermata_wasi_sockets(t);
    return t;
  }();
  return *table;
}

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

bool HasNul(absl::string_view text) { return text.find('\0') != absl::string_view::npos; }

// A standard stream of the host process.
std::unique_ptr<Descriptor> Inherit(int fd) {
  const Rights other = fd == 0 ? rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize
                               : rights::kFdRead;
  auto descriptor = MakeHostDescriptor(fd, /*owned=*/false, rights::kAll & ~other, rights::kAll, 0);
  if (descriptor != nullptr) return descriptor;
  return std::make_unique<StreamDescriptor>(NullStream(), rights::kStream & ~other);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Directory>> OpenMount(Mount& mount, bool use_openat2) {
  if (HasNul(mount.guest)) return absl::InvalidArgumentError("the name of a mount contains a NUL");
  std::unique_ptr<Directory> directory;
  if (mount.host.empty()) {
    for (const auto& [path, contents] : mount.files) {
      for (absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
        if (name == "." || name == "..") {
          return absl::InvalidArgumentError(
              absl::StrCat("mount ", mount.guest, ": \"", path, "\" is not a plain path"));
        }
      }
    }
    directory = MakeVirtualDirectory(std::move(mount.files));
  } else {
    auto opened = OpenHostDirectory(mount.host, mount.read_only, use_openat2);
    if (!opened.ok()) return opened.status();
    directory = *std::move(opened);
  }
  directory->preopen = mount.guest;
  return directory;
}

absl::Span<const Function> Functions() { return Table(); }

const Function* FindFunction(absl::string_view name) {
  static const auto* by_name = [] {
    auto* map = new absl::flat_hash_map<absl::string_view, const Function*>;
    for (const Function& function : Table()) map->emplace(function.name, &function);
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? nullptr : found->second;
}

core::Memory* System::Impl::MemoryOf(DynamicInstance& instance) {
  const ModuleInfo& info = instance.info();
  if (info.memory_count == 0) return nullptr;
  if (memory_of != &info) {
    memory_of = &info;
    memory = 0;
    for (uint32_t i = 0; i < info.export_count; ++i) {
      const core::ExportInfo& e = info.exports[i];
      if (e.kind == ExternKind::kMemory && View(e.name) == "memory") memory = e.index;
    }
  }
  core::MemoryField field;
  memcpy(&field, reinterpret_cast<const uint8_t*>(instance.raw()) + info.memories[memory].offset,
         sizeof field);
  return field.memory;
}

System::System() = default;
System::~System() = default;

absl::StatusOr<std::unique_ptr<System>> System::Create(Config config) {
  for (const auto* strings : {&config.args, &config.env}) {
    for (const std::string& s : *strings) {
      if (HasNul(s))
        return absl::InvalidArgumentError("an argument or environment variable contains a NUL");
    }
  }
  if (config.clock == nullptr) config.clock = HostClock();
  std::unique_ptr<System> system(new System);
  system->impl_ = std::make_unique<Impl>(std::move(config));
  Impl& impl = *system->impl_;
  Config& c = impl.config;
  uint32_t fd;
  const auto add = [&](std::unique_ptr<Descriptor> descriptor) {
    descriptor->origin = {Origin::kInitial, impl.descriptors.size(), ""};
    return impl.descriptors.Add(std::move(descriptor), fd) == Errno::kSuccess
               ? absl::OkStatus()
               : absl::InvalidArgumentError(
                     "there are more mounts and sockets than max_descriptors allows");
  };
  const std::shared_ptr<Stream>* standard[] = {&c.in, &c.out, &c.err};
  for (int i = 0; i < 3; ++i) {
    const Rights lacks = i == 0 ? rights::kFdWrite : rights::kFdRead;
    const std::shared_ptr<Stream> stream = *standard[i] != nullptr ? *standard[i] : NullStream();
    absl::Status status = add(
        c.inherit_stdio ? Inherit(i)
                        : std::make_unique<StreamDescriptor>(
                              stream, RightsOf(*stream) & ~Rights{lacks | rights::kSockAccept}));
    if (!status.ok()) return status;
  }
  for (Mount& mount : c.mounts) {
    auto directory = OpenMount(mount, c.use_openat2);
    if (!directory.ok()) return directory.status();
    if (absl::Status status = add(*std::move(directory)); !status.ok()) return status;
  }
  for (const std::shared_ptr<Stream>& socket : c.sockets) {
    if (socket == nullptr) return absl::InvalidArgumentError("one of the sockets is null");
    absl::Status status = add(std::make_unique<StreamDescriptor>(socket, RightsOf(*socket)));
    if (!status.ok()) return status;
  }
  // The descriptors have them now: what the guest closes is closed.
  c.in = c.out = c.err = nullptr;
  c.sockets.clear();
  return system;
}

void System::Bind(const ModuleInfo& info, Imports& imports) {
  Impl* impl = impl_.get();
  for (uint32_t i = 0; i < info.import_count; ++i) {
    const core::ImportInfo& import = info.imports[i];
    if (import.kind != ExternKind::kFunction || View(import.module) != kModule) continue;
    const Function* function = FindFunction(View(import.name));
    if (function == nullptr) continue;
    const bool blocks = import.suspend == nullptr;
    imports.AddAnswering(
        kModule, function->name, function->signature,
        [impl, function, blocks](DynamicInstance& caller, absl::Span<const uint64_t> arguments,
                                 absl::Span<uint64_t> results) {
          Call call{*impl, GuestMemory(impl->MemoryOf(caller)), nullptr};
          Result result = function->code(call, arguments.data());
          Pending pending;
          call.pending = &pending;
          while (blocks && result.kind == Result::kWait) {
            pending.wait = {};
            result = function->code(call, arguments.data());
            if (result.kind == Result::kWait && !BlockFor(pending.wait)) {
              return HostReply::Trapped(Trap::kHost);
            }
          }
          if (result.kind == Result::kWait) return HostReply::Suspend();
          if (result.kind == Result::kExit) return HostReply::Trapped(Trap::kCancelled);
          if (!results.empty()) results[0] = static_cast<uint64_t>(result.error);
          return HostReply::Answered();
        },
        impl);
  }
}

bool System::Provides(absl::string_view module, absl::string_view name) {
  return module == kModule && FindFunction(name) != nullptr;
}

std::vector<std::string> System::ImmediateImports() {
  std::vector<std::string> names;
  for (const Function& function : Functions()) {
    if (!function.may_wait) names.push_back(absl::StrCat(kModule, ".", function.name));
  }
  return names;
}

bool System::Answers(const DynamicStep& step) const {
  if (!step.suspended() || step.op_instance() == nullptr) return false;
  // The host may have bound the name to something of its own.
  if (step.op_bound() && step.op_owner() != impl_.get()) return false;
  return Provides(step.op_module(), step.op_name());
}

System::Progress System::Answer(DynamicStep& step, Pending& pending) {
  if (!Answers(step)) return Progress::kForeign;
  const Function* function = FindFunction(step.op_name());
  uint64_t arguments[10] = {};
  const std::vector<Value>& values = step.op_arguments();
  if (values.size() != function->signature.params.size()) return Progress::kForeign;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].type != function->signature.params[i]) return Progress::kForeign;
    arguments[i] = values[i].low;
  }
  pending.wait = {};
  Call call{*impl_, GuestMemory(impl_->MemoryOf(*step.op_instance())), &pending};
  const Result result = function->code(call, arguments);
  switch (result.kind) {
    case Result::kWait:
      return Progress::kWaiting;
    case Result::kExit:
      pending = {};
      step.Cancel();
      return Progress::kExited;
    case Result::kDone:
      break;
  }
  pending = {};
  const Value answer = Value::I32(static_cast<uint32_t>(result.error));
  const absl::Status resumed = step.Resume({&answer, function->signature.results.size()});
  return resumed.ok() ? Progress::kAnswered : Progress::kForeign;
}

const std::optional<uint32_t>& System::exit_code() const { return impl_->exit_code; }

}  // namespace fermata::wasi
