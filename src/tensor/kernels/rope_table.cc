#include <algorithm>
#include <cmath>

#include "tensor/kernels/row_kernels.h"

namespace hearth::tensor {

RopeTable::RopeTable(std::span<const float> inverse_frequencies, float magnitude)
    : frequencies_(inverse_frequencies.begin(), inverse_frequencies.end()),
      magnitude_(magnitude),
      pairs_(static_cast<uint32_t>(inverse_frequencies.size())) {}

namespace {

// Position `position` at `row`.
void Turn(std::span<const float> frequencies, float magnitude, uint64_t position, float* row) {
  for (size_t i = 0; i < frequencies.size(); ++i) {
    double angle = static_cast<double>(position) * static_cast<double>(frequencies[i]);
    row[i] = static_cast<float>(std::cos(angle) * magnitude);
    row[frequencies.size() + i] = static_cast<float>(std::sin(angle) * magnitude);
  }
}

}  // namespace

void RopeTable::Reserve(uint32_t positions) {
  uint64_t width = 2 * uint64_t{pairs_};
  if (width == 0 || positions <= table_.size() / width) return;
  uint64_t from = table_.size() / width;
  // Grows by half at least: generation asks for one position more each step.
  uint64_t to = std::max<uint64_t>(positions, from + from / 2);
  table_.resize(to * width);
  for (uint64_t position = from; position < to; ++position)
    Turn(frequencies_, magnitude_, position, table_.data() + position * width);
}

void RopeTable::Window(uint32_t first, uint32_t count) {
  first_ = first;
  table_.resize(uint64_t{count} * 2 * pairs_);
  for (uint32_t i = 0; i < count; ++i)
    Turn(frequencies_, magnitude_, uint64_t{first} + i, table_.data() + uint64_t{i} * 2 * pairs_);
}

std::vector<float> DynamicFrequencies(const RopeOptions& options, uint32_t length) {
  double dims = 2.0 * static_cast<double>(options.inverse_frequencies.size());
  double share = static_cast<double>(length) / options.dynamic_after;
  double base =
      options.dynamic_base *
      std::pow(options.dynamic_factor * share - (options.dynamic_factor - 1), dims / (dims - 2));
  std::vector<float> frequencies;
  for (double at = 0; at < dims; at += 2)
    frequencies.push_back(static_cast<float>(1 / std::pow(base, at / dims)));
  return frequencies;
}

}  // namespace hearth::tensor
