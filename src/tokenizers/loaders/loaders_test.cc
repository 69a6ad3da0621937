#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/loaders/merge_rules.h"
#include "tokenizers/loaders/parts.h"
#include "tokenizers/loaders/rwkv_world.h"
#include "tokenizers/loaders/sentencepiece_model.h"
#include "tokenizers/model.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

// Writes the fields of a protocol buffer.
class Proto {
 public:
  Proto& Varint(int number, uint64_t value) {
    Raw(static_cast<uint64_t>(number) << 3);
    return Raw(value);
  }
  Proto& Bytes(int number, std::string_view value) {
    Raw(static_cast<uint64_t>(number) << 3 | 2);
    Raw(value.size());
    bytes_ += value;
    return *this;
  }
  Proto& Float(int number, float value) {
    Raw(static_cast<uint64_t>(number) << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Proto& Raw(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
    return *this;
  }
  std::string bytes_;
};

std::string Piece(std::string_view text, float score, int type) {
  return Proto().Bytes(1, text).Float(2, score).Varint(3, static_cast<uint64_t>(type)).bytes();
}

// A BPE model of five pieces; its normaliser adds a space in front and trims nothing.
std::string SmallModel() {
  std::string spec = Proto().Varint(3, 2).Varint(35, 0).Varint(40, 0).bytes();
  std::string normalizer = Proto().Varint(3, 1).Varint(4, 0).bytes();
  return Proto()
      .Bytes(1, Piece("<unk>", 0, 2))
      .Bytes(1, Piece("<s>", 0, 3))
      .Bytes(1, Piece("\xE2\x96\x81"
                      "a",
                      -1, 1))
      .Bytes(1, Piece("\xE2\x96\x81", -2, 1))
      .Bytes(1, Piece("a", -3, 1))
      .Bytes(2, spec)
      .Bytes(3, normalizer)
      .bytes();
}

Json Load(std::map<std::string, std::string> files) {
  return LoadTokenizerJson(MemoryFiles(std::move(files)));
}

const Json& Model(const Json& json) { return *json.Find("model"); }

TEST(SentencePieceLoaderTest, ABpeModelBecomesVocabularyRulesAndNormaliser) {
  Json json = Load({{"tokenizer.model", SmallModel()}});
  EXPECT_EQ(Model(json).Find("vocab")->Dump(), R"({"<unk>":0,"<s>":1,"▁a":2,"▁":3,"a":4})");
  EXPECT_EQ(Model(json).Find("merges")->Dump(), R"([["▁","a"]])");
  EXPECT_EQ(json.Find("normalizer")->Find("normalizers")->size(), 2u);
  EXPECT_EQ(json.Find("added_tokens")->size(), 2u);
}

TEST(SentencePieceLoaderTest, EveryTruncationIsRefusedOrStillAModel) {
  std::string whole = SmallModel();
  size_t refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    try {
      ParseSentencePieceModel(std::string_view(whole).substr(0, size));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      ++refused;
    }
  }
  EXPECT_GT(refused, whole.size() * 9 / 10);
}

TEST(SentencePieceLoaderTest, EveryChangedByteIsRefusedOrStillAModel) {
  std::string whole = SmallModel();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (char flip : {'\x01', '\x80', '\xFF'}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      try {
        ParseModel(Model(Load({{"tokenizer.model", changed}})));
      } catch (const Error&) {
      }
    }
  }
}

TEST(SentencePieceLoaderTest, AFileOfRanksUnderTheSameNameIsRead) {
  std::string ranks = "YQ== 0\nYg== 1\nYWI= 2\n";  // a, b, ab
  Json json = Load({{"tokenizer.model", ranks}});
  EXPECT_EQ(Model(json).Find("vocab")->Dump(), R"({"a":0,"b":1,"ab":2})");
  EXPECT_EQ(Model(json).Find("merges")->Dump(), R"([["a","b"]])");
}

// As SmallModel, of another type.
std::string ModelOfType(uint64_t type) {
  std::string spec = Proto().Varint(3, type).Varint(40, 0).bytes();
  std::string normalizer = Proto().Varint(3, 1).Varint(4, 1).bytes();
  return Proto()
      .Bytes(1, Piece("<unk>", 0, 2))
      .Bytes(1, Piece("\xE2\x96\x81", -1, 1))
      .Bytes(1, Piece("a", -2, 1))
      .Bytes(1, Piece("\xE2\x96\x81"
                      "ab",
                      -3, 1))
      .Bytes(2, spec)
      .Bytes(3, normalizer)
      .bytes();
}

TEST(SentencePieceLoaderTest, AModelOfCharactersNeverMerges) {
  Tokenizer tokenizer = Tokenizer::Build(Load({{"tokenizer.model", ModelOfType(4)}}));
  EXPECT_EQ(tokenizer.EncodeIds("a  aa", false), (std::vector<uint32_t>{1, 2, 1, 2, 2}));
  EXPECT_EQ(tokenizer.EncodeIds("axyza", false), (std::vector<uint32_t>{1, 2, 0, 2}));
}

TEST(SentencePieceLoaderTest, AModelOfWordsKnowsWholeWordsOnly) {
  Tokenizer tokenizer = Tokenizer::Build(Load({{"tokenizer.model", ModelOfType(3)}}));
  EXPECT_EQ(tokenizer.EncodeIds("ab  ab", false), (std::vector<uint32_t>{3, 3}));
  EXPECT_EQ(tokenizer.EncodeIds("ab abc ab", false), (std::vector<uint32_t>{3, 0, 3}));
}

TEST(SentencePieceLoaderTest, AModelOfNoKnownTypeIsRefused) {
  EXPECT_THROW(Load({{"tokenizer.model", ModelOfType(5)}}), Error);
}

std::vector<SentencePiece> AllBytes() {
  std::vector<SentencePiece> pieces = {{"<s>", 0, PieceType::kControl}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    snprintf(name, sizeof name, "\\x%02x", byte);
    pieces.push_back({name, 0, PieceType::kNormal});
  }
  return pieces;
}

TEST(RwkvWorldTest, EscapesArePythons) {
  EXPECT_EQ(UnescapeRwkvToken(R"(a\t\\\x00\'\xFf\n\r)"), std::string("a\t\\\0'\xFF\n\r", 8));
  for (const char* cut : {"\\", "\\x", "\\xf", "\\xfg", "\\q"}) {
    EXPECT_THROW(UnescapeRwkvToken(cut), Error) << cut;
  }
}

TEST(RwkvWorldTest, TheLongestTokenIsTakenEvenWhereItLeavesAWorseRest) {
  std::vector<SentencePiece> pieces = AllBytes();
  for (const char* text : {"ab", "abc", "cdef", R"(\xe4\xbd)"}) {
    pieces.push_back({text, 0, PieceType::kNormal});
  }
  pieces.push_back({"[PAD0]", 0, PieceType::kUnused});
  Tokenizer tokenizer = Tokenizer::Build(MakeRwkvTokenizerJson(pieces));
  EXPECT_EQ(tokenizer.EncodeIds("abcdef", false), (std::vector<uint32_t>{258, 101, 102, 103}));
  EXPECT_EQ(tokenizer.EncodeIds("\xE4\xBD\xA0<s>", false), (std::vector<uint32_t>{260, 161, 0}));
  EXPECT_EQ(tokenizer.Decode(tokenizer.EncodeIds("\xE4\xBD\xA0 ab\n", false)), "\xE4\xBD\xA0 ab\n");
}

TEST(RwkvWorldTest, AVocabularyThatLacksAByteIsRefused) {
  std::vector<SentencePiece> pieces = AllBytes();
  pieces[42].type = PieceType::kUnused;
  EXPECT_THROW(MakeRwkvTokenizerJson(pieces), Error);
}

TEST(LoaderTest, ATokenizerJsonIsTakenFirst) {
  Json json = Load({{"tokenizer.json", R"({"model":1})"}, {"tokenizer.model", SmallModel()}});
  EXPECT_EQ(json.Dump(), R"({"model":1})");
}

TEST(LoaderTest, WithoutAnyTokenizerFileThereIsNone) {
  try {
    Load({{"README.md", ""}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

class SingleFileTest : public ::testing::Test {
 protected:
  SingleFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hearth-loaders-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SingleFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Put(std::string_view name, std::string_view content) {
    std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  // The kind of model that the file holds, or what is wrong with it.
  std::string KindOf(std::string_view name, std::string_view content) {
    std::filesystem::path path = Put(name, content);
    try {
      return LoadTokenizerJson(path).Find("model")->StringField("type").value_or("");
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), ::testing::HasSubstr(path.string()));
      return error.message();
    }
  }

  std::filesystem::path folder_;
};

TEST_F(SingleFileTest, IsRecognisedByItsContentUnderAnyName) {
  std::string json =
      R"({"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}})";
  EXPECT_EQ(KindOf("t_bpe.json", json), "WordLevel");
  EXPECT_EQ(KindOf("mine", "\n " + json), "WordLevel");
  Tokenizer tokenizer = LoadTokenizer(Put("mine.json", json));
  EXPECT_EQ(tokenizer.vocab_size(), 1u);
  EXPECT_EQ(KindOf("llama.bin", SmallModel()), "BPE");
  EXPECT_EQ(KindOf("ranks.txt", "YQ== 0\nYg== 1\n"), "BPE");
  EXPECT_EQ(KindOf("my-words.txt", "[PAD]\n[UNK]\na\n"), "WordPiece");
}

TEST_F(SingleFileTest, WhatIsNoTokenizerIsNamedWithWhatWasExpected) {
  using ::testing::HasSubstr;
  EXPECT_THAT(KindOf("config.json", R"({"model":"x"})"), HasSubstr("expected tokenizer.json"));
  EXPECT_THAT(KindOf("notes.txt", "hello\n"), HasSubstr("expected tokenizer.json"));
  EXPECT_THAT(KindOf("vocab.json", R"({"a":0,"b":1})"), HasSubstr("merges.txt"));
  EXPECT_THAT(KindOf("broken.json", R"({"model":)"), HasSubstr("broken.json"));
  EXPECT_THAT(KindOf("empty", ""), HasSubstr("expected tokenizer.json"));
  EXPECT_THROW(LoadTokenizer(Put("other.json", R"({"a":[]})")), Error);
}

TEST(BertVocabTest, LinesAreIdsAndTheLastOfEqualOnesCounts) {
  Json json = Load({{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\r\n\na\n"}});
  auto model = ParseModel(Model(json));
  EXPECT_EQ(model->FindId("a"), 6u);
  EXPECT_EQ(model->FindId(""), 5u);
  EXPECT_EQ(json.Find("added_tokens")->size(), 4u);
}

TEST(BertVocabTest, TheConfigurationSaysAboutCase) {
  Json json = Load({{"vocab.txt", "a\n"}, {"tokenizer_config.json", R"({"do_lower_case":false})"}});
  EXPECT_EQ(json.Find("normalizer")->Find("lowercase")->AsBool(), false);
}

TEST(VocabMergesTest, ALineThatIsNoPairIsNamed) {
  try {
    Load({{"vocab.json", R"({"a":0})"}, {"merges.txt", "#version: 0.2\na\n"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("line 2 of merges.txt"));
  }
}

TEST(MergeRulesTest, BetterScoresAndLongerLeftPartsComeFirst) {
  MergeRules rules = RulesFromScores({{"a", -5}, {"b", -6}, {"ab", -1}, {"abb", -3}, {"bb", -2}});
  EXPECT_EQ(rules, (MergeRules{{"a", "b"}, {"b", "b"}, {"ab", "b"}, {"a", "bb"}}));
}

TEST(MergeRulesTest, TokensTooLongToCutAreRefused) {
  EXPECT_THROW(RulesFromRanks({std::string(1 << 20, 'a')}), Error);
}

TEST(PartsTest, BytesAreSpelledWithLettersThatPrint) {
  EXPECT_EQ(parts::SpellBytes(std::string_view(" \0a\xFF", 4)), "ĠĀaÿ");
}

}  // namespace
}  // namespace hearth::tokenizers
