#include <algorithm>
#include <cmath>

#include "tensor/kernels/row_kernels.h"

namespace hearth::tensor {

RopeTable::RopeTable(std::span<const float> inverse_frequencies, float magnitude)
    : frequencies_(inverse_frequencies.begin(), inverse_frequencies.end()),
      magnitude_(magnitude),
      pairs_(static_cast<uint32_t>(inverse_frequencies.size())) {}

void RopeTable::Reserve(uint32_t positions) {
  uint64_t width = 2 * uint64_t{pairs_};
  if (width == 0 || positions <= table_.size() / width) return;
  uint64_t from = table_.size() / width;
  // Grows by half at least: generation asks for one position more each step.
  uint64_t to = std::max<uint64_t>(positions, from + from / 2);
  table_.resize(to * width);
  for (uint64_t position = from; position < to; ++position) {
    float* row = table_.data() + position * width;
    for (uint32_t i = 0; i < pairs_; ++i) {
      double angle = static_cast<double>(position) * static_cast<double>(frequencies_[i]);
      row[i] = static_cast<float>(std::cos(angle) * magnitude_);
      row[pairs_ + i] = static_cast<float>(std::sin(angle) * magnitude_);
    }
  }
}

}  // namespace hearth::tensor
