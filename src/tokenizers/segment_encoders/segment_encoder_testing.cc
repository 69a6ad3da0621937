#include "tokenizers/segment_encoders/segment_encoder_testing.h"

#include <cstdint>
#include <map>

#include "codec/base64.h"

namespace hearth::tokenizers {
namespace {

Json VocabularyOf(const std::vector<std::string>& tokens) {
  Json vocabulary = Json::Obj();
  for (const std::string& token : tokens) {
    if (vocabulary.Find(token) == nullptr) vocabulary.Set(token, vocabulary.size());
  }
  return vocabulary;
}

// A Darts-clone double array, filled in the plainest way: each node takes the first free block.
class DartsWriter {
 public:
  using Entries = std::map<std::string, uint32_t>;

  std::string Write(const Entries& entries) {
    units_.assign(256, 0);
    Place(entries, 0, 0);
    std::string bytes;
    for (uint32_t unit : units_) {
      for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(unit >> shift));
    }
    return bytes;
  }

 private:
  // Entries share their first `depth` bytes; `node` is theirs.
  void Place(const Entries& entries, size_t depth, size_t node) {
    std::map<uint8_t, Entries> children;
    const uint32_t* value = nullptr;
    for (const auto& [key, position] : entries) {
      if (key.size() == depth) {
        value = &position;
      } else {
        children[static_cast<uint8_t>(key[depth])][key] = position;
      }
    }
    // The lowest byte of an offset must be that of the node for a plain XOR to reach a fresh block.
    size_t base = units_.size();
    units_.resize(base + 256, 0);
    uint32_t offset = static_cast<uint32_t>(base ^ node);
    units_[node] |= offset << 10 | (value != nullptr ? 1u << 8 : 0);
    if (value != nullptr) units_[base] = 1u << 31 | *value;
    for (auto& [label, below] : children) {
      units_[base ^ label] = label;
      Place(below, depth + 1, base ^ label);
    }
  }

  std::vector<uint32_t> units_;
};

}  // namespace

Json TokenizerOf(Json normalizer, Json pre_tokenizer, Json model) {
  Json added = Json::Obj({{"id", 100000},
                          {"content", "<x>"},
                          {"single_word", false},
                          {"lstrip", false},
                          {"rstrip", false},
                          {"normalized", false},
                          {"special", true}});
  return Json::Obj({{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", Json::Arr({added})},
                    {"normalizer", std::move(normalizer)},
                    {"pre_tokenizer", std::move(pre_tokenizer)},
                    {"post_processor", nullptr},
                    {"decoder", nullptr},
                    {"model", std::move(model)}});
}

Json SmallWordPiece(bool clean_text, bool handle_chinese_chars, Json strip_accents,
                    bool lowercase) {
  std::vector<std::string> tokens = {
      "[UNK]", "the",  "there", "fox",         "camel", "##case", "http", "##x", "don", "##the",
      "T",     "HTTP", "cafe",  "caf\xC3\xA9", "'",     "!",      ".",    ",",   "/",   "=",
      "#",     "##",   "##'",   "<",           ">",     "x",      "z",    "12"};
  for (char c = 'a'; c <= 'y'; ++c) {
    tokens.push_back(std::string(1, c));
    if (c % 3 != 0) tokens.push_back("##" + std::string(1, c));
  }
  for (char c = '0'; c <= '9'; ++c) tokens.push_back("##" + std::string(1, c));
  for (const char* token :
       {"1", "7", "\xC3\xA9", "##\xC3\xA9", "\xD0\xBC\xD0\xB8", "\xD0\xBC", "##\xD1\x80",
        "\xD0\xBF", "\xE4\xB8\xAD", "##\xE6\x96\x87", "\xE6\x96\x87", "\xE2\x80\x99",
        "\xF0\x9F\x99\x82", "\xE1\x84\x80", "##\xE1\x85\xA1", "\xE0\xA4\xB9", "##\xE0\xA5\x8D",
        "\xCE\xA9", "\xCF\x89"}) {
    tokens.push_back(token);
  }
  Json normalizer = StageOf("BertNormalizer");
  normalizer.Set("clean_text", clean_text)
      .Set("handle_chinese_chars", handle_chinese_chars)
      .Set("strip_accents", std::move(strip_accents))
      .Set("lowercase", lowercase);
  Json model = StageOf("WordPiece");
  model.Set("unk_token", "[UNK]")
      .Set("continuing_subword_prefix", "##")
      .Set("max_input_chars_per_word", 100)
      .Set("vocab", VocabularyOf(tokens));
  return TokenizerOf(std::move(normalizer), StageOf("BertPreTokenizer"), std::move(model));
}

Json SmallSentencePieceBpe(Json normalizer, Json pre_tokenizer, bool byte_fallback) {
  std::vector<std::string> tokens = {"<unk>", std::string(kUnigramMark)};
  if (byte_fallback) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte) {
      tokens.push_back(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">");
    }
  }
  for (char c = '!'; c <= 'z'; ++c) tokens.push_back(std::string(1, c));
  for (const char* c : {"\xC3\xA9", "\xD0\xBC", "\xD0\xB8", "\xD1\x80", "\xE4\xB8\xAD",
                        "\xE6\x96\x87", "\xE5\xAD\x97", "\xE2\x80\x99"}) {
    tokens.push_back(c);
  }
  const std::string m(kUnigramMark);
  // Not in the order in which tokens are built, so that a lower rank can follow a higher one.
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"t", "h"},
      {m, m},
      {"th", "e"},
      {m + m, m + m},
      {m, "the"},
      {"he", "r"},
      {"h", "e"},
      {"a", "a"},
      {"aa", "aa"},
      {"the", "re"},
      {"r", "e"},
      {"a", "b"},
      {"b", "a"},
      {"ab", "a"},
      {"f", "ox"},
      {"o", "x"},
      {m, "f"},
      {m + "f", "ox"},
      {"d", "on"},
      {"o", "n"},
      {"don", "'"},
      {"don'", "t"},
      {"/", "/"},
      {"1", "2"},
      {"7", "7"},
      {"77", "77"},
      {".", "."},
      {"..", "."},
      {">", m},
      {">" + m, "<"},
      {m, "12"},
      {"\xD0\xBC", "\xD0\xB8"},
      {"\xD0\xBC\xD0\xB8", "\xD1\x80"},
      {"\xE6\x96\x87", "\xE5\xAD\x97"},
      {"\xE4\xB8\xAD", "\xE6\x96\x87"}};
  Json list = Json::Arr();
  for (const auto& [left, right] : merges) {
    tokens.push_back(left + right);
    list.Push(Json::Arr({Json(left), Json(right)}));
  }
  // Parts that no merge makes stand there too.
  for (const char* part : {"he", "re", "ox", "on"}) tokens.push_back(part);
  Json model = StageOf("BPE");
  model.Set("dropout", nullptr)
      .Set("unk_token", "<unk>")
      .Set("continuing_subword_prefix", nullptr)
      .Set("end_of_word_suffix", nullptr)
      .Set("fuse_unk", true)
      .Set("byte_fallback", byte_fallback)
      .Set("ignore_merges", false)
      .Set("vocab", VocabularyOf(tokens))
      .Set("merges", std::move(list));
  return TokenizerOf(std::move(normalizer), std::move(pre_tokenizer), std::move(model));
}

Json SmallUnigram(Json normalizer, Json pre_tokenizer) {
  const std::string m(kUnigramMark);
  Json vocabulary = Json::Arr();
  auto add = [&](std::string token, double score) {
    vocabulary.Push(Json::Arr({Json(std::move(token)), Json(score)}));
  };
  add("<unk>", 0.0);
  add(m, -2.1875);
  for (char c = 'a'; c <= 'y'; ++c) add(std::string(1, c), -5.0 - (c % 4) * 0.5);
  for (const char* token :
       {"the", "there", "he", "re", "ox", "fo", "on", "'t", "..", "77", "777", "12"}) {
    add(token, -6.0);
    add(m + token, -6.0);
  }
  add("1", -8.369061470031738);
  add("2", -8.369061470031738);
  add("7", -8.369061470031738);
  add("22", -10.703211784362793);
  for (const char* token : {"\xC3\xA9", "\xD0\xBC", "\xD0\xBC\xD0\xB8", "\xD1\x80", "\xE4\xB8\xAD",
                            "\xE6\x96\x87\xE5\xAD\x97", "\xE5\xAD\x97", "!", ".", "/", "'"}) {
    add(token, -7.25);
  }
  Json model = StageOf("Unigram");
  model.Set("unk_id", 0).Set("vocab", std::move(vocabulary)).Set("byte_fallback", false);
  return TokenizerOf(std::move(normalizer), std::move(pre_tokenizer), std::move(model));
}

std::string SmallCharsmap() {
  std::map<std::string, std::string> forms;
  for (char c = 'A'; c <= 'Z'; ++c)
    forms[std::string(1, c)] = std::string(1, static_cast<char>(c + 32));
  for (const char* space : {"\t", "\n", "\r", "\xC2\xA0", "\xE3\x80\x80"}) forms[space] = " ";
  forms["\xE2\x80\x8B"] = "";
  forms["\x7F"] = "";
  forms["\xC2\xB4"] = " \xCC\x81";
  forms["e\xCC\x81"] = "\xC3\xA9";
  forms["\xEF\xBC\x91"] = "1";
  std::string texts;
  DartsWriter::Entries entries;
  for (const auto& [from, to] : forms) {
    entries[from] = static_cast<uint32_t>(texts.size());
    texts += to;
    texts.push_back('\0');
  }
  std::string trie = DartsWriter().Write(entries);
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<char>(trie.size() >> shift));
  return Base64Encode(bytes + trie + texts);
}

bool PathsAgree(const Tokenizer& tokenizer, std::string_view text) {
  EncodeOptions plain{.stage_by_stage = true}, characters{.offsets = OffsetUnit::kCharacters};
  Encoding expected = tokenizer.Encode(text, plain);
  if (tokenizer.EncodeIds(text) != expected.ids || tokenizer.Encode(text) != expected) return false;
  plain.offsets = OffsetUnit::kCharacters;
  return tokenizer.Encode(text, characters) == tokenizer.Encode(text, plain);
}

}  // namespace hearth::tokenizers
