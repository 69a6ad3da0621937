// Digits: cuts around numbers, or around every single numeric character.
#include "text/unicode.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class DigitsPreTokenizer : public PreTokenizer {
 public:
  explicit DigitsPreTokenizer(bool individual) : individual_(individual) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitPieces(individual_ ? SplitBehavior::kIsolated : SplitBehavior::kContiguous,
                      [](std::string_view bytes, auto* pieces) {
                        FindCharacterPieces(bytes, IsNumeric, pieces);
                      });
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Digits"}, {"individual_digits", individual_}});
  }

 private:
  bool individual_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseDigitsPreTokenizer(const Json& json) {
  return std::make_unique<DigitsPreTokenizer>(internal::RequireBool(json, "individual_digits"));
}

}  // namespace hearth::tokenizers
