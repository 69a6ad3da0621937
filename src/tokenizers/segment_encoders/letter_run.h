// The end of a run of ASCII letters, of letters and digits, of these and anything beyond ASCII, or
// of anything above the space and the control characters, 16 bytes at a time.
//
// Words average five letters, so one 16-byte step nearly always holds the whole run and wider
// registers gain nothing: SSE2 is in every x86-64 machine, and no dispatch is needed. The plain
// forms, which other machines use, are built everywhere and must agree.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hearth::tokenizers {

inline bool IsAsciiLetter(uint8_t byte) { return static_cast<uint8_t>((byte | 0x20) - 'a') < 26; }
inline bool IsAsciiAlphanumeric(uint8_t byte) {
  return IsAsciiLetter(byte) || static_cast<uint8_t>(byte - '0') < 10;
}
inline bool IsAlphanumericOrBeyondAscii(uint8_t byte) {
  return byte >= 0x80 || IsAsciiAlphanumeric(byte);
}

inline bool IsAboveSpace(uint8_t byte) { return byte > ' '; }

namespace internal {

template <bool (*kIs)(uint8_t)>
const uint8_t* SkipRunPlain(const uint8_t* at, const uint8_t* end) {
  while (at < end && kIs(*at)) ++at;
  return at;
}

#if defined(__SSE2__)
// One bit per byte between `first` and `first + count - 1`. Shifted so that these become the lowest
// signed values, one comparison tests both ends.
inline __m128i IsBetween(__m128i bytes, char first, int count) {
  return _mm_cmplt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(-128 - first))),
                        _mm_set1_epi8(static_cast<char>(-128 + count)));
}

template <bool kDigits, bool kBeyondAscii>
const uint8_t* SkipRunSse2(const uint8_t* at, const uint8_t* end) {
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i inside = IsBetween(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    if (kDigits) inside = _mm_or_si128(inside, IsBetween(bytes, '0', 10));
    if (kBeyondAscii) inside = _mm_or_si128(inside, bytes);  // bit 7 is what is read
    unsigned others = static_cast<unsigned>(_mm_movemask_epi8(inside)) ^ 0xFFFF;
    if (others != 0) return at + __builtin_ctz(others);
    at += 16;
  }
  if (kBeyondAscii) return SkipRunPlain<IsAlphanumericOrBeyondAscii>(at, end);
  return SkipRunPlain < kDigits ? IsAsciiAlphanumeric : IsAsciiLetter > (at, end);
}
#endif

}  // namespace internal

inline const uint8_t* SkipAboveSpace(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
    unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(low));
    if (mask != 0) return at + __builtin_ctz(mask);
    at += 16;
  }
#endif
  return internal::SkipRunPlain<IsAboveSpace>(at, end);
}

inline const uint8_t* SkipAsciiLetters(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  return internal::SkipRunSse2<false, false>(at, end);
#else
  return internal::SkipRunPlain<IsAsciiLetter>(at, end);
#endif
}

inline const uint8_t* SkipAlphanumeric(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  return internal::SkipRunSse2<true, false>(at, end);
#else
  return internal::SkipRunPlain<IsAsciiAlphanumeric>(at, end);
#endif
}

inline const uint8_t* SkipAlphanumericOrBeyondAscii(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  return internal::SkipRunSse2<true, true>(at, end);
#else
  return internal::SkipRunPlain<IsAlphanumericOrBeyondAscii>(at, end);
#endif
}

}  // namespace hearth::tokenizers
