// Strip: white space off at the start, at the end, or both.
#include "text/unicode.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

// Characters of white space at the start, and their bytes.
struct Space {
  size_t characters = 0;
  size_t bytes = 0;
};

Space SpaceAtStart(std::string_view text) {
  Space space;
  while (space.bytes < text.size()) {
    internal::Character character = internal::CharacterAt(text, space.bytes);
    if (!IsWhitespace(character.value)) break;
    ++space.characters;
    space.bytes += character.length;
  }
  return space;
}

Space SpaceAtEnd(std::string_view text) {
  Space space;
  while (space.bytes < text.size()) {
    internal::Character character = internal::CharacterBefore(text, text.size() - space.bytes);
    if (!IsWhitespace(character.value)) break;
    ++space.characters;
    space.bytes += character.length;
  }
  return space;
}

void StripSpace(NormalizedString* target, bool left, bool right) {
  std::string_view text = target->text();
  Space before = left ? SpaceAtStart(text) : Space{};
  Space after = right ? SpaceAtEnd(text) : Space{};
  if (before.characters == 0 && after.characters == 0) return;
  Rewriter rewriter(target, before.characters);
  if (before.bytes + after.bytes < text.size()) {
    rewriter.Keep(text.size() - before.bytes - after.bytes);
  }
  rewriter.Finish();
}

class StripNormalizer : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}

  void Normalize(NormalizedString* text) const override {
    if (left_ && right_) return StripSpace(text, true, true);
    if (left_) StripSpace(text, true, false);
    if (right_) StripSpace(text, false, true);
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Strip"}, {"strip_left", left_}, {"strip_right", right_}});
  }

 private:
  bool left_;
  bool right_;
};

}  // namespace

std::unique_ptr<Normalizer> ParseStripNormalizer(const Json& json) {
  return std::make_unique<StripNormalizer>(internal::RequireBool(json, "strip_left"),
                                           internal::RequireBool(json, "strip_right"));
}

}  // namespace hearth::tokenizers
