#include <cstring>

#include "hub/inspector/weights/internal/group_sums.h"

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl")
#endif
#define HEARTH_SUM_GROUP SumGroupAvx512
namespace hearth::inspector::internal {
#include "hub/inspector/weights/internal/group_sums.inc"
}  // namespace hearth::inspector::internal
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
