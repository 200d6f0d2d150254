// What WASI programs do not have on Windows: files, directories and sockets of the host (docs/ports.md
// says why). Hosts that ask for them get errors that say so. WAMR's socket extension has no functions
// here, so that a guest that calls one stops on an import that nobody provides.
#include "absl/strings/str_cat.h"
#include "fermata/wasi/command.h"
#include "runtime/wasi/socket.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

absl::StatusOr<std::unique_ptr<Directory>> OpenHostDirectory(const std::string& path,
                                                             bool /*read_only*/,
                                                             bool /*use_openat2*/) {
  return absl::UnimplementedError(
      absl::StrCat("cannot open the directory ", path,
                   ": WASI programs have no directories of the host on Windows, only mounts whose "
                   "files are in the program (Mount::files)"));
}

absl::StatusOr<std::unique_ptr<Descriptor>> TakeHostDescriptor(int fd, System::Access /*access*/,
                                                               bool /*use_openat2*/) {
  auto stream = DescriptorStream(fd, /*owned=*/true);  // closes it
  if (!stream.ok()) return stream.status();
  return absl::UnimplementedError(
      absl::StrCat("descriptor ", fd, ": WASI programs have no files of the host on Windows"));
}

absl::StatusOr<std::shared_ptr<Stream>> Listen(absl::string_view address) {
  return absl::UnimplementedError(
      absl::StrCat("cannot listen on ", address, ": WASI programs have no sockets on Windows"));
}

bool IsSocketExtension(absl::string_view, absl::string_view) { return false; }

// No stream has a socket, so these are not called.
IoResult ReceiveDatagram(int, absl::Span<const iovec>, bool, NetworkAddress*, bool&) {
  return IoResult::Failed(Errno::kNotSup);
}
void PeerOf(int, NetworkAddress& peer) { peer = {}; }

}  // namespace fermata::wasi

extern "C" void fermata_wasi_sockets(std::vector<fermata::wasi::Function>*) {}
