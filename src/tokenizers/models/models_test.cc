#include <gtest/gtest.h>

#include "base/error.h"
#include "tokenizers/model.h"

namespace hearth::tokenizers {
namespace {

std::vector<Token> Tokenize(const std::string& model, std::string_view piece) {
  std::vector<Token> tokens;
  ParseModel(Json::Parse(model))->Tokenize(piece, &tokens);
  return tokens;
}

std::vector<std::string> Values(const std::vector<Token>& tokens) {
  std::vector<std::string> values;
  for (const Token& token : tokens) values.push_back(token.value);
  return values;
}

Code FailureOf(const std::string& model, std::string_view piece = "x") {
  try {
    Tokenize(model, piece);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

using Strings = std::vector<std::string>;

TEST(WordLevelTest, UnknownWordsBecomeTheUnknownToken) {
  std::string model = R"({"type":"WordLevel","vocab":{"a":0,"<unk>":7},"unk_token":"<unk>"})";
  EXPECT_EQ(Tokenize(model, "a"), (std::vector<Token>{{0, "a", {0, 1}}}));
  EXPECT_EQ(Tokenize(model, "b\xC3\xA9"), (std::vector<Token>{{7, "<unk>", {0, 3}}}));
  EXPECT_EQ(FailureOf(R"({"type":"WordLevel","vocab":{"a":0},"unk_token":"?"})"),
            Code::kInvalidArgument);
}

constexpr char kWordPiece[] =
    R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
    R"("max_input_chars_per_word":8,"vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"##é":4}})";

TEST(WordPieceTest, TakesTheLongestTokenFirst) {
  EXPECT_EQ(Tokenize(kWordPiece, "unaffé"),
            (std::vector<Token>{{1, "un", {0, 2}}, {2, "##aff", {2, 5}}, {4, "##é", {5, 7}}}));
}

TEST(WordPieceTest, OneBadPartMakesTheWholeWordUnknown) {
  EXPECT_EQ(Tokenize(kWordPiece, "unaffx"), (std::vector<Token>{{0, "[UNK]", {0, 6}}}));
}

TEST(WordPieceTest, CountsCharactersNotBytes) {
  EXPECT_EQ(Values(Tokenize(kWordPiece, "unéééééé")).size(), 7u);
  EXPECT_EQ(Values(Tokenize(kWordPiece, "unééééééé")), (Strings{"[UNK]"}));
}

constexpr char kBpe[] =
    R"({"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,)"
    R"("end_of_word_suffix":null,"fuse_unk":FUSE,"byte_fallback":FALLBACK,"ignore_merges":false,)"
    R"("vocab":{"<unk>":0,"a":1,"b":2,"c":3,"ab":4,"bc":5,"abc":6,"<0xC3>":7,"<0xA9>":8},)"
    R"("merges":[["b","c"],["a","b"],["a","bc"]]})";

std::string BpeModel(const std::string& fuse, const std::string& fallback) {
  std::string model = kBpe;
  model.replace(model.find("FUSE"), 4, fuse);
  return model.replace(model.find("FALLBACK"), 8, fallback);
}

TEST(BpeTest, MergesByRankThenPosition) {
  std::string model = BpeModel("false", "false");
  EXPECT_EQ(Values(Tokenize(model, "abc")), (Strings{"abc"}));
  EXPECT_EQ(Values(Tokenize(model, "abab")), (Strings{"ab", "ab"}));
  EXPECT_EQ(Values(Tokenize(model, "ababc")), (Strings{"ab", "abc"}));
}

TEST(BpeTest, UnknownCharactersAreFusedWhenAsked) {
  EXPECT_EQ(Tokenize(BpeModel("false", "false"), "zé"),
            (std::vector<Token>{{0, "<unk>", {0, 1}}, {0, "<unk>", {1, 3}}}));
  EXPECT_EQ(Tokenize(BpeModel("true", "false"), "zé"), (std::vector<Token>{{0, "<unk>", {0, 3}}}));
}

TEST(BpeTest, BytesPassAWaitingUnknownToken) {
  EXPECT_EQ(Values(Tokenize(BpeModel("true", "true"), "zéa")),
            (Strings{"<0xC3>", "<0xA9>", "<unk>", "a"}));
}

TEST(BpeTest, ReadsMergesAsLinesToo) {
  std::string lines = R"({"vocab":{"a":0,"b":1,"ab":2},"merges":["#version: 0.2","a b"]})";
  EXPECT_EQ(Values(Tokenize(lines, "ab")), (Strings{"ab"}));
  EXPECT_EQ(FailureOf(R"({"vocab":{"a":0,"b":1,"ab":2},"merges":["a b c"]})"),
            Code::kInvalidArgument);
  EXPECT_EQ(FailureOf(R"({"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]})"),
            Code::kInvalidArgument);
}

TEST(BpeTest, APieceOfAMegabyteIsNotQuadratic) {
  std::string piece;
  while (piece.size() < (1u << 20)) piece += "abcab";
  EXPECT_EQ(Tokenize(BpeModel("false", "false"), piece).size(), piece.size() / 5 * 2);
}

TEST(BpeTest, FullDropoutMergesNothing) {
  std::string model = BpeModel("false", "false");
  model.replace(model.find("\"dropout\":null"), 14, "\"dropout\":1.0");
  EXPECT_EQ(Values(Tokenize(model, "abc")), (Strings{"a", "b", "c"}));
}

TEST(UnigramTest, TakesTheBestPathAndFusesUnknown) {
  std::string model = R"({"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0],
      ["a",0],["b",0],["c",0],["d",0],["cd",1],["ab",2],["abc",5],["abcd",10]]})";
  EXPECT_EQ(Values(Tokenize(model, "abcdacdxx")), (Strings{"abcd", "a", "cd", "xx"}));
  EXPECT_EQ(Tokenize(model, "xx").front(), (Token{0, "xx", {0, 2}}));
}

TEST(UnigramTest, ScoresAreReadAsTheReferenceReadsThem) {
  auto model = ParseModel(
      Json::Parse(R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",-15.275492379532281]]})"));
  EXPECT_EQ(model->ToJson().Dump(),
            R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",-15.27549237953228]],)"
            R"("byte_fallback":false})");
}

TEST(UnigramTest, WithoutUnknownTokenAnUnknownCharacterFails) {
  EXPECT_EQ(FailureOf(R"({"type":"Unigram","unk_id":null,"vocab":[["a",0]]})"),
            Code::kInvalidArgument);
  EXPECT_EQ(FailureOf(R"({"type":"Unigram","unk_id":1,"vocab":[["a",0]]})"),
            Code::kInvalidArgument);
}

TEST(ModelTest, AnObjectWithoutTypeIsKnownByItsFields) {
  auto type = [](const char* text) { return std::string(ParseModel(Json::Parse(text))->type()); };
  EXPECT_EQ(type(R"({"vocab":{},"merges":[]})"), "BPE");
  EXPECT_EQ(type(R"({"vocab":{},"unk_token":"u"})"), "WordLevel");
  EXPECT_EQ(type(R"({"vocab":{},"unk_token":"u","continuing_subword_prefix":"",)"
                 R"("max_input_chars_per_word":1})"),
            "WordPiece");
  EXPECT_EQ(type(R"({"vocab":[]})"), "Unigram");
  EXPECT_EQ(FailureOf(R"({"unk_token":"u"})"), Code::kInvalidArgument);
  EXPECT_EQ(FailureOf(R"({"type":"Other"})"), Code::kInvalidArgument);
}

TEST(ModelTest, WritesWhatItRead) {
  for (const std::string& text : {BpeModel("true", "false"), std::string(kWordPiece)}) {
    EXPECT_EQ(ParseModel(Json::Parse(text))->ToJson().Dump(), Json::Parse(text).Dump());
  }
}

}  // namespace
}  // namespace hearth::tokenizers
