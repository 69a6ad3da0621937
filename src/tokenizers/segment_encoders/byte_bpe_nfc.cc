#include "tokenizers/segment_encoders/byte_bpe_nfc.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "text/unicode.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hearth::tokenizers {
namespace {

bool IsAscii(char c) { return static_cast<uint8_t>(c) < 0x80; }

// The first byte outside ASCII from `at` on, or the size.
size_t FindOutsideAscii(std::string_view text, size_t at) {
#if defined(__SSE2__)
  // Four vectors at a time: most text is ASCII nearly throughout, and then the loads alone count.
  auto load = [&](size_t from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
  };
  for (; at + 64 <= text.size(); at += 64) {
    __m128i low = _mm_or_si128(load(at), load(at + 16));
    __m128i high = _mm_or_si128(load(at + 32), load(at + 48));
    if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0) break;
  }
  for (; at + 16 <= text.size(); at += 16) {
    auto found = static_cast<unsigned>(_mm_movemask_epi8(load(at)));
    if (found != 0) return at + static_cast<size_t>(std::countr_zero(found));
  }
#endif
  while (at < text.size() && IsAscii(text[at])) ++at;
  return at;
}

size_t EndOfRun(std::string_view text, size_t at) {
  constexpr uint64_t kHigh = 0x8080808080808080u;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if (uint64_t found = ~word & kHigh; found != 0) {
      return at + static_cast<size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && !IsAscii(text[at])) ++at;
  return at;
}

}  // namespace

std::string_view ToNfc(std::string_view text, std::string* buffer) {
  bool changed = false;
  size_t copied = 0;
  size_t end = 0;
  for (;;) {
    size_t begin = FindOutsideAscii(text, end);
    if (begin == text.size()) break;
    end = EndOfRun(text, begin);
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
