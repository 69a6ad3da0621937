#include "tensor/reference/reference_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/kernels/attention.h"

namespace hearth::tensor {

double Dot(const float* a, const float* b, uint64_t count) {
  double sum = 0;
  for (uint64_t i = 0; i < count; ++i) sum += double{a[i]} * b[i];
  return sum;
}

float ApplyActivation(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return static_cast<float>(0.5 * x * (1.0 + std::erf(double{x} * M_SQRT1_2)));
    case Activation::kGeluTanh: {
      double inner = std::sqrt(2.0 / M_PI) * (x + 0.044715 * std::pow(double{x}, 3));
      return static_cast<float>(0.5 * x * (1.0 + std::tanh(inner)));
    }
    case Activation::kQuickGelu:
      return static_cast<float>(x / (1.0 + std::exp(-1.702 * x)));
    case Activation::kRelu:
      return std::max(x, 0.0f);
    case Activation::kReluSquared:
      return std::max(x, 0.0f) * std::max(x, 0.0f);
    case Activation::kSilu:
      return static_cast<float>(x / (1.0 + std::exp(-double{x})));
    case Activation::kSigmoid:
      return static_cast<float>(1.0 / (1.0 + std::exp(-double{x})));
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

void NormGroup(const float* x, uint32_t columns, const NormOptions& options, const float* weight,
               const float* bias, float* out) {
  double mean = 0, squares = 0;
  if (options.kind == NormKind::kLayer) {
    for (uint32_t i = 0; i < columns; ++i) mean += x[i];
    mean /= columns;
  }
  for (uint32_t i = 0; i < columns; ++i) squares += (x[i] - mean) * (x[i] - mean);
  double factor = options.kind == NormKind::kL2
                      ? 1.0 / std::max(std::sqrt(squares), double{options.epsilon})
                      : 1.0 / std::sqrt(squares / columns + options.epsilon);
  for (uint32_t i = 0; i < columns; ++i) {
    double scaled = (x[i] - mean) * factor;
    if (weight != nullptr) scaled *= double{weight[i]} + options.weight_offset;
    if (bias != nullptr) scaled += bias[i];
    out[i] = static_cast<float>(scaled);
  }
}

void RotateHead(float* head, std::span<const float> inverse_frequencies, uint32_t position,
                const RopeOptions& options) {
  size_t pairs = inverse_frequencies.size();
  for (size_t i = 0; i < pairs; ++i) {
    double angle = double{inverse_frequencies[i]} * position;
    double cosine = std::cos(angle) * options.magnitude, sine = std::sin(angle) * options.magnitude;
    float* first = head + (options.interleaved ? 2 * i : i);
    float* second = head + (options.interleaved ? 2 * i + 1 : i + pairs);
    double a = *first, b = *second;
    *first = static_cast<float>(a * cosine - b * sine);
    *second = static_cast<float>(b * cosine + a * sine);
  }
}

void AttendRow(const AttentionSegment& segment, const float* q, uint64_t position, float* out) {
  const AttentionOptions& options = *segment.options;
  uint64_t stride = uint64_t{options.kv_heads} * options.head_dim;
  uint64_t begin = 0, end = options.causal ? position + 1 : segment.length;
  if (options.window > 0) {
    begin = position + 1 > options.window ? position + 1 - options.window : 0;
    end = std::min(end, position + options.window);
  }
  std::vector<double> scores(end - begin);
  for (uint32_t head = 0; head < options.heads; ++head) {
    uint32_t kv = head / (options.heads / options.kv_heads);
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (uint64_t key = begin; key < end; ++key) {
      double score = options.scale * Dot(q + uint64_t{head} * options.head_dim,
                                         segment.keys + key * stride + kv * options.head_dim,
                                         options.head_dim);
      if (options.softcap > 0) score = options.softcap * std::tanh(score / options.softcap);
      if (segment.relative_bias != nullptr) {
        auto buckets = static_cast<uint32_t>(segment.relative_bias->size() / options.heads);
        int64_t relative = static_cast<int64_t>(key) - static_cast<int64_t>(position);
        uint32_t bucket =
            RelativeBucket(relative, buckets, options.relative_max_distance, !options.causal);
        score += (*segment.relative_bias)[uint64_t{bucket} * options.heads + head];
      }
      scores[key - begin] = score;
      top = std::max(top, score);
    }
    std::vector<double> mixed(options.head_dim);
    for (uint64_t key = begin; key < end; ++key) {
      double weight = std::exp(scores[key - begin] - top);
      sum += weight;
      const float* value = segment.values + key * stride + kv * options.head_dim;
      for (uint32_t i = 0; i < options.head_dim; ++i) mixed[i] += weight * value[i];
    }
    for (uint32_t i = 0; i < options.head_dim; ++i) {
      out[uint64_t{head} * options.head_dim + i] = static_cast<float>(mixed[i] / sum);
    }
  }
}

void PoolSegment(const float* x, uint64_t rows, uint64_t unpooled, uint32_t columns,
                 Pooling pooling, float* out) {
  for (uint32_t column = 0; column < columns; ++column) {
    double sum = 0, weights = 0;
    float top = -std::numeric_limits<float>::infinity();
    for (uint64_t row = unpooled; row < rows; ++row) {
      float value = x[row * columns + column];
      double weight = pooling == Pooling::kWeightedMean ? static_cast<double>(row + 1) : 1.0;
      sum += weight * value;
      weights += weight;
      top = std::max(top, value);
    }
    switch (pooling) {
      case Pooling::kFirst:
        out[column] = x[unpooled * columns + column];
        break;
      case Pooling::kLast:
        out[column] = x[(rows - 1) * columns + column];
        break;
      case Pooling::kMax:
        out[column] = top;
        break;
      case Pooling::kMean:
      case Pooling::kWeightedMean:
        out[column] = static_cast<float>(sum / weights);
        break;
      case Pooling::kMeanSqrtLength:
        out[column] = static_cast<float>(sum / std::sqrt(rows - unpooled));
        break;
    }
  }
}

}  // namespace hearth::tensor
