// Split: cuts at the matches of a string or of a regular expression (or, inverted, between them),
// with one of the five behaviours.
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pattern.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class SplitPreTokenizer : public PreTokenizer {
 public:
  explicit SplitPreTokenizer(const Json& json)
      : pattern_(Pattern::Parse(internal::Require(json, "pattern"))),
        behavior_(internal::RequireSplitBehavior(json, "behavior")),
        invert_(internal::RequireBool(json, "invert")) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitPieces(behavior_, [this](std::string_view bytes, std::vector<Piece>* pieces) {
      pattern_.FindPieces(bytes, pieces);
      if (invert_) Invert(pieces);
    });
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Split"},
                      {"pattern", pattern_.ToJson()},
                      {"behavior", SplitBehaviorName(behavior_)},
                      {"invert", invert_}});
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseSplitPreTokenizer(const Json& json) {
  return std::make_unique<SplitPreTokenizer>(json);
}

}  // namespace hearth::tokenizers
