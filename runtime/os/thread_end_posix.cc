#include "runtime/os/thread_end.h"

namespace fermata::internal {
namespace {

struct End {
  ~End() {
    if (end != nullptr) end(object);
  }
  void (*end)(void*) = nullptr;
  void* object = nullptr;
};

}  // namespace

bool AtThreadEnd(void (*end)(void* object), void* object) {
  thread_local End at_end;
  at_end.end = end;
  at_end.object = object;
  return true;
}

}  // namespace fermata::internal
