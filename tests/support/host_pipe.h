// A pipe of the host's.
#ifndef FERMATA_TESTS_SUPPORT_HOST_PIPE_H_
#define FERMATA_TESTS_SUPPORT_HOST_PIPE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#if defined(_WIN32)
#include <io.h>
#endif

#include "absl/strings/string_view.h"

namespace fermata::testing_support {

class HostPipe {
 public:
  HostPipe() {
#if defined(_WIN32)
    EXPECT_EQ(_pipe(ends_, 64 * 1024, _O_BINARY | _O_NOINHERIT), 0);
#else
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
#endif
  }
  ~HostPipe() {
    CloseReader();
    CloseWriter();
  }
  HostPipe(const HostPipe&) = delete;

  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  // For somebody who closes it.
  int TakeReader() {
    const int fd = ends_[0];
    ends_[0] = -1;
    return fd;
  }
  void Write(absl::string_view bytes) const {
    EXPECT_EQ(write(ends_[1], bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  void CloseReader() { Close(ends_[0]); }
  void CloseWriter() { Close(ends_[1]); }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int ends_[2] = {-1, -1};
};

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_HOST_PIPE_H_
