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

#include "tokenizers/segment_encoders/piece_isa_avx512.inc"

struct Isa : PieceIsa {
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

uint64_t MergeByteBpeAvx512(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
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
