// vocab.json and merges.txt (GPT-2, RoBERTa, Qwen2): byte-level BPE with its rules listed.
#include "base/bytes.h"
#include "base/error.h"
#include "tokenizers/loaders/byte_level_bpe.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/loaders/special_tokens.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

std::vector<std::pair<std::string, std::string>> ReadMergeLines(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> merges;
  size_t number = 0;
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw Error(Code::kInvalidArgument,
                  "line " + std::to_string(number) + " of merges.txt is not two tokens");
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

// sep and cls around the text, as RoBERTa has them.
Json RobertaProcessing(const parts::SpecialToken& cls, const parts::SpecialToken& sep,
                       bool add_prefix_space) {
  return Json::Obj({{"type", "RobertaProcessing"},
                    {"sep", Json::Arr({sep.text, sep.id})},
                    {"cls", Json::Arr({cls.text, cls.id})},
                    {"trim_offsets", true},
                    {"add_prefix_space", add_prefix_space}});
}

class Builder {
 public:
  Builder(Json::Object vocab, const Json& config)
      : index_(ParseVocab(Json(vocab))), config_(config), name_(ConfiguredClass(config)) {
    fields_.vocab = std::move(vocab);
  }

  Json Build(std::string_view merges) {
    fields_.merges = ReadMergeLines(merges);
    ByteLevelOptions options;
    options.add_prefix_space = config_.BoolField("add_prefix_space").value_or(false);
    bool qwen = name_ == "Qwen2Tokenizer";
    options.nfc = qwen;
    options.patterns = {std::string(qwen ? kQwen2Split : kGpt2Split)};
    options.added_tokens = ConfiguredAddedTokens(config_);
    bool roberta = IsRoberta();
    for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token", "mask_token"}) {
      AddSpecial(ConfiguredToken(config_, key, roberta ? DefaultOf(key) : ""), &options);
    }
    if (!qwen && !roberta) AddSpecial("<|endoftext|>", &options);
    if (config_.BoolField("add_bos_token").value_or(false)) {
      options.bos = Find(ConfiguredToken(config_, "bos_token", "<|endoftext|>"));
    }
    Json json = MakeByteLevelTokenizerJson(std::move(fields_), options);
    if (roberta) {
      auto cls = Find(ConfiguredToken(config_, "cls_token", "<s>"));
      auto sep = Find(ConfiguredToken(config_, "sep_token", "</s>"));
      if (cls && sep) {
        json.Set("post_processor", RobertaProcessing(*cls, *sep, options.add_prefix_space));
      }
    }
    return json;
  }

 private:
  // By its class, or else by the four tokens that open such vocabularies.
  bool IsRoberta() const {
    if (!name_.empty()) return name_ == "RobertaTokenizer" || name_ == "BartTokenizer";
    return index_.FindId("<s>") == 0u && index_.FindId("</s>") == 2u && index_.FindId("<mask>");
  }

  static std::string_view DefaultOf(std::string_view key) {
    if (key == "bos_token") return "<s>";
    if (key == "eos_token") return "</s>";
    if (key == "unk_token") return "<unk>";
    return key == "pad_token" ? "<pad>" : "<mask>";
  }

  std::optional<parts::SpecialToken> Find(const std::string& text) const {
    auto id = index_.FindId(text);
    if (!id) return std::nullopt;
    return parts::SpecialToken{text, *id};
  }

  void AddSpecial(const std::string& text, ByteLevelOptions* options) const {
    auto token = Find(text);
    if (!token) return;
    for (const auto& present : options->added_tokens) {
      if (present.id == token->id) return;
    }
    // RoBERTa's mask takes the space before it.
    bool lstrip = text == "<mask>";
    options->added_tokens.push_back({token->id, text, true, false, lstrip});
  }

  Vocab index_;
  const Json& config_;
  std::string name_;
  parts::BpeFields fields_;
};

}  // namespace

std::optional<Json> LoadVocabMerges(const TokenizerFiles& files) {
  auto vocab_text = files.Read("vocab.json");
  auto merges = files.Read("merges.txt");
  if (!vocab_text || !merges) return std::nullopt;
  Json vocab = Json::Parse(*vocab_text);
  if (!vocab.is_object()) throw Error(Code::kInvalidArgument, "vocab.json is not an object");
  Json config = files.Config();
  return Builder(std::move(*vocab.AsObject()), config).Build(*merges);
}

}  // namespace hearth::tokenizers
