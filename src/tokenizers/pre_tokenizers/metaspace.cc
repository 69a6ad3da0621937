// Metaspace: spaces become a mark, a mark is put in front, and the text is cut before every mark.
#include "tokenizers/internal/edits.h"
#include "tokenizers/metaspace_options.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(MetaspaceOptions options) : options_(std::move(options)) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([&](NormalizedString part, PreTokenizedString::Sink* sink) {
      ReplaceSpaces(&part);
      if (PrependsTo(part)) internal::Prepend(&part, options_.mark_text);
      if (!options_.split) return sink->Add(part);
      text->SplitOne(SplitBehavior::kMergedWithNext, part, sink,
                     [this](std::string_view bytes, std::vector<Piece>* pieces) {
                       FindCharacterPieces(
                           bytes, [this](char32_t c) { return c == options_.mark; }, pieces);
                     });
    });
  }

  Json ToJson() const override { return options_.ToJson(); }

 private:
  void ReplaceSpaces(NormalizedString* part) const {
    std::string_view text = part->text();
    size_t space = text.find(' ');
    if (space == std::string_view::npos) return;
    internal::Replacer replacer(part, options_.mark_text);
    for (; space != std::string_view::npos; space = text.find(' ', space + 1)) {
      replacer.Match(space, space + 1);
    }
    replacer.Finish();
  }

  bool PrependsTo(const NormalizedString& part) const {
    if (part.text().starts_with(options_.mark_text)) return false;
    switch (options_.prepend_scheme) {
      case PrependScheme::kAlways:
        return true;
      case PrependScheme::kFirst:
        return part.original_offsets().begin == 0;
      case PrependScheme::kNever:
        return false;
    }
    return false;
  }

  MetaspaceOptions options_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseMetaspacePreTokenizer(const Json& json) {
  return std::make_unique<MetaspacePreTokenizer>(MetaspaceOptions::Parse(json));
}

}  // namespace hearth::tokenizers
