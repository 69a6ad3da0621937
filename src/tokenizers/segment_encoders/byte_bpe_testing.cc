#include "tokenizers/segment_encoders/byte_bpe_testing.h"

#include <map>
#include <set>
#include <utility>

#include "text/utf8.h"

namespace hearth::tokenizers {
namespace {

#define HEARTH_SPLIT(regex)                                                             \
  R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Isolated",)" \
  R"( "invert": false, "pattern": {"Regex": ")" regex                                   \
  R"("}}, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,)"      \
  R"( "use_regex": false}]})"
#define HEARTH_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define HEARTH_SPACES R"(|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"
#define HEARTH_UPPER R"([\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}])"
#define HEARTH_LOWER R"([\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}])"
#define HEARTH_PREFIX R"([^\\r\\n\\p{L}\\p{N}]?)"

constexpr const char* kByteLevel =
    R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true})";
// Newlines stand unescaped in the last pattern.
constexpr const char* kDeepSeek =
    R"json({"type": "Sequence", "pretokenizers": [
{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex": "\\p{N}{1,3}"}},
{"type": "Split", "behavior": "Isolated", "invert": false,
 "pattern": {"Regex": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"}},
{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":)json"
    R"json("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|)json"
    R"json([^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|)json"
    R"json( ?[\\p{P}\\p{S}]+[\r\n]*|)json"
    R"json(\\s*[\r\n]+|\\s+(?!\\S)|\\s+"}},)json"
    R"json({"type": "ByteLevel", "add_prefix_space": false,
 "trim_offsets": true, "use_regex": false}]})json";
constexpr const char* kFalcon =
    R"json({"type": "Sequence", "pretokenizers": [
{"type": "Split", "behavior": "Isolated", "invert": false,
 "pattern": {"Regex": "[\\p{P}\\$\\+<=>\\^~\\|`]+"}},
{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":)json"
    R"json("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}},)json"
    R"json({"type": "Split", "behavior": "Isolated", "invert": false,
 "pattern": {"Regex": "[0-9][0-9][0-9]"}},
{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]})json";
constexpr const char* kPublishedFalcon =
    R"json({"type": "Sequence", "pretokenizers": [
{"type": "Punctuation", "behavior": "Contiguous"},
{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
{"type": "Digits", "individual_digits": false},
{"type": "Split", "behavior": "Isolated", "invert": false,
 "pattern": {"Regex": "[0-9][0-9][0-9]"}}]})json";
constexpr const char* kNfc = R"({"type": "NFC"})";

// The alphabet of byte-level vocabularies.
std::vector<std::string> Alphabet() {
  std::vector<std::string> characters(256);
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    AppendUtf8(printable ? static_cast<char32_t>(byte) : next++, &characters[byte]);
  }
  return characters;
}

constexpr std::string_view kSample =
    " the quick brown fox doesn't jump, they'll re-read 1234567 times; \n\n  return foo.barBaz(12)"
    " // Über naïve Ärger\n    if (x == y) { count += 10; }\n\t\t привет мир, Ещё раз"
    " 日本語 日本 中文字 ... ''' -- !!! \xE3\x80\x80\xE3\x80\x80 HTTPServer getURL IT'S "
    "🙂🙂 "
    "a\xCC\x81"
    " the fox they're there then other mother   \r\n\r\n  0000 1111 2222 3333";

uint64_t Next(uint64_t* state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  uint64_t x = *state;
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDu;
  return x ^ (x >> 29);
}

}  // namespace

const std::vector<ByteBpeFamily>& ByteBpeFamilies() {
  static const std::vector<ByteBpeFamily> families = {
      {"gpt2", kByteLevel, "null", false},
      {"gpt2_nfc", kByteLevel, kNfc, false},
      {"starcoder",
       R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},)"
       R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,)"
       R"( "use_regex": true}]})",
       "null", false},
      {"cl100k",
       HEARTH_SPLIT(HEARTH_CONTRACTIONS
                    "|" HEARTH_PREFIX
                    R"(\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*)" HEARTH_SPACES),
       "null", true},
      {"qwen2",
       HEARTH_SPLIT(HEARTH_CONTRACTIONS
                    "|" HEARTH_PREFIX
                    R"(\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*)" HEARTH_SPACES),
       kNfc, false},
      {"qwen35",
       HEARTH_SPLIT(HEARTH_CONTRACTIONS
                    "|" HEARTH_PREFIX
                    R"([\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*)" HEARTH_SPACES),
       "null", false},
      {"o200k",
       HEARTH_SPLIT(HEARTH_PREFIX HEARTH_UPPER
                    "*" HEARTH_LOWER "+" HEARTH_CONTRACTIONS "?|" HEARTH_PREFIX HEARTH_UPPER
                    "+" HEARTH_LOWER "*" HEARTH_CONTRACTIONS
                    R"(?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*)" HEARTH_SPACES),
       "null", false},
      {"deepseek", kDeepSeek, "null", false},
      {"falcon", kFalcon, "null", false},
      {"falcon_digits", kPublishedFalcon, "null", false},
      {"tekken",
       HEARTH_SPLIT(HEARTH_PREFIX HEARTH_UPPER
                    "*" HEARTH_LOWER "+|" HEARTH_PREFIX HEARTH_UPPER "+" HEARTH_LOWER
                    R"(*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*)" HEARTH_SPACES),
       "null", true},
  };
  return families;
}

Json SmallByteBpe(const ByteBpeFamily& family) {
  std::vector<std::string> alphabet = Alphabet();
  std::vector<std::string> symbols;
  for (char c : kSample) symbols.push_back(alphabet[static_cast<uint8_t>(c)]);
  Json vocab = Json::Obj();
  std::set<std::string> known;
  int id = 0;
  for (const std::string& character : alphabet) vocab.Set(character, id++);
  Json merges = Json::Arr();
  for (int round = 0; round < 120; ++round) {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) ++counts[{symbols[i], symbols[i + 1]}];
    auto best = counts.begin();
    for (auto it = counts.begin(); it != counts.end(); ++it) {
      if (it->second > best->second) best = it;
    }
    const auto [left, right] = best->first;
    merges.Push(Json::Arr({left, right}));
    if (known.insert(left + right).second) vocab.Set(left + right, id++);
    std::vector<std::string> merged;
    for (size_t i = 0; i < symbols.size(); ++i) {
      bool pair = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
      merged.push_back(pair ? left + right : symbols[i]);
      if (pair) ++i;
    }
    symbols = std::move(merged);
  }
  // A token that no merge makes: only ignore_merges may give it.
  vocab.Set("fox", id++);
  vocab.Set("12", id++);
  Json model = Json::Obj({{"type", "BPE"},
                          {"dropout", nullptr},
                          {"unk_token", nullptr},
                          {"continuing_subword_prefix", nullptr},
                          {"end_of_word_suffix", nullptr},
                          {"fuse_unk", false},
                          {"byte_fallback", false},
                          {"ignore_merges", family.ignore_merges}});
  model.Set("vocab", std::move(vocab));
  model.Set("merges", std::move(merges));
  return Json::Obj({{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", Json::Arr()},
                    {"normalizer", Json::Parse(family.normalizer)},
                    {"pre_tokenizer", Json::Parse(family.pre_tokenizer)},
                    {"post_processor", nullptr},
                    {"decoder", nullptr},
                    {"model", std::move(model)}});
}

std::string HardText(uint64_t seed, int pieces) {
  static constexpr std::string_view kFragments[] = {
      "a",
      "the",
      "don't",
      "it'S",
      "'s",
      "'ll",
      "'",
      "''",
      "'re",
      " ",
      "  ",
      "          ",
      "\n",
      "\r\n",
      "\t",
      " \n ",
      "\n\n",
      "1",
      "12",
      "12345",
      "7777777777",
      "!",
      "!!",
      "...",
      "//",
      "/",
      "}\n//",
      ",",
      "A",
      "HTTP",
      "camelCase",
      "\xC3\xA9",
      "e\xCC\x81",
      "\xCC\x81",
      "\xCC\x81\xCC\xA3",
      "\xD0\x9F\xD1\x80",
      "\xD0\xBC\xD0\xB8\xD1\x80",
      "\xE4\xB8\xAD",
      "\xE6\x96\x87\xE5\xAD\x97",
      "\xE3\x80\x80",
      "\xC2\xA0",
      "\xE2\x80\xA8",
      "\xE2\x80\x99",
      "\xC5\xBF",
      "'\xC5\xBF",
      "\xD9\xA1",
      "\xD9\xA1\xD9\xA2",
      "\xC2\xB2",
      "\xC2\xBD",
      "\xF0\x9F\x99\x82",
      "\xF0\x90\x90\x80",
      "\xC7\x85",
      "\xE0\xA6\xAF\xE0\xA6\xBC",
      "\xE0\xA4\xB9\xE0\xA5\x8D",
      "\xF0\x91\xB7\xA0",
      "\xCD\xB8",
      "\xF1\x80\x80\x80",
      "\xEF\xBC\x91",
      "\xCA\xB0",
      "\xE1\x84\x80\xE1\x85\xA1",
      "'T",
      "'VE",
      "x'd",
      "\xC3\x84",
      "\xCE\xA9",
      "Z",
      "==",
      " fox",
      " 12",
      "fox",
      "\x01",
      "\xE3\x82\xA2\xE3\x83\xBB",
      "\xE3\x82\x99",
      "\xE3\x81\x82\xE6\xBC\xA2",
      "\xED\x95\x9C",
      "$x",
      "+",
  };
  constexpr size_t kCount = std::size(kFragments);
  uint64_t state = seed * 2654435761u + 1;
  std::string text;
  uint64_t favourite = Next(&state) % kCount;
  int length = static_cast<int>(Next(&state) % static_cast<uint64_t>(pieces)) + 1;
  for (int i = 0; i < length; ++i) {
    uint64_t choice = Next(&state);
    if (choice % 97 == 0) text.push_back('\0');
    uint64_t which = choice % 5 == 0 ? favourite : (choice >> 8) % kCount;
    uint64_t times = (choice >> 40) % 41 == 0 ? (choice >> 50) % 90 : 1;
    for (uint64_t k = 0; k < times; ++k) text += kFragments[which];
  }
  return text;
}

}  // namespace hearth::tokenizers
