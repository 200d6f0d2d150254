// server PORT CONNECTIONS: a TCP server in plain blocking C. It sends back what each client says,
// in capital letters, one client after the other.
#include "socket.h"

static void serve(u32 fd) {
  char buffer[256];
  for (u32 size; (size = receive(fd, buffer, sizeof buffer)) != 0;) {
    for (u32 i = 0; i < size; ++i) {
      if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] = (char)(buffer[i] - 'a' + 'A');
    }
    if (!send_all(fd, buffer, size)) return;
  }
}

void _start(void) {
  u32 listener, connections = argument(2);
  Address address = {kIpv4, {127, 0, 0, 1}, (u16)argument(1), {0}};
  need(sock_open(0, kIpv4, kStream, &listener), 1);
  need(sock_set_reuse_addr(listener, 1), 2);
  need(sock_bind(listener, &address), 3);
  need(sock_listen(listener, 128), 4);
  for (u32 i = 0; i < connections; ++i) {
    u32 fd;
    need(sock_accept(listener, 0, &fd), 5);
    serve(fd);
    fd_close(fd);
  }
}
