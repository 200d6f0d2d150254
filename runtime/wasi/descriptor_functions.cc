// fd_* that transfer no bytes.
#include <cstring>

#include "runtime/wasi/system.h"

namespace fermata::wasi {

namespace {

Result FdAdvise(Call& call, uint32_t fd, uint64_t offset, uint64_t size, uint32_t advice) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdAdvise, d);
  if (error != Errno::kSuccess) return error;
  if (advice > 5) return Errno::kInval;
  return d->Advise(offset, size, static_cast<uint8_t>(advice));
}

Result FdAllocate(Call& call, uint32_t fd, uint64_t offset, uint64_t size) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdAllocate, d);
  return error != Errno::kSuccess ? error : d->Allocate(offset, size);
}

Result FdClose(Call& call, uint32_t fd) { return call.system.descriptors.Close(fd); }

Result FdDatasync(Call& call, uint32_t fd) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdDatasync, d);
  return error != Errno::kSuccess ? error : d->Sync(/*data_only=*/true);
}

Result FdSync(Call& call, uint32_t fd) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdSync, d);
  return error != Errno::kSuccess ? error : d->Sync(/*data_only=*/false);
}

Result FdFdstatGet(Call& call, uint32_t fd, uint32_t to) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, 0, d);
  if (error != Errno::kSuccess) return error;
  uint8_t* at = call.memory.At(to, 24);
  if (at == nullptr) return Errno::kFault;
  memset(at, 0, 24);
  FileType type = d->type();
  // A device that is no terminal must not look like one that was given up the rights that say so.
  const std::shared_ptr<Stream> stream = d->stream();
  if (type == FileType::kCharacterDevice && stream != nullptr && !stream->is_terminal() &&
      (d->base & (rights::kFdSeek | rights::kFdTell)) == 0) {
    type = FileType::kUnknown;
  }
  at[0] = static_cast<uint8_t>(type);
  StoreLittle(at + 2, d->flags);
  StoreLittle(at + 8, d->base);
  StoreLittle(at + 16, d->inheriting);
  return Errno::kSuccess;
}

Result FdFdstatSetFlags(Call& call, uint32_t fd, uint32_t flags) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdFdstatSetFlags, d);
  if (error != Errno::kSuccess) return error;
  if (!FitsFlags(flags, fdflags::kAll)) return Errno::kInval;
  return d->SetFlags(static_cast<uint16_t>(flags));
}

// Rights can be given up, never gained.
Result FdFdstatSetRights(Call& call, uint32_t fd, uint64_t base, uint64_t inheriting) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, 0, d);
  if (error != Errno::kSuccess) return error;
  if ((base & ~d->base) != 0 || (inheriting & ~d->inheriting) != 0) return Errno::kNotCapable;
  d->base = base;
  d->inheriting = inheriting;
  return Errno::kSuccess;
}

Result FdFilestatGet(Call& call, uint32_t fd, uint32_t to) {
  Descriptor* d;
  Errno error = call.system.descriptors.Get(fd, rights::kFdFilestatGet, d);
  if (error != Errno::kSuccess) return error;
  FileStat stat;
  error = d->Stat(stat);
  return error != Errno::kSuccess ? error : StoreStat(call, to, stat);
}

Result FdFilestatSetSize(Call& call, uint32_t fd, uint64_t size) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, rights::kFdFilestatSetSize, d);
  return error != Errno::kSuccess ? error : d->SetSize(size);
}

Result FdFilestatSetTimes(Call& call, uint32_t fd, uint64_t access, uint64_t modify,
                          uint32_t flags) {
  Descriptor* d;
  Errno error = call.system.descriptors.Get(fd, rights::kFdFilestatSetTimes, d);
  if (error != Errno::kSuccess) return error;
  Times times;
  error = ToTimes(access, modify, flags, times);
  return error != Errno::kSuccess ? error : d->SetTimes(times);
}

Result FdPrestatGet(Call& call, uint32_t fd, uint32_t to) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, 0, d);
  if (error != Errno::kSuccess) return error;
  if (!d->preopen) return Errno::kBadf;
  uint8_t* at = call.memory.At(to, 8);
  if (at == nullptr) return Errno::kFault;
  memset(at, 0, 8);  // tag 0: a directory
  StoreLittle(at + 4, static_cast<uint32_t>(d->preopen->size()));
  return Errno::kSuccess;
}

Result FdPrestatDirName(Call& call, uint32_t fd, uint32_t to, uint32_t size) {
  Descriptor* d;
  const Errno error = call.system.descriptors.Get(fd, 0, d);
  if (error != Errno::kSuccess) return error;
  if (!d->preopen) return Errno::kBadf;
  if (size < d->preopen->size()) return Errno::kNameTooLong;
  uint8_t* at = call.memory.At(to, d->preopen->size());
  if (at == nullptr) return Errno::kFault;
  memcpy(at, d->preopen->data(), d->preopen->size());
  return Errno::kSuccess;
}

Result FdReaddir(Call& call, uint32_t fd, uint32_t buffer, uint32_t size, uint64_t cookie,
                 uint32_t used_at) {
  Directory* d;
  Errno error = call.system.descriptors.GetDirectory(fd, rights::kFdReaddir, d);
  if (error != Errno::kSuccess) return error;
  uint8_t* to = call.memory.At(buffer, size);
  if (to == nullptr) return Errno::kFault;
  std::vector<DirectoryEntry> entries;
  error = d->List(cookie, size, entries);
  if (error != Errno::kSuccess) return error;
  // The last one may be cut off: that says that there is more.
  uint32_t used = 0;
  const auto put = [&](const void* bytes, size_t n) {
    n = n < size - used ? n : size - used;
    memcpy(to + used, bytes, n);
    used += static_cast<uint32_t>(n);
  };
  for (const DirectoryEntry& entry : entries) {
    uint8_t header[kDirentBytes] = {};
    StoreLittle(header, entry.next);
    StoreLittle(header + 8, entry.ino);
    StoreLittle(header + 16, static_cast<uint32_t>(entry.name.size()));
    header[20] = static_cast<uint8_t>(entry.type);
    put(header, sizeof header);
    put(entry.name.data(), entry.name.size());
  }
  return call.memory.Store(used_at, used);
}

Result FdRenumber(Call& call, uint32_t from, uint32_t to) {
  return call.system.descriptors.Renumber(from, to);
}

Result FdSeek(Call& call, uint32_t fd, int64_t offset, uint32_t whence, uint32_t to) {
  // Asking where one is is not seeking.
  const bool tells = offset == 0 && whence == static_cast<uint32_t>(Whence::kCur);
  Descriptor* d;
  Errno error = call.system.descriptors.Get(fd, 0, d);
  if (error != Errno::kSuccess) return error;
  if (whence > static_cast<uint32_t>(Whence::kEnd)) return Errno::kInval;
  if (d->stream() != nullptr) return Errno::kSpipe;
  error = call.system.descriptors.Get(fd, tells ? rights::kFdTell : rights::kFdSeek, d);
  if (error != Errno::kSuccess) return error;
  if (call.memory.At(to, 8) == nullptr) return Errno::kFault;
  uint64_t position = 0;
  error = d->Seek(offset, static_cast<Whence>(whence), position);
  return error != Errno::kSuccess ? error : call.memory.Store(to, position);
}

Result FdTell(Call& call, uint32_t fd, uint32_t to) {
  return FdSeek(call, fd, 0, static_cast<uint32_t>(Whence::kCur), to);
}

}  // namespace

Errno StoreStat(const Call& call, uint32_t to, const FileStat& stat) {
  uint8_t* at = call.memory.At(to, 64);
  if (at == nullptr) return Errno::kFault;
  memset(at, 0, 64);
  StoreLittle(at, stat.dev);
  StoreLittle(at + 8, stat.ino);
  at[16] = static_cast<uint8_t>(stat.type);
  StoreLittle(at + 24, stat.nlink);
  StoreLittle(at + 32, stat.size);
  StoreLittle(at + 40, stat.atim);
  StoreLittle(at + 48, stat.mtim);
  StoreLittle(at + 56, stat.ctim);
  return Errno::kSuccess;
}

Errno ToTimes(uint64_t access, uint64_t modify, uint32_t flags, Times& times) {
  constexpr uint32_t kAccess = 1, kAccessNow = 2, kModify = 4, kModifyNow = 8;
  if (!FitsFlags(flags, 15)) return Errno::kInval;
  const auto kind = [&](uint32_t set, uint32_t now, Times::Kind& result) {
    if ((flags & set) && (flags & now)) return false;
    result = flags & set ? Times::kTime : flags & now ? Times::kNow : Times::kOmit;
    return true;
  };
  times.access = access;
  times.modify = modify;
  return kind(kAccess, kAccessNow, times.access_kind) &&
                 kind(kModify, kModifyNow, times.modify_kind)
             ? Errno::kSuccess
             : Errno::kInval;
}

void AddDescriptorFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<FdAdvise>::Make("fd_advise"));
  table.push_back(Wrap<FdAllocate>::Make("fd_allocate"));
  table.push_back(Wrap<FdClose>::Make("fd_close"));
  table.push_back(Wrap<FdDatasync>::Make("fd_datasync"));
  table.push_back(Wrap<FdFdstatGet>::Make("fd_fdstat_get"));
  table.push_back(Wrap<FdFdstatSetFlags>::Make("fd_fdstat_set_flags"));
  table.push_back(Wrap<FdFdstatSetRights>::Make("fd_fdstat_set_rights"));
  table.push_back(Wrap<FdFilestatGet>::Make("fd_filestat_get"));
  table.push_back(Wrap<FdFilestatSetSize>::Make("fd_filestat_set_size"));
  table.push_back(Wrap<FdFilestatSetTimes>::Make("fd_filestat_set_times"));
  table.push_back(Wrap<FdPrestatGet>::Make("fd_prestat_get"));
  table.push_back(Wrap<FdPrestatDirName>::Make("fd_prestat_dir_name"));
  table.push_back(Wrap<FdReaddir>::Make("fd_readdir"));
  table.push_back(Wrap<FdRenumber>::Make("fd_renumber"));
  table.push_back(Wrap<FdSeek>::Make("fd_seek"));
  table.push_back(Wrap<FdSync>::Make("fd_sync"));
  table.push_back(Wrap<FdTell>::Make("fd_tell"));
}

}  // namespace fermata::wasi
