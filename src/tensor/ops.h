// The operations that model architectures are written in, and the interface that runs them.
//
// An architecture calls a Builder once per layer and operation; what a call does is the builder's
// business: the reference executor computes at once in plain fp32, the CPU executor records a graph
// that is fused, packed and planned before it runs, a libtorch one calls ATen. Values are matrices
// of fp32 in meaning: rows of a RowSpace, a number of columns known when the model is built.
// Pictures and sounds fit too: their tokens are patches, whose values come with the batch.
//
// Every operation checks its operands' columns and throws kInvalidArgument with the weight's name,
// so that a checkpoint that does not fit its configuration is refused when it is loaded. A builder
// is used by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/batch.h"
#include "tensor/weights.h"

namespace hearth::tensor {

// A result of an operation; valid in its builder only.
struct Value {
  int32_t index = -1;
};

enum class Activation : uint8_t {
  kNone,
  kGelu,       // x/2 (1 + erf(x / sqrt 2))
  kGeluTanh,   // the tanh approximation ("gelu_new", "gelu_pytorch_tanh")
  kQuickGelu,  // x sigmoid(1.702 x)
  kRelu,
  kReluSquared,
  kSilu,
  kSigmoid,
  kTanh,
};

enum class TokenInput : uint8_t { kIds, kPositions, kTypes };
// Of all tokens of a batch; empty for types that are all 0.
inline std::span<const uint32_t> NumbersOf(const Batch& batch, TokenInput input) {
  if (input == TokenInput::kPositions) return batch.positions;
  return input == TokenInput::kTypes ? batch.token_types : batch.token_ids;
}

enum class NormKind : uint8_t {
  kLayer,  // (x - mean) / sqrt(var + eps) * weight + bias
  kRms,    // x / sqrt(mean(x^2) + eps) * weight
  kL2,     // x / max(|x|, eps)
};

struct NormOptions {
  NormKind kind = NormKind::kLayer;
  Weight weight;  // of `group` columns; absent: 1
  Weight bias;    // absent: 0
  float epsilon = 1e-5f;
  float weight_offset = 0;  // 1 for Gemma, whose weights are stored as w - 1
  uint32_t group = 0;       // columns normalised together (a head); 0: all
};

struct RopeOptions {
  uint32_t head_dim = 0;
  // One per rotated pair: half the rotary dimension. All scalings (linear, llama3, yarn...) are in
  // here.
  std::vector<float> inverse_frequencies;
  // For sequences longer than `long_after` tokens (longrope); empty: the same.
  std::vector<float> long_inverse_frequencies;
  uint32_t long_after = 0;
  // Sequences longer than `dynamic_after` tokens turn slower, the longer the more; 0: never. See
  // DynamicFrequencies.
  uint32_t dynamic_after = 0;
  double dynamic_base = 0, dynamic_factor = 1;
  float magnitude = 1;       // multiplies cos and sin (yarn, longrope)
  bool interleaved = false;  // pairs (2i, 2i+1) rather than (i, i + half)
};

// The inverse frequencies of a sequence of `length` > dynamic_after tokens: "dynamic NTK", the base
// raised with the length (https://arxiv.org/abs/2309.00071, appendix A.1).
std::vector<float> DynamicFrequencies(const RopeOptions& options, uint32_t length);

struct AttentionOptions {
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;
  float scale = 0;           // of the scores; mostly 1 / sqrt(head_dim)
  bool causal = false;       // a row sees itself and what precedes it
  uint32_t window = 0;       // sees only rows less than `window` away; 0: all
  float softcap = 0;         // scores become softcap * tanh(score / softcap); 0: off
  int32_t cache_layer = -1;  // layer of the KV cache; -1: keys and values of this run only
  // T5's and MPNet's relative positions: a table [buckets, heads] added to the scores.
  Weight relative_bias;
  uint32_t relative_max_distance = 128;
};

enum class Pooling : uint8_t { kFirst, kLast, kMean, kMax, kMeanSqrtLength, kWeightedMean };

// Columns of a value are checked through this: the builder tells the shapes.
struct ValueShape {
  RowSpace rows = RowSpace::kTokens;
  uint32_t columns = 0;
};

class Builder {
 public:
  virtual ~Builder() = default;
  virtual ValueShape Shape(Value value) const = 0;

  // Rows of `table` at the tokens' ids, positions (+ `offset`) or types, times `scale`.
  virtual Value Embed(Weight table, TokenInput input, float scale = 1, uint32_t offset = 0) = 0;
  // Values of the tokens that come with the batch: patches of a picture or of a spectrogram. A
  // model asks for one number of columns.
  virtual Value Features(uint32_t columns) = 0;
  // x W^T + b; W is [outputs, inputs]. An adapter of the batch's segments adds to it.
  virtual Value Linear(Value x, Weight weight, Weight bias = {}) = 0;
  virtual Value Norm(Value x, const NormOptions& options) = 0;
  virtual Value Activate(Value x, Activation activation) = 0;
  // activation(gate) * up
  virtual Value Gate(Value gate, Value up, Activation activation) = 0;
  virtual Value Add(Value a, Value b) = 0;
  virtual Value Multiply(Value a, Value b) = 0;
  virtual Value Scale(Value x, float factor) = 0;
  // cap * tanh(x / cap)
  virtual Value SoftCap(Value x, float cap) = 0;
  // Rotates every head of the row by its position. Columns: whole heads.
  virtual Value Rope(Value x, const RopeOptions& options) = 0;
  // q: [tokens, heads * head_dim], k and v: [tokens, kv_heads * head_dim]; every segment for
  // itself. With a cache layer, k and v are stored first and all of the sequence's past is seen.
  virtual Value Attention(Value q, Value k, Value v, const AttentionOptions& options) = 0;
  virtual Value Columns(Value x, uint32_t begin, uint32_t count) = 0;
  virtual Value Concat(std::span<const Value> parts) = 0;
  // Tokens -> outputs: the batch's output_rows.
  virtual Value SelectOutputs(Value x) = 0;
  // Tokens -> segments.
  virtual Value Pool(Value x, Pooling pooling) = 0;
  // Names a result that the caller of a run wants.
  virtual void Output(std::string_view name, Value value) = 0;
};

}  // namespace hearth::tensor
