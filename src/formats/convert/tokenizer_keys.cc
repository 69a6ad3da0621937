#include "formats/convert/tokenizer_keys.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "codec/base64.h"
#include "formats/gguf/gguf_writer.h"

namespace hearth::convert {
namespace {

constexpr uint64_t kMaxTokenizerBytes = 256u << 20;
constexpr uint64_t kMaxConfigBytes = 16u << 20;
constexpr uint64_t kMaxTokens = 4'000'000;
// Scores of tokens that never come out of a merge, and of places without a token.
constexpr double kNoScore = -10000.0;
constexpr std::string_view kLowerOneEighth = "\u2581";  // stands for a space

// tokenizer.ggml.token_type, as numbered in llama.h.
enum TokenType { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

struct Token {
  std::string text;
  double score = kNoScore;
  int type = kUnused;
};

const std::string* TextAt(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr ? value->AsString() : nullptr;
}

bool FlagAt(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->AsBool().value_or(false);
}

class Extraction {
 public:
  Extraction(const std::filesystem::path& folder, const Json& config,
             std::vector<GgufMetadata>* out)
      : folder_(folder), config_(config), out_(out) {
    tokenizer_ = ReadJson("tokenizer.json", kMaxTokenizerBytes);
    settings_ = ReadJson("tokenizer_config.json", kMaxConfigBytes);
    model_ = tokenizer_.Find("model");
    if (model_ == nullptr) throw Error(Code::kInvalidArgument, "tokenizer.json has no model");
  }

  void Run();

 private:
  Json ReadJson(const char* name, uint64_t limit) const {
    if (!std::filesystem::exists(folder_ / name)) return Json::Obj();
    return Json::Parse(ReadFile(folder_ / name, limit));
  }

  void ReadVocabulary();
  void ReadAddedTokens();
  void PutToken(uint64_t id, std::string text);
  void WordPiece();
  void Unigram();
  void ByteLevelBpe();
  void SentencePieceBpe();
  void PutTokens(bool with_scores);
  void PutMerges(const Json::Array& merges);
  void PutSpecialTokens();
  void PutChatTemplate();
  std::optional<uint64_t> IdOf(const Json* token) const;
  std::string PreTokenizer() const;

  std::filesystem::path folder_;
  const Json& config_;
  std::vector<GgufMetadata>* out_;
  Json tokenizer_;
  Json settings_;
  const Json* model_ = nullptr;
  std::vector<Token> tokens_;
  std::unordered_map<std::string, uint64_t> ids_;
};

void Extraction::PutToken(uint64_t id, std::string text) {
  if (id >= kMaxTokens) throw Error(Code::kTooLarge, "a token with the id " + std::to_string(id));
  if (id >= tokens_.size()) tokens_.resize(id + 1);
  ids_[text] = id;
  tokens_[id].text = std::move(text);
  tokens_[id].type = kNormal;
}

void Extraction::ReadVocabulary() {
  const Json* vocabulary = model_->Find("vocab");
  if (vocabulary == nullptr)
    throw Error(Code::kInvalidArgument, "tokenizer.json has no vocabulary");
  if (const Json::Object* words = vocabulary->AsObject()) {
    for (const auto& [text, id] : *words) PutToken(id.AsUint().value_or(kMaxTokens), text);
  } else if (const Json::Array* pieces = vocabulary->AsArray()) {
    for (uint64_t id = 0; id < pieces->size(); ++id) {
      const Json::Array* pair = (*pieces)[id].AsArray();
      if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string()) {
        throw Error(Code::kInvalidArgument, "a piece that is no [text, score]");
      }
      PutToken(id, *(*pair)[0].AsString());
      tokens_[id].score = (*pair)[1].AsDouble().value_or(0);
    }
  }
}

void Extraction::ReadAddedTokens() {
  const Json* added = tokenizer_.Find("added_tokens");
  if (added == nullptr || added->AsArray() == nullptr) return;
  for (const Json& token : *added->AsArray()) {
    const std::string* text = TextAt(token, "content");
    const Json* id = token.Find("id");
    if (text == nullptr || id == nullptr || !id->AsUint()) continue;
    PutToken(*id->AsUint(), *text);
    tokens_[*id->AsUint()].type = FlagAt(token, "special") ? kControl : kUserDefined;
  }
}

void Extraction::PutTokens(bool with_scores) {
  // The embedding may have more rows than the tokenizer has tokens.
  const Json* size = config_.Find("vocab_size");
  uint64_t rows = size != nullptr ? size->AsUint().value_or(0) : 0;
  if (rows > tokens_.size() && rows < kMaxTokens) tokens_.resize(rows);
  Json::Array texts, scores, types;
  for (uint64_t id = 0; id < tokens_.size(); ++id) {
    Token& token = tokens_[id];
    if (token.type == kUnused) token.text = "[PAD" + std::to_string(id) + "]";
    texts.emplace_back(token.text);
    scores.emplace_back(token.score);
    types.emplace_back(token.type);
  }
  out_->push_back(GgufTyped("tokenizer.ggml.tokens", "array[string]", std::move(texts)));
  if (with_scores) {
    out_->push_back(GgufTyped("tokenizer.ggml.scores", "array[float32]", std::move(scores)));
  }
  out_->push_back(GgufTyped("tokenizer.ggml.token_type", "array[int32]", std::move(types)));
}

// llama.cpp marks the beginnings of words where WordPiece marks the continuations.
void Extraction::WordPiece() {
  out_->push_back(GgufString("tokenizer.ggml.model", "bert"));
  out_->push_back(GgufString("tokenizer.ggml.pre", "bert-bge"));
  const std::string* mark = TextAt(*model_, "continuing_subword_prefix");
  std::string_view prefix = mark != nullptr ? std::string_view(*mark) : "##";
  for (Token& token : tokens_) {
    if (token.type == kControl || token.type == kUnused) continue;
    if (token.text.starts_with(prefix)) {
      token.text.erase(0, prefix.size());
    } else {
      token.text.insert(0, kLowerOneEighth);
    }
  }
  PutTokens(false);
}

void Extraction::Unigram() {
  out_->push_back(GgufString("tokenizer.ggml.model", "t5"));
  out_->push_back(GgufString("tokenizer.ggml.pre", "default"));
  const Json* unknown = model_->Find("unk_id");
  if (unknown != nullptr && unknown->AsUint() && *unknown->AsUint() < tokens_.size()) {
    tokens_[*unknown->AsUint()].type = kUnknown;
  }
  PutTokens(true);
  out_->push_back(GgufBool("tokenizer.ggml.add_space_prefix", true));
  out_->push_back(GgufBool("tokenizer.ggml.remove_extra_whitespaces", true));
  const Json* normalizer = tokenizer_.Find("normalizer");
  const Json* steps = normalizer != nullptr ? normalizer->Find("normalizers") : nullptr;
  const std::string* map = nullptr;
  if (normalizer != nullptr) map = TextAt(*normalizer, "precompiled_charsmap");
  if (map == nullptr && steps != nullptr && steps->AsArray() != nullptr) {
    for (const Json& step : *steps->AsArray()) {
      if (const std::string* found = TextAt(step, "precompiled_charsmap")) map = found;
    }
  }
  std::optional<std::string> bytes = map != nullptr ? Base64Decode(*map) : std::nullopt;
  if (!bytes) return;
  Json::Array items;
  for (char c : *bytes) items.emplace_back(int{static_cast<uint8_t>(c)});
  out_->push_back(
      GgufTyped("tokenizer.ggml.precompiled_charsmap", "array[uint8]", std::move(items)));
}

// The two sides of a merge: a list of two, or (before tokenizers 0.20) a text with a space between.
std::optional<std::pair<std::string, std::string>> Sides(const Json& merge) {
  if (const std::string* text = merge.AsString()) {
    size_t space = text->find(' ');
    if (space == std::string::npos) return std::nullopt;
    return std::pair(text->substr(0, space), text->substr(space + 1));
  }
  const Json::Array* pair = merge.AsArray();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
    return std::nullopt;
  }
  return std::pair(*(*pair)[0].AsString(), *(*pair)[1].AsString());
}

void Extraction::PutMerges(const Json::Array& merges) {
  auto escaped = [](const std::string& side) {
    std::string text;
    for (char c : side) text += c == ' ' ? std::string("\u0120") : std::string(1, c);
    return text;
  };
  Json::Array texts;
  for (const Json& merge : merges) {
    if (auto sides = Sides(merge)) {
      texts.emplace_back(escaped(sides->first) + " " + escaped(sides->second));
    }
  }
  out_->push_back(GgufTyped("tokenizer.ggml.merges", "array[string]", std::move(texts)));
}

// llama.cpp knows pre-tokenizers by names; the regular expressions tell them apart.
std::string Extraction::PreTokenizer() const {
  const Json* pre = tokenizer_.Find("pre_tokenizer");
  std::string text = pre != nullptr ? pre->Dump() : "";
  auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (has("\\\\p{N}{1,3}")) return "llama-bpe";
  if (has("\\\\p{L}+|\\\\p{N}| ?[^")) return "qwen2";
  if (has("\"Digits\"") && has("\"individual_digits\":true")) return "smollm";
  if (has("\"ByteLevel\"") && !has("\"Split\"")) return "gpt-2";
  return "default";
}

void Extraction::ByteLevelBpe() {
  out_->push_back(GgufString("tokenizer.ggml.model", "gpt2"));
  out_->push_back(GgufString("tokenizer.ggml.pre", PreTokenizer()));
  PutTokens(false);
  const Json* merges = model_->Find("merges");
  if (merges != nullptr && merges->AsArray() != nullptr) PutMerges(*merges->AsArray());
}

// "<0x0A>" stands for a byte.
bool IsByteToken(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with('>');
}

// SentencePiece merges the pair with the best score; here the order of the merges is known, so a
// token's score is minus the rank of the first merge that makes it.
void Extraction::SentencePieceBpe() {
  out_->push_back(GgufString("tokenizer.ggml.model", "llama"));
  out_->push_back(GgufString("tokenizer.ggml.pre", "default"));
  const std::string* unknown = TextAt(*model_, "unk_token");
  for (Token& token : tokens_) {
    if (IsByteToken(token.text)) token.type = kByte;
    if (token.type != kNormal) token.score = 0;
    if (unknown != nullptr && token.text == *unknown) token.type = kUnknown;
  }
  const Json* merges = model_->Find("merges");
  if (merges != nullptr && merges->AsArray() != nullptr) {
    double rank = 0;
    for (const Json& merge : *merges->AsArray()) {
      auto sides = Sides(merge);
      auto made = sides ? ids_.find(sides->first + sides->second) : ids_.end();
      if (made != ids_.end() && tokens_[made->second].score == kNoScore) {
        tokens_[made->second].score = -rank;
      }
      rank += 1;
    }
    // Below every merged token.
    for (Token& token : tokens_) {
      if (token.score == kNoScore && token.type == kNormal) token.score = -rank - 1;
    }
  }
  PutTokens(true);
}

std::optional<uint64_t> Extraction::IdOf(const Json* token) const {
  if (token == nullptr) return std::nullopt;
  const std::string* text = token->AsString();
  if (text == nullptr) text = TextAt(*token, "content");
  if (text == nullptr) return std::nullopt;
  auto found = ids_.find(*text);
  return found != ids_.end() ? std::optional(found->second) : std::nullopt;
}

void Extraction::PutSpecialTokens() {
  struct Row {
    const char* token;      // in tokenizer_config.json
    const char* config_id;  // in config.json
    const char* key;
  };
  // "seperator" is the key's spelling.
  constexpr Row kRows[] = {{"bos_token", "bos_token_id", "bos_token_id"},
                           {"eos_token", "eos_token_id", "eos_token_id"},
                           {"unk_token", "unk_token_id", "unknown_token_id"},
                           {"sep_token", "sep_token_id", "seperator_token_id"},
                           {"pad_token", "pad_token_id", "padding_token_id"},
                           {"cls_token", "cls_token_id", "cls_token_id"},
                           {"mask_token", "mask_token_id", "mask_token_id"}};
  for (const Row& row : kRows) {
    std::optional<uint64_t> id = IdOf(settings_.Find(row.token));
    const Json* given = config_.Find(row.config_id);
    if (!id && given != nullptr) {
      // Several ends of a text: the first stands for them.
      const Json::Array* several = given->AsArray();
      id = several != nullptr && !several->empty() ? several->front().AsUint() : given->AsUint();
    }
    if (id && *id < tokens_.size()) {
      out_->push_back(GgufUint32(std::string("tokenizer.ggml.") + row.key, *id));
    }
  }
  for (const char* flag : {"add_bos_token", "add_eos_token"}) {
    const Json* value = settings_.Find(flag);
    if (value != nullptr && value->is_bool()) {
      out_->push_back(GgufBool(std::string("tokenizer.ggml.") + flag, *value->AsBool()));
    }
  }
}

void Extraction::PutChatTemplate() {
  std::filesystem::path file = folder_ / "chat_template.jinja";
  if (std::filesystem::exists(file)) {
    out_->push_back(GgufString("tokenizer.chat_template", ReadFile(file, kMaxConfigBytes)));
  } else if (const std::string* text = TextAt(settings_, "chat_template")) {
    out_->push_back(GgufString("tokenizer.chat_template", *text));
  }
}

void Extraction::Run() {
  ReadVocabulary();
  ReadAddedTokens();
  const std::string* type = TextAt(*model_, "type");
  std::string kind = type != nullptr ? *type : model_->Find("merges") != nullptr ? "BPE" : "";
  if (kind == "WordPiece") {
    WordPiece();
  } else if (kind == "Unigram") {
    Unigram();
  } else if (kind == "BPE") {
    FlagAt(*model_, "byte_fallback") ? SentencePieceBpe() : ByteLevelBpe();
  } else {
    throw Error(Code::kUnimplemented, "a tokenizer of type \"" + kind + "\"");
  }
  const Json* types = config_.Find("type_vocab_size");
  if (types != nullptr && types->AsUint()) {
    out_->push_back(GgufUint32("tokenizer.ggml.token_type_count", *types->AsUint()));
  }
  PutSpecialTokens();
  PutChatTemplate();
}

}  // namespace

void AddTokenizerKeys(const std::filesystem::path& folder, const Json& config,
                      std::vector<GgufMetadata>* out) {
  if (!std::filesystem::exists(folder / "tokenizer.json")) return;
  Extraction(folder, config, out).Run();
}

}  // namespace hearth::convert
