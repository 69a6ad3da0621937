#include "tokenizers/internal/normal_form.h"

#include <vector>

#include "tokenizers/internal/edits.h"

namespace hearth::tokenizers::internal {
namespace {

bool HasUpperAscii(std::string_view text) {
  bool found = false;
  for (char c : text) found |= c >= 'A' && c <= 'Z';
  return found;
}

// ASCII keeps every byte where it is, so only the text has to be written.
void LowercaseAscii(NormalizedString* target) {
  std::string_view text = target->text();
  if (!HasUpperAscii(text)) return;
  char* lower = target->arena()->Allocate<char>(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    lower[i] = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0));
  }
  target->SetText({lower, text.size()});
}

}  // namespace

void ApplyForm(NormalizationForm form, NormalizedString* target) {
  if (CanSkipRewrite(*target) &&
      (IsAscii(target->text()) || IsSurelyNormalized(form, target->text()))) {
    return;
  }
  std::vector<NormalizedChar> characters;
  Normalize(form, target->text(), &characters);
  Rewriter rewriter(target);
  for (const NormalizedChar& character : characters) rewriter.Put(character.c, character.change);
  rewriter.Finish();
}

void ApplyLowercase(NormalizedString* target) {
  if (CanSkipRewrite(*target) && IsAscii(target->text())) return LowercaseAscii(target);
  Rewriter rewriter(target);
  ForEachCharacter(target->text(), [&](char32_t c) {
    LowerCase lower = ToLower(c);
    rewriter.Put(lower.first, Rewriter::kReplace);
    if (lower.second != 0) rewriter.Put(lower.second, Rewriter::kInsert);
  });
  rewriter.Finish();
}

}  // namespace hearth::tokenizers::internal
