#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

using guest::Echo;

Server::Server(Echo& echo) : echo_(echo), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Server::~Server() {
  parked_.clear();  // cancels what is left: frames are dropped, no guest code runs
  for (int fd : open_) close(fd);
  if (listener_ >= 0) close(listener_);
  if (epoll_ >= 0) close(epoll_);
}

uint16_t Server::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, generic, size) != 0 || listen(listener_, 4096) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    return 0;
  }
  Watch(listener_, EPOLLIN);
  return ntohs(address.sin_port);
}

Figures Server::Run(int stop) {
  Watch(stop, EPOLLIN);
  ready_.push_back(echo_.listen());
  epoll_event events[256];
  while (figures_.error.empty()) {
    for (; !ready_.empty(); ready_.pop_front()) Drive(std::move(ready_.front()));
    if (stopping_ && parked_.empty()) break;
    const int count = epoll_wait(epoll_, events, std::size(events), -1);
    if (count < 0 && errno != EINTR) figures_.error = std::strerror(errno);
    for (int i = 0; i < count; ++i) {
      stopping_ |= events[i].data.fd == stop;
      Wake(events[i].data.fd == stop ? listener_ : events[i].data.fd);
    }
  }
  return figures_;
}

// Runs a call until it has finished or has to wait.
void Server::Drive(Step step) {
  while (step.suspended()) {
    ++figures_.suspensions;
    if (!TryOnce(step)) return Park(std::move(step));
  }
  if (step.trapped() && figures_.error.empty()) figures_.error = step.message();
}

// Tries the op that the call is suspended on, and resumes the call if it succeeded.
bool Server::TryOnce(Step& step) {
  const Echo::Op op = step.op();
  return std::visit(
      [&]<class T>(const T& o) {
        const Answer answer = Try(o);
        return answer && step.Resume<T>(*answer).ok();
      },
      op);
}

void Server::Park(Step step) {
  parked_bytes_ += step.frame_bytes();
  parked_.insert_or_assign(waits_for_, std::move(step));
  if (parked_.size() > figures_.most_parked) {
    figures_.most_parked = parked_.size();
    figures_.frame_bytes_then = parked_bytes_;
  }
}

void Server::Wake(int fd) {
  auto parked = parked_.extract(fd);
  if (parked.empty()) return;
  parked_bytes_ -= parked.mapped().frame_bytes();
  if (!TryOnce(parked.mapped())) return Park(std::move(parked.mapped()));
  Drive(std::move(parked.mapped()));
}

// Edge-triggered: an op is always tried before its call is parked, so no edge is lost.
void Server::Watch(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) figures_.error = std::strerror(errno);
}

Server::Answer Server::Result(int fd, ssize_t result) {
  if (result >= 0) return static_cast<int32_t>(result);
  if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
  waits_for_ = fd;
  return std::nullopt;
}

Server::Answer Server::Accepted(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  open_.insert(fd);
  Watch(fd, EPOLLIN | EPOLLOUT);
  ++figures_.connections;
  return fd;
}

Server::Answer Server::Try(const Echo::net_accept&) {
  if (stopping_) return -1;
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd >= 0 ? Accepted(fd) : Result(listener_, fd);
}

Server::Answer Server::Try(const Echo::net_recv& op) {
  const auto [fd, address, capacity] = op;
  const auto to = echo_.memory().Span(static_cast<uint32_t>(address), capacity);
  if (!open_.contains(fd) || to.data() == nullptr) return -1;
  return Result(fd, recv(fd, to.data(), to.size(), 0));
}

Server::Answer Server::Try(const Echo::net_send& op) {
  const auto [fd, address, count] = op;
  const auto from = echo_.memory().Span(static_cast<uint32_t>(address), count);
  if (!open_.contains(fd) || from.data() == nullptr) return -1;
  return Result(fd, send(fd, from.data(), from.size(), MSG_NOSIGNAL));
}

Server::Answer Server::Try(const Echo::net_close& op) {
  const auto [fd] = op;
  return open_.erase(fd) == 1 ? close(fd) : -1;
}

// The new call runs when this one waits: two calls of one guest take turns, never at the same time.
Server::Answer Server::Try(const Echo::task_start& op) {
  const auto [fd] = op;
  ready_.push_back(echo_.serve(fd));
  return 0;
}

Server::Answer Server::Try(const Echo::bench_pause& op) {
  const auto [value] = op;
  return value + 1;
}
