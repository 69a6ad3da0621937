#if defined(__x86_64__)

// GCC 12 warns of the undefined values inside its own intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_algebra.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_wide.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                                   \
    __attribute__((target(                                                                                      \
        "avx2,bmi,bmi2,popcnt,lzcnt,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target( \
    "avx2,bmi,bmi2,popcnt,lzcnt,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")
#endif

namespace hearth::tokenizers {
namespace {

alignas(64) constexpr uint8_t kIota[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

struct Isa {
  static constexpr bool kBlocks = true;

  template <typename Rules>
  [[gnu::always_inline]] static inline void Classify(const uint8_t* p, const uint8_t* end,
                                                     const ByteBpeClasses& classes,
                                                     ByteBpeBlock* block) {
    int size = end - p < 64 ? static_cast<int>(end - p) : 64;
    if (size == 0) {
      *block = {};
      return;
    }
    uint64_t valid = ~uint64_t{0} >> (64 - size);
    __m512i text = _mm512_maskz_loadu_epi8(valid, p);
    __m512i ascii_low = _mm512_load_si512(classes.ascii());
    __m512i ascii_high = _mm512_load_si512(classes.ascii() + 64);
    __m512i kinds = _mm512_permutex2var_epi8(ascii_low, text, ascii_high);
    uint64_t high = _mm512_movepi8_mask(text);
    if (high != 0) [[unlikely]] {
      alignas(64) uint8_t wide[72];
      uint64_t leads = _mm512_cmpge_epu8_mask(text, _mm512_set1_epi8(static_cast<char>(0xC0)));
      const uint8_t* from = p;
      alignas(64) uint8_t padded[72];
      if (end - p < 68) {
        _mm512_store_si512(padded, text);
        std::memset(padded + 64, 0, 8);
        std::memcpy(padded + size, p + size, static_cast<size_t>(end - p - size));
        from = padded;
      }
      _mm512_store_si512(wide, _mm512_setzero_si512());
      size = ClassifyWide(from, size, leads, classes, wide);
      valid = ~uint64_t{0} >> (64 - size);
      kinds = _mm512_mask_mov_epi8(kinds, high, _mm512_load_si512(wide));
    }
    auto has = [&](int bits) {
      return _mm512_mask_test_epi8_mask(valid, kinds, _mm512_set1_epi8(static_cast<char>(bits)));
    };
    auto is = [&](char c) { return _mm512_mask_cmpeq_epi8_mask(valid, text, _mm512_set1_epi8(c)); };
    block->size = size;
    block->letter = has(Rules::kMarksAreLetters ? kLetter | kMark : kLetter);
    block->number = has(kNumber);
    if (Rules::kDigitsFirst && high != 0) {
      block->number |= _mm512_mask_cmpeq_epi8_mask(
          valid, kinds, _mm512_set1_epi8(static_cast<char>(kNumericOnly)));
    }
    block->space = has(kSpace);
    block->blank = is(' ');
    block->apostrophe = is('\'');
    block->newline = is('\n') | is('\r');
    block->trail =
        high == 0 ? 0
                  : high & valid &
                        ~_mm512_cmpge_epu8_mask(text, _mm512_set1_epi8(static_cast<char>(0xC0)));
    if constexpr (Rules::kShape == ByteBpeShape::kO200k) {
      block->upper = has(kUpper);
      block->lower = has(kLower);
      block->mark = has(kMark);
      block->slash = is('/');
    }
  }

  [[gnu::always_inline]] static inline uint32_t* Flatten(uint64_t starts, uint32_t base,
                                                         uint32_t* to) {
    __m512i at = _mm512_maskz_compress_epi8(starts, _mm512_load_si512(kIota));
    __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
    int count = std::popcount(starts);
    _mm512_storeu_si512(to,
                        _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
    if (count > 16) [[unlikely]] {
      _mm512_storeu_si512(
          to + 16, _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 1))));
      if (count > 32) {
        _mm512_storeu_si512(
            to + 32,
            _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 2))));
        _mm512_storeu_si512(
            to + 48,
            _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 3))));
      }
    }
    return to + count;
  }

  [[gnu::always_inline]] static inline ByteBpeKey Key(const uint8_t* p, size_t size) {
    return std::bit_cast<ByteBpeKey>(_mm_maskz_loadu_epi8(
        static_cast<__mmask16>(_bzhi_u32(0xFFFF, static_cast<unsigned>(size))), p));
  }

  [[gnu::always_inline]] static inline uint64_t LongPieces(const uint32_t* ends) {
    __m512i most = _mm512_set1_epi32(static_cast<int>(kByteBpeKeyBytes));
    uint64_t longs = 0;
    for (int i = 0; i < 64; i += 16) {
      __m512i sizes =
          _mm512_sub_epi32(_mm512_loadu_si512(ends + i), _mm512_loadu_si512(ends + i - 1));
      longs |= uint64_t{_mm512_cmpgt_epu32_mask(sizes, most)} << i;
    }
    return longs;
  }

  [[gnu::always_inline]] static inline void Lines(const ByteBpeKey* keys, int shift,
                                                  uint32_t* lines) {
    __m512i a = _mm512_load_si512(keys), b = _mm512_load_si512(keys + 4);
    __m512i low = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), b);
    __m512i high = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15), b);
    high = _mm512_xor_si512(high, _mm512_srli_epi64(low, 32));
    __m512i hash = _mm512_add_epi64(
        _mm512_mullo_epi64(low, _mm512_set1_epi64(static_cast<int64_t>(kHashLow))),
        _mm512_mullo_epi64(high, _mm512_set1_epi64(static_cast<int64_t>(kHashHigh))));
    hash = _mm512_srl_epi64(hash, _mm_cvtsi32_si128(shift));
    _mm256_store_si256(reinterpret_cast<__m256i*>(lines), _mm512_cvtepi64_epi32(hash));
  }

  [[gnu::always_inline]] static inline uint32_t Find(const ByteBpePieceCache::Line& line,
                                                     const ByteBpeKey* key, uint32_t* to) {
    __m256i equal = _mm256_cmpeq_epi64(
        _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(key))),
        _mm256_load_si256(reinterpret_cast<const __m256i*>(line.keys)));
    equal = _mm256_and_si256(equal, _mm256_shuffle_epi32(equal, 0x4E));
    __m256i both =
        _mm256_and_si256(equal, _mm256_load_si256(reinterpret_cast<const __m256i*>(line.values)));
    __m128i value = _mm_or_si128(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    __m256i spread = _mm256_setr_epi8(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0, 12, 13, 14,
                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(to),
        _mm256_maskz_permutexvar_epi8(0x77777, spread, _mm256_castsi128_si256(value)));
    return static_cast<uint32_t>(_mm_extract_epi8(value, 15));
  }

  struct Merging {
    struct PairLine {
      [[gnu::always_inline]] static inline int Find(const uint64_t* slots, uint64_t key) {
        __m512i keys = _mm512_srli_epi64(_mm512_load_si512(slots), 24);
        unsigned found =
            _mm512_cmpeq_epi64_mask(keys, _mm512_set1_epi64(static_cast<int64_t>(key)));
        return static_cast<int>(_tzcnt_u32(found | 0x100));
      }
    };

    template <size_t kRoom>
    class Order {
     public:
      [[gnu::always_inline]] explicit Order(const uint32_t* values) {
        for (size_t i = 0; i < kVectors; ++i) parts_[i] = _mm512_load_si512(values + 16 * i);
      }
      [[gnu::always_inline]] uint32_t Least() const {
        __m512i least = parts_[0];
        for (size_t i = 1; i < kVectors; ++i) least = _mm512_min_epu32(least, parts_[i]);
        __m256i half =
            _mm256_min_epu32(_mm512_castsi512_si256(least), _mm512_extracti64x4_epi64(least, 1));
        __m128i quarter =
            _mm_min_epu32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        quarter = _mm_min_epu32(quarter, _mm_shuffle_epi32(quarter, 0x4E));
        quarter = _mm_min_epu32(quarter, _mm_shuffle_epi32(quarter, 0xB1));
        return static_cast<uint32_t>(_mm_cvtsi128_si32(quarter));
      }
      [[gnu::always_inline]] void Set(size_t at, uint32_t value) {
        __m512i wanted = _mm512_set1_epi32(static_cast<int>(value));
        uint64_t bit = uint64_t{1} << at;
        for (size_t i = 0; i < kVectors; ++i) {
          parts_[i] =
              _mm512_mask_mov_epi32(parts_[i], static_cast<__mmask16>(bit >> (16 * i)), wanted);
        }
      }

     private:
      static constexpr size_t kVectors = kRoom / 16;
      __m512i parts_[kVectors];
    };
  };
};

#include "tokenizers/segment_encoders/byte_bpe_kernel.inc"

}  // namespace

size_t MergeByteBpeAvx512(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                          size_t n, uint32_t* ids) {
  return MergeForTier(plan, memo, piece, n, ids);
}

void EncodeByteBpeAvx512(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
                         std::vector<uint32_t>* ids) {
  EncodeText(plan, text, state, ids);
}

}  // namespace hearth::tokenizers

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
