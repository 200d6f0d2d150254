// Guest::Op: the op on which a call is suspended, one of those of its guest.
//
// Usually it is a std::variant of the ops. Compilers do not accept a std::variant of more than some
// hundred types, so the Op of a guest with more than 256 imports that suspend is an Ops. Namespace
// fermata has the functions for it that namespace std has for variants: get, get_if,
// holds_alternative and visit. Step::op_if<T>(), Step::Answer and what is built on them
// (fermata/coroutine.h, fermata/asio.h) work with both.
//
// Nothing here is recursive in the number of ops.
#ifndef FERMATA_OPS_H_
#define FERMATA_OPS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

#include "fermata/needs_cxx20.h"

namespace fermata {

// One of the ops T… of `Guest`. Ops are plain structs of numbers, and so is this. The ops in
// generated headers name their guest and their number: `Guest_`, `kOp_`.
template <class Guest, class... T>
class Ops {
 public:
  template <class U>
  static constexpr bool kHas = requires {
    U::kOp_;
    requires std::is_same_v<typename U::Guest_, Guest>;
  };

  template <class U>
  requires kHas<U> Ops(std::in_place_type_t<U>, const U& op) : index_(U::kOp_) {
    static_assert(std::is_trivially_copyable_v<U> && std::is_trivially_destructible_v<U>);
    ::new (static_cast<void*>(room_)) U(op);
  }

  // Which of T… it is.
  size_t index() const { return index_; }
  // The op as a U, which it must be. get_if and get check that first.
  template <class U>
  const U& As() const {
    return *std::launder(reinterpret_cast<const U*>(room_));
  }

 private:
  alignas(T...) unsigned char room_[std::max({sizeof(T)...})];
  uint32_t index_;
};

// Whether the call is suspended on op U.
template <class U, class Guest, class... T>
requires Ops<Guest, T...>::template kHas<U> bool holds_alternative(const Ops<Guest, T...>& op) {
  return op.index() == U::kOp_;
}

// Null if the op is another one.
template <class U, class Guest, class... T>
requires Ops<Guest, T...>::template kHas<U> const U* get_if(const Ops<Guest, T...>* op) {
  return op != nullptr && op->index() == U::kOp_ ? &op->template As<U>() : nullptr;
}

// If the op is another one, the process ends with a message.
template <class U, class Guest, class... T>
requires Ops<Guest, T...>::template kHas<U> const U& get(const Ops<Guest, T...>& op) {
  if (op.index() != U::kOp_) {
    std::fputs("fermata: get() of an op on which the call is not suspended\n", stderr);
    std::abort();
  }
  return op.template As<U>();
}

// Implementation details, not part of the API.
namespace typed {

template <class Returned, class F, class U, class Op>
Returned CallWithOp(F& f, const Op& op) {
  return f(op.template As<U>());
}

constexpr bool AllOf(std::initializer_list<bool> values) {
  for (bool value : values) {
    if (!value) return false;
  }
  return true;
}

// The ops of an Op, as arguments.
template <class... T>
struct OpList {};
template <class Op>
struct OpListOfType;
template <class... T>
struct OpListOfType<std::variant<T...>> : std::type_identity<OpList<T...>> {};
template <>
struct OpListOfType<std::variant<std::monostate>> : std::type_identity<OpList<>> {};
template <class Guest, class... T>
struct OpListOfType<Ops<Guest, T...>> : std::type_identity<OpList<T...>> {};
template <class Op>
using OpListOf = typename OpListOfType<Op>::type;

template <class T, class Op>
struct IsOneOf : std::false_type {};
template <class T, class... U>
struct IsOneOf<T, std::variant<U...>> : std::bool_constant<!AllOf({!std::is_same_v<T, U>...})> {};
template <class T, class Guest, class... U>
struct IsOneOf<T, Ops<Guest, U...>> : std::bool_constant<Ops<Guest, U...>::template kHas<T>> {};
template <class T, class Op>
concept OneOf = IsOneOf<T, Op>::value;

}  // namespace typed

// Calls `f` with the op and returns what it returns, which has the same type for all ops.
template <class F, class Guest, class First, class... Rest>
decltype(auto) visit(F&& f, const Ops<Guest, First, Rest...>& op) {
  using Op = Ops<Guest, First, Rest...>;
  using Function = std::remove_reference_t<F>;
  using Returned = std::invoke_result_t<Function&, const First&>;
  using Call = Returned (*)(Function&, const Op&);
  static constexpr Call kCalls[] = {&typed::CallWithOp<Returned, Function, First, Op>,
                                    &typed::CallWithOp<Returned, Function, Rest, Op>...};
  return kCalls[op.index()](f, op);
}

namespace typed {

// For both kinds of Op.
template <class T, class Op>
const T* OpIf(const Op& op) {
  using std::get_if;
  return get_if<T>(&op);
}
template <class F, class Op>
decltype(auto) VisitOp(F&& f, const Op& op) {
  using std::visit;
  return visit(std::forward<F>(f), op);
}

}  // namespace typed
}  // namespace fermata

#endif  // FERMATA_OPS_H_
