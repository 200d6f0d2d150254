#include "tests/translator/emit/constants/operand_values.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/match.h"

namespace fermata::constants {
namespace {

using Words = std::vector<uint64_t>;

uint64_t Bits32(float v) { return std::bit_cast<uint32_t>(v); }
uint64_t Bits64(double v) { return std::bit_cast<uint64_t>(v); }

// Signaling and quiet NaNs, with payload and without, come last.
const Words& Few32() {
  static const Words words = {Bits32(0.0f),   Bits32(-0.0f), Bits32(1.0f), Bits32(-1.0f),
                              Bits32(2.5f),   Bits32(3e38f), 0x7f800000,   0xff800000,
                              Bits32(1e-45f), 0x7fc00000,    0xffe00001,   0x7f800001,
                              0xffa00000};
  return words;
}
const Words& Few64() {
  static const Words words = {Bits64(0.0),        Bits64(-0.0),       Bits64(1.0),
                              Bits64(-1.0),       Bits64(2.5),        Bits64(1e308),
                              0x7ff0000000000000, 0xfff0000000000000, Bits64(5e-324),
                              0x7ff8000000000000, 0xfffc000000000001, 0x7ff0000000000001,
                              0xfff4000000000000};
  return words;
}

// What conversions and rounding turn at: around the ends of each integer type, of what has a
// fraction, and of what fits a narrower float. `toward` gives the number next to one.
template <class T, class ToBits>
void AddEdges(Words& words, ToBits bits) {
  const auto add = [&](T v) {
    for (T signed_v : {v, -v}) {
      const uint64_t b = bits(signed_v);
      words.push_back(b);
      if (v >= 1) {
        words.push_back(b - 1);
        words.push_back(b + 1);
      }
    }
  };
  for (T v : {T(0.49999997),
              T(0.5),
              T(0.75),
              T(1),
              T(1.5),
              T(2.5),
              T(3.5),
              T(8388607.5),
              T(8388608),
              T(4503599627370495.5),
              T(4503599627370496),
              T(2147483647),
              T(2147483648),
              T(2147483648.5),
              T(4294967295),
              T(4294967296),
              T(9223372036854775808.0),
              T(18446744073709551616.0),
              T(3e9),
              T(1e20)}) {
    add(v);
  }
}
const Words& Many32() {
  static const Words words = [] {
    Words all = Few32();
    AddEdges<float>(all, Bits32);
    for (uint32_t b : {0x00800000u, 0x7f7fffffu, 0xff7fffffu}) all.push_back(b);
    return all;
  }();
  return words;
}
const Words& Many64() {
  static const Words words = [] {
    Words all = Few64();
    AddEdges<double>(all, Bits64);
    // Around the ends of f32: half of its least, its greatest, and where it overflows.
    for (double v : {0x1p-150, 0x1.8p-149, 0x1p-126, 0x1.fffffep127, 0x1.fffffefffffffp127,
                     0x1.ffffffp127, -0x1.ffffffp127}) {
      all.push_back(Bits64(v));
    }
    return all;
  }();
  return words;
}

const Words& Integers(int size) {
  static const Words w8 = {0,    1,    2,    15,   16,   0x40, 0x55, 0x7e,
                           0x7f, 0x80, 0x81, 0xaa, 0xc0, 0xf0, 0xfe, 0xff};
  static const Words w16 = {0,      1,      2,      0x7f,   0x80,   0xff,   0x100,  0x4000,
                            0x7ffe, 0x7fff, 0x8000, 0x8001, 0xc000, 0xff7f, 0xff80, 0xffff};
  static const Words w32 = {0,      1,          31,         32,         0x8000,
                            0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
  static const Words w64 = {0,
                            1,
                            63,
                            64,
                            0xffffffff,
                            0x7fffffffffffffff,
                            0x8000000000000000,
                            0x8000000000000001,
                            0xffffffffffffffff};
  return size == 1 ? w8 : size == 2 ? w16 : size == 4 ? w32 : w64;
}

struct Shape {
  absl::string_view name;
  int size;  // of a lane, in bytes
  bool is_float;
};
constexpr Shape kShapes[] = {{"i8x16", 1, false}, {"i16x8", 2, false}, {"i32x4", 4, false},
                             {"i64x2", 8, false}, {"f32x4", 4, true},  {"f64x2", 8, true}};

const Words& FewLanes(const Shape& shape) {
  if (!shape.is_float) return Integers(shape.size);
  return shape.size == 4 ? Few32() : Few64();
}
const Words& ManyLanes(const Shape& shape) {
  if (!shape.is_float) return Integers(shape.size);
  return shape.size == 4 ? Many32() : Many64();
}

// Vectors of lanes in order, the last filled up from the start.
std::vector<Value> Pack(const Words& lanes, int size) {
  std::vector<Value> vectors;
  const size_t count = 16 / size;
  for (size_t i = 0; i < lanes.size(); i += count) {
    uint64_t halves[2] = {};
    for (size_t k = 0; k < count; ++k) {
      std::memcpy(reinterpret_cast<char*>(halves) + k * size, &lanes[(i + k) % lanes.size()], size);
    }
    vectors.push_back(Value::V128(halves[0], halves[1]));
  }
  return vectors;
}

// Those of all shapes in the name; of bytes, if it names none.
std::vector<Shape> ShapesOf(absl::string_view name) {
  std::vector<Shape> shapes;
  for (const Shape& shape : kShapes) {
    if (absl::StrContains(name, shape.name)) shapes.push_back(shape);
  }
  if (shapes.empty()) shapes.push_back(kShapes[0]);
  return shapes;
}

std::vector<Value> Vectors(absl::string_view name) {
  std::vector<Value> all = {Value::V128(0, 0), Value::V128(~uint64_t{0}, ~uint64_t{0})};
  for (const Shape& shape : ShapesOf(name)) {
    Words lanes = ManyLanes(shape);
    // Each also in the other half of a vector: some instructions look at the lower one only.
    for (int turn = 0; turn < 2; ++turn) {
      const std::vector<Value> some = Pack(lanes, shape.size);
      all.insert(all.end(), some.begin(), some.end());
      std::rotate(lanes.begin(), lanes.begin() + 8 / shape.size, lanes.end());
    }
  }
  return all;
}

// All pairs of lanes, as pairs of vectors.
std::vector<Operands> VectorPairs(absl::string_view name) {
  std::vector<Operands> all;
  for (const Shape& shape : ShapesOf(name)) {
    Words left, right;
    for (uint64_t a : FewLanes(shape)) {
      for (uint64_t b : FewLanes(shape)) {
        left.push_back(a);
        right.push_back(b);
      }
    }
    const std::vector<Value> x = Pack(left, shape.size), y = Pack(right, shape.size);
    for (size_t i = 0; i < x.size(); ++i) all.push_back({x[i], y[i]});
  }
  return all;
}

std::vector<Value> Values(char letter, absl::string_view name, bool alone) {
  std::vector<Value> values;
  const auto add = [&](ValType type, const Words& words) {
    for (uint64_t w : words) values.push_back({type, w});
  };
  switch (letter) {
    case 'i':
      add(ValType::kI32, Integers(4));
      break;
    case 'I':
      add(ValType::kI64, Integers(8));
      break;
    case 'f':
      add(ValType::kF32, alone ? Many32() : Few32());
      break;
    case 'F':
      add(ValType::kF64, alone ? Many64() : Few64());
      break;
    default:
      values = Vectors(name);
      if (!alone && values.size() > 6) values.resize(6);
  }
  return values;
}

}  // namespace

std::vector<Operands> OperandsOf(absl::string_view name, absl::string_view params) {
  if (params == "VV") return VectorPairs(name);
  std::vector<Operands> all;
  if (params == "VVV") {
    all = VectorPairs(name);
    const size_t count = all.size();
    for (size_t i = 0; i < count; ++i) all[i].push_back(all[(7 * i + 3) % count][i % 2]);
    return all;
  }
  std::vector<std::vector<Value>> lists;
  for (char letter : params) lists.push_back(Values(letter, name, params.size() == 1));
  if (lists.size() <= 2) {
    for (const Value& a : lists[0]) {
      if (lists.size() == 1) {
        all.push_back({a});
        continue;
      }
      for (const Value& b : lists[1]) all.push_back({a, b});
    }
    return all;
  }
  // Too many to combine: each list is walked at a pace of its own.
  for (size_t i = 0; i < 60; ++i) {
    Operands operands;
    for (size_t k = 0; k < lists.size(); ++k) {
      operands.push_back(lists[k][(i * (2 * k + 1) + i / lists[k].size()) % lists[k].size()]);
    }
    all.push_back(std::move(operands));
  }
  return all;
}

bool IsNan(uint64_t bits, int size) {
  return size == 4 ? (bits & 0x7fffffff) > 0x7f800000
                   : (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
}
bool IsCanonicalNan(uint64_t bits, int size) {
  return size == 4 ? (bits & 0x7fffffff) == 0x7fc00000
                   : (bits & 0x7fffffffffffffff) == 0x7ff8000000000000;
}
bool IsQuietNan(uint64_t bits, int size) {
  return IsNan(bits, size) && (bits & (size == 4 ? 0x00400000 : 0x0008000000000000)) != 0;
}

uint64_t Lane(const Value& value, int size, int index) {
  const uint64_t halves[2] = {value.low, value.high};
  uint64_t lane = 0;
  std::memcpy(&lane, reinterpret_cast<const char*>(halves) + index * size, size);
  return lane;
}

}  // namespace fermata::constants
