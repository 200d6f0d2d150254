// Appends generated text: templates of real code with $0…$9 filled in.
#ifndef FERMATA_TRANSLATOR_EMIT_WRITER_H_
#define FERMATA_TRANSLATOR_EMIT_WRITER_H_

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace fermata::emit {

class Writer {
 public:
  // Appends pieces as they are.
  template <typename... Args>
  void Put(const Args&... args) {
    absl::StrAppend(&text_, args...);
  }
  // Appends `format` with $0…$9 replaced.
  template <typename... Args>
  void Emit(absl::string_view format, const Args&... args) {
    absl::SubstituteAndAppend(&text_, format, args...);
  }
  const std::string& text() const { return text_; }
  std::string& buffer() { return text_; }
  std::string Take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_WRITER_H_
