#include "hub/internal/name_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace hearth::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::set<uint32_t> Found(const NameIndex& index, const std::string& pattern) {
  std::set<uint32_t> rows;
  EXPECT_TRUE(index.Scan(pattern, [&](uint32_t row) { return rows.insert(row).second; }));
  return rows;
}

TEST(NameIndexTest, FindsTextsAnywhereAtTheStartAndAsAWhole) {
  NameIndex index;
  index.Set(0, "ada/bert");
  index.Set(1, "ada/my-bert-2");
  index.Set(2, "bertha/gpt");
  EXPECT_THAT(Found(index, "bert"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Found(index, "/bert"), ElementsAre(0));
  EXPECT_THAT(Found(index, "/bert\n"), ElementsAre(0));
  EXPECT_THAT(Found(index,
                    "\x01"
                    "bert"),
              ElementsAre(2));
  EXPECT_THAT(Found(index, "2"), ElementsAre(1));
  EXPECT_THAT(Found(index, "a/"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Found(index, "bert\nada"), IsEmpty());
  EXPECT_THAT(Found(index, "\xC3\xA4"), IsEmpty());
  EXPECT_THAT(Found(index, std::string("\x80\x80", 2)), IsEmpty());
  EXPECT_THAT(Found(index, ""), IsEmpty());
}

TEST(NameIndexTest, StopsWhenToldTo) {
  NameIndex index;
  for (uint32_t row = 0; row < 100; ++row) index.Set(row, "ada/model-" + std::to_string(row));
  size_t seen = 0;
  EXPECT_FALSE(index.Scan("model", [&seen](uint32_t) { return ++seen < 7; }));
  EXPECT_EQ(seen, 7u);
}

// Names come, change and go; every tier finds what a plain walk finds.
TEST(NameIndexTest, AgreesWithAPlainWalkInEveryTier) {
  static const char* kParts[] = {"bert", "-",    "llama", "7b",   ".", "_",
                                 "en",   "base", "x",     "chat", "zz"};
  std::mt19937 random(5);
  auto some = [&random](size_t parts) {
    std::string text;
    for (size_t i = 0; i < parts; ++i) text += kParts[random() % std::size(kParts)];
    return text;
  };
  NameIndex index;
  std::map<uint32_t, std::string> plain;
  for (int step = 0; step < 30'000; ++step) {
    uint32_t row = random() % 6000;
    if (random() % 4 == 0) {
      index.Remove(row);
      plain.erase(row);
    } else {
      std::string name = "o" + some(1) + "/" + some(1 + random() % 5) + std::to_string(row % 97);
      index.Set(row, name);
      plain[row] = name;
    }
    if (step % 100 != 99) continue;
    std::string pattern = some(1 + random() % 3);
    if (random() % 3 == 0) pattern = pattern.substr(0, 1 + random() % pattern.size());
    if (random() % 3 == 0) pattern = "/" + pattern;
    std::set<uint32_t> expected;
    for (const auto& [known, name] : plain) {
      if (name.find(pattern) != std::string::npos) expected.insert(known);
      ASSERT_EQ(index.Holds(known, pattern), name.find(pattern) != std::string::npos);
    }
    for (Tier tier : SupportedTiers()) {
      index.UseTier(tier);
      ASSERT_EQ(Found(index, pattern), expected) << pattern << " " << TierName(tier);
    }
  }
  for (const auto& [row, name] : plain) EXPECT_EQ(index.At(row), name);
}

TEST(NameIndexTest, TiersFindTheSamePlace) {
  std::mt19937 random(9);
  for (int round = 0; round < 3000; ++round) {
    std::string text(1 + random() % 150, 'a'), pattern(1 + random() % 40, 'a');
    for (char& c : text) c = static_cast<char>('a' + (random() % 12 == 0));
    for (char& c : pattern) c = static_cast<char>('a' + (random() % 20 == 0));
    for (Tier tier : SupportedTiers())
      ASSERT_EQ(FindText(text, pattern, tier), text.find(pattern)) << TierName(tier);
  }
}

}  // namespace
}  // namespace hearth::hub
