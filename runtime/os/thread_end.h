// What is done when a thread ends.
#ifndef FERMATA_RUNTIME_OS_THREAD_END_H_
#define FERMATA_RUNTIME_OS_THREAD_END_H_

namespace fermata::internal {

// Calls end(object) when the calling thread ends. Once per thread, for the one object that each has.
// False: the system has no room for it, and `end` is never called.
bool AtThreadEnd(void (*end)(void* object), void* object);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_THREAD_END_H_
