// Appends generated text: templates of real code with $0…$9 filled in.
#ifndef FERMATA_TRANSLATOR_EMIT_WRITER_H_
#define FERMATA_TRANSLATOR_EMIT_WRITER_H_

#include <charconv>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"

namespace fermata::emit {

// What can be printed: text, a character, an integer, or an object that knows how to append itself,
// `void AppendTo(std::string&) const`. Valid as long as what it was made from.
class Printable {
 public:
  // NOLINTBEGIN(google-explicit-constructor): they are the arguments of Emit
  Printable(const char* text) : text_(text) {}
  Printable(absl::string_view text) : text_(text) {}
  Printable(const std::string& text) : text_(text) {}
  template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  Printable(T number) : text_(digits_, std::to_chars(digits_, digits_ + 20, number).ptr - digits_) {
    static_assert(!std::is_same_v<T, bool> && !std::is_same_v<T, char>);
  }
  template <typename T, typename = decltype(&T::AppendTo)>
  Printable(const T& object)
      : object_(&object), append_([](const void* from, std::string& out) {
          static_cast<const T*>(from)->AppendTo(out);
        }) {}
  // NOLINTEND(google-explicit-constructor)
  Printable(const Printable&) = delete;

  void AppendTo(std::string& out) const {
    if (append_ != nullptr) {
      append_(object_, out);
    } else {
      out.append(text_.data(), text_.size());
    }
  }

 private:
  absl::string_view text_;
  const void* object_ = nullptr;
  void (*append_)(const void*, std::string&) = nullptr;
  char digits_[20];
};

class Writer {
 public:
  // Takes text as it comes, instead of a string that holds it all.
  using Output = std::function<void(absl::string_view)>;

  Writer() = default;
  explicit Writer(Output output) : output_(std::move(output)), flush_at_(kBuffer) {}
  ~Writer() { Flush(); }
  Writer(const Writer&) = delete;
  Writer(Writer&&) = default;

  // Appends pieces as they are.
  template <typename... Args>
  void Put(const Args&... args) {
    (Printable(args).AppendTo(text_), ...);
    if (text_.size() >= flush_at_) Flush();
  }
  // Appends `format` with $0…$9 replaced.
  template <typename... Args>
  void Emit(absl::string_view format, const Args&... args) {
    const Printable pieces[] = {Printable(args)..., Printable("")};
    Fill(format, pieces);
    if (text_.size() >= flush_at_) Flush();
  }
  // Hands all text to the output, if there is one.
  void Flush() {
    if (output_ == nullptr) return;
    output_(text_);
    text_.clear();
  }
  const std::string& text() const { return text_; }
  std::string& buffer() { return text_; }
  std::string Take() { return std::exchange(text_, {}); }

 private:
  static constexpr size_t kBuffer = 32 * 1024;

  void Fill(absl::string_view format, const Printable* pieces) {
    const char* from = format.data();
    const char* const end = from + format.size();
    for (const char* p = from; p != end; ++p) {
      if (*p != '$') continue;
      text_.append(from, p - from);
      pieces[*++p - '0'].AppendTo(text_);
      from = p + 1;
    }
    text_.append(from, end - from);
  }

  std::string text_;
  Output output_;
  size_t flush_at_ = static_cast<size_t>(-1);
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_WRITER_H_
