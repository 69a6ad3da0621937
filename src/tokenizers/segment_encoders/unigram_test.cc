#include <gtest/gtest.h>

#include <random>

#include "text/utf8.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

Json Metaspace(const char* scheme) {
  Json stage = StageOf("Metaspace");
  stage.Set("replacement", Json(kUnigramMark)).Set("prepend_scheme", scheme).Set("split", true);
  return stage;
}

Json Words(const char* scheme) {
  Json sequence = StageOf("Sequence");
  sequence.Set("pretokenizers", Json::Arr({StageOf("WhitespaceSplit"), Metaspace(scheme)}));
  return sequence;
}

enum Step { kMap = 1, kStrip = 2, kCollapse = 4 };

Json Normalizer(int steps) {
  Json list = Json::Arr();
  if ((steps & kMap) != 0) {
    Json map = StageOf("Precompiled");
    map.Set("precompiled_charsmap", SmallCharsmap());
    list.Push(map);
  }
  if ((steps & kStrip) != 0) {
    Json strip = StageOf("Strip");
    strip.Set("strip_left", false).Set("strip_right", true);
    list.Push(strip);
  }
  if ((steps & kCollapse) != 0) {
    Json replace = StageOf("Replace");
    replace.Set("pattern", Json::Obj({{"Regex", " {2,}"}})).Set("content", Json(kUnigramMark));
    list.Push(replace);
  }
  if (list.size() == 0) return Json();
  Json sequence = StageOf("Sequence");
  sequence.Set("normalizers", std::move(list));
  return sequence;
}

// Adds what the map and the edges of words care for to the fragments of HardText.
std::string WithEdges(std::string text, uint64_t seed) {
  static constexpr std::string_view kEdges[] = {kUnigramMark, "\xC2\xB4",  "\xE2\x80\x8B",
                                                "\x7F",       "e\xCC\x81", "\xC2\xA0\xCC\x81",
                                                "\xD8\x80",   "22"};
  for (size_t at = 0, turn = seed; (at = text.find('!', at)) != std::string::npos; ++turn) {
    std::string_view edge = kEdges[turn % std::size(kEdges)];
    text.replace(at, 1, edge);
    at += edge.size();
  }
  return text;
}

void ExpectPlainIds(const Tokenizer& tokenizer, const std::string& text) {
  ASSERT_TRUE(PathsAgree(tokenizer, text)) << Json(text).Dump();
}

void ExpectPlainIdsOnHardTexts(const Json& json) {
  Tokenizer tokenizer = Tokenizer::Build(json);
  ASSERT_TRUE(tokenizer.has_fast_path());
  for (uint64_t seed = 0; seed < 700; ++seed) {
    std::string text = WithEdges(HardText(seed, seed % 10 == 0 ? 200 : 20), seed);
    ExpectPlainIds(tokenizer, text);
    ExpectPlainIds(tokenizer, "<x>" + text + "<x> a");
  }
  for (std::string_view text :
       {"", " ", "  ", "a", " a", "a ", "a  b", "\r\n", "a\r\nb", "\xC2\xA0"}) {
    ExpectPlainIds(tokenizer, std::string(text));
  }
}

TEST(Unigram, WordsOfWhiteSpaceGiveTheIdsOfThePlainPath) {
  for (const char* scheme : {"always", "never"}) {
    for (int steps : {0, int{kMap}, kMap | kStrip}) {
      ExpectPlainIdsOnHardTexts(SmallUnigram(Normalizer(steps), Words(scheme)));
    }
  }
}

TEST(Unigram, CountedSpacesGiveTheIdsOfThePlainPath) {
  for (const char* scheme : {"always", "first", "never"}) {
    for (int steps = 0; steps < 8; ++steps) {
      ExpectPlainIdsOnHardTexts(SmallUnigram(Normalizer(steps), Metaspace(scheme)));
    }
  }
}

TEST(Unigram, ScoresThatTieAreDecidedAsThePlainPathDoes) {
  Tokenizer tokenizer = Tokenizer::Build(SmallUnigram(Json(), Words("always")));
  for (std::string_view text : {"222", "2222", "22222 1222", "thethere", "777777"}) {
    ExpectPlainIds(tokenizer, std::string(text));
  }
}

TEST(Unigram, EveryCharacterGivesTheIdsOfThePlainPath) {
  Tokenizer tokenizer = Tokenizer::Build(SmallUnigram(Normalizer(kMap), Words("always")));
  std::string text;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    text += "the";
    AppendUtf8(c, &text);
    text += "fox ";
    AppendUtf8(c, &text);
    text += ' ';
    if (c % 1024 != 1023) continue;
    ExpectPlainIds(tokenizer, text);
    text.clear();
    if (c >= 0x3FFFF) c += 1024 * 6;  // planes without characters, but for a few
  }
}

TEST(Unigram, OneLongWordIsCoveredAlike) {
  Tokenizer tokenizer = Tokenizer::Build(SmallUnigram(Normalizer(kMap), Words("always")));
  std::string text;
  while (text.size() < 20000) text += "thequickfoxthereothe\xE4\xB8\xAD\xE6\x96\x87\xE5\xAD\x97zZ";
  ExpectPlainIds(tokenizer, text);
}

// Longer than the places that are kept at once: words whose covers part late, many unknown
// characters, and one token after the other.
TEST(Unigram, LongWordsOfAllKindsAreCoveredAlike) {
  Tokenizer tokenizer = Tokenizer::Build(SmallUnigram(Normalizer(kMap), Words("always")));
  static constexpr std::string_view kParts[] = {
      "the", "re", "2", "222", "q", "fox", "\xE4\xB8\xAD", "\xE6\x96\x87", "Z", "there", "7", "e"};
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    size_t kinds = 1 + seed % std::size(kParts), from = random() % std::size(kParts);
    std::string text;
    while (text.size() < 4000 + seed * 400) {
      text += kParts[(from + random() % kinds) % std::size(kParts)];
    }
    ExpectPlainIds(tokenizer, text);
  }
}

TEST(Unigram, LayoutsThatAreNotCertainAreLeftToThePlainPath) {
  EXPECT_FALSE(Tokenizer::Build(SmallUnigram(Json(), Words("first"))).has_fast_path());
  EXPECT_FALSE(
      Tokenizer::Build(SmallUnigram(Normalizer(kCollapse), Words("always"))).has_fast_path());
  Json whole = Metaspace("always");
  whole.Set("split", false);
  EXPECT_FALSE(Tokenizer::Build(SmallUnigram(Json(), whole)).has_fast_path());
}

}  // namespace
}  // namespace hearth::tokenizers
