#include "tokenizers/tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace hearth::tokenizers {
namespace {

using Ids = std::vector<uint32_t>;

// Words with special tokens around them. The parts that a test changes come last, and win.
std::string Words(const std::string& parts = "") {
  return R"({"version":"1.0","normalizer":{"type":"Lowercase"},
    "pre_tokenizer":{"type":"BertPreTokenizer"},
    "added_tokens":[{"id":3,"content":"[MASK]","single_word":false,"lstrip":true,"rstrip":false,
                     "normalized":false,"special":true}],
    "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},
    "decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
    "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
      "max_input_chars_per_word":100,
      "vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"[MASK]":3,"hello":4,"world":5,"!":6,"wor":7,"##d":8}}
    )" + parts +
         "}";
}

TEST(TokenizerTest, EncodesWithOffsetsInBytesAndInCharacters) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  Encoding encoding = tokenizer.Encode("é Hello  word!");
  EXPECT_EQ(encoding.ids, (Ids{1, 0, 4, 7, 8, 6, 2}));
  EXPECT_EQ(encoding.tokens,
            (std::vector<std::string>{"[CLS]", "[UNK]", "hello", "wor", "##d", "!", "[SEP]"}));
  EXPECT_EQ(encoding.offsets[2], (Offsets{3, 8}));
  EXPECT_EQ(encoding.offsets[4], (Offsets{13, 14}));
  EXPECT_EQ(encoding.word_ids, (std::vector<std::optional<uint32_t>>{{}, 0, 1, 2, 2, 3, {}}));
  encoding = tokenizer.Encode("é Hello  word!", {.offsets = OffsetUnit::kCharacters});
  EXPECT_EQ(encoding.offsets[2], (Offsets{2, 7}));
  encoding = tokenizer.Encode("hello", {.offsets = OffsetUnit::kNone});
  EXPECT_EQ(encoding.ids, (Ids{1, 4, 2}));
  EXPECT_EQ(encoding.tokens[1], "");
}

TEST(TokenizerTest, IdsAloneAreTheSame) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  for (const char* text : {"", "hello", "Hello [MASK] world![MASK]", "  ", "日本"}) {
    EXPECT_EQ(tokenizer.EncodeIds(text), tokenizer.Encode(text, {.stage_by_stage = true}).ids)
        << text;
    EXPECT_EQ(tokenizer.EncodeIds(text, false),
              tokenizer.Encode(text, {.add_special_tokens = false, .stage_by_stage = true}).ids);
    EXPECT_EQ(tokenizer.CountTokens(text), tokenizer.EncodeIds(text).size());
  }
}

TEST(TokenizerTest, AddedTokensTakeTheSpaceBeforeThem) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  Encoding encoding = tokenizer.Encode("hello  [MASK] world");
  EXPECT_EQ(encoding.ids, (Ids{1, 4, 3, 5, 2}));
  EXPECT_EQ(encoding.offsets[2], (Offsets{5, 13}));
  EXPECT_EQ(encoding.special_tokens_mask, (std::vector<uint8_t>{1, 0, 0, 0, 1}));
}

// "<m>" takes the spaces behind it, so the token of two spaces finds none of its own.
TEST(TokenizerTest, WhiteSpaceThatATokenTookIsNotTakenAgain) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::vector<AddedToken> tokens = {{.content = "<m>", .rstrip = true, .normalized = false},
                                    {.content = "  ", .lstrip = true, .normalized = false}};
  tokenizer.AddTokens(tokens);
  EXPECT_EQ(tokenizer.EncodeIds("<m>   hello", false), (Ids{9, 4}));
  EXPECT_EQ(tokenizer.Encode("<m>   hello", {.add_special_tokens = false}).ids, (Ids{9, 4}));
  EXPECT_EQ(tokenizer.EncodeIds("!   hello", false), (Ids{6, 10, 4}));
}

TEST(TokenizerTest, ATemplateMayRepeatOrDropTheText) {
  for (const char* single :
       {R"([{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"A","type_id":1}}])",
        R"([{"SpecialToken":{"id":"x","type_id":0}}])", "[]"}) {
    Tokenizer tokenizer = Tokenizer::FromJson(
        R"({"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}},
            "post_processor":{"type":"TemplateProcessing","pair":[],"single":)" +
        std::string(single) + R"(,"special_tokens":{"x":{"id":"x","ids":[7],"tokens":["x"]}}}})");
    for (bool special : {true, false}) {
      EXPECT_EQ(tokenizer.EncodeIds("a", special),
                tokenizer.Encode("a", {.add_special_tokens = special}).ids);
    }
  }
}

TEST(TokenizerTest, SpecialTokensCanBeText) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  tokenizer.SetEncodeSpecialTokens(true);
  EXPECT_EQ(tokenizer.EncodeIds("[MASK]", false), (Ids{0, 0, 0}));
}

TEST(TokenizerTest, PairsAndWords) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  Encoding pair = tokenizer.Encode({"hello", "world !"});
  EXPECT_EQ(pair.ids, (Ids{1, 4, 2, 5, 6, 2}));
  EXPECT_EQ(pair.type_ids, (Ids{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pair.SequenceIds(), (std::vector<std::optional<size_t>>{{}, 0, {}, 1, 1, {}}));
  Encoding words = tokenizer.Encode(EncodeSequence::Words({"Hello!", "word"}));
  EXPECT_EQ(words.ids, (Ids{1, 4, 6, 7, 8, 2}));
  EXPECT_EQ(words.word_ids, (std::vector<std::optional<uint32_t>>{{}, 0, 0, 1, 1, {}}));
  EXPECT_EQ(words.offsets[4], (Offsets{3, 4}));
}

TEST(TokenizerTest, TruncationLeavesRoomForSpecialTokens) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  tokenizer.SetTruncation(Truncation{.max_length = 4, .stride = 1});
  Encoding encoding = tokenizer.Encode("hello world ! hello");
  EXPECT_EQ(encoding.ids, (Ids{1, 4, 5, 2}));
  ASSERT_EQ(encoding.overflowing.size(), 2u);
  EXPECT_EQ(encoding.overflowing[1].ids, (Ids{1, 6, 4, 2}));
  EXPECT_THROW(tokenizer.SetTruncation(Truncation{.max_length = 4, .stride = 3}), Error);
}

TEST(TokenizerTest, ABatchIsPaddedTogetherOnAnyNumberOfThreads) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  tokenizer.SetPadding(PaddingOptions{.pad_id = 9});
  std::vector<EncodeInput> inputs(50, EncodeInput("hello"));
  inputs.emplace_back("hello world !");
  for (int threads : {1, 4}) {
    std::vector<Encoding> batch = tokenizer.EncodeBatch(inputs, {.threads = threads});
    EXPECT_EQ(batch[0].ids, (Ids{1, 4, 2, 9, 9}));
    EXPECT_EQ(batch[50].ids, (Ids{1, 4, 5, 6, 2}));
  }
}

TEST(TokenizerTest, AFaultInOneTextOfABatchIsThrown) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::vector<EncodeInput> inputs(20, EncodeInput("hello"));
  inputs.emplace_back(std::string_view("\xFF"));
  EXPECT_THROW(tokenizer.EncodeBatch(inputs, {.threads = 3}), Error);
}

TEST(TokenizerTest, TextThatIsNotUtf8IsRefused) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  EXPECT_THROW(tokenizer.Encode("\xC3"), Error);
  EXPECT_THROW(tokenizer.EncodeIds("a\xED\xA0\x80"), Error);
  EXPECT_THROW(tokenizer.Normalize("\x80"), Error);
}

TEST(TokenizerTest, DecodesWithAndWithoutSpecialTokens) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  Ids ids = {1, 4, 7, 8, 6, 3, 999, 2};
  EXPECT_EQ(tokenizer.Decode(ids), "[CLS] hello word! [SEP]");
  EXPECT_EQ(tokenizer.Decode(ids, false), "[CLS] hello word! [MASK] [SEP]");
  EXPECT_EQ(tokenizer.Decode({}), "");
}

TEST(TokenizerTest, VocabularyHoldsModelAndAddedTokens) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::vector<AddedToken> tokens = {{.content = "Extra"}, AddedToken::Special("hello")};
  EXPECT_EQ(tokenizer.AddTokens(tokens), 2u);
  EXPECT_EQ(tokenizer.AddTokens(tokens), 0u);
  EXPECT_EQ(tokenizer.FindId("Extra"), 9u);
  EXPECT_EQ(tokenizer.FindId("hello"), 4u);
  EXPECT_EQ(tokenizer.FindToken(9), "extra") << "as the normalizer makes it";
  EXPECT_EQ(tokenizer.FindToken(10), std::nullopt);
  EXPECT_EQ(tokenizer.vocab_size(), 10u);
  EXPECT_EQ(tokenizer.vocab_size(false), 9u);
  size_t count = 0;
  tokenizer.ForEachToken([&](std::string_view, uint32_t) { ++count; });
  EXPECT_EQ(count, 10u);
  EXPECT_EQ(tokenizer.EncodeIds("so EXTRA", false), (Ids{0, 9}));
}

TEST(TokenizerTest, PiecesAreWhatTheModelSees) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::vector<std::string> pieces;
  tokenizer.ForEachPiece("Hello, [MASK]World",
                         [&](std::string_view piece) { pieces.emplace_back(piece); });
  EXPECT_EQ(pieces, (std::vector<std::string>{"hello", ",", "world"}));
  EXPECT_EQ(tokenizer.Normalize("Hello"), "hello");
}

TEST(TokenizerTest, IsWrittenAsItWasRead) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::string text = tokenizer.ToJson();
  EXPECT_EQ(Tokenizer::FromJson(text).ToJson(), text);
  EXPECT_TRUE(text.starts_with(R"({"version":"1.0","truncation":null,"padding":null,)"));
  EXPECT_EQ(Tokenizer::FromJson(tokenizer.ToJson(true)).ToJson(), text);
}

TEST(TokenizerTest, AWrongFileIsRefusedByTheKeyAtFault) {
  for (const char* wrong : {"", "[]", "{}", R"({"version":"2.0"})", R"({"model":5})"}) {
    EXPECT_THROW(Tokenizer::FromJson(wrong), Error) << wrong;
  }
  try {
    Tokenizer::FromJson(Words(R"(,"padding":{"strategy":"BatchLongest"})"));
    FAIL() << "padding without its fields";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(error.message().find("direction"), std::string::npos) << error.message();
  }
}

TEST(TokenizerTest, ReplacementsThatMultiplyAreRefused) {
  std::string replace = R"({"type":"Replace","pattern":{"String":"a"},"content":")" +
                        std::string(1000, 'a') + R"("})";
  std::string rows = replace;
  for (int i = 0; i < 9; ++i) rows += "," + replace;
  Tokenizer tokenizer =
      Tokenizer::FromJson(R"({"normalizer":{"type":"Sequence","normalizers":[)" + rows +
                          R"(]},"decoder":{"type":"Sequence","decoders":[)" + rows +
                          R"(]},"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}})");
  auto code = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  const Ids ids = {0};
  EXPECT_EQ(code([&] { tokenizer.Encode("a"); }), Code::kTooLarge);
  EXPECT_EQ(code([&] { tokenizer.EncodeIds("a"); }), Code::kTooLarge);
  EXPECT_EQ(code([&] { tokenizer.Decode(ids); }), Code::kTooLarge);
}

TEST(TokenizerTest, ManyThreadsShareOneTokenizer) {
  Tokenizer tokenizer = Tokenizer::FromJson(Words());
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        count += tokenizer.EncodeIds("hello [MASK] word") != Ids{1, 4, 3, 7, 8, 2};
        count += tokenizer.Encode("hello !").ids != Ids{1, 4, 6, 2};
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(8, 0));
}

// Bytes of one character lie in several tokens.
TEST(DecodeStreamTest, HoldsBackHalfCharacters) {
  Tokenizer tokenizer = Tokenizer::FromJson(R"({"decoder":{"type":"ByteFallback"},
      "model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"<0xC3>":1,"<0xA9>":2}}})");
  DecodeStream stream(tokenizer);
  EXPECT_EQ(stream.Step(0), "a");
  EXPECT_EQ(stream.Step(1), std::nullopt);
  EXPECT_EQ(stream.Step(2), "é");
  EXPECT_EQ(stream.Step(0), "a");
}

TEST(DecodeStreamTest, GivesSpacesThatOneTokenAloneWouldLose) {
  Tokenizer tokenizer = Tokenizer::FromJson(R"({"decoder":{"type":"Metaspace","replacement":"_"},
      "model":{"type":"WordLevel","unk_token":"_This","vocab":{"_This":0}}})");
  DecodeStream stream(tokenizer);
  EXPECT_EQ(stream.Step(0), "This");
  EXPECT_EQ(stream.Step(0), " This");
  EXPECT_EQ(stream.Step(0), " This");
}

}  // namespace
}  // namespace hearth::tokenizers
