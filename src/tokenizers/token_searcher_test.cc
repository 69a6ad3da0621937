#include "tokenizers/internal/token_searcher.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace hearth::tokenizers::internal {
namespace {

using Match = TokenSearcher::Match;

TokenSearcher Make(const std::vector<std::string>& tokens) {
  std::vector<std::pair<std::string_view, uint32_t>> list;
  for (uint32_t i = 0; i < tokens.size(); ++i) list.emplace_back(tokens[i], i);
  return TokenSearcher(list);
}

// The definition, without an automaton.
std::optional<Match> FindSlowly(const std::vector<std::string>& tokens, std::string_view text,
                                size_t from) {
  for (; from < text.size(); ++from) {
    std::optional<Match> best;
    for (uint32_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].empty() || !text.substr(from).starts_with(tokens[i])) continue;
      if (!best || from + tokens[i].size() > best->end) {
        best = Match{from, from + tokens[i].size(), i};
      }
    }
    if (best) return best;
  }
  return std::nullopt;
}

TEST(TokenSearcherTest, TheLeftmostAndThenTheLongestMatchCounts) {
  TokenSearcher searcher = Make({"bc", "abcd", "ab"});
  EXPECT_EQ(searcher.Find("xabcd", 0), (Match{1, 5, 1}));
  EXPECT_EQ(searcher.Find("xabce", 0), (Match{1, 3, 2}));
  EXPECT_EQ(searcher.Find("xbce", 0), (Match{1, 3, 0}));
  EXPECT_EQ(searcher.Find("xbce", 2), std::nullopt);
}

TEST(TokenSearcherTest, NoTokensMatchNothing) {
  EXPECT_EQ(TokenSearcher().Find("abc", 0), std::nullopt);
  EXPECT_TRUE(TokenSearcher().empty());
}

TEST(TokenSearcherTest, OfEqualTokensTheFirstCounts) {
  EXPECT_EQ(Make({"a", "a"}).Find("a", 0)->id, 0u);
}

TEST(TokenSearcherTest, AnEmptyTokenIsOnlyRemembered) {
  TokenSearcher searcher = Make({"", "b"});
  EXPECT_TRUE(searcher.has_empty_token());
  EXPECT_EQ(searcher.Find("ab", 0), (Match{1, 2, 1}));
}

TEST(TokenSearcherTest, FirstBytesAreFoundBehindLongTexts) {
  for (size_t count : {1, 2, 3, 4, 5, 9}) {
    std::vector<std::string> tokens;
    for (size_t i = 0; i < count; ++i)
      tokens.push_back(std::string(1, static_cast<char>('0' + i)) + "!");
    TokenSearcher searcher = Make(tokens);
    for (size_t length : {0, 1, 15, 16, 17, 31, 100}) {
      std::string text = std::string(length, '-') + tokens.back() + "-";
      EXPECT_EQ(searcher.Find(text, 0),
                (Match{length, length + 2, static_cast<uint32_t>(count - 1)}));
    }
  }
}

TEST(TokenSearcherTest, AgreesWithTheDefinitionOnRandomTexts) {
  std::mt19937 random(7);
  auto word = [&](size_t longest) {
    std::string text(random() % longest + 1, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> tokens;
    for (size_t i = random() % 6 + 1; i > 0; --i) tokens.push_back(word(5));
    TokenSearcher searcher = Make(tokens);
    std::string text = word(40);
    for (size_t from = 0; from <= text.size(); ++from) {
      EXPECT_EQ(searcher.Find(text, from), FindSlowly(tokens, text, from)) << text << " " << from;
    }
  }
}

}  // namespace
}  // namespace hearth::tokenizers::internal
