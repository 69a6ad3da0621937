#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/byte_bpe_algebra.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_wide.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt,fma")
#endif

namespace hearth::tokenizers {
namespace {

// 64 bytes in two registers, and what the classes ask of them.
struct Bytes {
  __m256i low, high;

  static uint64_t Mask(__m256i low, __m256i high) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
           static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
  }
  uint64_t Is(char c) const {
    __m256i wanted = _mm256_set1_epi8(c);
    return Mask(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
  }
  uint64_t Between(char first, char last) const {
    __m256i shift = _mm256_set1_epi8(first);
    __m256i most = _mm256_set1_epi8(static_cast<char>(last - first));
    __m256i a = _mm256_sub_epi8(low, shift), b = _mm256_sub_epi8(high, shift);
    return Mask(_mm256_cmpeq_epi8(_mm256_min_epu8(a, most), a),
                _mm256_cmpeq_epi8(_mm256_min_epu8(b, most), b));
  }
  uint64_t Has(int bits) const {
    __m256i wanted = _mm256_set1_epi8(static_cast<char>(bits)), zero = _mm256_setzero_si256();
    return ~Mask(_mm256_cmpeq_epi8(_mm256_and_si256(low, wanted), zero),
                 _mm256_cmpeq_epi8(_mm256_and_si256(high, wanted), zero));
  }
  uint64_t High() const { return Mask(low, high); }
};

#include "tokenizers/segment_encoders/piece_isa_avx2.inc"

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
    alignas(32) uint8_t padded[72];
    const uint8_t* from = p;
    if (end - p < 68) [[unlikely]] {
      std::memset(padded, 0, sizeof(padded));
      std::memcpy(padded, p, static_cast<size_t>(end - p));
      from = padded;
    }
    Bytes text = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)),
                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32))};
    uint64_t valid = ~uint64_t{0} >> (64 - size);
    uint64_t high = text.High();
    __m256i fold = _mm256_set1_epi8(0x20);
    Bytes folded = {_mm256_or_si256(text.low, fold), _mm256_or_si256(text.high, fold)};
    block->blank = text.Is(' ') & valid;
    block->apostrophe = text.Is('\'') & valid;
    block->newline = (text.Is('\n') | text.Is('\r')) & valid;
    block->letter = folded.Between('a', 'z');
    block->number = text.Between('0', '9');
    block->space = block->blank | text.Between('\t', '\r');
    block->trail = 0;
    if constexpr (Rules::kShape == ByteBpeShape::kO200k) {
      block->upper = text.Between('A', 'Z');
      block->lower = text.Between('a', 'z');
      block->slash = text.Is('/') & valid;
      block->mark = 0;
    }
    if (high != 0) [[unlikely]] {
      alignas(32) uint8_t wide[72] = {};
      uint64_t leads = high & text.Between(static_cast<char>(0xC0), static_cast<char>(0xFF));
      size = ClassifyWide(from, size, leads & valid, classes, wide);
      valid = ~uint64_t{0} >> (64 - size);
      Bytes kinds = {_mm256_load_si256(reinterpret_cast<const __m256i*>(wide)),
                     _mm256_load_si256(reinterpret_cast<const __m256i*>(wide + 32))};
      auto merge = [&](uint64_t* mask, int bits) {
        *mask = (*mask & ~high) | (kinds.Has(bits) & high);
      };
      merge(&block->letter, Rules::kMarksAreLetters ? kLetter | kMark : kLetter);
      merge(&block->number, kNumber);
      merge(&block->space, kSpace);
      if (Rules::kDigitsFirst) {
        block->number |= kinds.Is(static_cast<char>(kNumericOnly)) & high;
      }
      block->trail = high & ~leads & valid;
      if constexpr (Rules::kShape == ByteBpeShape::kO200k) {
        merge(&block->upper, kUpper);
        merge(&block->lower, kLower);
        merge(&block->mark, kMark);
        block->upper &= valid;
        block->lower &= valid;
        block->mark &= valid;
      }
    }
    block->letter &= valid;
    block->number &= valid;
    block->space &= valid;
    block->size = size;
  }

  struct Merging {
    struct PairLine {
      [[gnu::always_inline]] static inline int Find(const uint64_t* slots, uint64_t key) {
        __m256i wanted = _mm256_set1_epi64x(static_cast<int64_t>(key));
        auto part = [&](int i) {
          __m256i keys = _mm256_srli_epi64(
              _mm256_load_si256(reinterpret_cast<const __m256i*>(slots + 4 * i)), 24);
          return static_cast<unsigned>(
              _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, wanted))));
        };
        return static_cast<int>(_tzcnt_u32(part(0) | part(1) << 4 | 0x100));
      }
    };

    template <size_t kRoom>
    class Order {
     public:
      [[gnu::always_inline]] explicit Order(const uint32_t* values) {
        for (size_t i = 0; i < kVectors; ++i) {
          parts_[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(values + 8 * i));
        }
      }
      [[gnu::always_inline]] uint32_t Least() const {
        __m256i half = parts_[0];
        for (size_t i = 1; i < kVectors; ++i) half = _mm256_min_epu32(half, parts_[i]);
        __m128i quarter =
            _mm_min_epu32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        quarter = _mm_min_epu32(quarter, _mm_shuffle_epi32(quarter, 0x4E));
        quarter = _mm_min_epu32(quarter, _mm_shuffle_epi32(quarter, 0xB1));
        return static_cast<uint32_t>(_mm_cvtsi128_si32(quarter));
      }
      [[gnu::always_inline]] void Set(size_t at, uint32_t value) {
        __m256i wanted = _mm256_set1_epi32(static_cast<int>(value));
        __m256i place = _mm256_sub_epi32(_mm256_set1_epi32(static_cast<int>(at)),
                                         _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        for (size_t i = 0; i < kVectors; ++i) {
          __m256i here = _mm256_cmpeq_epi32(place, _mm256_set1_epi32(static_cast<int>(8 * i)));
          parts_[i] = _mm256_blendv_epi8(parts_[i], wanted, here);
        }
      }

     private:
      static constexpr size_t kVectors = kRoom / 8;
      __m256i parts_[kVectors];
    };
  };
};

#include "tokenizers/segment_encoders/byte_bpe_kernel.inc"

}  // namespace

uint64_t MergeByteBpeAvx2(const ByteBpePlan& plan, ByteBpePairMemo& memo, const uint8_t* piece,
                          size_t n, uint32_t* ids) {
  return MergeForTier(plan, memo, piece, n, ids);
}

void EncodeByteBpeAvx2(const ByteBpePlan& plan, std::string_view text, ByteBpeState& state,
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
