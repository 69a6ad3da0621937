// Reads the packed tables: base64 over variable-length numbers (seven bits a byte, low ones first).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/base64.h"

namespace hearth::unicode_internal {

// The tables are part of the program and whole; a reader past the end yields zeros.
class BlobReader {
 public:
  explicit BlobReader(std::string_view base64) : bytes_(Base64Decode(base64).value_or("")) {}

  bool AtEnd() const { return at_ >= bytes_.size(); }

  uint32_t Number() {
    uint32_t value = 0;
    for (unsigned shift = 0; at_ < bytes_.size() && shift < 32; shift += 7) {
      auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= uint32_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  std::string_view Bytes(size_t count) {
    std::string_view bytes = std::string_view(bytes_).substr(at_, count);
    at_ += count;
    return bytes;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace hearth::unicode_internal
