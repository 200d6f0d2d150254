// path_*.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

constexpr uint32_t kFollow = 1;  // lookupflags

// The directory `fd` with the rights `needed`, and the path that the guest means.
struct At {
  Directory* directory = nullptr;
  std::string path;

  Errno Load(Call& call, uint32_t fd, Rights needed, uint32_t path_at, uint32_t size) {
    const Errno error = call.system.descriptors.GetDirectory(fd, needed, directory);
    return error != Errno::kSuccess ? error : call.memory.LoadPath(path_at, size, path);
  }
};

Result PathCreateDirectory(Call& call, uint32_t fd, uint32_t path, uint32_t size) {
  At at;
  const Errno error = at.Load(call, fd, rights::kPathCreateDirectory, path, size);
  return error != Errno::kSuccess ? error : at.directory->MakeDirectory(at.path);
}

Result PathFilestatGet(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t size,
                       uint32_t to) {
  At at;
  Errno error = at.Load(call, fd, rights::kPathFilestatGet, path, size);
  if (error != Errno::kSuccess) return error;
  if (!FitsFlags(flags, kFollow)) return Errno::kInval;
  FileStat stat;
  error = at.directory->StatAt(at.path, flags & kFollow, stat);
  return error != Errno::kSuccess ? error : StoreStat(call, to, stat);
}

Result PathFilestatSetTimes(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t size,
                            uint64_t access, uint64_t modify, uint32_t time_flags) {
  At at;
  Errno error = at.Load(call, fd, rights::kPathFilestatSetTimes, path, size);
  if (error != Errno::kSuccess) return error;
  if (!FitsFlags(flags, kFollow)) return Errno::kInval;
  Times times;
  error = ToTimes(access, modify, time_flags, times);
  return error != Errno::kSuccess ? error
                                  : at.directory->SetTimesAt(at.path, flags & kFollow, times);
}

Result PathLink(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t size,
                uint32_t new_fd, uint32_t new_path, uint32_t new_size) {
  At from, to;
  Errno error = from.Load(call, fd, rights::kPathLinkSource, path, size);
  if (error == Errno::kSuccess) {
    error = to.Load(call, new_fd, rights::kPathLinkTarget, new_path, new_size);
  }
  if (error != Errno::kSuccess) return error;
  if (!FitsFlags(flags, kFollow)) return Errno::kInval;
  if (flags & kFollow) {
    FileStat stat;
    error = from.directory->StatAt(from.path, /*follow=*/false, stat);
    if (error == Errno::kSuccess && stat.type == FileType::kSymbolicLink) {
      // To what a link leads to: no system call does that without leaving the path behind.
      error = from.directory->StatAt(from.path, /*follow=*/true, stat);
      return error == Errno::kNoEnt || error == Errno::kLoop ? Errno::kInval : Errno::kNotSup;
    }
    if (error != Errno::kSuccess) return error;
  }
  return from.directory->Link(from.path, *to.directory, to.path);
}

Result PathOpen(Call& call, uint32_t fd, uint32_t flags, uint32_t path, uint32_t size,
                uint32_t open_flags, uint64_t base, uint64_t inheriting, uint32_t fd_flags,
                uint32_t fd_at) {
  Rights needed = rights::kPathOpen;
  if (open_flags & oflags::kCreat) needed |= rights::kPathCreateFile;
  if (open_flags & oflags::kTrunc) needed |= rights::kPathFilestatSetSize;
  At at;
  Errno error = at.Load(call, fd, needed, path, size);
  if (error != Errno::kSuccess) return error;
  if (!FitsFlags(flags, kFollow) || !FitsFlags(open_flags, oflags::kAll) ||
      !FitsFlags(fd_flags, fdflags::kAll)) {
    return Errno::kInval;
  }
  // Some kernels would make a file.
  if ((open_flags & oflags::kCreat) && (open_flags & oflags::kDirectory)) return Errno::kInval;
  if (call.memory.At(fd_at, 4) == nullptr) return Errno::kFault;
  if (call.system.descriptors.full()) return Errno::kMfile;
  // Nothing can be done through what is opened that could not be done through the directory.
  if (((base | inheriting) & ~at.directory->inheriting & rights::kAll) != 0) {
    return Errno::kNotCapable;
  }
  Directory::OpenRequest request;
  request.follow = flags & kFollow;
  request.oflags = static_cast<uint16_t>(open_flags);
  request.fdflags = static_cast<uint16_t>(fd_flags);
  request.base = base & rights::kAll;
  request.inheriting = inheriting & rights::kAll;
  std::unique_ptr<Descriptor> opened;
  error = at.directory->Open(at.path, request, opened);
  if (error != Errno::kSuccess) return error;
  const Origin& from = at.directory->origin;
  if (from.kind == Origin::kInitial) {
    opened->origin = {Origin::kOpened, from.initial, at.path};
  } else if (from.kind == Origin::kOpened) {
    opened->origin = {Origin::kOpened, from.initial, absl::StrCat(from.path, "/", at.path)};
  }
  uint32_t number = 0;
  error = call.system.descriptors.Add(std::move(opened), number);
  return error != Errno::kSuccess ? error : call.memory.Store(fd_at, number);
}

Result PathReadlink(Call& call, uint32_t fd, uint32_t path, uint32_t size, uint32_t buffer,
                    uint32_t buffer_size, uint32_t used_at) {
  At at;
  Errno error = at.Load(call, fd, rights::kPathReadlink, path, size);
  if (error != Errno::kSuccess) return error;
  uint8_t* to = call.memory.At(buffer, buffer_size);
  if (to == nullptr) return Errno::kFault;
  std::string target;
  error = at.directory->ReadLink(at.path, target);
  if (error != Errno::kSuccess) return error;
  const uint32_t n = static_cast<uint32_t>(std::min<size_t>(target.size(), buffer_size));
  memcpy(to, target.data(), n);
  return call.memory.Store(used_at, n);
}

Result PathRemoveDirectory(Call& call, uint32_t fd, uint32_t path, uint32_t size) {
  At at;
  const Errno error = at.Load(call, fd, rights::kPathRemoveDirectory, path, size);
  return error != Errno::kSuccess ? error : at.directory->RemoveDirectory(at.path);
}

Result PathRename(Call& call, uint32_t fd, uint32_t path, uint32_t size, uint32_t new_fd,
                  uint32_t new_path, uint32_t new_size) {
  At from, to;
  Errno error = from.Load(call, fd, rights::kPathRenameSource, path, size);
  if (error == Errno::kSuccess) {
    error = to.Load(call, new_fd, rights::kPathRenameTarget, new_path, new_size);
  }
  return error != Errno::kSuccess ? error
                                  : from.directory->Rename(from.path, *to.directory, to.path);
}

Result PathSymlink(Call& call, uint32_t target_at, uint32_t target_size, uint32_t fd, uint32_t path,
                   uint32_t size) {
  std::string target;
  Errno error = call.memory.LoadPath(target_at, target_size, target);
  if (error != Errno::kSuccess) return error;
  At at;
  error = at.Load(call, fd, rights::kPathSymlink, path, size);
  return error != Errno::kSuccess ? error : at.directory->SymLink(target, at.path);
}

Result PathUnlinkFile(Call& call, uint32_t fd, uint32_t path, uint32_t size) {
  At at;
  const Errno error = at.Load(call, fd, rights::kPathUnlinkFile, path, size);
  return error != Errno::kSuccess ? error : at.directory->Unlink(at.path);
}

}  // namespace

void AddPathFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<PathCreateDirectory>::Make("path_create_directory"));
  table.push_back(Wrap<PathFilestatGet>::Make("path_filestat_get"));
  table.push_back(Wrap<PathFilestatSetTimes>::Make("path_filestat_set_times"));
  table.push_back(Wrap<PathLink>::Make("path_link"));
  table.push_back(Wrap<PathOpen>::Make("path_open"));
  table.push_back(Wrap<PathReadlink>::Make("path_readlink"));
  table.push_back(Wrap<PathRemoveDirectory>::Make("path_remove_directory"));
  table.push_back(Wrap<PathRename>::Make("path_rename"));
  table.push_back(Wrap<PathSymlink>::Make("path_symlink"));
  table.push_back(Wrap<PathUnlinkFile>::Make("path_unlink_file"));
}

}  // namespace fermata::wasi
