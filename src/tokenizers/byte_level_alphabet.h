// The 256 characters that stand for bytes in byte-level vocabularies (GPT-2's table): printable
// Latin-1 characters stand for themselves, the other 68 bytes for U+0100 and on, in order.
// Pure and thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tokenizers/normalized_string.h"

namespace hearth::tokenizers {

constexpr bool StandsForItself(uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

namespace internal {

constexpr std::array<char16_t, 256> MakeByteCharacters() {
  std::array<char16_t, 256> characters{};
  char16_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    characters[byte] = StandsForItself(byte) ? static_cast<char16_t>(byte) : next++;
  }
  return characters;
}

constexpr size_t kByteCharacterEnd = 256 + 68;

// 256 for a character that stands for no byte.
constexpr std::array<uint16_t, kByteCharacterEnd> MakeCharacterBytes() {
  std::array<uint16_t, kByteCharacterEnd> bytes{};
  for (auto& byte : bytes) byte = 256;
  constexpr auto kCharacters = MakeByteCharacters();
  for (uint16_t byte = 0; byte < 256; ++byte) bytes[kCharacters[byte]] = byte;
  return bytes;
}

}  // namespace internal

constexpr std::array<char16_t, 256> kByteCharacters = internal::MakeByteCharacters();

inline std::optional<uint8_t> FindByteOfCharacter(char32_t c) {
  static constexpr auto kBytes = internal::MakeCharacterBytes();
  if (c >= kBytes.size() || kBytes[c] > 255) return std::nullopt;
  return static_cast<uint8_t>(kBytes[c]);
}

// Replaces each byte of the text by its character; the bytes of one character share its alignment.
void ApplyByteLevel(NormalizedString* text);

}  // namespace hearth::tokenizers
