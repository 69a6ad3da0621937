// Small models made of every operation, ragged inputs for them, and what counts as equal: for the
// tests of executors.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tensor/executor.h"
#include "tensor/ops.h"

namespace hearth::tensor {

constexpr uint32_t kVocabulary = 50, kHidden = 48, kHeads = 6, kKvHeads = 2, kHeadDim = 8;

// Weights by name, made when first asked for.
class Model {
 public:
  Weight Get(const std::string& name, uint64_t rows, uint64_t columns) {
    if (auto found = set_.Find(name)) return *found;
    auto values = std::make_shared<std::vector<float>>(rows * columns);
    std::normal_distribution<float> normal(0, 0.3f);
    for (float& value : *values) value = normal(random_);
    WeightView view{rows, columns, BlockType::kF32,
                    reinterpret_cast<const uint8_t*>(values->data())};
    set_.Keep(values);
    return set_.Add(name, view);
  }
  const WeightSet& set() const { return set_; }

 private:
  std::mt19937 random_{7};
  WeightSet set_;
};

using Forward = std::function<void(Model&, Builder&)>;

inline AttentionOptions DecoderAttention(int32_t layer) {
  AttentionOptions options;
  options.heads = kHeads, options.kv_heads = kKvHeads, options.head_dim = kHeadDim;
  options.scale = 0.35f;
  options.causal = true;
  options.cache_layer = layer;
  return options;
}

inline NormOptions Rms(Model& model, const std::string& name, uint32_t columns) {
  NormOptions options;
  options.kind = NormKind::kRms;
  options.weight = model.Get(name, 1, columns);
  return options;
}

// A decoder: norms of heads, rotary positions, grouped heads, gated feed-forward, residuals.
inline Value DecoderStates(Model& model, Builder& b) {
  RopeOptions rope;
  rope.head_dim = kHeadDim;
  rope.inverse_frequencies = {1.0f, 0.3f, 0.1f, 0.01f};
  Value x = b.Embed(model.Get("embed", kVocabulary, kHidden), TokenInput::kIds, 1.5f, 0);
  for (int32_t layer = 0; layer < 3; ++layer) {
    std::string at = std::to_string(layer);
    Value n = b.Norm(x, Rms(model, "norm" + at, kHidden));
    Value q = b.Linear(n, model.Get("q" + at, kHeads * kHeadDim, kHidden), {});
    Value k = b.Linear(n, model.Get("k" + at, kKvHeads * kHeadDim, kHidden),
                       model.Get("kb" + at, 1, kKvHeads * kHeadDim));
    Value v = b.Linear(n, model.Get("v" + at, kKvHeads * kHeadDim, kHidden), {});
    NormOptions head = Rms(model, "qn" + at, kHeadDim);
    head.group = kHeadDim;
    Value mixed =
        b.Attention(b.Rope(b.Norm(q, head), rope), b.Rope(k, rope), v, DecoderAttention(layer));
    x = b.Add(b.Linear(mixed, model.Get("o" + at, kHidden, kHeads * kHeadDim), {}), x);
    n = b.Norm(x, Rms(model, "mid" + at, kHidden));
    Value gate = b.Linear(n, model.Get("gate" + at, 96, kHidden), {});
    Value up = b.Linear(n, model.Get("up" + at, 96, kHidden), {});
    Value down =
        b.Linear(b.Gate(gate, up, Activation::kSilu), model.Get("down" + at, kHidden, 96), {});
    x = b.Add(x, down);
  }
  return x;
}

inline void DecoderLogits(Model& model, Builder& b, Value x) {
  Value logits = b.Linear(b.SelectOutputs(x), model.Get("embed", kVocabulary, kHidden), {});
  b.Output("logits", b.SoftCap(b.Scale(logits, 0.7f), 5));
}

inline void Decoder(Model& model, Builder& b) {
  Value x = DecoderStates(model, b);
  b.Output("hidden", x);
  DecoderLogits(model, b, x);
}

// As generation uses it: nothing but the chosen rows' scores.
inline void Generator(Model& model, Builder& b) {
  DecoderLogits(model, b, DecoderStates(model, b));
}

// The first token's state stands for a text; the last one's is looked at beside it.
inline void Classifier(Model& model, Builder& b) {
  Value x = b.Embed(model.Get("embed", kVocabulary, kHidden), TokenInput::kIds, 1, 0);
  AttentionOptions options;
  options.heads = options.kv_heads = kHeads, options.head_dim = kHeadDim, options.scale = 0.3f;
  Value mixed = b.Attention(x, x, x, options);
  x = b.Add(b.Linear(mixed, model.Get("o", kHidden, kHidden), {}), x);
  Value up = b.Activate(b.Linear(x, model.Get("up", 100, kHidden), {}), Activation::kGelu);
  Value down = b.Add(b.Linear(up, model.Get("down", kHidden, 100), {}), x);
  b.Output("logits", b.Linear(b.Pool(down, Pooling::kFirst), model.Get("labels", 3, kHidden), {}));
  b.Output("last", b.Pool(b.Columns(x, 8, 20), Pooling::kLast));
}

// An encoder with everything else: layer norms, biases, parallel branches, pooling, columns.
inline void Encoder(Model& model, Builder& b) {
  Value x = b.Embed(model.Get("embed", kVocabulary, kHidden), TokenInput::kIds, 1, 0);
  x = b.Add(x, b.Embed(model.Get("positions", 80, kHidden), TokenInput::kPositions, 1, 2));
  x = b.Add(x, b.Embed(model.Get("types", 2, kHidden), TokenInput::kTypes, 1, 0));
  NormOptions norm;
  norm.weight = model.Get("norm", 1, kHidden), norm.bias = model.Get("normb", 1, kHidden);
  x = b.Norm(x, norm);
  AttentionOptions options;
  options.heads = options.kv_heads = kHeads, options.head_dim = kHeadDim, options.scale = 0.3f;
  options.relative_bias = model.Get("relative", 32, kHeads);
  Value all =
      b.Linear(x, model.Get("qkv", 3 * kHidden, kHidden), model.Get("qkvb", 1, 3 * kHidden));
  Value k = b.Scale(b.Columns(all, kHidden, kHidden), 0.8f);
  Value mixed =
      b.Attention(b.Columns(all, 0, kHidden), k, b.Columns(all, 2 * kHidden, kHidden), options);
  // Keys from elsewhere than the values: another buffer, another stride.
  mixed = b.Attention(mixed, x, b.Columns(all, 2 * kHidden, kHidden), options);
  // Two linear layers that are added to each other and to x, as GPT-NeoX does.
  Value a = b.Linear(mixed, model.Get("a", kHidden, kHidden), model.Get("ab", 1, kHidden));
  Value up = b.Activate(b.Linear(x, model.Get("up", 100, kHidden), model.Get("upb", 1, 100)),
                        Activation::kGelu);
  Value c = b.Linear(up, model.Get("down", kHidden, 100), {});
  x = b.Add(b.Add(a, c), x);
  Value halves[] = {b.Columns(x, 30, 18), b.Activate(b.Columns(x, 0, 30), Activation::kTanh)};
  Value turned = b.Concat(halves);
  x = b.Multiply(turned, x);
  b.Output("hidden", x);
  Value pooled = b.Pool(x, Pooling::kMean);
  b.Output("pooled", b.Norm(pooled, {.kind = NormKind::kL2, .epsilon = 1e-12f}));
  b.Output("logits", b.Linear(b.Pool(x, Pooling::kFirst), model.Get("labels", 3, kHidden), {}));
}

// What the models above leave out: every activation, pooling and kind of rotary position, windows,
// soft caps and positions in attention. `layer` of the cache for what precedes; -1: none.
inline void Variety(Model& model, Builder& b, int32_t layer) {
  Value x = b.Embed(model.Get("embed", kVocabulary, kHidden), TokenInput::kIds, 1, 0);
  RopeOptions pairs, parts;
  pairs.head_dim = parts.head_dim = kHeadDim;
  pairs.inverse_frequencies = {1.0f, 0.3f, 0.1f, 0.01f};
  pairs.interleaved = true, pairs.magnitude = 1.3f;
  parts.inverse_frequencies = {0.7f, 0.02f, 0.001f};
  parts.long_inverse_frequencies = {0.5f, 0.01f, 0.0005f}, parts.long_after = 20;
  RopeOptions grows = pairs;
  grows.interleaved = false, grows.dynamic_after = 12, grows.dynamic_base = 10000;
  grows.dynamic_factor = 4;
  AttentionOptions options = DecoderAttention(layer);
  options.window = 7, options.softcap = 3;
  Value k = b.Columns(x, 0, kKvHeads * kHeadDim), v = b.Columns(x, 16, kKvHeads * kHeadDim);
  Value seen = b.Attention(b.Rope(x, pairs), b.Rope(k, pairs), v, options);
  options.softcap = 0, options.cache_layer = layer < 0 ? -1 : layer + 1;
  seen = b.Add(seen, b.Attention(b.Rope(x, parts), b.Rope(k, parts), v, options));
  options.window = 0, options.cache_layer = layer < 0 ? -1 : layer + 2;
  options.relative_bias = model.Get("one-sided", 32, kHeads);
  seen = b.Add(seen, b.Attention(b.Rope(x, grows), b.Rope(k, grows), v, options));
  AttentionOptions around;
  around.heads = around.kv_heads = kHeads, around.head_dim = kHeadDim, around.scale = 0.2f;
  around.window = 5;
  if (layer < 0) seen = b.Add(seen, b.Attention(x, seen, x, around));
  b.Output("seen", seen);
  std::vector<Value> made;
  for (Activation activation : {Activation::kNone, Activation::kGelu, Activation::kGeluTanh,
                                Activation::kQuickGelu, Activation::kRelu, Activation::kReluSquared,
                                Activation::kSilu, Activation::kSigmoid, Activation::kTanh}) {
    made.push_back(b.Activate(b.Columns(seen, 3, 4), activation));
    made.push_back(b.Gate(b.Columns(seen, 7, 4), b.Columns(x, 0, 4), activation));
  }
  b.Output("activated", b.Concat(made));
  NormOptions norm = Rms(model, "norm", kHeadDim);
  norm.group = kHeadDim, norm.weight_offset = 1;
  Value normed = b.Norm(seen, norm);
  norm.kind = NormKind::kLayer;
  normed = b.Add(normed, b.Norm(seen, norm));
  norm.kind = NormKind::kL2, norm.weight = {}, norm.weight_offset = 0, norm.group = 0;
  b.Output("normed", b.Add(normed, b.Norm(b.SoftCap(seen, 2), norm)));
  made.clear();
  for (Pooling pooling : {Pooling::kFirst, Pooling::kLast, Pooling::kMean, Pooling::kMax,
                          Pooling::kMeanSqrtLength, Pooling::kWeightedMean}) {
    made.push_back(b.Pool(normed, pooling));
  }
  b.Output("pooled", b.Linear(b.Concat(made), model.Get("labels", 3, 6 * kHidden), {}));
}

constexpr uint32_t kPatch = 20;

// A model of pictures: patches in place of tokens, the first and the last row of each are special.
inline void Patches(Model& model, Builder& b) {
  Value x = b.Linear(b.Features(kPatch), model.Get("patch", kHidden, kPatch), {});
  x = b.Add(x, b.Embed(model.Get("types", 2, kHidden), TokenInput::kTypes, 1, 0));
  AttentionOptions options;
  options.heads = options.kv_heads = kHeads, options.head_dim = kHeadDim, options.scale = 0.3f;
  x = b.Add(b.Attention(x, x, x, options), x);
  Value both = b.Add(b.Pool(x, Pooling::kFirst), b.Pool(x, Pooling::kLast));
  b.Output("logits", b.Linear(both, model.Get("labels", 3, kHidden), {}));
  b.Output("hidden", b.Concat(std::vector<Value>{x, b.Features(kPatch)}));
}

struct Inputs {
  std::vector<uint32_t> ids, positions, types, outputs;
  std::vector<float> features;
  std::vector<std::vector<uint32_t>> pages;
  std::vector<Segment> segments;

  // Adds `rows` tokens of a sequence after its `past`.
  void Add(uint32_t rows, uint32_t past, std::vector<uint32_t> sequence_pages,
           std::mt19937& random) {
    Segment segment;
    segment.first_row = static_cast<uint32_t>(ids.size());
    segment.rows = rows, segment.past = past, segment.unpooled = rows / 4;
    pages.push_back(std::move(sequence_pages));
    for (uint32_t i = 0; i < rows; ++i) {
      ids.push_back(random() % kVocabulary);
      positions.push_back(past + i);
      types.push_back(random() % 2);
    }
    outputs.push_back(static_cast<uint32_t>(ids.size()) - 1);
    segments.push_back(segment);
  }
  // Values of every token, as models of pictures take them.
  void AddFeatures(uint32_t columns, std::mt19937& random) {
    std::normal_distribution<float> normal(0, 1);
    for (size_t i = 0; i < ids.size() * columns; ++i) features.push_back(normal(random));
  }
  Batch Get() {
    for (size_t i = 0; i < segments.size(); ++i) segments[i].pages = pages[i];
    return {ids, positions, types, segments, outputs, features};
  }
};

inline void ExpectNear(const OutputRows& rows, const std::vector<float>& expected,
                       double tolerance) {
  ASSERT_EQ(rows.rows * rows.columns, expected.size());
  double largest = 0, error = 0;
  for (float value : expected) largest = std::max(largest, std::abs(double{value}));
  for (uint64_t row = 0; row < rows.rows; ++row) {
    for (uint32_t column = 0; column < rows.columns; ++column) {
      double difference = rows.Row(row)[column] - double{expected[row * rows.columns + column]};
      ASSERT_FALSE(std::isnan(difference));
      error = std::max(error, std::abs(difference));
    }
  }
  EXPECT_LE(error, tolerance * largest);
}

}  // namespace hearth::tensor
