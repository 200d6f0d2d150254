#include "load.h"

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

// What a client says, and what it expects to hear.
struct Exchange {
  std::string lines;
  std::string answer;
};

// Each client keeps numbers in variables of its session, changes them, and asks for what it knows.
class Script {
 public:
  Script(std::string language, uint32_t seed) : language_(std::move(language)), random_(seed) {}

  // Makes the variables; the answer says that the session is there.
  Exchange First() {
    std::string lines;
    if (language_ == "sqlite") lines = "create table v(name primary key, value integer);\n";
    for (size_t i = 0; i < values_.size(); ++i) lines += Assign(i);
    return {lines + Ask("0"), "0"};
  }

  Exchange Next() {
    const std::string lines = Assign(Random(0, values_.size() - 1));
    std::string text;
    const int64_t value = Expression(text, 3);
    return {lines + Ask(text), std::to_string(value)};
  }

 private:
  int64_t Random(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  std::string Name(size_t i) const {
    const std::string name(1, static_cast<char>('a' + i));
    return language_ == "sqlite" ? "(select value from v where name = '" + name + "')" : name;
  }
  std::string Assign(size_t i) {
    values_[i] = Random(-999, 999);
    const std::string value = std::to_string(values_[i]);
    if (language_ != "sqlite") return Name(i) + " = " + value + "\n";
    return std::string("replace into v values('") + static_cast<char>('a' + i) + "', " + value +
           ");\n";
  }
  std::string Ask(const std::string& expression) const {
    return language_ == "sqlite" ? "select " + expression + ";\n" : expression + "\n";
  }

  // Appends an expression, and returns its value: at most 1000 to the 8th, which is no overflow.
  int64_t Expression(std::string& text, int depth) {
    if (depth == 0 || Random(0, 5) == 0) {
      if (Random(0, 1) == 0) {
        const size_t i = Random(0, values_.size() - 1);
        text += Name(i);
        return values_[i];
      }
      const int64_t number = Random(0, 9);
      text += std::to_string(number);
      return number;
    }
    const char operation = "+-*"[Random(0, 2)];
    text += '(';
    const int64_t left = Expression(text, depth - 1);
    text += std::string(" ") + operation + " ";
    const int64_t right = Expression(text, depth == 3 ? 0 : depth - 1);
    text += ')';
    return operation == '+' ? left + right : operation == '-' ? left - right : left * right;
  }

  const std::string language_;
  std::mt19937 random_;
  std::array<int64_t, 5> values_{};
};

class Load {
 public:
  explicit Load(const LoadOptions& options) : options_(options) {}

  LoadResult Run() {
    const tcp::endpoint server(asio::ip::address_v4::loopback(), options_.port);
    for (int i = 0; i < options_.sessions; ++i) {
      clients_.push_back(std::make_unique<Client>(*this, i));
    }
    for (const auto& client : clients_) client->Connect(server);
    if (!Phase()) return result_;
    options_.all_started();

    const Clock::time_point start = Clock::now();
    for (const auto& client : clients_) client->Say(options_.lines);
    if (!Phase()) return result_;
    result_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    options_.all_answered();

    for (const auto& client : clients_) client->Leave();
    Phase();
    return result_;
  }

 private:
  class Client {
   public:
    Client(Load& load, int number)
        : load_(load), script_(load.options_.language, number), socket_(load.io_) {
      buffer_.reserve(4096);
    }

    void Connect(const tcp::endpoint& server) {
      socket_.async_connect(server, [this](asio::error_code error) {
        if (error) return load_.Fail("connect: " + error.message());
        socket_.set_option(tcp::no_delay(true));
        skipping_ = load_.options_.language == "lua";  // it says who it is
        Exchanged(script_.First(), 1);
      });
    }

    void Say(int lines) { Exchanged(script_.Next(), lines); }

    // Says that nothing more comes, and listens until the program has ended.
    void Leave() {
      socket_.shutdown(tcp::socket::shutdown_send);
      asio::async_read(socket_, asio::dynamic_buffer(buffer_),
                       [this](asio::error_code error, size_t) {
                         if (error != asio::error::eof)
                           return load_.Fail("no end: " + error.message());
                         load_.Done();
                       });
    }

   private:
    // Sends, hears and checks, and goes on until `left` exchanges have been made.
    void Exchanged(Exchange exchange, int left) {
      exchange_ = std::move(exchange);
      left_ = left;
      asio::async_write(socket_, asio::buffer(exchange_.lines),
                        [this](asio::error_code error, size_t) {
                          if (error) return load_.Fail("write: " + error.message());
                          Hear();
                        });
    }
    void Hear() {
      asio::async_read_until(socket_, asio::dynamic_buffer(buffer_), '\n',
                             [this](asio::error_code error, size_t size) {
                               if (error) return load_.Fail("read: " + error.message());
                               const std::string answer = buffer_.substr(0, size - 1);
                               buffer_.erase(0, size);
                               Check(answer);
                             });
    }
    void Check(const std::string& answer) {
      if (std::exchange(skipping_, false)) return Hear();
      if (answer != exchange_.answer) {
        return load_.Fail("\"" + answer + "\" is no answer to \"" + exchange_.lines + "\", \"" +
                          exchange_.answer + "\" is");
      }
      ++load_.result_.answers;
      if (left_ > 1) return Exchanged(script_.Next(), left_ - 1);
      load_.Done();
    }

    Load& load_;
    Script script_;
    tcp::socket socket_;
    std::string buffer_;
    Exchange exchange_;
    int left_ = 0;
    bool skipping_ = false;
  };

  // Until each client is done with what it was told.
  bool Phase() {
    done_ = 0;
    io_.restart();
    io_.run();
    if (result_.error.empty() && done_ != clients_.size()) result_.error = "a client fell silent";
    return result_.error.empty();
  }
  void Done() { ++done_; }
  void Fail(const std::string& error) {
    if (result_.error.empty()) result_.error = error;
    io_.stop();
  }

  const LoadOptions& options_;
  asio::io_context io_;
  std::vector<std::unique_ptr<Client>> clients_;
  size_t done_ = 0;
  LoadResult result_;
};

}  // namespace

LoadResult RunLoad(const LoadOptions& options) { return Load(options).Run(); }
