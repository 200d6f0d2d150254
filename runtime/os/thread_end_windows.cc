// Not by a thread_local object: with MinGW's threads the memory of these is freed before their
// destructors run (mingw-w64 bug 727).
#include <windows.h>

#include <new>

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
  auto* const at_end = new (std::nothrow) End{end, object};
  if (slot != FLS_OUT_OF_INDEXES && at_end != nullptr && FlsSetValue(slot, at_end) != 0)
    return true;
  delete at_end;
  return false;
}

}  // namespace fermata::internal
