// How far two sets of weights lie apart, tensor by tensor: reads both, streamed, constant memory.
// Quantised values are compared after dequantising, rotary rows in one order. Two views, one
// thread. Errors: those of the readers; kUnavailable when it was stopped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/provenance/tensor_pairs.h"
#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/tensor_scan.h"

namespace hearth::inspector {

struct TensorDistance {
  std::string name;       // in the later set
  std::string from_name;  // in the earlier one, when it is another
  std::string dtype, from_dtype;
  uint64_t elements = 0;
  double relative = 0;  // |to - from| / |from|, L2; of a quantised tensor its relative RMSE
  double cosine = 1;
  double max_abs = 0;   // largest difference of a value
  double changed = 0;   // share of the values that differ
  bool equal = false;   // the bytes are (proved without reading when both digests are known)
  std::string skipped;  // why it was not compared; "" = it was
  // Sums that totals are made of.
  double difference_squares = 0, from_squares = 0;
};

struct WeightDistance {
  std::vector<TensorDistance> tensors;  // in the order of the later set
  uint64_t equal = 0, compared = 0, skipped = 0;
  double relative = 0;  // over all compared tensors that differ; 0 = none does
};

struct DiffSide {
  const RepoView* view = nullptr;
  WeightSide weights;
};
struct DiffLimits {
  // Stop after so many values of each tensor (whole rows) and so many tensors: a sample.
  uint64_t max_values = UINT64_MAX;
  size_t max_tensors = SIZE_MAX;
};
WeightDistance MeasureDistance(const DiffSide& from, const DiffSide& to, const TensorPairs& pairs,
                               const ScanHooks& hooks = {}, const DiffLimits& limits = {});

// {"tensors": [...], "heat": {"modules": [...], "layers": n, "cells": [[relative or null]]}, ...}
Json ToJson(const WeightDistance& distance);
// A line per module, a block per layer, darker for farther: for a terminal of UTF-8.
std::string HeatStrip(const WeightDistance& distance, size_t width);

}  // namespace hearth::inspector
