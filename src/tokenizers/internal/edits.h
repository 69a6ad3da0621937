// The edits that several normalizers and pre-tokenizers share. Each leaves the text alone, and
// allocates nothing, when there is nothing to change.
#pragma once

#include <algorithm>
#include <string_view>

#include "tokenizers/internal/characters.h"
#include "tokenizers/normalized_string.h"

namespace hearth::tokenizers::internal {

// Whether a rewrite that changes nothing is nothing at all (see Rewriter's constructor).
inline bool CanSkipRewrite(const NormalizedString& text) {
  if (text.aligned() || text.empty()) return true;
  Alignment first = text.AlignmentAt(0);
  return first.begin != first.end;
}

// Removes the characters for which keep(char32_t) is false.
template <typename Keep>
void Filter(NormalizedString* target, Keep&& keep) {
  std::string_view text = target->text();
  size_t clean = 0;
  while (clean < text.size()) {
    Character character = CharacterAt(text, clean);
    if (!keep(character.value)) break;
    clean += character.length;
  }
  if (clean == text.size() && CanSkipRewrite(*target)) return;

  size_t removed_at_start = 0;
  size_t at = 0;
  auto read = [&](Character* character) {
    if (at >= text.size()) return false;
    *character = CharacterAt(text, at);
    at += character->length;
    return true;
  };
  Character character;
  bool have = false;
  while (!have && read(&character)) {
    have = keep(character.value);
    removed_at_start += !have;
  }
  // With nothing kept there is no start: every character is simply not put.
  Rewriter rewriter(target, have ? removed_at_start : 0);
  while (have) {
    Character next;
    bool have_next = false;
    int removed = 0;
    while (!have_next && read(&next)) {
      have_next = keep(next.value);
      removed += !have_next;
    }
    rewriter.Put(character.value, -removed);
    character = next;
    have = have_next;
  }
  rewriter.Finish();
}

// Replaces each character by map(character).
template <typename Map>
void MapCharacters(NormalizedString* target, Map&& map) {
  std::string_view text = target->text();
  bool same = true;
  for (size_t at = 0; same && at < text.size();) {
    Character character = CharacterAt(text, at);
    same = map(character.value) == character.value;
    at += character.length;
  }
  if (same && CanSkipRewrite(*target)) return;
  Rewriter rewriter(target);
  ForEachCharacter(text, [&](char32_t c) { rewriter.Put(map(c), Rewriter::kReplace); });
  rewriter.Finish();
}

// Puts `prefix` before the first character; it stands for that character. Nothing on empty text.
void Prepend(NormalizedString* target, std::string_view prefix);

// Replaces what lies between `begin` and `end` of each match by `content`.
class Replacer {
 public:
  Replacer(NormalizedString* target, std::string_view content)
      : target_(target), content_(content), rewriter_(target, 0, target->text().size()) {}

  // In rising order, not overlapping.
  void Match(size_t begin, size_t end) {
    rewriter_.Keep(begin - at_);
    std::string_view text = target_->text();
    if (begin < end && content_.size() == end - begin &&
        CharacterLength(text, begin) == end - begin &&
        CharacterLength(content_, 0) == content_.size()) {
      rewriter_.Put(CharacterAt(content_, 0).value, Rewriter::kReplace);
    } else {
      rewriter_.Skip(end - begin);
      ForEachCharacter(content_, [&](char32_t c) { rewriter_.Put(c, Rewriter::kInsert); });
    }
    at_ = end;
  }

  void Finish() {
    rewriter_.Keep(target_->text().size() - at_);
    rewriter_.Finish();
  }

 private:
  NormalizedString* target_;
  std::string_view content_;
  Rewriter rewriter_;
  size_t at_ = 0;
};

}  // namespace hearth::tokenizers::internal
