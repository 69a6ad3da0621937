#include "tokenizers/internal/tokenizer_text.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tokenizers/internal/json_scanner.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

using internal::ReadTokenizerText;

std::vector<Json> SmallTokenizers() {
  std::vector<Json> all;
  for (const ByteBpeFamily& family : ByteBpeFamilies()) all.push_back(SmallByteBpe(family));
  all.push_back(SmallWordPiece(true, true, Json(), true));
  all.push_back(SmallSentencePieceBpe(Json(), Json(), true));
  all.push_back(SmallUnigram(Json(), Json()));
  return all;
}

TEST(TokenizerText, TextAndValuesMakeTheSameTokenizer) {
  for (const Json& json : SmallTokenizers()) {
    Tokenizer from_values = Tokenizer::Build(json);
    std::string wanted = from_values.ToJson();
    for (int indent : {0, 2}) {
      std::string text = json.Dump(indent);
      ASSERT_TRUE(ReadTokenizerText(text)) << text.substr(0, 200);
      Tokenizer from_text = Tokenizer::FromJson(text);
      EXPECT_EQ(from_text.ToJson(), wanted);
      std::string sample = HardText(7, 200);
      EXPECT_EQ(from_text.EncodeIds(sample), from_values.EncodeIds(sample));
      EXPECT_EQ(from_text.Encode(sample), from_values.Encode(sample));
    }
  }
}

std::string WithModel(std::string_view model) {
  return R"({"version":"1.0","added_tokens":[],"model":)" + std::string(model) + "}";
}

TEST(TokenizerText, ReadsEscapesAndBothFormsOfMerges) {
  std::string vocab =
      R"("vocab" : {"a":0 , "\u00e9\ud83d\ude42\\\/\n":1,"a\u00e9\ud83d\ude42\\/\n" : 2})";
  for (std::string_view merges :
       {R"([ ["a" , "\u00e9\ud83d\ude42\\/\n"] ])", R"(["a é🙂\\/\n"])"}) {
    std::string text =
        WithModel(R"({"type":"BPE", )" + vocab + R"(,"merges":)" + std::string(merges) + "}");
    auto read = ReadTokenizerText(text);
    ASSERT_TRUE(read) << text;
    ASSERT_EQ(read->parts.merges->by_rank().size(), 1u);
    EXPECT_EQ((*read->parts.merges)[0].new_id, 2u);
    EXPECT_EQ(read->parts.vocab->FindToken(1), "é🙂\\/\n");
    EXPECT_TRUE(read->rest.Find("model")->Find("vocab")->is_null());
  }
}

TEST(TokenizerText, ScoresAreTheOnesOfTheReference) {
  // Digits over a power of ten, rounded twice: not the nearest double.
  std::string text = WithModel(
      R"({"type":"Unigram","unk_id":0,"vocab":[["a",-9.5],["b",0],["c",-1.25e1],["d",-11.390365600585938],)"
      R"(["e",1e-3],["f",-0.000]]})");
  auto read = ReadTokenizerText(text);
  ASSERT_TRUE(read);
  const ScoredPieces& pieces = *read->parts.pieces;
  EXPECT_EQ(pieces.score(0), -9.5);
  EXPECT_EQ(pieces.score(1), 0);
  EXPECT_EQ(pieces.score(2), -12.5);
  EXPECT_EQ(pieces.score(3), -(11390365600585938.0 / 1e15));
  EXPECT_EQ(pieces.score(4), 0.001);
  EXPECT_EQ(pieces.score(5), 0);
  EXPECT_EQ(Tokenizer::FromJson(text).ToJson(), Tokenizer::Build(Json::Parse(text)).ToJson());
}

TEST(TokenizerText, WhatIsNotPlainIsLeftToTheOrdinaryWay) {
  for (std::string_view vocab :
       {"", "[]", "{", R"({"a")", R"({"a":})", R"({"a":-1})", R"({"a":1.5})", R"({"a":1e3})",
        R"({"a":01})", R"({"a":1,})", R"({"a\x":1})", R"({"\ud800":1})", R"({"\udc00":1})",
        R"({"a":"1"})", R"({"a":4294967296})", R"({"a":99999999999999999999})", "{\"a\tb\":1}",
        "{\"\xFF\":1}", "null"}) {
    EXPECT_FALSE(ReadTokenizerText(
        WithModel(R"({"type":"WordLevel","unk_token":"a","vocab":)" + std::string(vocab) + "}")))
        << vocab;
  }
  for (std::string_view merges :
       {"{}", "[", R"(["a"])", R"(["a b c"])", R"([["a"]])", R"([["a","b","c"]])", R"([["a",1]])",
        R"(["a b",])", R"(["a b",["a","b"]])", R"(["a c"])"}) {
    EXPECT_FALSE(ReadTokenizerText(WithModel(
        R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":)" + std::string(merges) + "}")))
        << merges;
  }
  for (std::string_view score : {"", "-", "1.", ".5", "01", "1e", "1e999", "\"1\"", "nan", "+1"}) {
    EXPECT_FALSE(ReadTokenizerText(
        WithModel(R"({"type":"Unigram","unk_id":0,"vocab":[["a",)" + std::string(score) + "]]}")))
        << score;
  }
  for (std::string_view bad :
       {"", "{}", "[]", R"({"model":{}})", R"({"model":{"type":"BPE","vocab":{}}} x)",
        R"({"model":{"vocab":{}}})", R"({"model":{"type":"BPE","vocab":{},"vocab":{}}})",
        R"({"model":{"type":"BPE","vocab":{}},"model":{"type":"BPE","vocab":{}}})",
        R"({"model":{"type":"BPE","merges":[],"vocab":{}}})",
        R"({"model":{"type":"BPE","vocab":{})",
        R"({"model":{"type":"BPE","vocab":{},"merges":[],"continuing_subword_prefix":"a"}})",
        R"({"version":x,"model":{"type":"BPE","vocab":{}}})"}) {
    EXPECT_FALSE(ReadTokenizerText(bad)) << bad;
  }
}

// Cut anywhere, or damaged anywhere, the text gives what its values give: the same tokenizer or the
// same complaint.
TEST(TokenizerText, DamagedTextIsRefusedAsItsValuesAre) {
  auto outcome = [](auto&& make) -> std::string {
    try {
      return make().ToJson();
    } catch (const Error& error) {
      return error.message();
    }
  };
  for (const Json& json : {SmallWordPiece(true, true, Json(), true), SmallUnigram(Json(), Json()),
                           SmallSentencePieceBpe(Json(), Json(), false)}) {
    std::string whole = json.Dump();
    for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 700) {
      std::string cut = whole.substr(0, at);
      EXPECT_FALSE(ReadTokenizerText(cut));
      for (char replacement : {'"', ',', '-', '\\', ']'}) {
        std::string bad = whole;
        bad[at] = replacement;
        EXPECT_EQ(outcome([&] { return Tokenizer::FromJson(bad); }),
                  outcome([&] { return Tokenizer::Build(Json::Parse(bad)); }))
            << "byte " << at << " is " << replacement;
      }
    }
  }
}

}  // namespace
}  // namespace hearth::tokenizers
