// ByteLevel: an optional space in front, an optional cut by GPT-2's expression, and every byte
// becomes the character that stands for it.
#include "tokenizers/byte_level_alphabet.h"
#include "tokenizers/byte_level_options.h"
#include "tokenizers/internal/edits.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

// https://github.com/openai/gpt-2/blob/master/src/encoder.py
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const Json& json) : options_(ByteLevelOptions::Parse(json)) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([&](NormalizedString part, PreTokenizedString::Sink* sink) {
      if (options_.add_prefix_space && !part.text().starts_with(' ')) {
        internal::Prepend(&part, " ");
      }
      if (!options_.use_regex) return sink->Add(part);
      text->SplitOne(SplitBehavior::kIsolated, part, sink,
                     [](std::string_view bytes, std::vector<Piece>* pieces) {
                       FindPieces(regex(), bytes, pieces);
                     });
    });
    text->EditParts(ApplyByteLevel);
  }

  Json ToJson() const override { return options_.ToJson(); }

 private:
  // Compiled for the first text that needs it.
  static const Regex& regex() {
    static const Regex compiled = Regex::Compile(kGpt2Pattern);
    return compiled;
  }

  ByteLevelOptions options_;
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseByteLevelPreTokenizer(const Json& json) {
  return std::make_unique<ByteLevelPreTokenizer>(json);
}

}  // namespace hearth::tokenizers
