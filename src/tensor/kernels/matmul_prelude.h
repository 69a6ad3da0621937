// What the kernels of matrix products include, read before a file switches to its instruction set:
// a function of these headers that the linker shares between files must be the baseline's.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/internal/kernels_prelude.h"
#include "tensor/kernels/matmul_kernels.h"
#include "tensor/ops.h"

// Sums stay in registers only if a step's loops are gone before the compiler looks at them.
#define HEARTH_INLINE inline __attribute__((always_inline))
