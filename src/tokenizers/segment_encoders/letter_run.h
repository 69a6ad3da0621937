// The length of a run of ASCII letters, 16 bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hearth::tokenizers {

inline bool IsAsciiLetter(uint8_t byte) { return static_cast<uint8_t>((byte | 0x20) - 'a') < 26; }

// Words average five letters, so one 16-byte step nearly always holds the whole run and wider
// registers gain nothing: SSE2 is in every x86-64 machine, and no dispatch is needed.
inline const uint8_t* SkipAsciiLetters(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    // Shifted so that a..z become the 26 lowest signed values.
    __m128i shifted = _mm_add_epi8(lower, _mm_set1_epi8(static_cast<char>(-128 - 'a')));
    __m128i letters = _mm_cmplt_epi8(shifted, _mm_set1_epi8(-128 + 26));
    unsigned others = ~static_cast<unsigned>(_mm_movemask_epi8(letters)) & 0xFFFF;
    if (others != 0) return at + __builtin_ctz(others);
    at += 16;
  }
#endif
  while (at < end && IsAsciiLetter(*at)) ++at;
  return at;
}

}  // namespace hearth::tokenizers
