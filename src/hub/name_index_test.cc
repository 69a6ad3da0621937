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

std::set<uint32_t> RowsOf(const NameIndex& index, const std::string& pattern) {
  std::set<uint32_t> rows;
  index.RowsOf(pattern, 6000).ForEach([&rows](uint32_t row) { rows.insert(row); });
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
    // Some of these are kept from hundreds of changes ago.
    ASSERT_EQ(RowsOf(index, pattern), expected) << pattern;
    for (Tier tier : SupportedTiers()) {
      index.UseTier(tier);
      ASSERT_EQ(Found(index, pattern), expected) << pattern << " " << TierName(tier);
    }
  }
  for (const auto& [row, name] : plain) EXPECT_EQ(index.At(row), name);
}

TEST(NameIndexTest, TiersFindTheSameLines) {
  std::mt19937 random(9);
  for (int round = 0; round < 3000; ++round) {
    std::string text, pattern(1 + random() % 40, 'a');
    std::vector<size_t> expected;
    for (char& c : pattern) c = static_cast<char>('a' + (random() % 20 == 0));
    if (random() % 4 == 0) pattern.back() = kNameEnd;
    for (size_t line = random() % 200; line > 0; --line) {
      std::string name(random() % 70, 'a');
      for (char& c : name) c = static_cast<char>('a' + (random() % 12 == 0));
      name += kNameEnd;
      if (name.find(pattern) != std::string::npos)
        expected.push_back(text.size() + name.size() - 1);
      text += name;
    }
    for (Tier tier : SupportedTiers()) {
      LineWalk walk;
      std::vector<size_t> found;
      do {
        FindLines(text, pattern, tier, &walk);
        found.insert(found.end(), walk.ends, walk.ends + walk.count);
      } while (walk.count == LineWalk::kRoom);
      ASSERT_EQ(found, expected) << TierName(tier) << " " << pattern.size();
    }
  }
}

}  // namespace
}  // namespace hearth::hub
