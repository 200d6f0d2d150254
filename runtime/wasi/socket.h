// What is done with the host's sockets beyond what streams can do.
#ifndef FERMATA_RUNTIME_WASI_SOCKET_H_
#define FERMATA_RUNTIME_WASI_SOCKET_H_

#include "absl/types/span.h"
#include "fermata/wasi/network.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

// A socket of the guest's that has these rights, and the host's number of it. kNotSock: it is
// something else, or a socket that the host shares with others.
Errno GetHostSocket(Call& call, uint32_t fd, Rights needed, StreamDescriptor*& d, int& socket);

// Neither waits: kAgain. `from`: the sender, if it is not null. `truncated`: not all of it fitted.
IoResult ReceiveDatagram(int socket, absl::Span<const iovec> buffers, bool peek,
                         NetworkAddress* from, bool& truncated);
IoResult SendTo(int socket, absl::Span<const iovec> buffers, const NetworkAddress& to);

// The address that it is connected to; all zeros if there is none.
void PeerOf(int socket, NetworkAddress& peer);

// A guest's structures. kInval: out of bounds, as WAMR says it. kProtoNoSupport: no kind of address
// that there is.
inline constexpr uint32_t kAddressBytes = 24;
Errno LoadAddress(const Call& call, uint32_t at, NetworkAddress& address);
Errno StoreAddress(const Call& call, uint32_t at, const NetworkAddress& address);
// An address without a port, as multicast groups are given.
Errno LoadGroup(const Call& call, uint32_t at, NetworkAddress& address);

// Functions of the extension say kInval where those of preview 1 say kFault.
inline Errno AsWamr(Errno error) { return error == Errno::kFault ? Errno::kInval : error; }

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_SOCKET_H_
