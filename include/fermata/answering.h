// Imports that may suspend, but are first asked for an answer on the native stack of the guest. If
// a method of the host has the answer already, that costs a call, while suspending and resuming
// takes several times as long. If it has none yet, the import becomes an op as usual, which the
// host answers by resuming.
//
//   struct Net {
//     std::optional<int32_t> Recv(int32_t fd, int32_t ptr, int32_t len);   // empty: not yet
//     bool Close(int32_t fd);                  // an import without results: false means not yet
//   };
//   fermata::Imports imports;
//   fermata::AddAnswering<&Net::Recv>(imports, "net", "recv", net);
//   auto echo = guest::Echo::Create(store, std::move(imports));
//
// Imports::AddAnswering (fermata/dynamic.h) does the same for signatures known at run time.
#ifndef FERMATA_ANSWERING_H_
#define FERMATA_ANSWERING_H_

#include <optional>
#include <type_traits>

#include "fermata/needs_cxx20.h"
#include "fermata/step.h"

namespace fermata {
namespace typed {

// std::optional<R> is an answer of type R; bool is an answer without a value.
template <class Answer>
struct AnswerType;
template <class R>
struct AnswerType<std::optional<R>> {
  using Result = R;
};
template <>
struct AnswerType<bool> {
  using Result = void;
};

template <class R>
struct TypesOf {
  static std::vector<ValType> Get() { return {Wire<R>::kType}; }
};
template <>
struct TypesOf<void> {
  static std::vector<ValType> Get() { return {}; }
};
template <class... T>
struct TypesOf<std::tuple<T...>> {
  static std::vector<ValType> Get() { return {Wire<T>::kType...}; }
};

template <class... T>
struct TypesOf<ManyResults<T...>> {
  static std::vector<ValType> Get() { return ManyResults<T...>::Types(); }
};

template <auto method>
struct AnsweringThunk;
template <class Host, class Answer, class... A, Answer (Host::*method)(A...)>
struct AnsweringThunk<method> {
  using HostType = Host;
  using R = typename AnswerType<Answer>::Result;
  using Abi = typename Results<R>::Abi;

  static Abi Call(core::Instance* base, typename Wire<A>::Abi... arguments) noexcept {
    auto* self = static_cast<AnsweringImport*>(base);
    core::Context* context = self->caller->context;
    {
      const InHost in_host(context);
      const Answer answer =
          (static_cast<Host*>(self->host)->*method)(Wire<A>::FromAbi(arguments)...);
      if (answer) {
        if constexpr (std::is_void_v<R>) {
          return;
        } else if constexpr (std::is_void_v<Abi>) {
          return StoreResults(context->results, *answer);
        } else {
          return Wire<R>::ToAbi(*answer);
        }
      }
    }
    if (self->suspend == nullptr) core::RaiseTrapIn(*context, Trap::kHost);
    using Suspend = Abi (*)(core::Instance*, typename Wire<A>::Abi...);
    return reinterpret_cast<Suspend>(self->suspend)(self->caller, arguments...);
  }

  static Signature Type() { return {{Wire<A>::kType...}, TypesOf<R>::Get()}; }
};

}  // namespace typed

// Binds the import module.name to `method` of `host`, which must outlive every instance that is
// made with `imports`. The method returns std::optional of the import's result (of a std::tuple or
// ManyResults, if there are several), or bool if the import has no result. Its parameters and
// result have the types of the op's, which instantiation checks. It must not throw. It may access
// the guest's memory, and it may make calls of guests. If the import is IMMEDIATE and the method
// has no answer, the call traps with Trap::kHost.
template <auto method>
void AddAnswering(Imports& imports, absl::string_view module, absl::string_view name,
                  typename typed::AnsweringThunk<method>::HostType& host) {
  Extern bound;
  bound.function.code = reinterpret_cast<core::AnyFunction>(&typed::AnsweringThunk<method>::Call);
  bound.answering_host = &host;
  bound.signature = typed::AnsweringThunk<method>::Type();
  imports.Add(module, name, std::move(bound));
}

}  // namespace fermata

#endif  // FERMATA_ANSWERING_H_
