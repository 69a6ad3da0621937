#if defined(__x86_64__)

// GCC 12 warns of the undefined values inside its own intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.h"

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

struct Isa {
  static constexpr bool kBlocks = true;

  [[gnu::always_inline]] static inline __m512i LookUp(const std::array<uint8_t, 128>& table,
                                                      __m512i bytes) {
    return _mm512_permutex2var_epi8(_mm512_load_si512(table.data()), bytes,
                                    _mm512_load_si512(table.data() + 64));
  }

  [[gnu::always_inline]] static inline uint64_t Cuts(const uint8_t* p, int size,
                                                     const MetaspaceCuts& cuts, uint64_t* wide) {
    uint64_t valid = ~uint64_t{0} >> (64 - size);
    __m512i left = _mm512_maskz_loadu_epi8(valid, p - 1);
    __m512i bytes = _mm512_maskz_loadu_epi8(valid, p);
    uint64_t high = _mm512_movepi8_mask(_mm512_or_si512(left, bytes));
    uint64_t cut = _mm512_testn_epi8_mask(LookUp(cuts.group, left), LookUp(cuts.may_follow, bytes));
    if (cuts.at_marks) cut |= _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
    *wide = high & valid & ~_mm512_cmplt_epi8_mask(bytes, _mm512_set1_epi8(-64));
    return cut & ~high & valid;
  }
};

#include "tokenizers/segment_encoders/metaspace_bpe_kernel.inc"

}  // namespace

void EncodeMetaspaceBpeAvx512(const MetaspaceBpePlan& plan, std::string_view text,
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
