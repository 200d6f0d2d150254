// WAMR's socket extension: sock_addr_resolve.
#include <algorithm>

#include "runtime/wasi/posix/host_address.h"
#include "runtime/wasi/posix/name_resolution.h"
#include "runtime/wasi/socket.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

constexpr uint32_t kInfoBytes = kAddressBytes + 4, kHintBytes = 12;

// A string that ends with a NUL. kInval: it does not, before memory does. kNameTooLong: not soon.
Errno LoadText(const Call& call, uint32_t at, std::string& text) {
  constexpr uint32_t kMost = 1024;
  text.clear();
  for (uint32_t i = 0; i <= kMost; ++i) {
    const uint8_t* c = at > ~0u - i ? nullptr : call.memory.At(at + i, 1);
    if (c == nullptr) return Errno::kInval;
    if (*c == 0) return Errno::kSuccess;
    text.push_back(static_cast<char>(*c));
  }
  return Errno::kNameTooLong;
}

Errno LoadHints(const Call& call, uint32_t at, NameQuery& query) {
  constexpr uint32_t kAnyType = ~0u, kAnyFamily = 2;
  const uint8_t* hints = call.memory.At(at, kHintBytes);
  if (hints == nullptr) return Errno::kInval;
  if (hints[8] == 0) return Errno::kSuccess;
  const uint32_t type = LoadLittle<uint32_t>(hints), family = LoadLittle<uint32_t>(hints + 4);
  if ((type > 1 && type != kAnyType) || family > kAnyFamily) return Errno::kInval;
  if (type != kAnyType) query.datagram = type == 0;
  if (family != kAnyFamily) query.family = family == 0 ? Family::kIpv4 : Family::kIpv6;
  return Errno::kSuccess;
}

// Looks at the question before it is asked: whether it may be, and whether it answers itself.
Errno Check(const Call& call, const NameQuery& query, std::vector<ResolvedName>& found,
            bool& answered, bool& is_literal) {
  const NetworkPolicy& network = call.system.config.network;
  answered = ResolveLiteral(query, found, is_literal);
  if (is_literal) {
    const bool allowed = std::all_of(found.begin(), found.end(), [&](const ResolvedName& f) {
      return network.AllowsLiteral(f.address);
    });
    return allowed ? Errno::kSuccess : Errno::kAcces;
  }
  if (!IsHostName(query.host)) return Errno::kInval;
  return network.AllowsName(query.host) ? Errno::kSuccess : Errno::kAcces;
}

Result Store(const Call& call, const std::vector<ResolvedName>& found, uint32_t infos_at,
             uint32_t room, uint32_t found_at) {
  const uint32_t count = static_cast<uint32_t>(found.size());
  for (uint32_t i = 0; i < std::min(count, room); ++i) {
    const uint32_t at = infos_at + i * kInfoBytes;
    StoreAddress(call, at, found[i].address);
    call.memory.Store(at + kAddressBytes, uint32_t{!found[i].datagram});
  }
  return call.memory.Store(found_at, count);
}

Result SockAddrResolve(Call& call, uint32_t host_at, uint32_t service_at, uint32_t hints_at,
                       uint32_t infos_at, uint32_t room, uint32_t found_at) {
  if (call.memory.At(infos_at, uint64_t{room} * kInfoBytes) == nullptr ||
      call.memory.At(found_at, 4) == nullptr) {
    return Errno::kInval;
  }
  // A question that has been asked stays with the call, whatever becomes of the guest's strings.
  if (call.pending == nullptr || call.pending->operation == nullptr) {
    NameQuery query;
    std::vector<ResolvedName> found;
    bool answered = false, is_literal = false;
    Errno error = LoadText(call, host_at, query.host);
    if (error == Errno::kSuccess) error = LoadText(call, service_at, query.service);
    if (error == Errno::kSuccess) error = LoadHints(call, hints_at, query);
    if (error == Errno::kSuccess) error = Check(call, query, found, answered, is_literal);
    if (error != Errno::kSuccess) return error;
    if (answered) return Store(call, found, infos_at, room, found_at);
    if (call.pending == nullptr) return Result::Wait();
    const NameResolver& resolver = call.system.config.resolve_name;
    call.pending->operation = NameLookup::Start(
        std::move(query), is_literal || resolver == nullptr ? ResolveBySystem : resolver, error);
    if (call.pending->operation == nullptr) return error;
  }
  const auto lookup = std::static_pointer_cast<NameLookup>(call.pending->operation);
  if (!lookup->CanRead()) return WaitFor(call, lookup, /*write=*/false);
  if (lookup->error() != Errno::kSuccess) return lookup->error();
  return Store(call, lookup->found(), infos_at, room, found_at);
}

}  // namespace

void AddNameFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<SockAddrResolve>::Make("sock_addr_resolve", /*may_wait=*/true));
}

}  // namespace fermata::wasi
