// RobertaProcessing: <s> first </s>, and </s> second </s> behind it for a pair; every type id is 0.
// It also trims offsets as ByteLevel does.
#include "tokenizers/internal/special_tokens.h"
#include "tokenizers/internal/trim_offsets.h"
#include "tokenizers/post_processor.h"

namespace hearth::tokenizers {
namespace {

class RobertaPostProcessor : public PostProcessor {
 public:
  struct Options {
    internal::SpecialToken sep;
    internal::SpecialToken cls;
    bool trim_offsets = true;
    bool add_prefix_space = true;
  };

  explicit RobertaPostProcessor(Options options) : options_(std::move(options)) {}

  size_t added_tokens(bool is_pair) const override { return is_pair ? 4 : 2; }

  std::vector<Encoding> Process(std::vector<Encoding> encodings,
                                bool add_special_tokens) const override {
    for (size_t i = 0; i < encodings.size(); ++i) {
      Encoding& encoding = encodings[i];
      if (options_.trim_offsets) internal::TrimOffsets(options_.add_prefix_space, &encoding);
      encoding.SetTypeIds(0);
      if (!add_special_tokens) continue;
      for (Encoding& piece : encoding.overflowing) piece.SetTypeIds(0);
      const internal::SpecialToken* before = i == 0 ? &options_.cls : &options_.sep;
      internal::Surround({before, &options_.sep, 0, i == 0 ? size_t{0} : size_t{1}}, &encoding);
    }
    return encodings;
  }

  Trimming trimming() const override {
    if (!options_.trim_offsets) return Trimming::kNone;
    return options_.add_prefix_space ? Trimming::kWithPrefixSpace : Trimming::kPlain;
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "RobertaProcessing"},
                      {"sep", options_.sep.ToJson()},
                      {"cls", options_.cls.ToJson()},
                      {"trim_offsets", options_.trim_offsets},
                      {"add_prefix_space", options_.add_prefix_space}});
  }

 private:
  Options options_;
};

std::optional<bool> FindBool(const Json& json, std::string_view key) {
  const Json* field = json.Find(key);
  return field == nullptr ? std::nullopt : field->AsBool();
}

}  // namespace

std::unique_ptr<PostProcessor> ParseRobertaPostProcessor(const Json& json) {
  auto sep = internal::SpecialToken::Parse(json, "sep");
  auto cls = internal::SpecialToken::Parse(json, "cls");
  auto trim_offsets = FindBool(json, "trim_offsets");
  auto add_prefix_space = FindBool(json, "add_prefix_space");
  if (!sep || !cls || !trim_offsets || !add_prefix_space) return nullptr;
  return std::make_unique<RobertaPostProcessor>(RobertaPostProcessor::Options{
      std::move(*sep), std::move(*cls), *trim_offsets, *add_prefix_space});
}

}  // namespace hearth::tokenizers
