// The functions of WAMR's socket extension that the guests use, with a few helpers. docs/sockets.md
// describes the ABI. A program for WAMR gets them from its lib-socket instead.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

enum { kIpv4 = 0, kStream = 1 };

typedef struct {
  u32 kind;
  u8 byte[4];
  u16 port;
  u8 more[14];  // an address of IPv6 is longer
} Address;
typedef struct {
  const void* data;
  u32 size;
} Part;
_Static_assert(sizeof(Address) == 24, "as in docs/sockets.md");

#define WASI(n) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#n))) u32 n
WASI(sock_open)(u32 pool, u32 family, u32 type, u32* fd);
WASI(sock_bind)(u32 fd, const Address* address);
WASI(sock_listen)(u32 fd, u32 backlog);
WASI(sock_accept)(u32 fd, u32 flags, u32* accepted);
WASI(sock_connect)(u32 fd, const Address* address);
WASI(sock_recv)(u32 fd, const Part* to, u32 count, u32 flags, u32* size, u16* out_flags);
WASI(sock_send)(u32 fd, const Part* from, u32 count, u32 flags, u32* size);
WASI(sock_set_reuse_addr)(u32 fd, u32 on);
WASI(fd_close)(u32 fd);
WASI(args_sizes_get)(u32* count, u32* size);
WASI(args_get)(char** argv, char* bytes);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void
proc_exit(u32 status);

// Each failure has an exit status of its own.
static void need(u32 error, u32 status) {
  if (error != 0) proc_exit(status);
}

static u32 receive(u32 fd, char* to, u32 room) {
  Part part = {to, room};
  u32 size = 0;
  u16 flags;
  return sock_recv(fd, &part, 1, 0, &size, &flags) == 0 ? size : 0;
}

static int send_all(u32 fd, const char* from, u32 size) {
  while (size != 0) {
    Part part = {from, size};
    u32 sent = 0;
    if (sock_send(fd, &part, 1, 0, &sent) != 0) return 0;
    from += sent, size -= sent;
  }
  return 1;
}

// The number that is argument `index`.
static u32 argument(u32 index) {
  static char* argv[8];
  static char bytes[256];
  u32 count = 0, size = 0;
  need(args_sizes_get(&count, &size), 90);
  if (index >= count || count > 8 || size > sizeof bytes) proc_exit(91);
  need(args_get(argv, bytes), 92);
  u32 value = 0;
  for (const char* c = argv[index]; *c >= '0' && *c <= '9'; ++c)
    value = 10 * value + (u32)(*c - '0');
  return value;
}
