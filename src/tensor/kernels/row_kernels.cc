#include "tensor/kernels/row_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hearth::tensor {
namespace {

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

float Activated(float x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return 0.5f * x * (1 + std::erf(x * 0.70710678f));
    case Activation::kGeluTanh:
      return 0.5f * x * (1 + std::tanh(0.79788456f * (x + 0.044715f * x * x * x)));
    case Activation::kQuickGelu:
      return x * Sigmoid(1.702f * x);
    case Activation::kRelu:
      return std::max(x, 0.0f);
    case Activation::kReluSquared:
      return std::max(x, 0.0f) * std::max(x, 0.0f);
    case Activation::kSilu:
      return x * Sigmoid(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

template <typename Function>
void EachRow(const RowBlock& block, Function function) {
  for (uint64_t row = 0; row < block.rows; ++row) {
    function(row, block.x + row * block.x_stride, block.out + row * block.out_stride);
  }
}

template <typename Function>
void EachValue(const RowBlock& block, Function function) {
  EachRow(block, [&](uint64_t row, const float* x, float* out) {
    for (uint32_t i = 0; i < block.columns; ++i) out[i] = function(row, i, x[i]);
  });
}

void NormGroup(const float* x, float* out, uint32_t count, const NormOptions& o,
               const float* weight, const float* bias) {
  float mean = 0, squares = 0;
  if (o.kind == NormKind::kLayer) {
    for (uint32_t i = 0; i < count; ++i) mean += x[i];
    mean /= static_cast<float>(count);
  }
  for (uint32_t i = 0; i < count; ++i) squares += (x[i] - mean) * (x[i] - mean);
  float inverse = o.kind == NormKind::kL2
                      ? 1 / std::max(std::sqrt(squares), o.epsilon)
                      : 1 / std::sqrt(squares / static_cast<float>(count) + o.epsilon);
  for (uint32_t i = 0; i < count; ++i) {
    float value = (x[i] - mean) * inverse;
    if (weight != nullptr) value *= weight[i] + o.weight_offset;
    out[i] = value + (bias != nullptr ? bias[i] : 0);
  }
}

}  // namespace

void NormRows(const RowBlock& block, const NormOptions& options, std::span<const float> weight,
              std::span<const float> bias) {
  uint32_t group = options.group != 0 ? options.group : block.columns;
  EachRow(block, [&](uint64_t, const float* x, float* out) {
    for (uint32_t i = 0; i + group <= block.columns; i += group) {
      // A weight of all columns goes on from group to group.
      const float* w = weight.empty() ? nullptr : weight.data() + (weight.size() > group ? i : 0);
      const float* b = bias.empty() ? nullptr : bias.data() + (bias.size() > group ? i : 0);
      NormGroup(x + i, out + i, group, options, w, b);
    }
  });
}

void ActivateRows(const RowBlock& block, Activation activation) {
  EachValue(block, [&](uint64_t, uint32_t, float x) { return Activated(x, activation); });
}
void GateRows(const RowBlock& block, const float* up, uint64_t up_stride, Activation activation) {
  EachValue(block, [&](uint64_t row, uint32_t i, float x) {
    return Activated(x, activation) * up[row * up_stride + i];
  });
}
void AddRows(const RowBlock& block, const float* other, uint64_t other_stride) {
  EachValue(block,
            [&](uint64_t row, uint32_t i, float x) { return x + other[row * other_stride + i]; });
}
void MultiplyRows(const RowBlock& block, const float* other, uint64_t other_stride) {
  EachValue(block,
            [&](uint64_t row, uint32_t i, float x) { return x * other[row * other_stride + i]; });
}
void ScaleRows(const RowBlock& block, float factor) {
  EachValue(block, [&](uint64_t, uint32_t, float x) { return x * factor; });
}
void SoftCapRows(const RowBlock& block, float cap) {
  EachValue(block, [&](uint64_t, uint32_t, float x) { return cap * std::tanh(x / cap); });
}

void SoftmaxRows(const RowBlock& block) {
  EachRow(block, [&](uint64_t, const float* x, float* out) {
    float largest = -std::numeric_limits<float>::max(), sum = 0;
    for (uint32_t i = 0; i < block.columns; ++i) largest = std::max(largest, x[i]);
    for (uint32_t i = 0; i < block.columns; ++i) sum += out[i] = std::exp(x[i] - largest);
    float inverse = sum > 0 ? 1 / sum : 0;
    for (uint32_t i = 0; i < block.columns; ++i) out[i] *= inverse;
  });
}

void RopeRows(const RowBlock& block, const RopeOptions& options, const RopeTable& table,
              std::span<const uint32_t> positions) {
  uint32_t pairs = table.pairs(), step = options.interleaved ? 2 : 1;
  uint32_t apart = options.interleaved ? 1 : pairs;
  EachRow(block, [&](uint64_t row, const float* x, float* out) {
    const float* cosines = table.At(positions[row]);
    const float* sines = cosines + pairs;
    for (uint32_t head = 0; head < block.columns; head += options.head_dim) {
      for (uint32_t i = 0; i < pairs; ++i) {
        float a = x[head + i * step], b = x[head + i * step + apart];
        out[head + i * step] = a * cosines[i] - b * sines[i];
        out[head + i * step + apart] = b * cosines[i] + a * sines[i];
      }
      if (x == out) continue;
      for (uint32_t i = 2 * pairs; i < options.head_dim; ++i) out[head + i] = x[head + i];
    }
  });
}

void PoolRows(const RowBlock& block, Pooling pooling) {
  auto value = [&](uint64_t row, uint32_t i) { return block.x[row * block.x_stride + i]; };
  auto count = static_cast<float>(block.rows);
  for (uint32_t i = 0; i < block.columns; ++i) {
    float sum = 0, weighted = 0, largest = value(0, i);
    for (uint64_t row = 0; row < block.rows; ++row) {
      sum += value(row, i);
      weighted += value(row, i) * static_cast<float>(row + 1);
      largest = std::max(largest, value(row, i));
    }
    switch (pooling) {
      case Pooling::kFirst:
        block.out[i] = value(0, i);
        break;
      case Pooling::kLast:
        block.out[i] = value(block.rows - 1, i);
        break;
      case Pooling::kMean:
        block.out[i] = sum / count;
        break;
      case Pooling::kMax:
        block.out[i] = largest;
        break;
      case Pooling::kMeanSqrtLength:
        block.out[i] = sum / std::sqrt(count);
        break;
      case Pooling::kWeightedMean:
        block.out[i] = weighted / (count * (count + 1) / 2);
        break;
    }
  }
}

float LogSumExp(std::span<const float> row, Tier) {
  float largest = -std::numeric_limits<float>::infinity(), sum = 0;
  for (float x : row) largest = std::max(largest, x);
  if (std::isinf(largest)) return largest;
  for (float x : row) sum += std::exp(x - largest);
  return largest + std::log(sum);
}

int64_t ArgMax(std::span<const float> row, Tier) {
  int64_t best = -1;
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::isnan(row[i]) || (best >= 0 && row[i] <= row[best])) continue;
    best = static_cast<int64_t>(i);
  }
  return best;
}

}  // namespace hearth::tensor
