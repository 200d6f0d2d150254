// Not by a thread_local object: with MinGW's threads the memory of these is freed before their
// destructors run (mingw-w64 bug 727).
#include <windows.h>

#include "runtime/os/thread_end.h"

namespace fermata::internal {
namespace {

struct End {
  void (*end)(void*);
  void* object;
};

void CALLBACK Run(void* data) {
  const auto* at_end = static_cast<End*>(data);
  if (at_end == nullptr) return;
  at_end->end(at_end->object);
  delete at_end;
}

}  // namespace

bool AtThreadEnd(void (*end)(void* object), void* object) {
  static const DWORD slot = FlsAlloc(Run);
  return slot != FLS_OUT_OF_INDEXES && FlsSetValue(slot, new End{end, object}) != 0;
}

}  // namespace fermata::internal
