// A model made ready for the CPU: a graph with its operations fused, its weights packed and its
// memory planned.
//
// Compile turns a Graph into phases. A phase is either one product with a packed matrix (parallel
// over outputs or rows), one attention (parallel over heads and blocks of rows), or a chain of
// row-wise steps (norms, rotary positions, conversion of rows for the next product...), parallel
// over rows; threads meet only between phases. What is fused: projections of one input become one
// matrix; activation, gate and residual go into the product that makes them; views replace copies.
//
// A program is immutable and shared; CpuSession (session.h) runs it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/compile_options.h"
#include "tensor/cpu/pack_weights.h"
#include "tensor/graph.h"
#include "tensor/kernels/packed_matrix.h"
#include "tensor/kernels/row_kernels.h"

namespace hearth::tensor {

// Some columns of a buffer.
struct View {
  int32_t buffer = -1;
  uint32_t column = 0;
  uint32_t columns = 0;
};

struct Buffer {
  RowSpace rows = RowSpace::kTokens;
  uint32_t stride = 0;  // floats a row
  uint64_t offset = 0;  // floats, times the space's rows: where it lies in the space's arena
};

enum class StepKind : uint8_t {
  kEmbed,
  kFeatures,
  kProduct,
  kNorm,
  kActivate,
  kGate,
  kAdd,
  kMultiply,
  kScale,
  kSoftCap,
  kRope,
  kCopy,
  kPackRows,
  kStoreKv,
  kAttention,
  kSelect,
  kPool,
};

struct Step {
  StepKind kind = StepKind::kEmbed;
  RowSpace rows = RowSpace::kTokens;
  View in{}, in2{}, in3{}, out{};  // in3: the values of attention; in2 of kProduct: the residual
  int32_t node = -1;               // whose options it takes
  int32_t matrix = -1;
  int32_t packed = -1;             // slot of packed rows; kProduct: -1 takes `in` as it lies
  std::vector<int32_t> vectors{};  // fp32 weights by place in CpuProgram::vectors: weight, bias
  Activation activation = Activation::kNone;
  bool gated = false;
};

struct Phase {
  enum class Kind : uint8_t { kRows, kProduct, kAttention } kind;
  uint32_t first_step, end_step;
};

class CpuProgram {
 public:
  // The weights must outlive the program: embeddings are looked up in them.
  static std::shared_ptr<const CpuProgram> Compile(Graph graph, const WeightSet& weights,
                                                   const CompileOptions& options);

  const Graph& graph() const { return graph_; }
  const WeightSet& weights() const { return *weights_; }
  Tier tier() const { return options_.tier; }
  std::span<const Step> steps() const { return steps_; }
  std::span<const Phase> phases() const { return phases_; }
  std::span<const Buffer> buffers() const { return buffers_; }
  const PackedMatrix& matrix(int32_t index) const { return matrices_[index]; }
  // The linear layers that a matrix holds, in the order of its outputs.
  std::span<const Weight> weights_of(int32_t matrix) const { return matrix_weights_[matrix]; }
  std::span<const float> vector(int32_t index) const { return vectors_[index]; }
  // Floats per row of a space's arena.
  uint64_t arena(RowSpace space) const { return arena_[static_cast<size_t>(space)]; }
  // Slots of packed rows: what each holds at one time or another.
  struct Slot {
    Packing packing;
    RowSpace rows;
    uint32_t columns;
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  std::span<const Slot> slots() const { return slots_; }
  uint64_t packed_bytes() const;
  // Whether the weights came packed from CompileOptions::store.
  bool is_from_store() const { return weights_from_store_; }
  // Of the table that a step of kEmbed looks up in, by the step's node.
  const WeightView& table(int32_t node) const { return tables_.at(node); }

  struct Output {
    std::string name;
    View view;
    RowSpace rows;
  };
  std::span<const Output> outputs() const { return outputs_; }

 private:
  friend class Compiler;
  CpuProgram() = default;

  Graph graph_;
  const WeightSet* weights_ = nullptr;
  CompileOptions options_;
  std::vector<Step> steps_;
  std::vector<Phase> phases_;
  std::vector<Buffer> buffers_;
  std::vector<PackedMatrix> matrices_;
  std::vector<std::vector<Weight>> matrix_weights_;
  bool weights_from_store_ = false;
  std::shared_ptr<const void> keeper_;
  std::map<int32_t, WeightView> tables_;
  std::vector<std::vector<float>> vectors_;
  std::vector<Output> outputs_;
  uint64_t arena_[3] = {};
  std::vector<Slot> slots_;
};

}  // namespace hearth::tensor
