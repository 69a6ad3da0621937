#include "tokenizers/segment_encoders/bert_wordpiece_characters.h"

#include <cstring>
#include <mutex>
#include <vector>

#include "text/unicode.h"
#include "text/unicode_blocks.h"
#include "text/utf8.h"

namespace hearth::tokenizers {
namespace {

void AppendLower(char32_t c, std::u32string* out) {
  LowerCase lower = ToLower(c);
  out->push_back(lower.first);
  if (lower.second != 0) out->push_back(lower.second);
}

}  // namespace

std::shared_ptr<const BertCharacters> BertCharacters::Get(const BertSwitches& switches) {
  static std::mutex mutex;
  static std::shared_ptr<const BertCharacters> known[16];
  size_t index = size_t{switches.clean_text} | size_t{switches.handle_chinese_chars} << 1 |
                 size_t{switches.strip_accents} << 2 | size_t{switches.lowercase} << 3;
  std::lock_guard lock(mutex);
  if (known[index] == nullptr) {
    std::shared_ptr<BertCharacters> fresh(new BertCharacters(switches));
    if (!fresh->Fill()) return nullptr;
    known[index] = std::move(fresh);
  }
  return known[index];
}

bool BertCharacters::Fill() {
  constexpr char32_t kAfterIdeographs = 0x30000;  // what counts as Chinese lies before
  for (char32_t c = 0; c < CodePointTable<uint32_t>::kCodePoints; ++c) {
    if (c == 0xD800) c = 0xE000;
    if (c >= kAfterIdeographs && c % kUnicodeBlock == 0 && IsUnassignedBlock(c)) {
      c += kUnicodeBlock - 1;
      continue;
    }
    if (!FillOne(c)) return false;
  }
  forms_.append(kMostForm, '\0');
  return true;
}

// The reference's order: delete controls, space out Chinese characters, decompose and delete marks,
// lower case; then the pre-tokenizer parts at white space and around punctuation.
bool BertCharacters::FillOne(char32_t c) {
  if (IsOrdinary(c)) {  // nearly all there are
    if (switches_.handle_chinese_chars && IsChineseCharacter(c)) {
      table_.Set(c, static_cast<uint32_t>(c) << 3 | static_cast<uint32_t>(Kind::kAlone));
    }
    return true;
  }
  if (switches_.clean_text && IsBertControl(c)) return SetWordForm(c, {});
  std::u32string decomposed;
  if (switches_.strip_accents) {
    Decompose(c, false, &decomposed);
  } else {
    decomposed.push_back(c);
  }
  std::u32string form;
  bool ordered = false;
  for (char32_t part : decomposed) {
    bool kept = !switches_.strip_accents || !IsNonspacingMark(part);
    ordered |= switches_.strip_accents && kept && CombiningClass(part) != 0;
    if (!kept) continue;
    if (switches_.lowercase) {
      AppendLower(part, &form);
    } else {
      form.push_back(part);
    }
  }
  bool parts_words = switches_.handle_chinese_chars && IsChineseCharacter(c);
  bool is_space = false;
  for (char32_t part : form) {
    is_space |= IsWhitespace(part);
    parts_words |= IsWhitespace(part) || IsPunctuation(part);
  }
  if (!parts_words) {
    if (!ordered) return SetWordForm(c, form);
    table_.Set(c, static_cast<uint32_t>(Kind::kOrdered));
    return true;
  }
  if (form.size() != 1 || ordered) return false;
  Kind kind = is_space ? Kind::kSpace : Kind::kAlone;
  table_.Set(c, static_cast<uint32_t>(form[0]) << 3 | static_cast<uint32_t>(kind));
  return true;
}

bool BertCharacters::SetWordForm(char32_t c, std::u32string_view form) {
  if (form.size() == 1 && form[0] == c) return true;  // kWord is the table's default
  size_t start = forms_.size();
  for (char32_t part : form) AppendUtf8(part, &forms_);
  size_t size = forms_.size() - start;
  if (size >= kMostForm || forms_.size() >= size_t{1} << 24) return false;
  table_.Set(c, static_cast<uint32_t>(start) << 8 | static_cast<uint32_t>(size) << 3 |
                    static_cast<uint32_t>(Kind::kChanged));
  return true;
}

std::string_view BertCharacters::NormalizeWord(std::string_view word, std::string* buffer,
                                               size_t* characters) const {
  // Forms are copied at full width: no character is shorter than a byte, no form longer than this.
  const size_t room = (word.size() + 1) * kMostForm;
  if (buffer->size() < room) buffer->resize(room);
  char* to = buffer->data();
  size_t count = 0;
  const auto* at = reinterpret_cast<const uint8_t*>(word.data());
  const uint8_t* const end = at + word.size();
  for (size_t size = 0; at < end; at += size) {
    const uint32_t entry = table_[DecodeUtf8(at, &size)];
    const auto kind = static_cast<Kind>(entry & 7);
    if (kind == Kind::kWord) {
      for (size_t i = 0; i < size; ++i) to[i] = static_cast<char>(at[i]);
      to += size;
      ++count;
    } else if (kind == Kind::kChanged) {
      const size_t bytes = entry >> 3 & 31;
      std::memcpy(to, forms_.data() + (entry >> 8), kMostForm);
      for (size_t i = 0; i < bytes; ++i) count += (to[i] & 0xC0) != 0x80;
      to += bytes;
    } else {
      return NormalizeWhole(word, buffer, characters);
    }
  }
  *characters = count;
  return {buffer->data(), static_cast<size_t>(to - buffer->data())};
}

std::string_view BertCharacters::NormalizeWhole(std::string_view word, std::string* buffer,
                                                size_t* characters) const {
  std::string cleaned;
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(word.data());
  for (size_t at = 0, size = 0; at < word.size(); at += size) {
    char32_t c = DecodeUtf8(bytes + at, &size);
    if (!switches_.clean_text || !IsBertControl(c)) cleaned.append(word, at, size);
  }
  std::vector<NormalizedChar> decomposed;
  NormalizeNfd(cleaned, &decomposed);
  std::u32string form;
  for (const NormalizedChar& part : decomposed) {
    if (IsNonspacingMark(part.c)) continue;
    if (switches_.lowercase) {
      AppendLower(part.c, &form);
    } else {
      form.push_back(part.c);
    }
  }
  buffer->clear();
  for (char32_t part : form) AppendUtf8(part, buffer);
  *characters = form.size();
  return *buffer;
}

}  // namespace hearth::tokenizers
