#include "load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

namespace {

constexpr char kAnyNumber[] = "(a number)";

struct Client {
  int fd = -1;
  int left = 0;                      // requests to be made
  std::string out;                   // not sent yet
  std::string in;                    // received, no whole line yet
  std::deque<std::string> expected;  // replies to come
  bool bye = false;                  // QUIT was sent
};

class Load {
 public:
  Load(uint16_t port, int requests) : port_(port), requests_(requests) {}
  ~Load() {
    for (Client& client : clients_) Close(client);
    if (epoll_ >= 0) close(epoll_);
  }

  LoadResult Run(int connections) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    clients_.resize(connections);
    for (Client& client : clients_) {
      if (!Connect(client)) return result_;
    }
    const auto start = std::chrono::steady_clock::now();
    for (Client& client : clients_) Ask(client);
    while (open_ > 0 && result_.error.empty()) Turn();
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result_;
  }

 private:
  int Random(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  void Fail(const std::string& error) {
    if (result_.error.empty()) result_.error = error;
  }

  bool Connect(Client& client) {
    client.left = requests_;
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = &client - clients_.data();
    if (client.fd < 0 ||
        connect(client.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event) != 0) {
      Fail(std::string("cannot connect: ") + std::strerror(errno));
      return false;
    }
    ++open_;
    return true;
  }

  void Close(Client& client) {
    if (client.fd >= 0) close(client.fd);
    client.fd = -1;
  }

  // Sends what is due, piece by piece, and reads what has come.
  void Turn() {
    std::vector<Client*> sending;
    sending.swap(sending_);
    for (Client* client : sending) Send(*client);
    epoll_event events[256];
    const int count = epoll_wait(epoll_, events, std::size(events), sending_.empty() ? 10000 : 0);
    if (count == 0 && sending_.empty()) Fail("no reply for ten seconds");
    for (int i = 0; i < count; ++i) Receive(clients_[events[i].data.u64]);
  }

  // All of it, or a piece of random length: the rest is then due in the next turn.
  void Send(Client& client) {
    const int size = static_cast<int>(client.out.size());
    const size_t count = Random(0, 1) == 0 ? size : Random(1, size);
    const ssize_t sent = send(client.fd, client.out.data(), count, MSG_NOSIGNAL);
    if (sent < 0) return Fail(std::string("send: ") + std::strerror(errno));
    client.out.erase(0, sent);
    if (!client.out.empty()) sending_.push_back(&client);
  }

  void Receive(Client& client) {
    char buffer[4096];
    const ssize_t count = recv(client.fd, buffer, sizeof buffer, 0);
    if (count <= 0) {
      if (count < 0 || !client.expected.empty() || !client.bye) Fail("a connection was closed");
      Close(client);
      --open_;
      return;
    }
    client.in.append(buffer, count);
    size_t start = 0;
    for (size_t end; (end = client.in.find('\n', start)) != std::string::npos; start = end + 1) {
      Check(client, client.in.substr(start, end - start));
    }
    client.in.erase(0, start);
    if (client.expected.empty() && !client.bye) Ask(client);
  }

  void Check(Client& client, const std::string& reply) {
    const std::string wanted = client.expected.empty() ? "(nothing)" : client.expected.front();
    if (!client.expected.empty()) client.expected.pop_front();
    const bool number = !reply.empty() && std::all_of(reply.begin(), reply.end(), [](char c) {
      return std::isdigit(static_cast<unsigned char>(c));
    });
    if (reply == wanted || (wanted == kAnyNumber && number)) {
      ++result_.requests;
    } else {
      ++result_.wrong;
      Fail("got \"" + reply + "\" for \"" + wanted + "\"");
    }
  }

  // The next lines of this connection.
  void Ask(Client& client) {
    const int lines = std::min(client.left, Random(1, 4));
    for (int i = 0; i < lines; ++i) AskOne(client);
    client.left -= lines;
    if (lines == 0) {
      client.out += "QUIT\n";
      client.expected.push_back("bye");
      client.bye = true;
    }
    sending_.push_back(&client);
  }

  void AskOne(Client& client) {
    std::string text;
    for (int i = Random(0, 40); i > 0; --i) text.push_back(static_cast<char>(Random(' ', '~')));
    switch (Random(0, 4)) {
      case 0:
        return Expect(client, "ECHO " + text, text);
      case 1: {
        std::string upper = text;
        for (char& c : upper) {
          if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        }
        return Expect(client, "UPPER " + text, upper);
      }
      case 2: {
        uint32_t hash = 2166136261u;
        for (unsigned char c : text) hash = (hash ^ c) * 16777619u;
        char hex[9];
        std::snprintf(hex, sizeof hex, "%08x", hash);
        return Expect(client, "HASH " + text, hex);
      }
      case 3: {
        const int64_t a = Random(-1000000000, 1000000000), b = Random(-1000000000, 1000000000);
        return Expect(client, "ADD " + std::to_string(a) + " " + std::to_string(b),
                      std::to_string(a + b));
      }
      default:
        return Expect(client, "STAT", kAnyNumber);
    }
  }

  void Expect(Client& client, const std::string& line, const std::string& reply) {
    client.out += line + "\n";
    client.expected.push_back(reply);
  }

  const uint16_t port_;
  const int requests_;
  int epoll_ = -1;
  int open_ = 0;
  std::mt19937 random_{1};
  std::vector<Client> clients_;
  std::vector<Client*> sending_;
  LoadResult result_;
};

}  // namespace

LoadResult RunLoad(uint16_t port, int connections, int requests) {
  return Load(port, requests).Run(connections);
}
