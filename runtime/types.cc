#include <deque>
#include <map>
#include <mutex>

#include "runtime/state.h"

namespace fermata::internal {
namespace {

struct Types {
  std::mutex mutex;
  std::map<std::vector<uint8_t>, uint32_t> numbers;
  std::deque<Signature> signatures;  // by number; stable addresses
};

Types& All() {
  static Types* types = new Types;
  return *types;
}

}  // namespace

uint32_t CanonicalType(absl::Span<const ValType> params, absl::Span<const ValType> results) {
  std::vector<uint8_t> key;
  for (ValType t : params) key.push_back(static_cast<uint8_t>(t));
  key.push_back(0);
  for (ValType t : results) key.push_back(static_cast<uint8_t>(t));
  Types& types = All();
  std::lock_guard<std::mutex> lock(types.mutex);
  auto [it, fresh] = types.numbers.try_emplace(std::move(key), types.signatures.size());
  if (fresh) {
    types.signatures.push_back({{params.begin(), params.end()}, {results.begin(), results.end()}});
  }
  return it->second;
}

const Signature& SignatureOfType(uint32_t type) {
  Types& types = All();
  std::lock_guard<std::mutex> lock(types.mutex);
  return types.signatures[type];
}

}  // namespace fermata::internal
