// The objects of a guest as C++ values, of types that the guest's header declares.
#include "fermata/typed_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "typed_objects_guest.h"

namespace {

using fermata::AnyRef;
using fermata::ExternRef;
using fermata::Kept;
using fermata::Limits;
using fermata::Match;
using fermata::StoreHandle;
using fermata::TypedObjects;
using heap::guests::Shapes;
using testing::ElementsAre;

class TypedObjectsTest : public testing::Test {
 protected:
  TypedObjectsTest() {
    auto made = Shapes::Create();
    EXPECT_TRUE(made.ok()) << made.status();
    guest_ = *std::move(made);
  }
  AnyRef Square(int64_t side) { return guest_->make_square(side).value(); }

  std::unique_ptr<Shapes> guest_;
};

TEST_F(TypedObjectsTest, AStructIsReadAsAWhole) {
  const TypedObjects objects(*guest_);
  const absl::StatusOr<Shapes::square> square = objects.Read<Shapes::square>(Square(3));
  ASSERT_TRUE(square.ok()) << square.status();
  EXPECT_EQ(square->area, 9.0);
  EXPECT_EQ(square->side, 3);
  EXPECT_EQ(square->tag, 300 % 256);
  EXPECT_EQ(square->class_2, 65535);
  EXPECT_EQ(square->weight, 1.5f);
  EXPECT_EQ(square->name, ExternRef());
  EXPECT_FALSE(square->call);
  EXPECT_EQ(square->wide, (fermata::V128{1, 2}));
  EXPECT_EQ(*objects.Get<&Shapes::shape::area>(square->inner), 1.0);
}

TEST_F(TypedObjectsTest, AnObjectOfASubtypeIsOneOfItsSupertypes) {
  TypedObjects objects(*guest_);
  const AnyRef square = Square(2);
  EXPECT_TRUE(objects.Is<Shapes::shape>(square));
  EXPECT_EQ(objects.Read<Shapes::shape>(square)->area, 4.0);
  const absl::StatusOr<AnyRef> shape = objects.Make(Shapes::shape{.area = 8});
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_FALSE(objects.Is<Shapes::square>(*shape));
  EXPECT_EQ(objects.Read<Shapes::square>(*shape).status().message(),
            "the object is of another type");
  EXPECT_EQ(objects.Get<&Shapes::square::side>(*shape).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(objects.Set<&Shapes::square::side>(*shape, 1).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(objects.Read<Shapes::shape>({}).status().message(), "the reference is null");
  EXPECT_FALSE(objects.Is<Shapes::shape>({}));
}

TEST_F(TypedObjectsTest, WhatTheHostMakesTheGuestReads) {
  TypedObjects objects(*guest_);
  const AnyRef inner = *objects.Make(Shapes::shape{.area = 2});
  const absl::StatusOr<AnyRef> made = objects.Make(Shapes::square{
      .area = 6, .side = -5, .tag = 200, .class_2 = 40000, .weight = 0.5f, .inner = inner});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(guest_->area(*made).value(), 6.0);
  const Shapes::square read = *objects.Read<Shapes::square>(*made);
  EXPECT_EQ(read.side, -5);
  EXPECT_EQ(read.tag, 200);
  EXPECT_EQ(read.class_2, 40000);
  EXPECT_EQ(read.inner, inner);

  EXPECT_TRUE((objects.Set<&Shapes::shape::area>(*made, 7.5)).ok());
  EXPECT_TRUE((objects.Set<&Shapes::square::tag>(*made, 9)).ok());
  EXPECT_TRUE((objects.Set<&Shapes::square::inner>(*made, *made)).ok());
  EXPECT_EQ(guest_->area(*made).value(), 7.5);
  EXPECT_EQ(*objects.Get<&Shapes::square::tag>(*made), 9);
  EXPECT_EQ(*objects.Get<&Shapes::square::class_2>(*made), 40000);
  EXPECT_EQ(*objects.Get<&Shapes::square::inner>(*made), *made);
  // Not every reference may be in a field.
  const AnyRef bytes = *objects.Make<Shapes::bytes>({});
  EXPECT_FALSE((objects.Set<&Shapes::square::inner>(*made, bytes)).ok());
  EXPECT_FALSE(objects.Make(Shapes::square{.inner = bytes}).ok());
  EXPECT_FALSE(objects.Make(Shapes::square{.inner = TypedObjects::I31(3)}).ok());
  // A struct of no fields.
  EXPECT_EQ(guest_->empty(*objects.Make(Shapes::empty_2{})).value(), 0);
}

TEST_F(TypedObjectsTest, Arrays) {
  TypedObjects objects(*guest_);
  const AnyRef bytes = *objects.Make<Shapes::bytes>({1, 255, 3});
  const AnyRef samples = *objects.Make<Shapes::samples>({1, 0xfffe});
  EXPECT_EQ(guest_->sum(bytes, samples).value(), 255 - 2);
  EXPECT_THAT(*objects.Read<Shapes::bytes>(bytes), ElementsAre(1, 255, 3));
  EXPECT_THAT(*objects.Read<Shapes::samples>(samples), ElementsAre(1, 0xfffe));
  EXPECT_EQ(*objects.Length<Shapes::bytes>(bytes), 3u);
  EXPECT_TRUE(objects.SetAt<Shapes::bytes>(bytes, 2, 77).ok());
  EXPECT_EQ(*objects.GetAt<Shapes::bytes>(bytes, 2), 77);
  EXPECT_EQ(objects.GetAt<Shapes::bytes>(bytes, 3).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(objects.SetAt<Shapes::bytes>(samples, 0, 1).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(objects.Read<Shapes::bytes>(Square(1)).ok());

  const AnyRef shapes = *objects.Make<Shapes::shapes>({Square(1), AnyRef(), Square(2)});
  EXPECT_EQ(guest_->areas(shapes).value(), 5.0);
  EXPECT_EQ(objects.Make<Shapes::shapes>({AnyRef(), bytes}).status().message().substr(0, 9),
            "element 1");
  EXPECT_TRUE(objects.Read<Shapes::shapes>(*objects.Make<Shapes::shapes>({}))->empty());
}

TEST_F(TypedObjectsTest, SmallNumbersAreReferences) {
  EXPECT_EQ(TypedObjects::NumberOf(TypedObjects::I31(-5)), -5);
  EXPECT_EQ(TypedObjects::NumberOf(TypedObjects::I31((1 << 30) - 1)), (1 << 30) - 1);
  EXPECT_EQ(TypedObjects::NumberOf(AnyRef()), std::nullopt);
  EXPECT_EQ(TypedObjects::NumberOf(Square(1)), std::nullopt);
}

// In the middle of a call, with objects that have moved since they were made.
TEST_F(TypedObjectsTest, ArgumentsOfAnOp) {
  TypedObjects objects(*guest_);
  const Kept kept = objects.Keep(Square(4));
  auto step = guest_->drawn(TypedObjects::ValueOf(kept));
  int pages = 0;
  while (step.suspended()) {
    step.Answer(Match{[&](const Shapes::host_draw& op) {
      ++pages;
      const Shapes::page page = *objects.Read<Shapes::page>(op.page);
      EXPECT_EQ(page.field1, 7);
      const auto shapes = *objects.Read<Shapes::shapes>(page.shapes);
      EXPECT_THAT(shapes, ElementsAre(TypedObjects::ValueOf(kept), TypedObjects::ValueOf(kept),
                                      TypedObjects::ValueOf(kept)));
      return static_cast<int32_t>(*objects.Get<&Shapes::square::side>(shapes[2]));
    }});
  }
  EXPECT_EQ(pages, 1);
  EXPECT_EQ(step.value(), 4);
  EXPECT_TRUE(objects.Is<Shapes::square>(guest_->last().Get()));
}

TEST_F(TypedObjectsTest, NoRoom) {
  Limits limits;
  limits.heap_bytes = 1u << 20;
  auto small = Shapes::Create(limits);
  ASSERT_TRUE(small.ok());
  TypedObjects objects(**small);
  EXPECT_EQ(objects.Make<Shapes::bytes>(std::vector<uint8_t>(16u << 20)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(objects.Make<Shapes::bytes>({1}).ok());
}

}  // namespace
