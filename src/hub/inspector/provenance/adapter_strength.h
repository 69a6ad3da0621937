// How strongly an adapter changes each matrix of its base: ||s B A|| / ||W|| by Frobenius norms.
// ||BA|| comes from the small products of the factors, never from BA itself; ||W|| is read, or told
// by the statistics of an index. One thread. Errors: those of the readers; kUnavailable when
// stopped.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/provenance/changes.h"

namespace hearth::inspector {

struct AdapterStrength {
  std::string target;  // the base's matrix
  uint64_t rank = 0;
  double relative = 0;  // of the scaled product to the matrix
};
// In the order of the adapter's tensors; targets that the base has not are left out.
std::vector<AdapterStrength> MeasureAdapter(const ComparedRepo& base, const ComparedRepo& adapter,
                                            const ScanHooks& hooks = {});
Json ToJson(const std::vector<AdapterStrength>& strengths);

}  // namespace hearth::inspector
