// A descriptor that one thread makes readable and another polls.
#ifndef FERMATA_RUNTIME_OS_WAKE_EVENT_H_
#define FERMATA_RUNTIME_OS_WAKE_EVENT_H_

namespace fermata::internal {

class WakeEvent {
 public:
  // Takes the descriptor.
  explicit WakeEvent(int descriptor) : descriptor_(descriptor) {}
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;

  // -1 and errno: the system has no more descriptors.
  static int Open();
  int descriptor() const { return descriptor_; }
  // Readable from now on. Called once; by any thread.
  void Signal();

 private:
  const int descriptor_;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_WAKE_EVENT_H_
