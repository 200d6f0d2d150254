// The heap by itself: types, room, collections, objects from bytes.
#include "runtime/heap/heap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace fermata::internal {
namespace {

using core::FieldInfo;
using core::ObjectKind;
using core::ObjectType;
using core::ValType;
using testing::HasSubstr;

constexpr core::RefType kAny = {0x6e, true, core::kNoType};
constexpr FieldInfo kPair[] = {{ValType::kI32, 0, true, 4, {}},
                               {ValType::kAnyRef, 0, true, 8, kAny}};
constexpr FieldInfo kElement[] = {{ValType::kAnyRef, 0, true, 8, kAny}};
constexpr FieldInfo kByte[] = {{ValType::kI32, 8, true, 8, {}}};
constexpr FieldInfo kHolder[] = {{ValType::kExnRef, 0, true, 4, {0x69, true, core::kNoType}}};

// Types 0 to 3: a pair, an array of references, one of bytes, a holder of an exception; then ten
// empty structs, each a subtype of the one before.
class HeapTest : public testing::Test {
 protected:
  static constexpr uint32_t kChain = 10;

  void SetUp() override {
    objects_ = {{ObjectKind::kStruct, true, 0, 12, 2, kPair},
                {ObjectKind::kArray, true, 0, 8, 1, kElement},
                {ObjectKind::kArray, true, 0, 8, 1, kByte},
                {ObjectKind::kStruct, true, 0, 8, 1, kHolder}};
    types_.resize(4, {nullptr, nullptr, 0, 0, 0, 0, "", core::kNoType, nullptr, nullptr});
    for (uint32_t i = 0; i < kChain; ++i) {
      objects_.push_back({ObjectKind::kStruct, false, i, 4, 0, nullptr});
      types_.push_back(
          {nullptr, nullptr, 0, 0, 0, 0, "", i == 0 ? core::kNoType : 3 + i, nullptr, nullptr});
    }
    for (uint32_t t = 0; t < objects_.size(); ++t) canonical_.push_back(1000 + t);
    module_.types = types_.data();
    module_.type_count = static_cast<uint32_t>(types_.size());
    module_.object_types = objects_.data();
    Make({});
  }
  void Make(Limits limits) {
    limits.heap_bytes = 4u << 20;
    auto heap = Heap::Make(limits);
    ASSERT_TRUE(heap.ok()) << heap.status();
    heap_ = *std::move(heap);
    numbers_ = heap_->AddTypes(module_, canonical_);
  }
  core::ref Pair(uint32_t value, core::ref next) {
    EXPECT_FALSE(core::no_room(heap_->base(), 12));
    const core::ref pair = core::new_object(heap_->base(), 12, numbers_[0]);
    core::object_put32(heap_->base(), pair, 4, value);
    core::object_put32(heap_->base(), pair, 8, next);
    return pair;
  }
  uint32_t Get(core::ref object, uint32_t offset) {
    return core::object_get32(heap_->base(), object, offset);
  }
  bool Collect(std::vector<core::ref*> roots, uint64_t wanted = 0,
               Heap::Kind kind = Heap::Kind::kMajor) {
    if (!heap_->BeginCollection(kind)) return false;
    for (core::ref* root : roots) heap_->Visit(*root);
    while (heap_->Scan([&](core::ref exception) { exceptions_.push_back(exception); })) {
    }
    return heap_->EndCollection(wanted);
  }

  std::vector<ObjectType> objects_;
  std::vector<core::FuncType> types_;
  std::vector<uint32_t> canonical_;
  core::ModuleInfo module_{};
  std::unique_ptr<Heap> heap_;
  std::vector<uint32_t> numbers_;
  std::vector<core::ref> exceptions_;
};

TEST_F(HeapTest, TypesKeepTheirNumbers) {
  EXPECT_EQ(heap_->AddTypes(module_, canonical_), numbers_);
  EXPECT_EQ(heap_->NumberOf(1001), numbers_[1]);
  EXPECT_EQ(heap_->NumberOf(5), 0u);
  EXPECT_EQ(heap_->TypeOf(numbers_[2]).log2, 0u);
  EXPECT_EQ(heap_->TypeOf(numbers_[1]).log2, 2u);
}

TEST_F(HeapTest, CastsFollowDisplays) {
  uint8_t* const h = heap_->base();
  std::vector<core::ref> made;
  for (uint32_t i = 0; i < kChain; ++i) made.push_back(core::new_object(h, 4, numbers_[4 + i]));
  for (uint32_t i = 0; i < kChain; ++i) {
    for (uint32_t of = 0; of < kChain; ++of) {
      EXPECT_EQ(core::is_type<0>(h, made[i], numbers_[4 + of], of), of <= i) << i << " " << of;
    }
    EXPECT_TRUE(core::is_struct<core::kMayBeOther>(h, made[i]));
    EXPECT_FALSE(core::is_array<core::kMayBeOther>(h, made[i]));
  }
  const core::ref array = core::new_array_of_zeros(h, 0, numbers_[2], 3);
  EXPECT_TRUE(core::is_array<core::kMayBeOther>(h, array));
  EXPECT_TRUE(core::is_final<0>(h, array, numbers_[2]));
  EXPECT_FALSE(core::is_type<core::kMayBeOther>(h, core::ref_i31(5), numbers_[4], 0));
  EXPECT_TRUE((core::is_type<core::kMayBeNull | core::kNullPasses>(h, 0, numbers_[4], 0)));
  EXPECT_FALSE(core::is_type<core::kMayBeNull>(h, 0, numbers_[4], 0));
}

TEST_F(HeapTest, CollectionsKeepWhatIsReachedAndItsShape) {
  core::ref cycle = Pair(1, 0);
  const core::ref other = Pair(2, cycle);
  core::object_put32(heap_->base(), cycle, 8, other);
  Pair(3, cycle);  // garbage
  core::ref array = core::new_array_of_zeros(heap_->base(), 2, numbers_[1], 3);
  core::value_put(heap_->base() + array + 8, cycle);
  core::value_put(heap_->base() + array + 12, core::ref_i31(9));
  core::value_put(heap_->base() + array + 16, array);
  const core::ref before = cycle;
  ASSERT_TRUE(Collect({&cycle, &array}));
  EXPECT_NE(cycle, before);
  EXPECT_EQ(heap_->used_bytes(), 12u + 12u + 20u);
  EXPECT_EQ(Get(cycle, 4), 1u);
  EXPECT_EQ(Get(Get(cycle, 8), 4), 2u);
  EXPECT_EQ(Get(Get(cycle, 8), 8), cycle);
  EXPECT_EQ(Get(array, 8), cycle);
  EXPECT_EQ(Get(array, 12), core::ref_i31(9));
  EXPECT_EQ(Get(array, 16), array);
  EXPECT_FALSE(heap_->Holds(before));
  ASSERT_TRUE(Collect({}));
  EXPECT_EQ(heap_->used_bytes(), 0u);
}

TEST_F(HeapTest, MinorCollectionsMoveYoungObjectsOnly) {
  core::ref old = Pair(1, 0);
  ASSERT_TRUE(Collect({&old}));
  ASSERT_TRUE(core::is_old(old));
  const core::ref before = old;
  core::ref young = Pair(2, old);
  Pair(3, young);  // garbage
  ASSERT_TRUE(Collect({&old, &young}, 0, Heap::Kind::kMinor));
  EXPECT_EQ(old, before);
  EXPECT_TRUE(core::is_old(young));
  EXPECT_EQ(Get(young, 4), 2u);
  EXPECT_EQ(Get(young, 8), old);
  EXPECT_EQ(heap_->used_bytes(), 24u);
  // What is dead among the old stays until a major collection.
  ASSERT_TRUE(Collect({&young}, 0, Heap::Kind::kMinor));
  EXPECT_EQ(heap_->used_bytes(), 24u);
  EXPECT_EQ(heap_->major_collections(), 1u);
}

TEST_F(HeapTest, OldObjectsThatReferToYoungOnesAreRemembered) {
  core::ref old = Pair(1, 0);
  core::ref array = core::new_array_of_zeros(heap_->base(), 2, numbers_[1], 100);
  ASSERT_TRUE(Collect({&old, &array}));
  core::Instance* const none = nullptr;
  core::object_put_ref(heap_->base(), old, 8, Pair(2, 0));
  core::array_set_ref(none, heap_->base(), array, 7, Pair(3, 0));
  core::array_fill_ref(none, heap_->base(), array, 20, Pair(4, 0), 3);
  core::array_set_ref(none, heap_->base(), array, 50, core::ref_i31(5));
  core::ref from = core::new_array_of_zeros(heap_->base(), 2, numbers_[1], 2);
  core::array_set_ref(none, heap_->base(), from, 1, Pair(6, 0));
  core::array_copy_refs(none, heap_->base(), array, 98, from, 0, 2);
  ASSERT_TRUE(Collect({&old, &array}, 0, Heap::Kind::kMinor));
  const auto element = [&](uint32_t i) { return Get(array, 8 + 4 * i); };
  EXPECT_EQ(Get(Get(old, 8), 4), 2u);
  EXPECT_EQ(Get(element(7), 4), 3u);
  EXPECT_EQ(Get(element(20), 4), 4u);
  EXPECT_EQ(element(20), element(22));
  EXPECT_EQ(element(50), core::ref_i31(5));
  EXPECT_EQ(element(98), 0u);
  EXPECT_EQ(Get(element(99), 4), 6u);
  for (uint32_t i : {7, 20, 99}) EXPECT_TRUE(core::is_old(element(i))) << i;
}

TEST_F(HeapTest, MoreReferencesThanCanBeRememberedLeadToAMajorCollection) {
  core::ref array = core::new_array_of_zeros(heap_->base(), 2, numbers_[1], 100);
  ASSERT_TRUE(Collect({&array}));
  core::ref young = Pair(1, 0);
  for (uint32_t i = 0; i < core::kMostSlots; ++i) {
    EXPECT_EQ(heap_->NextCollection(0), Heap::Kind::kMinor);
    core::array_set_ref(nullptr, heap_->base(), array, i % 100, young);
  }
  EXPECT_TRUE(core::no_room(heap_->base(), 1));
  EXPECT_FALSE(heap_->Grow(12, false));
  core::array_set_ref(nullptr, heap_->base(), array, 0, young);
  EXPECT_EQ(heap_->NextCollection(0), Heap::Kind::kMajor);
  ASSERT_TRUE(Collect({&array}));
  EXPECT_EQ(Get(Get(array, 8), 4), 1u);
  EXPECT_EQ(heap_->NextCollection(0), Heap::Kind::kMinor);
}

// They may refer to young ones from the beginning.
TEST_F(HeapTest, LargeObjectsAreOld) {
  const core::ref young = Pair(1, 0);
  const uint64_t bytes = core::array_bytes(20000, 2);
  ASSERT_TRUE(core::no_room(heap_->base(), bytes));
  ASSERT_TRUE(heap_->Grow(bytes, false));
  core::ref array = core::new_array32(heap_->base(), numbers_[1], young, 20000);
  EXPECT_TRUE(core::is_old(array));
  // Back in the nursery, where there is still room.
  ASSERT_TRUE(core::no_room(heap_->base(), 12));
  ASSERT_TRUE(heap_->Grow(12, false));
  const core::ref other = Pair(2, young);
  EXPECT_FALSE(core::is_old(other));
  ASSERT_TRUE(Collect({&array}, 0, Heap::Kind::kMinor));
  EXPECT_TRUE(core::is_old(Get(array, 8)));
  EXPECT_EQ(Get(Get(array, 8 + 4 * 19999), 4), 1u);
  EXPECT_EQ(heap_->used_bytes(), bytes + 12);
}

TEST_F(HeapTest, ExceptionsAreReported) {
  core::ref holder = core::new_object(heap_->base(), 8, numbers_[3]);
  core::object_put32(heap_->base(), holder, 4, 17);
  ASSERT_TRUE(Collect({&holder}));
  EXPECT_THAT(exceptions_, testing::ElementsAre(17));
}

TEST_F(HeapTest, RoomIsMadeUpToTheLimit) {
  EXPECT_FALSE(heap_->Grow(100, false));
  EXPECT_TRUE(heap_->Grow(1 << 20, true));
  EXPECT_FALSE(core::no_room(heap_->base(), 1 << 20));
  EXPECT_FALSE(heap_->Grow(5 << 20, true));
  EXPECT_FALSE(heap_->Grow(~uint64_t{0}, true));
  ASSERT_TRUE(Collect({}, 3 << 20));
  EXPECT_FALSE(core::no_room(heap_->base(), 3 << 20));
  core::ref big = core::new_array_of_zeros(heap_->base(), 0, numbers_[2], (3 << 20) - 8);
  EXPECT_FALSE(Collect({&big}, 2 << 20));
  EXPECT_TRUE(core::no_room(heap_->base(), 1));
  EXPECT_EQ(core::array_length(heap_->base(), big), (3u << 20) - 8);
}

TEST_F(HeapTest, ObjectsFromBytes) {
  core::ref list = Pair(2, Pair(1, 0));
  core::ref array = core::new_array_of_zeros(heap_->base(), 0, numbers_[2], 5);
  ASSERT_TRUE(Collect({&list, &array}));
  if (!heap_->in_first_space()) {
    ASSERT_TRUE(Collect({&list, &array}));
  }
  const std::vector<uint8_t> bytes(heap_->objects().begin(), heap_->objects().end());
  absl::flat_hash_map<uint32_t, uint32_t> same;
  for (uint32_t number : numbers_) same.emplace(number, number);

  Make({});
  ASSERT_TRUE(heap_->Load(bytes, same).ok());
  EXPECT_EQ(Get(Get(list, 8), 4), 1u);
  EXPECT_TRUE(heap_->IsStart(list));
  EXPECT_FALSE(heap_->IsStart(list + 4));
  int objects = 0;
  heap_->ForEachObject([&](core::ref, const HeapType&) { ++objects; });
  EXPECT_EQ(objects, 3);

  const auto load = [&](std::vector<uint8_t> changed) {
    Make({});
    return std::string(heap_->Load(changed, same).message());
  };
  std::vector<uint8_t> bad = bytes;
  bad[0] ^= 0x80;
  EXPECT_THAT(load(bad), HasSubstr("unknown type"));
  bad = bytes;
  bad.resize(bad.size() - 4);
  EXPECT_THAT(load(bad), HasSubstr("too large"));
  bad.resize(bad.size() - 1);
  EXPECT_THAT(load(bad), HasSubstr("wrong size"));
  bad = bytes;
  bad[array - Heap::kFirstObject + 7] = 0xff;  // the length
  EXPECT_THAT(load(bad), HasSubstr("too large"));
  EXPECT_THAT(load(std::vector<uint8_t>(5 << 20)), HasSubstr("above the limit"));
}

}  // namespace
}  // namespace fermata::internal
