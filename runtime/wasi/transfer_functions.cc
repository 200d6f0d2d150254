// fd_read, fd_write, fd_pread, fd_pwrite and sock_*: what moves bytes, and may have to wait.
#include <algorithm>
#include <limits>

#include "runtime/wasi/socket.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

Result WaitFor(Call& call, std::shared_ptr<Stream> stream, bool write) {
  if (call.pending != nullptr) call.pending->wait.sources.push_back({std::move(stream), write});
  return Result::Wait();
}

Result WaitFor(Call& call, StreamDescriptor& d, bool write, Errno late) {
  const uint64_t timeout = write ? d.socket.send_timeout : d.socket.receive_timeout;
  if (timeout != 0 && call.pending != nullptr) {
    // It ends at the same time however often the call is tried.
    std::vector<uint64_t>& deadlines = call.pending->deadlines;
    const uint64_t now = HostMonotonic(), most = std::numeric_limits<uint64_t>::max();
    if (deadlines.empty()) {
      const uint64_t ns = timeout > most / 1000 ? most : timeout * 1000;
      deadlines.push_back(now + std::min(ns, most - now));
    }
    if (now >= deadlines[0]) return late;
    call.pending->wait.deadline = deadlines[0];
  }
  return WaitFor(call, d.stream(), write);
}

namespace {

Errno StoreSize(const Call& call, uint32_t to, const IoResult& result) {
  return result.ok() ? call.memory.Store(to, static_cast<uint32_t>(result.bytes)) : result.error;
}

// A transfer came to `result`: waits if it must and the guest has not said that it won't.
Result Finish(Call& call, Descriptor& d, const IoResult& result, bool write, uint32_t size_at) {
  if (result.error == Errno::kAgain && (d.flags & fdflags::kNonblock) == 0 &&
      d.stream() != nullptr) {
    return WaitFor(call, static_cast<StreamDescriptor&>(d), write);
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
Errno GetSocket(Call& call, uint32_t fd, Rights needed, StreamDescriptor*& d,
                std::shared_ptr<Stream>& stream) {
  Descriptor* any;
  const Errno error = call.system.descriptors.Get(fd, needed, any);
  if (error != Errno::kSuccess) return error;
  stream = any->stream();
  if (stream == nullptr) return Errno::kNotSock;
  d = static_cast<StreamDescriptor*>(any);
  return Errno::kSuccess;
}

Result SockAccept(Call& call, uint32_t fd, uint32_t flags, uint32_t fd_at) {
  if (!FitsFlags(flags, fdflags::kNonblock)) return Errno::kInval;
  StreamDescriptor* d = nullptr;
  std::shared_ptr<Stream> stream, connection;
  Errno error = GetSocket(call, fd, rights::kSockAccept, d, stream);
  if (error == Errno::kSuccess && call.memory.At(fd_at, 4) == nullptr) error = Errno::kFault;
  if (error == Errno::kSuccess && call.system.descriptors.full()) error = Errno::kMfile;
  if (error == Errno::kSuccess) error = stream->Accept(connection);
  if (error == Errno::kAgain && (d->flags & fdflags::kNonblock) == 0) {
    return WaitFor(call, *d, /*write=*/false);
  }
  if (error != Errno::kSuccess) return error;
  auto made = std::make_unique<StreamDescriptor>(std::move(connection), d->inheriting,
                                                 static_cast<uint16_t>(flags));
  made->socket = d->socket;  // timeouts are passed on, as the system does
  uint32_t accepted = 0;
  error = call.system.descriptors.Add(std::move(made), accepted);
  return error != Errno::kSuccess ? error : call.memory.Store(fd_at, accepted);
}

// Fills the buffers, over several attempts if need be. What has come is kept in the guest's
// buffers, and counted where it outlasts this attempt.
Result ReceiveAll(Call& call, StreamDescriptor& d, const Buffers& buffers, uint32_t size_at) {
  if (call.pending == nullptr) return Result::Wait();
  uint64_t wanted = 0, skip = call.pending->progress;
  Buffers left;
  for (const iovec& b : buffers) {
    wanted += b.iov_len;
    if (skip >= b.iov_len) {
      skip -= b.iov_len;
      continue;
    }
    const size_t rest = b.iov_len - static_cast<size_t>(skip);
    left.push_back({static_cast<uint8_t*>(b.iov_base) + skip, rest});
    skip = 0;
  }
  const IoResult result = left.empty() ? IoResult{} : d.stream()->Read(left, /*peek=*/false);
  uint64_t& progress = call.pending->progress;
  const bool ended = !result.ok() ? result.error != Errno::kAgain : result.bytes == 0;
  if (!result.ok() && ended && progress == 0) return result.error;
  progress += result.bytes;
  if (!ended && progress < wanted) {
    const Result waits = WaitFor(call, d, /*write=*/false);
    if (waits.kind == Result::kWait || progress == 0) return waits;
  }
  return StoreSize(call, size_at, {Errno::kSuccess, progress});
}

}  // namespace

Result Receive(Call& call, StreamDescriptor& d, const Buffers& buffers, uint32_t flags,
               uint32_t size_at, NetworkAddress* from, bool& truncated) {
  const bool peek = (flags & kReceivePeek) != 0;
  const bool all = (flags & kReceiveAll) != 0 && !peek && (d.flags & fdflags::kNonblock) == 0;
  const std::shared_ptr<Stream> stream = d.stream();
  const int socket = stream->native_socket();
  if (socket >= 0 && d.type() == FileType::kSocketDgram) {
    return Finish(call, d, ReceiveDatagram(socket, buffers, peek, from, truncated),
                  /*write=*/false, size_at);
  }
  const Result result = all ? ReceiveAll(call, d, buffers, size_at)
                            : Finish(call, d, stream->Read(buffers, peek), false, size_at);
  if (result.kind == Result::kDone && from != nullptr) PeerOf(socket, *from);
  return result;
}

namespace {

Result SockRecv(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                uint32_t size_at, uint32_t flags_at) {
  if (!FitsFlags(flags, kReceiveFlags)) return Errno::kInval;
  StreamDescriptor* d;
  std::shared_ptr<Stream> stream;
  Buffers buffers;
  Errno error = GetSocket(call, fd, rights::kFdRead, d, stream);
  if (error == Errno::kSuccess) error = call.memory.LoadBuffers(buffers_at, count, buffers);
  if (error == Errno::kSuccess && call.memory.At(size_at, 4) == nullptr) error = Errno::kFault;
  if (error == Errno::kSuccess) error = call.memory.Store(flags_at, uint16_t{0});
  if (error != Errno::kSuccess) return error;
  bool truncated = false;
  const Result result = Receive(call, *d, buffers, flags, size_at, nullptr, truncated);
  if (truncated) call.memory.Store(flags_at, uint16_t{1});
  return result;
}

Result SockSend(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                uint32_t size_at) {
  if (flags != 0) return Errno::kInval;
  StreamDescriptor* d;
  std::shared_ptr<Stream> stream;
  const Errno error = GetSocket(call, fd, rights::kFdWrite, d, stream);
  if (error != Errno::kSuccess) return error;
  return FdWrite(call, fd, buffers_at, count, size_at);
}

Result SockShutdown(Call& call, uint32_t fd, uint32_t how) {
  constexpr uint32_t kRead = 1, kWrite = 2;
  StreamDescriptor* d;
  std::shared_ptr<Stream> stream;
  const Errno error = GetSocket(call, fd, rights::kSockShutdown, d, stream);
  if (error != Errno::kSuccess) return error;
  // As WAMR does, whatever `how` is: guests that open sockets themselves are written for it.
  if (d->socket.opened_by_guest) return stream->Shutdown(/*read=*/true, /*write=*/true);
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
