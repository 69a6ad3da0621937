#include "tokenizers/byte_level_alphabet.h"

#include "tokenizers/internal/edits.h"

namespace hearth::tokenizers {

void ApplyByteLevel(NormalizedString* target) {
  std::string_view text = target->text();
  bool same = internal::CanSkipRewrite(*target);
  for (size_t i = 0; same && i < text.size(); ++i) same = text[i] >= '!' && text[i] <= '~';
  if (same) return;
  Rewriter rewriter(target);
  for (size_t at = 0; at < text.size();) {
    size_t length = internal::CharacterLength(text, at);
    for (size_t i = 0; i < length; ++i) {
      rewriter.Put(kByteCharacters[static_cast<unsigned char>(text[at + i])],
                   i == 0 ? Rewriter::kReplace : Rewriter::kInsert);
    }
    at += length;
  }
  rewriter.Finish();
}

}  // namespace hearth::tokenizers
