// Takes messages one after the other, as a program with a thread of its own would: it asks for the
// next one and gets it. It counts the messages of each producer, and those that are wrong.

#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

struct Message {
  unsigned producer;
  unsigned number;  // counted by the producer, from 0
  unsigned check;   // producer ^ number
};

// Waits for a message. Returns its size in bytes, or 0 if there will be no more.
IMPORT("queue", "wait_message") int wait_message(struct Message* to, int capacity);

enum { kProducers = 64 };

static struct Message message;
static unsigned received[kProducers];
static unsigned wrong;

static void handle(const struct Message* m) {
  if (m->producer >= kProducers || m->check != (m->producer ^ m->number)) {
    ++wrong;
  } else if (m->number != received[m->producer]++) {
    ++wrong;  // lost, duplicated or out of order
  }
}

// Handles messages until there are no more. Returns how many there were.
EXPORT("run") int run(void) {
  int count = 0;
  while (wait_message(&message, sizeof message) == sizeof message) {
    handle(&message);
    ++count;
  }
  return count;
}

EXPORT("received_from") unsigned received_from(unsigned producer) {
  return producer < kProducers ? received[producer] : 0;
}
EXPORT("wrong_messages") unsigned wrong_messages(void) { return wrong; }
