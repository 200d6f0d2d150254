// What llvm::json may find or not. LLVM's own Optional, up to version 15, and std::optional, which
// came after it, have no name for this in common.
#ifndef FERMATA_TESTS_SUPPORT_VALUE_OR_H_
#define FERMATA_TESTS_SUPPORT_VALUE_OR_H_

#include <type_traits>
#include <utility>

namespace fermata {

template <class Optional, class T>
auto ValueOr(const Optional& optional, T&& otherwise) {
  using Value = std::decay_t<decltype(*optional)>;
  return optional ? *optional : static_cast<Value>(std::forward<T>(otherwise));
}

}  // namespace fermata

#endif  // FERMATA_TESTS_SUPPORT_VALUE_OR_H_
