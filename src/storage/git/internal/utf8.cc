#include "storage/git/internal/utf8.h"

namespace hearth::storage::internal {

bool NextCodePoint(std::string_view text, size_t& position, uint32_t& code_point) {
  auto lead = static_cast<unsigned char>(text[position]);
  size_t start = position++;
  if (lead < 0x80) {
    code_point = lead;
    return true;
  }
  size_t extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || start + extra >= text.size()) return false;
  uint32_t value = lead & (0x3Fu >> extra);
  for (size_t i = 1; i <= extra; ++i) {
    auto next = static_cast<unsigned char>(text[start + i]);
    if ((next & 0xC0) != 0x80) return false;
    value = value << 6 | (next & 0x3F);
  }
  constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[extra] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    return false;
  }
  position = start + extra + 1;
  code_point = value;
  return true;
}

bool IsUtf8(std::string_view text) {
  uint32_t code_point;
  for (size_t position = 0; position < text.size();) {
    if (!NextCodePoint(text, position, code_point)) return false;
  }
  return true;
}

std::string ToUtf8Lossy(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string out;
  uint32_t code_point;
  for (size_t position = 0; position < text.size();) {
    size_t start = position;
    bool good = NextCodePoint(text, position, code_point);
    out += good ? text.substr(start, position - start) : std::string_view("\xEF\xBF\xBD");
  }
  return out;
}

}  // namespace hearth::storage::internal
