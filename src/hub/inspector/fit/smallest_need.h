// The least that a model needs, of all sets of weights that its repository offers: what a list
// filters by when it is asked what fits. The numbers are those of ComputeFit for a context of 4,096
// tokens (less where the model ends earlier), one sequence, keys and values in f16. Pure apart from
// reading headers; one view, one thread.
#pragma once

#include <cstdint>

#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

struct SmallestNeed {
  uint64_t gpu_bytes = 0;  // on a GPU, or a memory that it shares; 0 = not known
  uint64_t cpu_bytes = 0;  // beside a CPU
};

// Zero for what has no weights that are read here, or no configuration that says enough.
SmallestNeed FindSmallestNeed(const RepoView& view);

}  // namespace hearth::inspector
