// Prints <stem>.h, the header that a host includes: the guest as a C++ class with a method for each
// exported function and a struct for each import that suspends (see include/fermata/step.h).
//
// For a module that imports net.recv (suspending) and env.clock (immediate) and exports "serve":
//
//   struct EchoHost { virtual int64_t env_clock() = 0; };
//   class Echo : public fermata::typed::GuestBase {
//     struct net_recv { int32_t fd, ptr, len; using Result = int32_t; };
//     using Op = std::variant<net_recv>;
//     static absl::StatusOr<std::unique_ptr<Echo>> Create(EchoHost& host, const Limits& = {});
//     fermata::Step<int32_t, Echo> serve(int32_t n);
//     fermata::Memory memory() const;
//   };
//
// Wasm names may hold anything; those of C++ are made of their letters, digits and underscores, and
// are unique within the class. They depend on the module's own imports and exports only.
#ifndef FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_H_
#define FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_H_

#include <string>
#include <vector>

#include "translator/wasm/module.h"

namespace fermata::emit {

struct HeaderOptions {
  std::string name_space = "guest";  // may be nested: "a::b"
  std::string class_name = "Guest";
  std::string file_stem = "guest";
  std::vector<bool> immediate;    // by function import: a plain call, not an op
  std::vector<bool> may_suspend;  // by function index
  // Immediate imports of WASI's are bound by wasi::System: they are no methods of the host.
  bool wasi = false;
};

std::string EmitHostedHeader(const wasm::Module& module, const HeaderOptions& options);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_H_
