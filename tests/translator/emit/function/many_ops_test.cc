// Guests with more imports, parameters and results than std::variant and std::tuple take: what the
// typed API has in their place (fermata/ops.h, fermata/wire.h), and that generated headers compile.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/coroutine.h"
#include "fermata/step.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

constexpr size_t kOps = 600;

// A guest's class and its ops as in a generated header, and a step that is suspended on one.
struct Guest;
template <size_t i>
struct Numbered {
  int32_t a0;
  using Result = int32_t;
  static constexpr const char* kImport = "h.f";
  using Guest_ = Guest;
  static constexpr uint32_t kOp_ = i;
};
template <class Numbers>
struct OpsOf;
template <size_t... i>
struct OpsOf<std::index_sequence<i...>> : std::type_identity<Ops<Guest, Numbered<i>...>> {};
struct Guest {
  using Op = OpsOf<std::make_index_sequence<kOps>>::type;
};
struct Foreign {
  static constexpr uint32_t kOp_ = 0;
  using Guest_ = int;
};

class Suspended {
 public:
  using Op = Guest::Op;
  explicit Suspended(Op op) : op_(op) {}
  const Op& op() const { return op_; }
  template <class T>
  absl::Status Resume(int32_t result) {
    if (!holds_alternative<T>(op_)) return absl::InvalidArgumentError("another op");
    answer_ = result;
    return absl::OkStatus();
  }
  int32_t answer() const { return answer_; }

 private:
  Op op_;
  int32_t answer_ = -1;
};

template <size_t i>
Guest::Op Op(int32_t value) {
  return Guest::Op(std::in_place_type<Numbered<i>>, Numbered<i>{value});
}

TEST(Ops, AreUsedLikeVariants) {
  const Guest::Op op = Op<599>(7);
  EXPECT_EQ(op.index(), 599u);
  EXPECT_TRUE(holds_alternative<Numbered<599>>(op));
  EXPECT_FALSE(holds_alternative<Numbered<0>>(op));
  EXPECT_EQ(fermata::get<Numbered<599>>(op).a0, 7);
  EXPECT_EQ(fermata::get_if<Numbered<1>>(&op), nullptr);
  EXPECT_EQ(typed::OpIf<Numbered<599>>(op)->a0, 7);
  EXPECT_DEATH(fermata::get<Numbered<3>>(op),
               "get\\(\\) of an op on which the call is not suspended");
  const auto number = [](const auto& o) -> uint32_t { return o.kOp_ * 1000 + o.a0; };
  EXPECT_EQ(visit(number, op), 599007u);
  EXPECT_EQ(visit(number, Op<0>(1)), 1u);
  static_assert(typed::OneOf<Numbered<5>, Guest::Op>);
  static_assert(!typed::OneOf<Foreign, Guest::Op>);
  static_assert(!typed::OneOf<int, Guest::Op>);
}

TEST(Ops, HandlersNeedACaseForEach) {
  const auto all = [](const auto& op) { return op.a0; };
  const auto but_one = []<size_t i>(const Numbered<i>& op) requires(i != 300) { return op.a0; };
  static_assert(typed::HandlesAll<decltype(all), Guest::Op>);
  static_assert(!typed::HandlesAll<decltype(but_one), Guest::Op>);
  static_assert(drive_internal::AnswersAll<decltype(all), Guest::Op>);
  static_assert(!drive_internal::AnswersAll<decltype(but_one), Guest::Op>);
}

// Some handlers answer at once, some later, and some throw.
TEST(Ops, AreAnsweredAndAwaited) {
  int alive = 0;
  struct Guard {
    int& count;
    explicit Guard(int& c) : count(c) { ++count; }
    ~Guard() { --count; }
  };
  auto handler = Match{[&]<size_t i>(const Numbered<i>& op) requires(i % 3 == 0){
      return op.a0 + static_cast<int32_t>(i);
}
, [&]<size_t i>(const Numbered<i>& op) -> Task<int32_t>
requires(i % 3 == 1) {
  const Guard guard(alive);
  co_return op.a0 - static_cast<int32_t>(i);
}
, [&]<size_t i>(const Numbered<i>&) -> absl::StatusOr<int32_t>
requires(i % 3 == 2) { return absl::NotFoundError("nothing"); }
};  // namespace
const auto answer = [&](Suspended& step) -> Task<absl::Status> {
  drive_internal::Answering<Suspended, decltype(handler)> answering(step, handler);
  co_return co_await answering;
};
Suspended first(Op<597>(3));
EXPECT_TRUE(SyncWait(answer(first)).ok());
EXPECT_EQ(first.answer(), 600);
Suspended second(Op<598>(3));
EXPECT_TRUE(SyncWait(answer(second)).ok());
EXPECT_EQ(second.answer(), -595);
Suspended third(Op<599>(3));
EXPECT_EQ(SyncWait(answer(third)), absl::NotFoundError("h.f: nothing"));
EXPECT_EQ(alive, 0);
}  // namespace fermata

TEST(ManyResults, KeepTheirTypes) {
  using Results = ManyResults<int32_t, double, V128, ExternRef>;
  Results results;
  EXPECT_EQ(results.get<1>(), 0.0);
  EXPECT_EQ(results.get<3>(), ExternRef{});
  results.set<0>(-5);
  results.set<1>(0.5);
  results.set<2>({1, 2});
  const Results copy = typed::Results<Results>::From(results.values());
  EXPECT_EQ(copy.get<0>(), -5);
  EXPECT_EQ(copy.get<1>(), 0.5);
  EXPECT_EQ(copy.get<2>(), (V128{1, 2}));
  uint64_t slots[5] = {};
  typed::StoreResults(slots, copy);
  EXPECT_EQ(slots[2], 1u);
  EXPECT_EQ(slots[3], 2u);
  EXPECT_FALSE(results.Assign(copy.values().subspan(1)));
  EXPECT_FALSE(results.Assign({Value::I32(1), Value::I32(1), Value::I32(1), Value::I32(1)}));
  EXPECT_EQ(results.get<0>(), -5);
  EXPECT_TRUE(typed::Results<Results>::Are(Results::Types()));
}

// ---- Generated headers ----

class ManyOps : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (*GetParam() == '\0') GTEST_SKIP() << "not run: the compiler is not there";
  }

  // Translates the module, and has `host` after the header checked.
  void Check(const testing_support::Bytes& module, std::vector<std::string> flags,
             const std::string& host) {
    testing_support::WriteFile(folder_ / "many.wasm", module);
    folder_.Write("host.cc", "#include \"many.h\"\n" + host);
    flags.insert(flags.begin(),
                 {FERMATA_TRANSLATOR, "translate", folder_ / "many.wasm", "-o", folder_.path()});
    testing_support::MustSucceed(flags);
    testing_support::MustSucceed({GetParam(), "-std=c++20", "-Wall", "-Wextra", "-Werror",
                                  "-fsyntax-only", "-I", FERMATA_INCLUDE_DIR, folder_ / "host.cc"});
  }

 private:
  testing_support::Folder folder_;
};

// `count` imports of the type, and an export of it that may suspend.
testing_support::Bytes Module(uint32_t count, uint32_t params, uint32_t results) {
  testing_support::WasmBuilder b;
  const uint32_t type = b.Type(std::string(params, 'i'), std::string(results, 'I'));
  for (uint32_t i = 0; i < count; ++i) b.ImportFunction(type);
  b.Export("run", 0, 0);
  return b.Build();
}

TEST_P(ManyOps, TwoThousandImports) {
  Check(Module(2000, 1, 1), {}, R"(
using guest::Many;
absl::Status Go(fermata::Step<int64_t, Many>& step, Many& many) {
  step = many.run(1);
  const Many::env_f* op = step.op_if<Many::env_f>();
  if (op == nullptr) return step.Resume<Many::env_f_2000>(3);
  return step.Resume<Many::env_f>(fermata::get<Many::env_f>(step.op()).a0);
}
)");
}

TEST_P(ManyOps, HandlersOfThreeHundredImports) {
  Check(Module(300, 1, 1), {}, R"(
#include "fermata/coroutine.h"
using guest::Many;
fermata::Task<absl::StatusOr<int64_t>> Go(Many& many) {
  auto step = many.run(1);
  step.Answer([](const auto& op) { return int64_t{op.a0}; });
  co_return co_await fermata::Drive(
      many.run(1), [](const auto& op) -> fermata::Task<int64_t> requires requires { op.a0; } {
        co_return op.a0;
      });
}
)");
}

TEST_P(ManyOps, AThousandParametersAndResults) {
  // The type of what a method's call returns.
  const std::string result_of = R"(
template <class R, class G, class... A>
R Result(fermata::Step<R, G> (guest::Many::*)(A...));
template <class R, class... A>
R Result(fermata::Outcome<R> (guest::Many::*)(A...));
using Results = decltype(Result(&guest::Many::run));
using guest::Many;
)";
  Check(Module(1, 1000, 1000), {}, result_of + R"(
int64_t Last(const fermata::Step<Results, Many>& step) { return step.value().get<999>(); }
absl::Status Go(fermata::Step<Results, Many>& step) {
  Results results;
  results.set<999>(step.op_if<Many::env_f>()->a999);
  return step.Resume<Many::env_f>(results);
}
)");
  Check(Module(1, 1000, 1000), {"--immediate=*.*"}, result_of + R"(
int64_t Last(const fermata::Outcome<Results>& outcome) { return outcome.value().get<999>(); }
)");
}

TEST_P(ManyOps, AsMuchAsVariantsAndTuplesTake) {
  Check(Module(1, 256, 256), {}, R"(
int64_t Last(const fermata::Step<guest::Many::env_f::Result, guest::Many>& step) {
  return std::get<255>(step.value());
}
)");
  // g++ takes more types, and half a minute for these.
  if (std::string(GetParam()) != FERMATA_CLANGXX) return;
  Check(Module(256, 1, 1), {}, R"(
int32_t Last(const guest::Many::Op& op) { return std::get<guest::Many::env_f_256>(op).a0; }
)");
}

INSTANTIATE_TEST_SUITE_P(Compilers, ManyOps, testing::Values(FERMATA_GXX, FERMATA_CLANGXX),
                         [](const auto& info) { return info.index == 0 ? "gxx" : "clangxx"; });

}  // namespace
}  // namespace fermata
