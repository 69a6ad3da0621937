#include "tokenizers/trainers/tokenizer_training.h"

#include "base/error.h"
#include "tokenizers/json_text.h"
#include "tokenizers/loaders/parts.h"
#include "tokenizers/model.h"

namespace hearth::tokenizers {
namespace {

struct Preset {
  std::string_view splitting;
  parts::Document (*make)();
};

parts::Document ByteLevelPreset() {
  parts::Document document;
  document.pre_tokenizer = parts::ByteLevel(false, true);
  document.post_processor = parts::ByteLevel(true, true, false);
  document.decoder = parts::ByteLevel(true, true);
  return document;
}

parts::Document BertPreset() {
  parts::Document document;
  document.normalizer = Json::Obj({{"type", "BertNormalizer"},
                                   {"clean_text", true},
                                   {"handle_chinese_chars", true},
                                   {"strip_accents", nullptr},
                                   {"lowercase", true}});
  document.pre_tokenizer = parts::Type("BertPreTokenizer");
  document.decoder = Json::Obj({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}});
  return document;
}

parts::Document MetaspacePreset() {
  parts::Document document;
  document.pre_tokenizer = parts::Metaspace("always");
  document.decoder = parts::Metaspace("always");
  return document;
}

parts::Document WhitespacePreset() {
  parts::Document document;
  document.pre_tokenizer = parts::Type("Whitespace");
  return document;
}

constexpr Preset kPresets[] = {{"byte-level", ByteLevelPreset},
                               {"bert", BertPreset},
                               {"metaspace", MetaspacePreset},
                               {"whitespace", WhitespacePreset},
                               {"none", [] { return parts::Document(); }}};

std::string_view SuitedSplitting(std::string_view model) {
  if (model == "bpe") return "byte-level";
  if (model == "wordpiece") return "bert";
  return model == "unigram" ? "metaspace" : "whitespace";
}

bool SpellsBytes(const Json& part) {
  const Json* type = part.Find("type");
  if (type != nullptr && *type == Json("ByteLevel")) return true;
  const Json* list = part.Find("pretokenizers");
  if (list == nullptr || list->AsArray() == nullptr) return false;
  for (const Json& item : *list->AsArray()) {
    if (SpellsBytes(item)) return true;
  }
  return false;
}

Json WithoutModel(const Json& pipeline) {
  Json json = pipeline;
  json.Set("added_tokens", Json::Array());
  json.Set("model",
           Json::Obj({{"type", "WordLevel"}, {"vocab", Json::Object()}, {"unk_token", "<unk>"}}));
  // A template may name tokens that the new vocabulary will lack; words are the same without it.
  json.Set("post_processor", nullptr);
  return json;
}

void AddByteLetters(std::vector<std::string>* alphabet) {
  for (int byte = 0; byte < 256; ++byte) {
    char raw = static_cast<char>(byte);
    alphabet->push_back(parts::SpellBytes({&raw, 1}));
  }
}

}  // namespace

Json PresetPipeline(std::string_view model, std::string_view splitting) {
  if (splitting.empty()) splitting = SuitedSplitting(model);
  for (const Preset& preset : kPresets) {
    if (preset.splitting == splitting) return parts::Assemble(preset.make());
  }
  throw Error(Code::kInvalidArgument, "there is no splitting \"" + std::string(splitting) + "\"");
}

TokenizerTraining::TokenizerTraining(TokenizerTrainingOptions options)
    : options_(std::move(options)), pipeline_(Tokenizer::Build(WithoutModel(options_.pipeline))) {
  const Json* splitting = options_.pipeline.Find("pre_tokenizer");
  if (splitting != nullptr && SpellsBytes(*splitting)) {
    AddByteLetters(&options_.trainer.initial_alphabet);
  }
  trainer_ = MakeTrainer(options_.model, options_.trainer);
}

void TokenizerTraining::Feed(std::string_view text) {
  pipeline_.ForEachPiece(text, [&](std::string_view word) { trainer_->Feed(word); });
}

std::string TokenizerTraining::Train(const TrainingObserver& observer) const {
  Json json = options_.pipeline;
  Json model = trainer_->Train(observer);
  std::unique_ptr<Model> parsed = ParseModel(model);
  std::vector<parts::AddedToken> special;
  for (const std::string& token : options_.trainer.special_tokens) {
    if (auto id = parsed->FindId(token)) special.push_back({*id, token, true});
  }
  json.Set("added_tokens", parts::AddedTokens(special));
  json.Set("model", std::move(model));
  Tokenizer::Build(json);  // what is written can be read
  return WriteJson(json, /*pretty=*/true);
}

}  // namespace hearth::tokenizers
