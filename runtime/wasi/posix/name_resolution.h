// Resolves names without blocking the thread that asks.
//
// Systems' resolvers block, for seconds if a server does not answer. They are called on helper
// threads, of which a process has a few, whatever its guests ask for; more questions queue up.
// Whoever asks gets a stream that becomes readable when the answer is there, so that the question
// is waited for as everything else is. What thread and asker share belongs to both: a question that
// nobody waits for any more is dropped, or answered to nobody if it is being asked already.
#ifndef FERMATA_RUNTIME_WASI_POSIX_NAME_RESOLUTION_H_
#define FERMATA_RUNTIME_WASI_POSIX_NAME_RESOLUTION_H_

#include <memory>
#include <vector>

#include "fermata/wasi/network.h"
#include "fermata/wasi/stream.h"

namespace fermata::wasi {

// Threads that resolve names, in the whole process.
inline constexpr int kMostResolverThreads = 8;

// The system's resolver, getaddrinfo(3).
Errno ResolveBySystem(const NameQuery& query, std::vector<ResolvedName>& found);

// Addresses in writing and port numbers need no resolver, and nothing that could block: true if
// `query` is such a one, with what it comes to. Else `is_literal` says whether at least the host
// is.
bool ResolveLiteral(const NameQuery& query, std::vector<ResolvedName>& found, bool& is_literal);

// A question that has been asked. Readable from when it is answered.
class NameLookup : public Stream {
 public:
  // Null: there are no more descriptors, no memory or no thread; `error` says which.
  static std::shared_ptr<NameLookup> Start(NameQuery query, NameResolver resolver, Errno& error);
  ~NameLookup() override;

  // Once CanRead().
  Errno error() const;
  const std::vector<ResolvedName>& found() const;

  bool CanRead() override;
  bool CanWrite() override { return false; }
  int native_handle() const override;

  struct Question;

 private:
  explicit NameLookup(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  std::shared_ptr<Question> question_;
};

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_NAME_RESOLUTION_H_
