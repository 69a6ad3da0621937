#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt,fma")
#endif

namespace hearth::tokenizers {
namespace {

#include "tokenizers/segment_encoders/piece_isa_avx2.inc"

struct Isa {
  static constexpr bool kBlocks = true;

  // The table's entries of ASCII bytes, zero for others.
  [[gnu::always_inline]] static inline __m256i LookUp(const std::array<uint8_t, 128>& table,
                                                      __m256i bytes) {
    __m256i found = _mm256_setzero_si256();
    for (int high = 0; high < 8; ++high) {
      __m256i part = _mm256_broadcastsi128_si256(
          _mm_load_si128(reinterpret_cast<const __m128i*>(table.data() + 16 * high)));
      // Bytes of this high nibble become 0x70 to 0x7F, all others lose: bit 7 asks for a zero.
      __m256i index =
          _mm256_adds_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(16 * high))),
                           _mm256_set1_epi8(0x70));
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, index));
    }
    return found;
  }

  // As Cuts, of 32 bytes; `left` are those before each.
  [[gnu::always_inline]] static inline uint32_t Half(const uint8_t* p, const MetaspaceCuts& cuts,
                                                     uint32_t* wide) {
    __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p - 1));
    __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    __m256i joins = _mm256_and_si256(LookUp(cuts.group, left), LookUp(cuts.may_follow, bytes));
    __m256i cut = _mm256_cmpeq_epi8(joins, _mm256_setzero_si256());
    if (cuts.at_marks) {
      cut = _mm256_or_si256(cut, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')));
    }
    auto mask = [](__m256i bits) { return static_cast<uint32_t>(_mm256_movemask_epi8(bits)); };
    uint32_t high = mask(_mm256_or_si256(left, bytes));
    uint32_t trail = mask(_mm256_cmpgt_epi8(_mm256_set1_epi8(-64), bytes));
    *wide = high & ~trail;
    return mask(cut) & ~high;
  }

  [[gnu::always_inline]] static inline uint64_t Cuts(const uint8_t* p, int size,
                                                     const MetaspaceCuts& cuts, uint64_t* wide) {
    uint8_t padded[65];
    if (size < 64) [[unlikely]] {
      std::memset(padded, 0, sizeof(padded));
      std::memcpy(padded, p - 1, static_cast<size_t>(size) + 1);
      p = padded + 1;
    }
    uint32_t wide_low, wide_high;
    uint64_t low = Half(p, cuts, &wide_low), high = Half(p + 32, cuts, &wide_high);
    uint64_t valid = ~uint64_t{0} >> (64 - size);
    *wide = (wide_low | uint64_t{wide_high} << 32) & valid;
    return (low | high << 32) & valid;
  }
};

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.inc"

}  // namespace

void EncodeMetaspaceBpeAvx2(const MetaspaceBpePlan& plan, std::string_view text,
                            MetaspaceBpeState& state, std::vector<uint32_t>* ids) {
  EncodeText(plan, text, state, ids);
}

}  // namespace hearth::tokenizers

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
