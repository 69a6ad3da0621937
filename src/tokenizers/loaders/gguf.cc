// The tokenizer inside a GGUF file: its "tokenizer.ggml.*" keys, or the whole tokenizer.json that
// some files carry as "tokenizer.huggingface.json". Format:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's llama-vocab.cpp.
#include "formats/gguf/gguf.h"

#include <limits>

#include "base/error.h"
#include "tokenizers/loaders/bert_vocab.h"
#include "tokenizers/loaders/byte_level_bpe.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/gguf_families.h"
#include "tokenizers/loaders/merge_rules.h"
#include "tokenizers/loaders/rwkv_world.h"
#include "tokenizers/loaders/sentencepiece_tokenizer.h"
#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

// Vocabularies are kept whole: 262,144 tokens with scores, types and 514,906 merges are the largest
// yet.
constexpr uint64_t kMaxItems = 8'000'000;

class Keys {
 public:
  explicit Keys(const GgufHeader& header) : header_(header) {}

  const Json* Find(std::string_view key) const {
    const GgufMetadata* entry = header_.Find("tokenizer.ggml." + std::string(key));
    return entry == nullptr ? nullptr : &entry->value;
  }
  std::string Text(std::string_view key) const {
    const Json* value = Find(key);
    const std::string* text = value == nullptr ? nullptr : value->AsString();
    return text == nullptr ? "" : *text;
  }
  std::optional<bool> Flag(std::string_view key) const {
    const Json* value = Find(key);
    return value == nullptr ? std::nullopt : value->AsBool();
  }
  // A token id inside the vocabulary; -1 when absent.
  int Id(std::string_view key) const {
    const Json* value = Find(key);
    std::optional<uint64_t> id = value == nullptr ? std::nullopt : value->AsUint();
    return id && *id < tokens().size() ? static_cast<int>(*id) : -1;
  }
  const Json::Array& List(std::string_view key) const {
    static const Json::Array kNone;
    const Json* value = Find(key);
    return value != nullptr && value->AsArray() != nullptr ? *value->AsArray() : kNone;
  }
  const Json::Array& tokens() const { return List("tokens"); }

 private:
  const GgufHeader& header_;
};

// Tokens, scores and types in one list.
std::vector<SentencePiece> ReadPieces(const Keys& keys) {
  const Json::Array& tokens = keys.tokens();
  const Json::Array& scores = keys.List("scores");
  const Json::Array& types = keys.List("token_type");
  bool short_lists = (!scores.empty() && scores.size() < tokens.size()) ||
                     (!types.empty() && types.size() < tokens.size());
  if (tokens.empty() || tokens.size() > INT32_MAX || short_lists) {
    throw Error(Code::kInvalidArgument, "the vocabulary of the GGUF file is not complete");
  }
  std::vector<SentencePiece> pieces(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    const std::string* text = tokens[id].AsString();
    auto type = types.empty() ? std::optional<int64_t>(1) : types[id].AsInt();
    auto score =
        scores.empty() ? std::optional<double>(-static_cast<double>(id)) : scores[id].AsDouble();
    if (text == nullptr || !type || !score) {
      throw Error(Code::kInvalidArgument,
                  "token " + std::to_string(id) + " of the GGUF file is not valid");
    }
    pieces[id] = {*text, static_cast<float>(*score), static_cast<PieceType>(*type)};
  }
  return pieces;
}

// "a b", where `a` itself may start with a space.
MergeRules ReadMerges(const Json::Array& lines) {
  MergeRules merges;
  merges.reserve(lines.size());
  for (const Json& item : lines) {
    const std::string* line = item.AsString();
    size_t space = line == nullptr ? std::string::npos : line->find(' ', 1);
    if (space == std::string::npos) {
      throw Error(Code::kInvalidArgument,
                  "merge " + std::to_string(merges.size()) + " of the GGUF file is not valid");
    }
    merges.emplace_back(line->substr(0, space), line->substr(space + 1));
  }
  return merges;
}

std::vector<parts::AddedToken> AddedTokensOf(const std::vector<SentencePiece>& pieces) {
  std::vector<parts::AddedToken> added;
  for (size_t id = 0; id < pieces.size(); ++id) {
    PieceType type = pieces[id].type;
    bool special = type == PieceType::kControl || type == PieceType::kUnknown;
    if (special || type == PieceType::kUserDefined) {
      added.push_back({id, pieces[id].text, special});
    }
  }
  return added;
}

Json::Object VocabOf(const std::vector<SentencePiece>& pieces) {
  Json::Object vocab;
  vocab.reserve(pieces.size());
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].type != PieceType::kUnused) vocab.emplace_back(pieces[id].text, id);
  }
  return vocab;
}

std::optional<parts::SpecialToken> SpecialAt(const std::vector<SentencePiece>& pieces, int id,
                                             bool wanted) {
  if (!wanted || id < 0) return std::nullopt;
  return parts::SpecialToken{pieces[static_cast<size_t>(id)].text, static_cast<uint64_t>(id)};
}

Json MakeByteLevel(const Keys& keys) {
  std::vector<SentencePiece> pieces = ReadPieces(keys);
  GgufFamily family = FindGgufFamily(keys.Text("pre"));
  ByteLevelOptions options;
  options.patterns = family.patterns;
  options.individual_digits = family.individual_digits;
  options.nfc = family.nfc;
  options.trim_offsets = true;
  options.added_tokens = AddedTokensOf(pieces);
  bool bos = keys.Flag("add_bos_token").value_or(family.add_bos || family.add_sep);
  bool eos = keys.Flag("add_eos_token").value_or(family.add_sep);
  options.bos = SpecialAt(pieces, keys.Id("bos_token_id"), bos);
  options.eos = SpecialAt(pieces, keys.Id("eos_token_id"), eos);
  parts::BpeFields fields;
  fields.vocab = VocabOf(pieces);
  fields.merges = ReadMerges(keys.List("merges"));
  fields.ignore_merges = family.ignore_merges;
  return MakeByteLevelTokenizerJson(std::move(fields), options);
}

SentencePieceModel ReadSentencePieceModel(const Keys& keys) {
  SentencePieceModel model;
  model.pieces = ReadPieces(keys);
  for (const SentencePiece& piece : model.pieces) {
    model.byte_fallback |= piece.type == PieceType::kByte;
  }
  model.unk_id = keys.Id("unknown_token_id");
  model.bos_id = keys.Id("bos_token_id");
  model.eos_id = keys.Id("eos_token_id");
  if (model.unk_id < 0) model.unk_id = 0;
  model.unk_piece = model.pieces[static_cast<size_t>(model.unk_id)].text;
  model.add_dummy_prefix = keys.Flag("add_space_prefix").value_or(true);
  model.remove_extra_whitespaces = keys.Flag("remove_extra_whitespaces").value_or(false);
  for (const Json& byte : keys.List("precompiled_charsmap")) {
    model.precompiled_charsmap += static_cast<char>(byte.AsInt().value_or(0));
  }
  return model;
}

Json MakeSentencePiece(const Keys& keys) {
  SentencePieceModel model = ReadSentencePieceModel(keys);
  model.algorithm = SentencePieceModel::Algorithm::kBpe;
  SentencePieceStyle style;
  style.add_bos = keys.Flag("add_bos_token").value_or(true);
  style.add_eos = keys.Flag("add_eos_token").value_or(false);
  return MakeTokenizerJson(model, style);
}

// "t5": Unigram. Vocabularies that trim spaces and put one in front split at words, as T5 and
// XLM-RoBERTa.
Json MakeUnigram(const Keys& keys) {
  SentencePieceModel model = ReadSentencePieceModel(keys);
  SentencePieceStyle style;
  style.add_bos = keys.Flag("add_bos_token").value_or(false);
  style.add_eos = keys.Flag("add_eos_token").value_or(true);
  Json json = MakeTokenizerJson(model, style);
  if (model.add_dummy_prefix && model.remove_extra_whitespaces) {
    Json precompiled;
    if (!model.precompiled_charsmap.empty()) {
      precompiled = *json.Find("normalizer")->Find("normalizers")->AsArray()->begin();
    }
    json.Set("normalizer", std::move(precompiled));
    json.Set("pre_tokenizer", parts::Sequence("pretokenizers", {parts::Type("WhitespaceSplit"),
                                                                parts::Metaspace("always")}));
    json.Set("decoder", parts::Metaspace("always"));
  }
  return json;
}

// "gemma4": SentencePiece's vocabulary with the merges listed.
Json MakeGemma(const Keys& keys) {
  SentencePieceModel model = ReadSentencePieceModel(keys);
  model.algorithm = SentencePieceModel::Algorithm::kBpe;
  model.merges = ReadMerges(keys.List("merges"));
  SentencePieceStyle style;
  style.form = SentencePieceStyle::Form::kGemma;
  style.add_bos = keys.Flag("add_bos_token").value_or(true);
  style.add_eos = keys.Flag("add_eos_token").value_or(false);
  return MakeTokenizerJson(model, style);
}

// In GGUF a token of BERT that starts a word begins with ▁ and one inside a word is bare; "##" goes
// the other way round. Tokens in brackets stand for themselves.
Json MakeBert(const Keys& keys) {
  std::vector<SentencePiece> pieces = ReadPieces(keys);
  for (SentencePiece& piece : pieces) {
    std::string& text = piece.text;
    if (text.starts_with(parts::kMetaspace)) {
      text.erase(0, parts::kMetaspace.size());
    } else if (!(text.starts_with('[') && text.ends_with(']'))) {
      text.insert(0, "##");
    }
  }
  BertOptions options;
  options.lowercase = keys.Flag("normalizer.lowercase").value_or(true);
  options.strip_accents = keys.Flag("normalizer.strip_accents");
  auto name = [&](std::string_view key, std::string* token) {
    int id = keys.Id(key);
    if (id >= 0) *token = pieces[static_cast<size_t>(id)].text;
  };
  name("unknown_token_id", &options.unk_token);
  name("cls_token_id", &options.cls_token);
  name("seperator_token_id", &options.sep_token);  // spelled so in the format
  name("padding_token_id", &options.pad_token);
  name("mask_token_id", &options.mask_token);
  return MakeBertTokenizerJson(VocabOf(pieces), options);
}

Json MakeRwkv(const Keys& keys) { return MakeRwkvTokenizerJson(ReadPieces(keys)); }

struct Kind {
  std::string_view model;
  Json (*make)(const Keys& keys);
};

constexpr Kind kKinds[] = {{"gpt2", MakeByteLevel}, {"llama", MakeSentencePiece},
                           {"bert", MakeBert},      {"t5", MakeUnigram},
                           {"gemma4", MakeGemma},   {"rwkv", MakeRwkv}};

}  // namespace

std::optional<Json> LoadGguf(const TokenizerFiles& files) {
  auto name = files.FindBySuffix(".gguf");
  if (!name) return std::nullopt;
  GgufLimits limits;
  limits.max_kept_items = kMaxItems;
  limits.max_kept_total = 4 * kMaxItems;
  limits.max_kept_bytes = TokenizerFiles::kMaxBytes;
  GgufHeader header = ReadGgufHeader(*files.Open(*name), limits);
  if (const GgufMetadata* whole = header.Find("tokenizer.huggingface.json")) {
    if (const std::string* text = whole->value.AsString()) return Json::Parse(*text);
  }
  Keys keys(header);
  std::string model = keys.Text("model");
  for (const Kind& kind : kKinds) {
    if (model == kind.model) return kind.make(keys);
  }
  if (model.empty()) return std::nullopt;
  throw Error(Code::kUnimplemented, "tokenizer.ggml.model \"" + model + "\" is not known");
}

}  // namespace hearth::tokenizers
