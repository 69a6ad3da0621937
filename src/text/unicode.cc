#include "text/unicode.h"

#include "text/utf8.h"

namespace hearth {

using namespace unicode_internal;  // NOLINT: the tables of this file's subject

bool IsChineseCharacter(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool IsNmtControl(char32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
         c == 0x8F || c == 0x9F;
}

bool IsNmtSpace(char32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
         c == 0xFFFD;
}

uint8_t ScriptOf(char32_t c) { return static_cast<uint8_t>(kScriptTrie.Get(c)); }

LowerCase ToLower(char32_t c) {
  if (c < 0x80) return {c >= 'A' && c <= 'Z' ? c + 0x20 : c, 0};
  if (c == 0x130) return {'i', 0x307};
  return {static_cast<char32_t>(static_cast<int32_t>(c) + kLowerDeltas[kLowerTrie.Get(c)]), 0};
}

std::string Lowercase(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  while (!text.empty()) {
    auto byte = static_cast<unsigned char>(text[0]);
    if (byte < 0x80) {
      lower += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte);
      text.remove_prefix(1);
      continue;
    }
    CodePoint point = DecodeUtf8(text);
    text.remove_prefix(point.length);
    LowerCase mapped = ToLower(point.value);
    AppendUtf8(mapped.first, &lower);
    if (mapped.second != 0) AppendUtf8(mapped.second, &lower);
  }
  return lower;
}

}  // namespace hearth
