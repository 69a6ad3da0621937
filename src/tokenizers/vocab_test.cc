#include "tokenizers/vocab.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::tokenizers {
namespace {

TEST(VocabTest, FindsEachTokenBothWays) {
  std::vector<std::string> texts;
  for (int i = 0; i < 50'000; ++i) texts.push_back("token" + std::to_string(i * 7919));
  std::vector<Vocab::Entry> entries;
  for (const std::string& text : texts)
    entries.emplace_back(text, static_cast<uint32_t>(entries.size()));
  Vocab vocab(entries);
  for (const auto& [text, id] : entries) {
    ASSERT_EQ(vocab.FindId(text), id);
    ASSERT_EQ(vocab.FindToken(id), text);
  }
  EXPECT_FALSE(vocab.FindId("token"));
  EXPECT_FALSE(vocab.FindToken(50'000));
}

TEST(VocabTest, IdsMayBeSparseAndHuge) {
  Vocab vocab({{"a", 4294967295u}, {"b", 0}, {"c", 1'000'000}});
  EXPECT_EQ(vocab.FindToken(4294967295u), "a");
  EXPECT_EQ(vocab.FindToken(1'000'000), "c");
  EXPECT_FALSE(vocab.FindToken(1));
  EXPECT_EQ(VocabToJson(vocab).Dump(), R"({"b":0,"c":1000000,"a":4294967295})");
}

TEST(VocabTest, ATokenGivenTwiceKeepsTheLastId) {
  Vocab vocab({{"a", 1}, {"b", 2}, {"a", 3}});
  EXPECT_EQ(vocab.size(), 2u);
  EXPECT_EQ(vocab.FindId("a"), 3u);
  EXPECT_FALSE(vocab.FindToken(1));
}

TEST(VocabTest, TwoTokensMayShareAnId) {
  Vocab vocab({{"a", 1}, {"b", 1}});
  EXPECT_EQ(vocab.size(), 2u);
  EXPECT_EQ(vocab.FindId("a"), 1u);
  EXPECT_EQ(vocab.FindToken(1), "b");
  EXPECT_EQ(VocabToJson(vocab).Dump(), R"({"b":1})");
}

TEST(VocabTest, AnEmptyVocabularyFindsNothing) {
  Vocab vocab;
  EXPECT_FALSE(vocab.FindId(""));
  EXPECT_FALSE(vocab.FindToken(0));
}

TEST(VocabTest, IdsMustBeUnsignedIntegers) {
  for (const char* text :
       {R"({"a":-1})", R"({"a":4294967296})", R"({"a":1.0})", R"({"a":"1"})", R"(["a"])"}) {
    EXPECT_THROW(ParseVocab(Json::Parse(text)), Error) << text;
  }
}

}  // namespace
}  // namespace hearth::tokenizers
