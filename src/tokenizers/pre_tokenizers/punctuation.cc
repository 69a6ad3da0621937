// Punctuation: cuts at every punctuation character, with one of the five behaviours.
#include "base/error.h"
#include "text/unicode.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class PunctuationPreTokenizer : public PreTokenizer {
 public:
  explicit PunctuationPreTokenizer(SplitBehavior behavior) : behavior_(behavior) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitPieces(behavior_, [](std::string_view bytes, auto* pieces) {
      FindCharacterPieces(bytes, IsPunctuation, pieces);
    });
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Punctuation"}, {"behavior", SplitBehaviorName(behavior_)}});
  }

 private:
  SplitBehavior behavior_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParsePunctuationPreTokenizer(const Json& json) {
  SplitBehavior behavior = json.Find("behavior") == nullptr
                               ? SplitBehavior::kIsolated
                               : internal::RequireSplitBehavior(json, "behavior");
  return std::make_unique<PunctuationPreTokenizer>(behavior);
}

}  // namespace hearth::tokenizers
