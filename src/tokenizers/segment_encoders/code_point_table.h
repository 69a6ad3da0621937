// A value per code point in two levels: pages of 256, all-default pages shared. Reading is two
// loads. Writing is for the time of construction; afterwards safe for concurrent use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::tokenizers {

template <typename T>
class CodePointTable {
 public:
  static constexpr uint32_t kCodePoints = 0x110000;

  explicit CodePointTable(T default_value) {
    pages_.emplace_back();
    pages_[0].fill(default_value);
  }

  // `code_point` < kCodePoints.
  const T& operator[](uint32_t code_point) const {
    return pages_[index_[code_point >> 8]][code_point & 0xFF];
  }
  void Set(uint32_t code_point, const T& value) {
    uint16_t& page = index_[code_point >> 8];
    if (page == 0) {
      pages_.push_back(pages_[0]);
      page = static_cast<uint16_t>(pages_.size() - 1);
    }
    pages_[page][code_point & 0xFF] = value;
  }

 private:
  std::array<uint16_t, (kCodePoints >> 8)> index_{};
  std::vector<std::array<T, 256>> pages_;
};

// The code point at `text`, which is well-formed UTF-8; `*size` becomes its length in bytes.
inline uint32_t DecodeUtf8(const uint8_t* text, size_t* size) {
  uint32_t lead = text[0];
  if (lead < 0x80) {
    *size = 1;
    return lead;
  }
  if (lead < 0xE0) {
    *size = 2;
    return (lead & 0x1F) << 6 | (text[1] & 0x3Fu);
  }
  if (lead < 0xF0) {
    *size = 3;
    return (lead & 0x0F) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
  }
  *size = 4;
  return (lead & 0x07) << 18 | (text[1] & 0x3Fu) << 12 | (text[2] & 0x3Fu) << 6 | (text[3] & 0x3Fu);
}

}  // namespace hearth::tokenizers
