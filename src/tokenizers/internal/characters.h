// Walking over text that is known to be valid UTF-8, which everything inside of an encoding is:
// Tokenizer checks its input once. Nothing here looks beyond the given text even so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::tokenizers::internal {

// Bytes of the character that starts with this byte; 1 for a byte that starts none.
inline size_t CharacterLength(char lead) {
  auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

inline size_t CharacterLength(std::string_view text, size_t at) {
  size_t length = CharacterLength(text[at]);
  return length < text.size() - at ? length : text.size() - at;
}

struct Character {
  char32_t value = 0;
  size_t length = 0;
};

inline Character CharacterAt(std::string_view text, size_t at) {
  auto byte = [&](size_t i) -> char32_t { return static_cast<unsigned char>(text[at + i]); };
  char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  size_t length = CharacterLength(text, at);
  switch (length) {
    case 2:
      return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3:
      return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    case 4:
      return {
          (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F),
          4};
    default:
      return {lead, 1};
  }
}

// The character that ends at `end` (> 0).
inline Character CharacterBefore(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return CharacterAt(text, at);
}

template <typename Visit>
void ForEachCharacter(std::string_view text, Visit&& visit) {
  for (size_t at = 0; at < text.size();) {
    Character character = CharacterAt(text, at);
    visit(character.value);
    at += character.length;
  }
}

inline size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (char byte : text) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  return count;
}

// Writes 1 to 4 bytes to `out`; returns how many. `value` is a Unicode scalar value.
inline size_t EncodeCharacter(char32_t value, char* out) {
  auto put = [out](size_t i, char32_t byte) { out[i] = static_cast<char>(byte); };
  if (value < 0x80) {
    put(0, value);
    return 1;
  }
  if (value < 0x800) {
    put(0, 0xC0 | value >> 6);
    put(1, 0x80 | (value & 0x3F));
    return 2;
  }
  if (value < 0x10000) {
    put(0, 0xE0 | value >> 12);
    put(1, 0x80 | (value >> 6 & 0x3F));
    put(2, 0x80 | (value & 0x3F));
    return 3;
  }
  put(0, 0xF0 | value >> 18);
  put(1, 0x80 | (value >> 12 & 0x3F));
  put(2, 0x80 | (value >> 6 & 0x3F));
  put(3, 0x80 | (value & 0x3F));
  return 4;
}

inline bool IsAscii(std::string_view text) {
  unsigned char any = 0;
  for (char byte : text) any |= static_cast<unsigned char>(byte);
  return any < 0x80;
}

}  // namespace hearth::tokenizers::internal
