#include "load.h"

#include <sys/socket.h>
#include <unistd.h>

#include <vector>

void Send(int socket, uint32_t producer, uint32_t count) {
  std::vector<Message> batch;
  for (uint32_t i = 0; i < count;) {
    for (batch.clear(); batch.size() < 1000 && i < count; ++i) {
      batch.push_back({producer, i, producer ^ i});
    }
    const char* at = reinterpret_cast<const char*>(batch.data());
    for (size_t left = batch.size() * sizeof(Message); left > 0;) {
      const ssize_t sent = send(socket, at, left, MSG_NOSIGNAL);
      if (sent <= 0) return void(close(socket));
      at += sent, left -= sent;
    }
  }
  close(socket);
}
