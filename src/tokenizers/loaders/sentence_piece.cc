// tokenizer.model, spiece.model and the like. tokenizer_config.json beside it names the class,
// which decides the form; without it the plain form gives SentencePiece's own ids.
#include <algorithm>

#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/sentencepiece_model.h"
#include "tokenizers/loaders/sentencepiece_tokenizer.h"
#include "tokenizers/loaders/special_tokens.h"

namespace hearth::tokenizers {
namespace {

// "tokenizer.model", "spiece.model", "tokenizer.model.v3", ...
bool IsModelName(std::string_view name) {
  return name.ends_with(".model") || name.find(".model.v") != std::string_view::npos ||
         name.ends_with(".spm");
}

// Llama 3 calls a file of ranks tokenizer.model too; a model starts with the key of its first
// piece.
bool LooksLikeModel(std::string_view bytes) { return bytes.starts_with('\n'); }

SentencePieceStyle StyleOf(const Json& config) {
  SentencePieceStyle style;
  style.add_bos = config.BoolField("add_bos_token");
  style.add_eos = config.BoolField("add_eos_token");
  std::string name = ConfiguredClass(config);
  if (name == "LlamaTokenizer") style.form = SentencePieceStyle::Form::kLlama;
  style.legacy = config.BoolField("legacy").value_or(false);
  if (name == "GemmaTokenizer") style.form = SentencePieceStyle::Form::kGemma;
  if (name == "T5Tokenizer" || name == "MT5Tokenizer") style.form = SentencePieceStyle::Form::kT5;
  if (name == "XLMRobertaTokenizer") style.form = SentencePieceStyle::Form::kXlmRoberta;
  return style;
}

}  // namespace

std::optional<Json> LoadSentencePiece(const TokenizerFiles& files) {
  std::vector<std::string> names = files.Names();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (!IsModelName(name)) continue;
    auto bytes = files.Read(name);
    if (!bytes || !LooksLikeModel(*bytes)) continue;
    return MakeTokenizerJson(ParseSentencePieceModel(*bytes), StyleOf(files.Config()));
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers
