// Everything that the kernels include, read before a file switches to its instruction set: a
// function of these headers that the linker shares between files must be the baseline's.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tensor/float_formats.h"
#include "tensor/internal/codebooks.h"
#include "tensor/internal/kernels.h"

#define HEARTH_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define HEARTH_TARGET_BEGIN(isa) \
  HEARTH_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define HEARTH_TARGET_END HEARTH_PRAGMA(clang attribute pop)
#else
#define HEARTH_TARGET_BEGIN(isa) HEARTH_PRAGMA(GCC push_options) HEARTH_PRAGMA(GCC target(isa))
#define HEARTH_TARGET_END HEARTH_PRAGMA(GCC pop_options)
#endif
