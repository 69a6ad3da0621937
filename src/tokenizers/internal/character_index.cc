#include "tokenizers/internal/character_index.h"

#include <algorithm>

namespace hearth::tokenizers::internal {
namespace {

// Bytes between two stored counts: one cache line to look at for a position, 1/16 of the text in
// memory.
constexpr size_t kBlock = 64;

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

uint32_t CountStarts(std::string_view text) {
  uint32_t count = 0;
  for (char byte : text) count += StartsCharacter(byte);
  return count;
}

}  // namespace

void CharacterIndex::Reset(std::string_view text) {
  text_ = text;
  unsigned char any = 0;
  for (char byte : text) any |= static_cast<unsigned char>(byte);
  ascii_ = any < 0x80;
  before_.clear();
  if (ascii_) return;
  uint32_t count = 0;
  for (size_t at = 0; at < text.size(); at += kBlock) {
    before_.push_back(count);
    count += CountStarts(text.substr(at, kBlock));
  }
}

size_t CharacterIndex::CharacterOf(size_t byte) const {
  if (ascii_) return byte;
  size_t block = byte / kBlock;
  return before_[block] + CountStarts(text_.substr(block * kBlock, byte - block * kBlock + 1)) - 1;
}

Offsets CharacterIndex::Convert(Offsets bytes) const {
  if (bytes.begin >= text_.size()) return bytes;
  size_t begin = CharacterOf(bytes.begin);
  if (bytes.end < text_.size()) return {begin, CharacterOf(bytes.end)};
  bool right_after = bytes.end == text_.size();
  return {begin, (right_after ? CharacterOf(bytes.end - 1) : begin + 1) + 1};
}

}  // namespace hearth::tokenizers::internal
