// The tokens "<0x00>" ... "<0xFF>" that stand for single bytes where a vocabulary has them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

using ByteTokenIds = std::array<std::optional<uint32_t>, 256>;

inline std::string ByteTokenText(unsigned char byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
}

inline ByteTokenIds FindByteTokens(const Vocab& vocab) {
  ByteTokenIds ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    ids[byte] = vocab.FindId(ByteTokenText(static_cast<unsigned char>(byte)));
  }
  return ids;
}

}  // namespace hearth::tokenizers
