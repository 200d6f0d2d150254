// The other side: the senders of the messages.
#ifndef FERMATA_EXAMPLES_MESSAGE_QUEUE_LOAD_H_
#define FERMATA_EXAMPLES_MESSAGE_QUEUE_LOAD_H_

#include <cstdint>

// As the guest has it.
struct Message {
  uint32_t producer;
  uint32_t number;  // from 0
  uint32_t check;   // producer ^ number
};

// Writes `count` messages of one producer to `socket`, or as many as it accepts, and closes it.
void Send(int socket, uint32_t producer, uint32_t count);

#endif  // FERMATA_EXAMPLES_MESSAGE_QUEUE_LOAD_H_
