// Trace values <-> the guest's.
//
// A reference of the host is known by what the trace calls it: the same trace value is the same
// reference again. Objects of the guest are bound to a number of the trace when they are first seen,
// and kept from then on. Strings are made in the store's heap, and compared by what is in them.
#ifndef FERMATA_TESTS_REPLAY_VALUES_H_
#define FERMATA_TESTS_REPLAY_VALUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fermata/dynamic.h"
#include "fermata/objects.h"
#include "tests/replay/trace.h"

namespace fermata::replay {

class ValueMap {
 public:
  // What the values are of, from now on; after a restoration, with what was kept before.
  void Attach(StoreHandle* store, DynamicInstance* instance);
  void Restored(std::vector<Kept> kept);

  // `value` may be null: JavaScript's undefined, which is 0, or NaN as a float.
  absl::StatusOr<Value> ToGuest(const TraceValue* value, ValType type);
  // Whether `value` is what the trace says; a reference seen for the first time on both sides is.
  bool Same(const Value& value, const TraceValue& expected);
  // The function that {"f": id} is bound to; 0: none.
  core::ref FunctionOf(int64_t id) const;
  // As messages have it: "i32 5".
  std::string Describe(const Value& value) const;

 private:
  static std::string Key(const TraceValue* value);
  absl::StatusOr<Value> Reference(const TraceValue* value, ValType type);
  absl::StatusOr<Value> Function(const TraceValue* value) const;
  bool SameReference(const Value& value, const TraceValue& expected);
  bool SameFunction(const Value& value, const TraceValue& expected);
  bool SameObject(const Value& value, int64_t id);

  StoreHandle* store_ = nullptr;
  DynamicInstance* instance_ = nullptr;
  std::map<std::string, uint32_t> external_;  // by key; numbers of host values 1, 2, …
  std::map<int64_t, core::ref> functions_;    // by trace reference
  std::map<int64_t, Kept> kept_;              // by trace reference
};

// As messages have it.
std::string Describe(const TraceValue& value);

}  // namespace fermata::replay

#endif  // FERMATA_TESTS_REPLAY_VALUES_H_
