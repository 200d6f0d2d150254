#include "bench/report/hosts.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/report/figures.h"
#include "bench/report/tables.h"
#include "llvm/Support/FileSystem.h"

namespace bench {
namespace {

namespace json = llvm::json;

struct Host {
  const char* program;
  Command flags;
  struct Line {
    const char* key;
    const char* what;   // in the table
    const char* after;  // the number stands before this in what the program prints
  };
  std::vector<Line> lines;
};

const std::vector<Host>& Hosts() {
  static const auto* hosts = new std::vector<Host>{
      {"message_queue",
       {},
       {{"messages_per_second",
         "`message_queue`: messages a second, from 4 native threads through a ring to a guest that "
         "is "
         "suspended for each",
         " a second; waited"}}},
      {"coroutine_server",
       {"--demo"},
       {{"server_connections", "`coroutine_server --demo`: connections at once, two threads",
         " connections at once"},
        {"server_connections_per_second",
         "`coroutine_server --demo`: connections a second, each with a first request",
         " connections accepted"},
        {"server_requests_per_second",
         "`coroutine_server --demo`: requests a second, each with an outgoing request of its own; "
         "clients and the other server are on the same machine",
         " requests a second"}}}};
  return *hosts;
}

// The number that ends where `after` begins.
Figure NumberBefore(const std::string& text, const std::string& after) {
  const size_t end = text.find(after);
  if (end == std::string::npos) return std::nullopt;
  size_t begin = end;
  while (begin > 0 && (std::isdigit(static_cast<unsigned char>(text[begin - 1])) != 0)) --begin;
  if (begin == end) return std::nullopt;
  return std::atof(text.substr(begin, end - begin).c_str());
}

}  // namespace

json::Object MeasureHosts(const Tools& tools, bool quick) {
  json::Object figures;
  for (const Host& host : Hosts()) {
    Command command = {absl::StrCat(tools.build_dir, "/bin/", host.program)};
    if (!llvm::sys::fs::exists(command[0])) continue;
    command.insert(command.end(), host.flags.begin(), host.flags.end());
    std::fprintf(stderr, "hosts: %s\n", host.program);
    for (int round = 0; round < (quick ? 1 : 5); ++round) {
      const Ran ran = Run(command);
      if (!ran.ok()) {
        std::fprintf(stderr, "%s failed: %s\n", host.program, Tail(ran.errors).c_str());
        break;
      }
      for (const Host::Line& line : host.lines) {
        const Figure figure = NumberBefore(ran.output, line.after);
        if (!figure) continue;
        figures[line.key] = std::max(*figure, Number(&figures, line.key).value_or(0));
      }
    }
  }
  return figures;
}

std::string HostSection(const json::Object& root, Charts&) {
  const json::Object* figures = root.getObject("hosts");
  if (figures == nullptr || figures->empty()) return "";
  std::string text =
      "## Hosts\n\nThe best of five runs of the examples, which check what they get.\n\n" +
      TableHead({"", ""});
  for (const Host& host : Hosts()) {
    for (const Host::Line& line : host.lines) {
      text += TableRow({line.what, Cell(Number(figures, line.key), 0)});
    }
  }
  return text;
}

}  // namespace bench
