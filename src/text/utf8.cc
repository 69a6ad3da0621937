#include "text/utf8.h"

#include <cstring>

namespace hearth {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080u;

// The range of the second byte, which alone decides about overlong forms, surrogates and the end of
// the code space (table 3-7 of the Unicode standard).
struct SecondByte {
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

SecondByte SecondByteRange(unsigned char lead) {
  switch (lead) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {};
  }
}

bool StartsWithEightAscii(std::string_view text) {
  uint64_t word;
  if (text.size() < sizeof word) return false;
  std::memcpy(&word, text.data(), sizeof word);
  return (word & kHighBits) == 0;
}

}  // namespace

CodePoint DecodeUtf8(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return {kReplacementCharacter, 1, false};
  char32_t value = lead & (0xFFu >> (need + 1));
  SecondByte range = SecondByteRange(lead);
  for (size_t i = 1; i < need; ++i) {
    if (i >= text.size()) return {kReplacementCharacter, i, false};
    auto c = static_cast<unsigned char>(text[i]);
    if (c < range.low || c > range.high) return {kReplacementCharacter, i, false};
    range = {};
    value = (value << 6) | (c & 0x3F);
  }
  return {value, need, true};
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (StartsWithEightAscii(text)) {
      text.remove_prefix(8);
      continue;
    }
    CodePoint point = DecodeUtf8(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

size_t CountCodePoints(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    if (StartsWithEightAscii(text)) {
      text.remove_prefix(8);
      count += 8;
      continue;
    }
    text.remove_prefix(DecodeUtf8(text).length);
    ++count;
  }
  return count;
}

std::string Utf8Lossy(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (StartsWithEightAscii(text)) {
      out.append(text.substr(0, 8));
      text.remove_prefix(8);
      continue;
    }
    CodePoint point = DecodeUtf8(text);
    if (point.valid) {
      out.append(text.substr(0, point.length));
    } else {
      AppendUtf8(kReplacementCharacter, &out);
    }
    text.remove_prefix(point.length);
  }
  return out;
}

size_t Utf8Offset(std::string_view text, size_t index) {
  size_t at = 0;
  while (index > 0 && at < text.size()) {
    if (index >= 8 && StartsWithEightAscii(text.substr(at))) {
      at += 8;
      index -= 8;
      continue;
    }
    at += DecodeUtf8(text.substr(at)).length;
    --index;
  }
  return at;
}

std::string_view TruncateUtf8(std::string_view text, size_t max_points) {
  return text.substr(0, Utf8Offset(text, max_points));
}

std::string_view TruncateUtf8Bytes(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  // At most three tail bytes belong to the code point that is cut; more are not valid UTF-8 anyway.
  for (int back = 0; back < 3 && end > 0; ++back) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80) break;
    --end;
  }
  if (end < max_bytes && DecodeUtf8(text.substr(end)).length + end <= max_bytes) end = max_bytes;
  return text.substr(0, end);
}

}  // namespace hearth
