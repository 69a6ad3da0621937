#include "tokenizers/segment_encoders/byte_bpe_nfc.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "text/unicode.h"

namespace hearth::tokenizers {
namespace {

// The first byte outside ASCII from `at` on (with the flag: inside it), or the size.
template <bool kAscii>
size_t FindByte(std::string_view text, size_t at) {
  constexpr uint64_t kHigh = 0x8080808080808080u;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    uint64_t found = (kAscii ? ~word : word) & kHigh;
    if (found != 0) return at + static_cast<size_t>(std::countr_zero(found)) / 8;
  }
  while (at < text.size() && (static_cast<uint8_t>(text[at]) < 0x80) != kAscii) ++at;
  return at;
}

}  // namespace

std::string_view ToNfc(std::string_view text, std::string* buffer) {
  bool changed = false;
  size_t copied = 0;
  size_t end = 0;
  for (;;) {
    size_t begin = FindByte<false>(text, end);
    if (begin == text.size()) break;
    end = FindByte<true>(text, begin);
    std::string_view run = text.substr(begin, end - begin);
    if (IsSurelyNormalized(NormalizationForm::kNfc, run)) continue;
    size_t base = begin > 0 ? begin - 1 : 0;
    if (!changed) buffer->clear();
    changed = true;
    buffer->append(text, copied, base - copied);
    buffer->append(Nfc(text.substr(base, end - base)));
    copied = end;
  }
  if (!changed) return text;
  buffer->append(text, copied);
  return *buffer;
}

}  // namespace hearth::tokenizers
