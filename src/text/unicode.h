// Unicode as tokenizer files mean it: every answer equals that of the `tokenizers` package 0.23.3,
// whose parts come from different ages of Unicode. No table here is of one Unicode version; each
// was measured over all code points (tools/make_unicode_tables.py says how). For regular
// expressions see text/regex.h.
//
// Everything is pure and thread-safe. Per-character questions are one or two table loads; a value
// above U+10FFFF or a surrogate has no property. Texts are UTF-8; bytes that are not are treated as
// one U+FFFD each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/internal/unicode_tables.h"

namespace hearth {

// --- properties ---------------------------------------------------------------------------------

// Rust's char::is_whitespace (25 characters): WhitespaceSplit, Strip, Metaspace, BertPreTokenizer.
inline bool IsWhitespace(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kWhitespace);
}
// Rust's char::is_numeric: Digits.
inline bool IsNumeric(char32_t c) { return unicode_internal::Has(c, unicode_internal::kNumeric); }
// ASCII punctuation and the old category P: Punctuation, BertPreTokenizer.
inline bool IsPunctuation(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kPunctuation);
}
// \w and \s of the `regex` crate: Whitespace, `single_word`, `lstrip` and `rstrip` of added tokens.
inline bool IsCrateWord(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kCrateWord);
}
inline bool IsCrateSpace(char32_t c) { return IsWhitespace(c); }
// What BertNormalizer's clean_text deletes (the white space that it keeps becomes ' ').
inline bool IsBertControl(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kBertControl);
}
// What BertNormalizer's strip_accents deletes after NFD (Mn).
inline bool IsNonspacingMark(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kNonspacing);
}
// What StripAccents deletes (Mn, Mc, Me).
inline bool IsCombiningMark(char32_t c) {
  return unicode_internal::Has(c, unicode_internal::kCombining);
}
// What BertNormalizer's handle_chinese_chars puts spaces around.
bool IsChineseCharacter(char32_t c);
// Nmt deletes the first and makes spaces of the second.
bool IsNmtControl(char32_t c);
bool IsNmtSpace(char32_t c);

// None of white space, punctuation, controls and marks, and its own canonical decomposition and
// lower case.
inline bool IsOrdinary(char32_t c) {
  using namespace unicode_internal;  // NOLINT: flags
  return !Has(c, kWhitespace | kPunctuation | kBertControl | kNonspacing | kCombining | kLowers |
                     kDecomposes | kReorders);
}
// Shares a grapheme cluster with any character before it (after it) that is not a control.
inline bool JoinsClusterBefore(char32_t c) {
  uint32_t flags = unicode_internal::FlagsOf(c);
  return (flags & (unicode_internal::kExtends | unicode_internal::kControl)) ==
         unicode_internal::kExtends;
}
inline bool JoinsClusterAfter(char32_t c) {
  uint32_t flags = unicode_internal::FlagsOf(c);
  return (flags & (unicode_internal::kPrepends | unicode_internal::kControl)) ==
         unicode_internal::kPrepends;
}

// Scripts as UnicodeScripts tells them apart (Hiragana, Katakana and U+30FC count as Han). Only
// equality and kAnyScript have a meaning: a character of kAnyScript belongs to whatever it stands
// beside.
constexpr uint8_t kAnyScript = 0;
uint8_t ScriptOf(char32_t c);

// --- case
// -----------------------------------------------------------------------------------------

// Rust's char::to_lowercase: per character, no final sigma, no locale. Only U+0130 becomes two
// characters.
struct LowerCase {
  char32_t first = 0;
  char32_t second = 0;  // 0: none
};
LowerCase ToLower(char32_t c);
std::string Lowercase(std::string_view text);

// --- normalization
// ----------------------------------------------------------------------------------

enum class NormalizationForm { kNfc, kNfd, kNfkc, kNfkd };

// One character of a normalized text and how it came about, in the terms of tokenizers' alignments:
// 0: it stands for one character of the source; 1: it was added behind the one before; -n: like 0,
// and the n source characters that follow are gone (joined into it).
struct NormalizedChar {
  char32_t c = 0;
  int32_t change = 0;
  bool operator==(const NormalizedChar&) const = default;
};

// Appends. The stream equals that of the crate unicode-normalization-alignments.
void Normalize(NormalizationForm form, std::string_view text, std::vector<NormalizedChar>* out);
inline void NormalizeNfc(std::string_view text, std::vector<NormalizedChar>* out) {
  Normalize(NormalizationForm::kNfc, text, out);
}
inline void NormalizeNfd(std::string_view text, std::vector<NormalizedChar>* out) {
  Normalize(NormalizationForm::kNfd, text, out);
}
inline void NormalizeNfkc(std::string_view text, std::vector<NormalizedChar>* out) {
  Normalize(NormalizationForm::kNfkc, text, out);
}
inline void NormalizeNfkd(std::string_view text, std::vector<NormalizedChar>* out) {
  Normalize(NormalizationForm::kNfkd, text, out);
}

// The text alone; a text that the form leaves as it is (ASCII, most of every language under NFC) is
// copied.
std::string Normalize(NormalizationForm form, std::string_view text);
inline std::string Nfc(std::string_view text) { return Normalize(NormalizationForm::kNfc, text); }
inline std::string Nfd(std::string_view text) { return Normalize(NormalizationForm::kNfd, text); }
inline std::string Nfkc(std::string_view text) { return Normalize(NormalizationForm::kNfkc, text); }
inline std::string Nfkd(std::string_view text) { return Normalize(NormalizationForm::kNfkd, text); }

// True when Normalize surely returns the text unchanged, every change being 0; false when it has to
// look closer. One table load per character.
bool IsSurelyNormalized(NormalizationForm form, std::string_view text);

// Appends the full decomposition; a character that has none is its own.
void Decompose(char32_t c, bool compatible, std::u32string* out);
// Of characters that do not decompose (0 for the others: it cannot be observed).
uint8_t CombiningClass(char32_t c);
// The canonical composition of two characters; 0: they do not compose.
char32_t Compose(char32_t first, char32_t second);

// --- grapheme clusters
// -----------------------------------------------------------------------------

// Bytes (at least one) of the extended grapheme cluster at the front of a non-empty text, the text
// before it left out of account: boundaries found one after the other from the start of a text are
// those of the crate unicode-segmentation as the Precompiled normalizer shows them (pairs of
// regional indicators, all of them longer than it maps as a whole, cannot be observed there and
// follow the standard).
size_t NextGraphemeLength(std::string_view text);

}  // namespace hearth
