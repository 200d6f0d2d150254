// fd_read, fd_write, fd_pread, fd_pwrite and sock_*: what moves bytes, and may have to wait.
#include "runtime/wasi/system.h"

namespace fermata::wasi {

Result WaitFor(Call& call, std::shared_ptr<Stream> stream, bool write) {
  if (call.pending != nullptr) call.pending->wait.sources.push_back({std::move(stream), write});
  return Result::Wait();
}

namespace {

Errno StoreSize(const Call& call, uint32_t to, const IoResult& result) {
  return result.ok() ? call.memory.Store(to, static_cast<uint32_t>(result.bytes)) : result.error;
}

// A transfer came to `result`: waits if it must and the guest has not said that it won't.
Result Finish(Call& call, Descriptor& d, const IoResult& result, bool write, uint32_t size_at) {
  if (result.error == Errno::kAgain && (d.flags & fdflags::kNonblock) == 0) {
    if (std::shared_ptr<Stream> stream = d.stream()) return WaitFor(call, std::move(stream), write);
  }
  return StoreSize(call, size_at, result);
}

// What a transfer needs; `size_at` is checked first, so that no bytes are lost.
Errno Prepare(Call& call, uint32_t fd, Rights needed, uint32_t buffers_at, uint32_t count,
              uint32_t size_at, Descriptor*& d, Buffers& buffers) {
  Errno error = call.system.descriptors.Get(fd, needed, d);
  if (error == Errno::kSuccess && d->directory() != nullptr) error = Errno::kIsDir;
  if (error == Errno::kSuccess) error = call.memory.LoadBuffers(buffers_at, count, buffers);
  if (error == Errno::kSuccess && call.memory.At(size_at, 4) == nullptr) error = Errno::kFault;
  return error;
}

Result FdRead(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t size_at) {
  Descriptor* d;
  Buffers buffers;
  const Errno error = Prepare(call, fd, rights::kFdRead, buffers_at, count, size_at, d, buffers);
  if (error != Errno::kSuccess) return error;
  return Finish(call, *d, d->Read(buffers), /*write=*/false, size_at);
}

Result FdWrite(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t size_at) {
  Descriptor* d;
  Buffers buffers;
  const Errno error = Prepare(call, fd, rights::kFdWrite, buffers_at, count, size_at, d, buffers);
  if (error != Errno::kSuccess) return error;
  return Finish(call, *d, d->Write(buffers), /*write=*/true, size_at);
}

Result FdPread(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint64_t offset,
               uint32_t size_at) {
  Descriptor* d;
  Buffers buffers;
  Errno error = Prepare(call, fd, 0, buffers_at, count, size_at, d, buffers);
  if (error != Errno::kSuccess) return error;
  if (d->stream() != nullptr) return Errno::kSpipe;
  error = call.system.descriptors.Get(fd, rights::kFdRead | rights::kFdSeek, d);
  return error != Errno::kSuccess ? error : StoreSize(call, size_at, d->ReadAt(buffers, offset));
}

Result FdPwrite(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint64_t offset,
                uint32_t size_at) {
  Descriptor* d;
  Buffers buffers;
  Errno error = Prepare(call, fd, 0, buffers_at, count, size_at, d, buffers);
  if (error != Errno::kSuccess) return error;
  if (d->stream() != nullptr) return Errno::kSpipe;
  error = call.system.descriptors.Get(fd, rights::kFdWrite | rights::kFdSeek, d);
  return error != Errno::kSuccess ? error : StoreSize(call, size_at, d->WriteAt(buffers, offset));
}

// A socket that may be used with the rights `needed`.
Errno GetSocket(Call& call, uint32_t fd, Rights needed, Descriptor*& d,
                std::shared_ptr<Stream>& stream) {
  const Errno error = call.system.descriptors.Get(fd, needed, d);
  if (error != Errno::kSuccess) return error;
  stream = d->stream();
  if (stream == nullptr) return Errno::kNotSock;
  return Errno::kSuccess;
}

Result SockAccept(Call& call, uint32_t fd, uint32_t flags, uint32_t fd_at) {
  if (!FitsFlags(flags, fdflags::kNonblock)) return Errno::kInval;
  Descriptor* d;
  std::shared_ptr<Stream> stream, connection;
  Errno error = GetSocket(call, fd, rights::kSockAccept, d, stream);
  if (error == Errno::kSuccess && call.memory.At(fd_at, 4) == nullptr) error = Errno::kFault;
  if (error == Errno::kSuccess && call.system.descriptors.full()) error = Errno::kMfile;
  if (error == Errno::kSuccess) error = stream->Accept(connection);
  if (error == Errno::kAgain && (d->flags & fdflags::kNonblock) == 0) {
    return WaitFor(call, std::move(stream), /*write=*/false);
  }
  if (error != Errno::kSuccess) return error;
  uint32_t accepted = 0;
  error = call.system.descriptors.Add(
      std::make_unique<StreamDescriptor>(std::move(connection), d->inheriting,
                                         static_cast<uint16_t>(flags)),
      accepted);
  return error != Errno::kSuccess ? error : call.memory.Store(fd_at, accepted);
}

Result SockRecv(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                uint32_t size_at, uint32_t flags_at) {
  constexpr uint32_t kPeek = 1, kWaitAll = 2;
  if (!FitsFlags(flags, kPeek | kWaitAll)) return Errno::kInval;
  Descriptor* d;
  std::shared_ptr<Stream> stream;
  Buffers buffers;
  Errno error = GetSocket(call, fd, rights::kFdRead, d, stream);
  if (error == Errno::kSuccess) error = call.memory.LoadBuffers(buffers_at, count, buffers);
  if (error == Errno::kSuccess && call.memory.At(size_at, 4) == nullptr) error = Errno::kFault;
  if (error == Errno::kSuccess) error = call.memory.Store(flags_at, uint16_t{0});
  if (error != Errno::kSuccess) return error;
  const bool all =
      (flags & kWaitAll) != 0 && (flags & kPeek) == 0 && (d->flags & fdflags::kNonblock) == 0;
  if (!all) return Finish(call, *d, stream->Read(buffers, (flags & kPeek) != 0), false, size_at);
  // What has come is kept in the guest's buffers, and counted where it outlasts this attempt.
  if (call.pending == nullptr) return Result::Wait();
  uint64_t wanted = 0, skip = call.pending->progress;
  Buffers left;
  for (const iovec& b : buffers) {
    wanted += b.iov_len;
    if (skip >= b.iov_len) {
      skip -= b.iov_len;
      continue;
    }
    left.push_back({static_cast<uint8_t*>(b.iov_base) + skip, b.iov_len - skip});
    skip = 0;
  }
  const IoResult result = left.empty() ? IoResult{} : stream->Read(left, /*peek=*/false);
  const bool ended = !result.ok() ? result.error != Errno::kAgain : result.bytes == 0;
  if (!result.ok() && ended && call.pending->progress == 0) return result.error;
  call.pending->progress += result.bytes;
  if (!ended && call.pending->progress < wanted) return WaitFor(call, std::move(stream), false);
  return StoreSize(call, size_at, {Errno::kSuccess, call.pending->progress});
}

Result SockSend(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                uint32_t size_at) {
  if (flags != 0) return Errno::kInval;
  Descriptor* d;
  std::shared_ptr<Stream> stream;
  const Errno error = GetSocket(call, fd, rights::kFdWrite, d, stream);
  if (error != Errno::kSuccess) return error;
  return FdWrite(call, fd, buffers_at, count, size_at);
}

Result SockShutdown(Call& call, uint32_t fd, uint32_t how) {
  constexpr uint32_t kRead = 1, kWrite = 2;
  Descriptor* d;
  std::shared_ptr<Stream> stream;
  const Errno error = GetSocket(call, fd, rights::kSockShutdown, d, stream);
  if (error != Errno::kSuccess) return error;
  if (how == 0 || !FitsFlags(how, kRead | kWrite)) return Errno::kInval;
  return stream->Shutdown((how & kRead) != 0, (how & kWrite) != 0);
}

}  // namespace

void AddTransferFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<FdRead>::Make("fd_read", /*may_wait=*/true));
  table.push_back(Wrap<FdWrite>::Make("fd_write", /*may_wait=*/true));
  table.push_back(Wrap<FdPread>::Make("fd_pread"));
  table.push_back(Wrap<FdPwrite>::Make("fd_pwrite"));
  table.push_back(Wrap<SockAccept>::Make("sock_accept", /*may_wait=*/true));
  table.push_back(Wrap<SockRecv>::Make("sock_recv", /*may_wait=*/true));
  table.push_back(Wrap<SockSend>::Make("sock_send", /*may_wait=*/true));
  table.push_back(Wrap<SockShutdown>::Make("sock_shutdown"));
}

}  // namespace fermata::wasi
