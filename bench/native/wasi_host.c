/* As much of WASI preview 1 as the programs of bench/native/run need, for what wasm2c (after 1.0.32)
   has made of them: arguments, standard streams, the clock, and files below one folder for reading,
   $WASI_DIRECTORY, which the guest sees as /w. What else a module imports answers "not supported"
   (bench/native/run writes those functions). No example of how to write a host: nothing that the
   guest says is checked. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

typedef struct w2c_wasi__snapshot__preview1 {
  wasm_rt_memory_t* memory;
  int argc;
  char** argv;
} Wasi;
#define WASI(name) w2c_wasi__snapshot__preview1_##name

enum { kDirectory = 3, kBadFile = 8, kInvalid = 28, kNoEntry = 44, kIo = 29 };

static uint8_t* At(Wasi* wasi, uint32_t address) { return wasi->memory->data + address; }
static void Put32(Wasi* wasi, uint32_t address, uint32_t v) { memcpy(At(wasi, address), &v, 4); }
static void Put64(Wasi* wasi, uint32_t address, uint64_t v) { memcpy(At(wasi, address), &v, 8); }
static uint32_t Get32(Wasi* wasi, uint32_t address) {
  uint32_t v;
  memcpy(&v, At(wasi, address), 4);
  return v;
}

u32 WASI(args_sizes_get)(Wasi* wasi, u32 count, u32 bytes) {
  uint32_t size = 0;
  for (int i = 0; i < wasi->argc; ++i) size += strlen(wasi->argv[i]) + 1;
  Put32(wasi, count, wasi->argc);
  Put32(wasi, bytes, size);
  return 0;
}
u32 WASI(args_get)(Wasi* wasi, u32 pointers, u32 text) {
  for (int i = 0; i < wasi->argc; ++i) {
    Put32(wasi, pointers + 4 * i, text);
    strcpy((char*)At(wasi, text), wasi->argv[i]);
    text += strlen(wasi->argv[i]) + 1;
  }
  return 0;
}
u32 WASI(environ_sizes_get)(Wasi* wasi, u32 count, u32 bytes) {
  Put32(wasi, count, 0);
  Put32(wasi, bytes, 0);
  return 0;
}
u32 WASI(environ_get)(Wasi* wasi, u32 pointers, u32 text) {
  (void)wasi, (void)pointers, (void)text;
  return 0;
}
u32 WASI(clock_time_get)(Wasi* wasi, u32 clock, u64 precision, u32 out) {
  struct timespec now;
  (void)precision;
  clock_gettime(clock == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
  Put64(wasi, out, now.tv_sec * UINT64_C(1000000000) + now.tv_nsec);
  return 0;
}
void WASI(proc_exit)(Wasi* wasi, u32 status) {
  (void)wasi;
  exit(status);
}

static u32 Transfer(Wasi* wasi, u32 fd, u32 vectors, u32 count, u32 out,
                    ssize_t (*transfer)(int, const struct iovec*, int)) {
  struct iovec parts[16];
  if (count > 16) count = 16;
  for (u32 i = 0; i < count; ++i) {
    parts[i].iov_base = At(wasi, Get32(wasi, vectors + 8 * i));
    parts[i].iov_len = Get32(wasi, vectors + 8 * i + 4);
  }
  const ssize_t done = transfer(fd, parts, count);
  if (done < 0) return kIo;
  Put32(wasi, out, done);
  return 0;
}
u32 WASI(fd_read)(Wasi* wasi, u32 fd, u32 vectors, u32 count, u32 out) {
  return Transfer(wasi, fd, vectors, count, out, readv);
}
u32 WASI(fd_write)(Wasi* wasi, u32 fd, u32 vectors, u32 count, u32 out) {
  return Transfer(wasi, fd, vectors, count, out, writev);
}
u32 WASI(fd_close)(Wasi* wasi, u32 fd) {
  (void)wasi;
  return fd > kDirectory && close(fd) != 0 ? kBadFile : 0;
}
u32 WASI(fd_seek)(Wasi* wasi, u32 fd, u64 offset, u32 whence, u32 out) {
  const off_t at = lseek(fd, (off_t)offset, (int)whence);
  if (at < 0) return errno == ESPIPE ? 70 : kInvalid;
  Put64(wasi, out, at);
  return 0;
}
u32 WASI(fd_fdstat_get)(Wasi* wasi, u32 fd, u32 out) {
  memset(At(wasi, out), 0, 24);
  *At(wasi, out) = fd == kDirectory ? 3 : lseek(fd, 0, SEEK_CUR) >= 0 ? 4 : 2;
  Put64(wasi, out + 8, ~UINT64_C(0));
  Put64(wasi, out + 16, ~UINT64_C(0));
  return 0;
}
u32 WASI(fd_prestat_get)(Wasi* wasi, u32 fd, u32 out) {
  if (fd != kDirectory) return kBadFile;
  Put32(wasi, out, 0);
  Put32(wasi, out + 4, 2);
  return 0;
}
u32 WASI(fd_prestat_dir_name)(Wasi* wasi, u32 fd, u32 path, u32 size) {
  if (fd != kDirectory || size < 2) return kBadFile;
  memcpy(At(wasi, path), "/w", 2);
  return 0;
}
u32 WASI(path_open)(Wasi* wasi, u32 fd, u32 follow, u32 path, u32 size, u32 how, u64 rights,
                    u64 inherited, u32 flags, u32 out) {
  char name[4096];
  const char* const folder = getenv("WASI_DIRECTORY");
  (void)fd, (void)follow, (void)how, (void)rights, (void)inherited, (void)flags;
  if (folder == NULL) return kNoEntry;
  snprintf(name, sizeof name, "%s/%.*s", folder, (int)size, (const char*)At(wasi, path));
  const int file = open(name, O_RDONLY);
  if (file < 0) return kNoEntry;
  Put32(wasi, out, file);
  return 0;
}

int main(int argc, char** argv) {
  static w2c_guest guest;
  static Wasi wasi;
  wasi.argc = argc;
  wasi.argv = argv;
  /* The descriptor of the folder. */
  if (open(".", O_RDONLY) != kDirectory) return 1;
  wasm_rt_init();
  wasm2c_guest_instantiate(&guest, &wasi);
  wasi.memory = w2c_guest_memory(&guest);
  w2c_guest_0x5Fstart(&guest);
  return 0;
}
