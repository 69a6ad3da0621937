// Whether bytes can be text. Pure.
#pragma once

#include <algorithm>
#include <string_view>

namespace hearth {

// Text has no bytes below the blank but line breaks and tabs.
inline bool HasOnlyTextBytes(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f';
  });
}

}  // namespace hearth
