#include "tokenizers/trainers/word_counts.h"

#include <algorithm>

#include "base/error.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

size_t WordCounts::FindSlot(std::string_view word, uint32_t tag) const {
  size_t mask = slots_.size() - 1;
  size_t slot = tag & mask;
  while (slots_[slot].entry != 0) {
    if (slots_[slot].tag == tag && WordAt(slots_[slot].entry - 1) == word) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void WordCounts::Grow() {
  if (slots_.size() > UINT32_MAX / 2) {
    throw Error(Code::kTooLarge, "the corpus has too many different words");
  }
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, {});
  for (const Slot& slot : old) {
    if (slot.entry != 0) slots_[FindSlot(WordAt(slot.entry - 1), slot.tag)] = slot;
  }
}

void WordCounts::Add(std::string_view word, uint64_t count) {
  auto tag = static_cast<uint32_t>(HashToken(word) >> 32);
  size_t slot = FindSlot(word, tag);
  if (slots_[slot].entry != 0) {
    counts_[slots_[slot].entry - 1] += count;
    return;
  }
  if ((counts_.size() + 1) * 2 > slots_.size()) {
    Grow();
    slot = FindSlot(word, tag);
  }
  text_ += word;
  ends_.push_back(text_.size());
  counts_.push_back(count);
  slots_[slot] = {tag, static_cast<uint32_t>(counts_.size())};
}

std::vector<std::pair<std::string_view, uint64_t>> WordCounts::Sorted() const {
  std::vector<std::pair<std::string_view, uint64_t>> words;
  words.reserve(size());
  for (size_t i = 0; i < size(); ++i) words.emplace_back(WordAt(i), counts_[i]);
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace hearth::tokenizers
