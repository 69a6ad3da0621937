#include "tokenizers/internal/edits.h"

namespace hearth::tokenizers::internal {

void Prepend(NormalizedString* target, std::string_view prefix) {
  if (target->empty()) return;
  Character first = CharacterAt(target->text(), 0);
  Rewriter rewriter(target, 0, first.length);
  bool replaced = false;
  ForEachCharacter(prefix, [&](char32_t c) {
    rewriter.Put(c, replaced ? Rewriter::kInsert : Rewriter::kReplace);
    replaced = true;
  });
  rewriter.Put(first.value, Rewriter::kInsert);
  rewriter.Finish();
}

}  // namespace hearth::tokenizers::internal
