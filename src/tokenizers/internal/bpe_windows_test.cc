#include "tokenizers/internal/bpe_windows.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace hearth::tokenizers::internal {
namespace {

// Rank and result of each pair.
using Rules = std::map<std::pair<uint32_t, uint32_t>, std::pair<uint32_t, uint32_t>>;

// The meaning: the lowest rank first, the leftmost of equal ones.
void MergeRange(const Rules& rules, const std::vector<uint32_t>& text, size_t begin, size_t end,
                std::vector<BpeToken>* out) {
  std::vector<BpeToken> tokens;
  for (size_t i = begin; i < end; ++i) tokens.push_back({text[i], static_cast<uint32_t>(i)});
  for (;;) {
    auto best = rules.end();
    size_t at = 0;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      auto found = rules.find({tokens[i].id, tokens[i + 1].id});
      if (found == rules.end()) continue;
      if (best == rules.end() || found->second.first < best->second.first) {
        best = found;
        at = i;
      }
    }
    if (best == rules.end()) break;
    tokens[at].id = best->second.second;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  out->insert(out->end(), tokens.begin(), tokens.end());
}

// Pairs of earlier symbols become new ones, in ranks of any order: a merge may make way for one of
// lower rank, as in vocabularies that list every way to build a token.
Rules RandomRules(std::mt19937_64& random, uint32_t letters, uint32_t count, bool in_order) {
  std::vector<std::string> names;
  std::map<std::string, uint32_t> ids;
  for (uint32_t i = 0; i < letters; ++i) {
    names.emplace_back(1, static_cast<char>('a' + i));
    ids[names.back()] = i;
  }
  std::vector<uint32_t> ranks(count);
  for (uint32_t i = 0; i < count; ++i) ranks[i] = i;
  if (!in_order) std::shuffle(ranks.begin(), ranks.end(), random);
  Rules rules;
  for (uint32_t rank : ranks) {
    auto left = static_cast<uint32_t>(random() % names.size());
    auto right = static_cast<uint32_t>(random() % names.size());
    std::string name = names[left] + names[right];
    if (name.size() > 40) continue;
    auto [known, fresh] = ids.emplace(name, static_cast<uint32_t>(names.size()));
    if (fresh) names.push_back(name);
    rules[{left, right}] = {rank, known->second};
  }
  return rules;
}

TEST(BpeWindows, GiveTheTokensOfTheWholeForAnyMerges) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 400; ++round) {
    auto letters = static_cast<uint32_t>(1 + random() % 4);
    auto count = static_cast<uint32_t>(1 + random() % 60);
    Rules rules = RandomRules(random, letters, count, round % 2 == 0);
    std::vector<uint32_t> text(1 + random() % 300);
    // Every third text repeats itself, so that a doubt at one place comes again at the next.
    size_t period = round % 3 == 0 ? 1 + random() % 7 : text.size();
    for (size_t i = 0; i < text.size(); ++i) {
      text[i] = i < period ? static_cast<uint32_t>(random() % letters) : text[i - period];
    }
    std::vector<BpeToken> expected, tokens, fresh;
    MergeRange(rules, text, 0, text.size(), &expected);
    MergeByWindows(text.size(), 8, &tokens, &fresh,
                   [&](size_t begin, size_t end, std::vector<BpeToken>* out) {
                     MergeRange(rules, text, begin, end, out);
                   });
    ASSERT_EQ(tokens.size(), expected.size()) << round;
    for (size_t i = 0; i < tokens.size(); ++i) {
      ASSERT_EQ(tokens[i].id, expected[i].id) << round;
      ASSERT_EQ(tokens[i].begin, expected[i].begin) << round;
    }
  }
}

TEST(BpeWindows, LookAtEachSymbolAFewTimesHoweverLongTheTokensAre) {
  // Rank by rank twice as long, up to 4096: every window is too short for most tokens.
  Rules rules;
  for (uint32_t i = 0; i < 12; ++i) rules[{i, i}] = {i, i + 1};
  size_t seen = 0;
  std::vector<uint32_t> text(20000, 0);
  std::vector<BpeToken> tokens, fresh;
  MergeByWindows(text.size(), 8, &tokens, &fresh,
                 [&](size_t begin, size_t end, std::vector<BpeToken>* out) {
                   seen += end - begin;
                   // What doubling rules make of a run, in one step.
                   for (size_t at = begin; at < end;) {
                     uint32_t id = 12;
                     while ((size_t{1} << id) > end - at) --id;
                     out->push_back({id, static_cast<uint32_t>(at)});
                     at += size_t{1} << id;
                   }
                 });
  EXPECT_EQ(tokens.front().id, 12u);
  EXPECT_EQ(tokens.size(), 4u + 4u);  // 4 * 4096, then 2048 + 1024 + 512 + 32
  EXPECT_LT(seen, text.size() * 8);
}

}  // namespace
}  // namespace hearth::tokenizers::internal
