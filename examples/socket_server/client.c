// client PORT NUMBER: says its number to the server a few times, and looks at the answers.
#include "socket.h"

void _start(void) {
  u32 fd, number = argument(2);
  Address address = {kIpv4, {127, 0, 0, 1}, (u16)argument(1), {0}};
  char said[] = "hello from 0000000000", back[sizeof said - 1];
  for (u32 i = sizeof said - 2; number != 0; --i, number /= 10) said[i] = (char)('0' + number % 10);
  need(sock_open(0, kIpv4, kStream, &fd), 11);
  need(sock_connect(fd, &address), 12);
  for (int round = 0; round < 3; ++round) {
    if (!send_all(fd, said, sizeof back)) proc_exit(13);
    for (u32 have = 0; have < sizeof back;) {
      const u32 size = receive(fd, back + have, sizeof back - have);
      if (size == 0) proc_exit(14);
      have += size;
    }
    for (u32 i = 0; i < sizeof back; ++i) {
      const char c = said[i];
      if (back[i] != (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c)) proc_exit(15);
    }
  }
  fd_close(fd);
}
