// Replace: each match of a string or of a regular expression becomes a fixed string, which stands
// for the last character of the match.
#include "tokenizers/internal/edits.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/pattern.h"

namespace hearth::tokenizers {
namespace {

class ReplaceNormalizer : public Normalizer {
 public:
  ReplaceNormalizer(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  void Normalize(NormalizedString* text) const override {
    std::vector<Piece> pieces;
    pattern_.FindPieces(text->text(), &pieces);
    bool found = false;
    for (const Piece& piece : pieces) found |= piece.match;
    if (!found) return;
    internal::Replacer replacer(text, content_);
    for (const Piece& piece : pieces) {
      if (piece.match) replacer.Match(piece.begin, piece.end);
    }
    replacer.Finish();
  }

  Json ToJson() const override {
    return Json::Obj({{"type", "Replace"}, {"pattern", pattern_.ToJson()}, {"content", content_}});
  }

 private:
  Pattern pattern_;
  std::string content_;
};

}  // namespace

std::unique_ptr<Normalizer> ParseReplaceNormalizer(const Json& json) {
  return std::make_unique<ReplaceNormalizer>(Pattern::Parse(internal::Require(json, "pattern")),
                                             json.RequireString("content"));
}

}  // namespace hearth::tokenizers
