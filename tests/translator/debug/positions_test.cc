// Positions of two modules that clang has made of inlined.c, and of debug data that is not sound.
#include "translator/debug/positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/files.h"
#include "translator/debug/source_map.h"
#include "translator/wasm/reader.h"

namespace fermata::debug {
namespace {

class Positions : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    file_ = testing_support::ReadBytes(
        absl::StrCat(FERMATA_SOURCE_DIR "/tests/translator/debug/inlined_", GetParam(), ".wasm"));
    Read();
  }
  void Read() {
    auto module = wasm::ReadModule("inlined.wasm", file_, wasm::Supported());
    ASSERT_TRUE(module.ok()) << module.status();
    warnings_.clear();
    positions_ = SourcePositions::Read(*module, file_, "", warnings_);
    sections_ = module->sections;
    for (const wasm::Section& section : sections_) {
      if (section.id == 10) code_ = section;
    }
  }
  static std::string Text(const std::vector<SourceFrame>& frames) {
    std::string text;
    for (const SourceFrame& f : frames) {
      absl::StrAppend(&text, text.empty() ? "" : " < ", f.function, " ", f.at.file, ":", f.at.line,
                      ":", f.at.column);
    }
    return text;
  }
  std::vector<std::string> EveryPlace() const {
    std::vector<std::string> places;
    for (uint32_t i = 0; i < code_.size; ++i) {
      places.push_back(Text(positions_.FramesAt(code_.contents + i)));
    }
    return places;
  }

  std::vector<uint8_t> file_;
  std::vector<wasm::Section> sections_;
  wasm::Section code_;
  std::vector<std::string> warnings_;
  SourcePositions positions_;
};

TEST_P(Positions, LinesAndInlinedCalls) {
  EXPECT_TRUE(warnings_.empty()) << warnings_.front();
  const std::vector<std::string> places = EveryPlace();
  const std::set<std::string> all(places.begin(), places.end());
  for (const char* expected :
       {"outer /src/inlined.c:9:3", "run /src/inlined.c:13:19",
        "middle /src/./inlined.h:5:24 < outer /src/inlined.c:8:36",
        "twice /src/./inlined.h:2:49 < middle /src/./inlined.h:4:11 < outer /src/inlined.c:8:36",
        "twice /src/./inlined.h:2:47 < run /src/inlined.c:12:23"}) {
    EXPECT_TRUE(all.contains(expected)) << expected;
  }
  EXPECT_EQ(all.size(), 28u);
}

TEST_P(Positions, TheDivisionIsWhereItIsWritten) {
  constexpr uint8_t kDivS = 0x6d;
  const auto begin = file_.begin() + code_.contents, end = begin + code_.size;
  const auto found = std::find(begin, end, kDivS);
  ASSERT_NE(found, end);
  const std::optional<SourceLocation> at =
      positions_.At(static_cast<uint32_t>(found - file_.begin()));
  ASSERT_TRUE(at);
  EXPECT_EQ(at->file, "/src/inlined.c");
  EXPECT_EQ(at->line, 13u);
  EXPECT_EQ(at->column, 19u);
}

TEST_P(Positions, NothingIsKnownOutsideOfTheCode) {
  for (uint32_t offset : {0u, code_.contents, code_.contents + code_.size, 0xffffffffu}) {
    EXPECT_FALSE(positions_.At(offset)) << offset;
    EXPECT_TRUE(positions_.FramesAt(offset).empty()) << offset;
  }
}

TEST_P(Positions, CutOffSectionsAreWarnedOf) {
  // A unit that is longer than its section.
  for (const wasm::Section& section : sections_) {
    if (section.name == ".debug_info") file_[section.contents + 1 + section.name.size()] = 0xff;
  }
  Read();
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], ".debug_info: 0x0: a unit that is cut off");
}

TEST_P(Positions, ChangedBytesDoNoHarm) {
  std::mt19937 random(GetParam());
  const std::vector<uint8_t> sound = file_;
  for (int round = 0; round < 3000; ++round) {
    file_ = sound;
    for (const wasm::Section& section : sections_) {
      if (section.id != 0 || section.size < 20 || random() % 3 != 0) continue;
      const uint32_t name = static_cast<uint32_t>(section.name.size()) + 1;
      for (uint32_t i = 0, n = 1 + random() % 4; i < n; ++i) {
        const uint32_t at = section.contents + name + random() % (section.size - name);
        file_[at] = random() % 2 == 0 ? 0xff : static_cast<uint8_t>(random());
      }
    }
    Read();
    for (uint32_t i = 0; i < code_.size; i += 7) positions_.FramesAt(code_.contents + i);
  }
}

INSTANTIATE_TEST_SUITE_P(Dwarf, Positions, testing::Values(4, 5));

// A table whose units all use the largest abbreviations again and again.
TEST(HostileDwarf, WorkIsBounded) {
  std::vector<uint8_t> info, abbrev;
  for (int i = 0; i < 200000; ++i) {
    // Version 4, 7 bytes after the length, abbreviations from i on, addresses of 4 bytes.
    const uint8_t unit[] = {7,
                            0,
                            0,
                            0,
                            4,
                            0,
                            static_cast<uint8_t>(i),
                            static_cast<uint8_t>(i >> 8),
                            static_cast<uint8_t>(i >> 16),
                            0,
                            4};
    info.insert(info.end(), std::begin(unit), std::end(unit));
    // An abbreviation of each code, without children and attributes.
    const uint8_t entry[] = {1, 0x2e, 0, 0, 0};
    abbrev.insert(abbrev.end(), std::begin(entry), std::end(entry));
  }
  DwarfSections sections;
  sections.info = info;
  sections.abbrev = abbrev;
  std::optional<DwarfError> error;
  ReadUnits(sections, error);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, "debug data that refers to itself too often");
}

// Names without an end, as long as all that there is.
TEST(HostileDwarf, LongNamesAreNotReadForEver) {
  constexpr int kEntries = 100000;
  std::vector<uint8_t> info = {0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4};
  for (int i = 0; i < kEntries; ++i) info.insert(info.end(), {1, 0, 0, 0, 0});
  const uint32_t length = static_cast<uint32_t>(info.size() - 4);
  for (int i = 0; i < 4; ++i) info[i] = static_cast<uint8_t>(length >> (8 * i));
  // A function with children and a name of form strp.
  const std::vector<uint8_t> abbrev = {1, 0x2e, 1, 0x03, 0x0e, 0, 0, 0};
  const std::vector<uint8_t> str(4 << 20, 'a');
  DwarfSections sections;
  sections.info = info;
  sections.abbrev = abbrev;
  sections.str = str;
  std::optional<DwarfError> error;
  ReadUnits(sections, error);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, "debug data that refers to itself too often");
}

TEST(SourceMap, Mappings) {
  FileTable files;
  std::string warning;
  // Offset 16: a.ts 1:1; 20: a.ts 3:5; 24: nothing; 30: b.ts 1:9, with a name.
  const std::vector<LineRow> rows = ParseSourceMap(
      R"({"version": 3, "sourceRoot": "src/", "sources": ["a.ts", "b.ts"], "names": ["f"],
          "mappings": "gBAAA,IAEI,I,MCFIA"})",
      files, warning);
  EXPECT_EQ(warning, "");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].address, 16u);
  EXPECT_EQ(files.Path(rows[0].file), "src/a.ts");
  EXPECT_EQ(rows[0].line, 1u);
  EXPECT_EQ(rows[1].address, 20u);
  EXPECT_EQ(rows[1].line, 3u);
  EXPECT_EQ(rows[1].column, 5u);
  EXPECT_EQ(rows[2].line, 0u);
  EXPECT_EQ(files.Path(rows[3].file), "src/b.ts");
  EXPECT_EQ(rows[3].address, 30u);
  EXPECT_EQ(rows[3].line, 1u);
  EXPECT_EQ(rows[3].column, 9u);
}

TEST(SourceMap, WhatIsWrongIsSaid) {
  const auto warning_of = [](absl::string_view json) {
    FileTable files;
    std::string warning;
    ParseSourceMap(json, files, warning);
    return warning;
  };
  EXPECT_THAT(warning_of("{"), testing::HasSubstr("no JSON"));
  EXPECT_THAT(warning_of("[]"), testing::HasSubstr("not of version 3"));
  EXPECT_THAT(warning_of(R"({"version": 2, "mappings": ""})"),
              testing::HasSubstr("not of version 3"));
  // A number that does not end, a character that is none, a source that is not there, a negative line.
  for (const char* mappings : {"gggggggggA", "A!", "AAAA", "AADA"}) {
    EXPECT_EQ(warning_of(absl::StrCat(R"({"version": 3, "mappings": ")", mappings, R"("})")),
              "a source map whose mappings are malformed after 0 characters")
        << mappings;
  }
}

}  // namespace
}  // namespace fermata::debug
