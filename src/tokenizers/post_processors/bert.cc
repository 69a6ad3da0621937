// BertProcessing: [CLS] first [SEP], and second [SEP] behind it for a pair.
#include "tokenizers/internal/special_tokens.h"
#include "tokenizers/post_processor.h"

namespace hearth::tokenizers {
namespace {

class BertPostProcessor : public PostProcessor {
 public:
  BertPostProcessor(internal::SpecialToken sep, internal::SpecialToken cls)
      : sep_(std::move(sep)), cls_(std::move(cls)) {}

  size_t added_tokens(bool is_pair) const override { return is_pair ? 3 : 2; }

  std::vector<Encoding> Process(std::vector<Encoding> encodings,
                                bool add_special_tokens) const override {
    if (!add_special_tokens) return encodings;
    for (size_t i = 0; i < encodings.size(); ++i) {
      if (i == 0) {
        internal::Surround({&cls_, &sep_, 0, 0}, &encodings[i]);
      } else {
        internal::Surround({nullptr, &sep_, 1, 1}, &encodings[i]);
      }
    }
    return encodings;
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "BertProcessing"}, {"sep", sep_.ToJson()}, {"cls", cls_.ToJson()}});
  }

 private:
  internal::SpecialToken sep_;
  internal::SpecialToken cls_;
};

}  // namespace

std::unique_ptr<PostProcessor> ParseBertPostProcessor(const Json& json) {
  auto sep = internal::SpecialToken::Parse(json, "sep");
  auto cls = internal::SpecialToken::Parse(json, "cls");
  if (!sep || !cls) return nullptr;
  return std::make_unique<BertPostProcessor>(std::move(*sep), std::move(*cls));
}

}  // namespace hearth::tokenizers
