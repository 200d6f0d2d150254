// struct iovec, which POSIX has: a part of a transfer.
#ifndef FERMATA_WASI_IOVEC_H_
#define FERMATA_WASI_IOVEC_H_

#if __has_include(<sys/uio.h>)
#include <sys/uio.h>
#else
#include <stddef.h>

// Memory that is read into, or written from.
struct iovec {
  void* iov_base;
  size_t iov_len;  // bytes
};
#endif

#endif  // FERMATA_WASI_IOVEC_H_
