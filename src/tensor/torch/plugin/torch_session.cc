#include "tensor/torch/plugin/torch_session.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace hearth::tensor {
namespace {

// libtorch keeps the number for each thread; what a thread is asked first must not undo it later.
void UseThreads(int threads) {
  static thread_local int used = 0;
  if (used == threads) return;
  at::get_num_threads();
  at::set_num_threads(threads);
  used = threads;
}

at::Tensor Activated(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kQuickGelu:
      return x * at::sigmoid(x * 1.702);
    case Activation::kRelu:
      return at::relu(x);
    case Activation::kReluSquared: {
      at::Tensor positive = at::relu(x);
      return positive * positive;
    }
    case Activation::kSilu:
      return at::silu(x);
    case Activation::kSigmoid:
      return at::sigmoid(x);
    case Activation::kTanh:
      return at::tanh(x);
  }
  return x;
}

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

}  // namespace

// One node of the graph.
struct TorchCall {
  TorchSession& session;
  const Node& node;
  size_t place;
  std::vector<at::Tensor> in;

  at::Tensor operator()(const EmbedNode& embed) const { return session.Embed(embed); }
  at::Tensor operator()(const FeaturesNode&) const { return session.Features(node.shape.columns); }
  at::Tensor operator()(const LinearNode& linear) const {
    return session.Linear(linear, in[0], node.shape.rows);
  }
  at::Tensor operator()(const NormOptions& options) const { return session.Norm(options, in[0]); }
  at::Tensor operator()(const ActivateNode& activate) const {
    return Activated(activate.activation, in[0]);
  }
  at::Tensor operator()(const GateNode& gate) const {
    return Activated(gate.activation, in[0]) * in[1];
  }
  at::Tensor operator()(const AddNode&) const { return in[0] + in[1]; }
  at::Tensor operator()(const MultiplyNode&) const { return in[0] * in[1]; }
  at::Tensor operator()(const ScaleNode& scale) const { return in[0] * scale.factor; }
  at::Tensor operator()(const SoftCapNode& soft) const {
    return at::tanh(in[0] * (1 / soft.cap)) * soft.cap;
  }
  at::Tensor operator()(const RopeOptions& options) const {
    return session.Rope(options, session.program_->rope_of(place), in[0]);
  }
  at::Tensor operator()(const AttentionOptions& options) const {
    return session.Attend(options, in[0], in[1], in[2]);
  }
  at::Tensor operator()(const ColumnsNode& columns) const {
    return in[0].narrow(1, columns.begin, node.shape.columns);
  }
  at::Tensor operator()(const ConcatNode&) const { return at::cat(in, 1); }
  at::Tensor operator()(const SelectNode&) const { return session.Select(in[0]); }
  at::Tensor operator()(const PoolNode& pool) const { return session.Pool(pool.pooling, in[0]); }
};

void TorchSession::Check(const Batch& batch,
                         std::span<const ProgramAdapter* const> adapters) const {
  program_->host().CheckBatch(batch, FeatureColumns(program_->graph()));
  for (const Segment& segment : batch.segments) {
    if (segment.adapter < Signed(adapters.size())) continue;
    throw Error(Code::kInvalidArgument, "a sequence names an adapter that is not there");
  }
  for (const Node& node : program_->graph().nodes) {
    const auto* embed = std::get_if<EmbedNode>(&node.operation);
    if (embed == nullptr) continue;
    auto rows = static_cast<uint64_t>(program_->matrix(embed->table).size(0));
    for (uint32_t id : NumbersOf(batch, embed->input)) {
      if (uint64_t{id} + embed->offset < rows) continue;
      throw Error(Code::kInvalidArgument, "row " + std::to_string(uint64_t{id} + embed->offset) +
                                              " is outside the table " +
                                              program_->host().Name(embed->table));
    }
  }
}

void TorchSession::Run(const Batch& batch, SequenceCache* cache,
                       std::span<const ProgramAdapter* const> adapters) {
  Check(batch, adapters);
  Guarded([&] {
    UseThreads(threads_);
    batch_ = &batch;
    cache_ = static_cast<TorchCache*>(cache);
    adapters_ = adapters;
    for (RowSpace space : {RowSpace::kTokens, RowSpace::kSegments, RowSpace::kOutputs}) {
      adapted_[static_cast<size_t>(space)] = FindAdaptedRows(space);
    }
    angles_.clear();
    cached_plan_.reset();
    plain_plan_.reset();
    const Graph& graph = program_->graph();
    std::vector<at::Tensor> values(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      TorchCall call{*this, graph.nodes[i], i, {}};
      for (int32_t input : graph.nodes[i].inputs) call.in.push_back(values[input]);
      values[i] = std::visit(call, graph.nodes[i].operation);
      for (int32_t over : program_->over_after(i)) values[over].reset();
    }
    for (const auto& [name, node] : graph.outputs) {
      outputs_[name] =
          values[node].to(at::TensorOptions(c10::kCPU).dtype(c10::kFloat)).contiguous();
    }
  });
}

OutputRows TorchSession::Output(std::string_view name) const {
  auto found = outputs_.find(name);
  if (found == outputs_.end()) {
    throw Error(Code::kNotFound, "the model has no output \"" + std::string(name) + "\"");
  }
  const at::Tensor& rows = found->second;
  auto columns = static_cast<uint32_t>(rows.size(1));
  return {rows.const_data_ptr<float>(), columns, static_cast<uint64_t>(rows.size(0)), columns};
}

std::vector<TorchSession::AdaptedRows> TorchSession::FindAdaptedRows(RowSpace space) const {
  std::vector<AdaptedRows> found;
  int64_t output = 0, outputs = Signed(batch_->output_rows.size());
  for (size_t i = 0; i < batch_->segments.size(); ++i) {
    const Segment& segment = batch_->segments[i];
    uint64_t token_end = uint64_t{segment.first_row} + segment.rows;
    int64_t first_output = output;
    while (output < outputs && batch_->output_rows[output] < token_end) ++output;
    if (segment.adapter < 0) continue;
    const auto* form = static_cast<const TorchForm*>(adapters_[segment.adapter]);
    AdaptedRows rows{segment.first_row, segment.rows, form};
    if (space == RowSpace::kSegments) rows.begin = Signed(i), rows.count = 1;
    if (space == RowSpace::kOutputs) rows.begin = first_output, rows.count = output - first_output;
    if (rows.count > 0) found.push_back(rows);
  }
  return found;
}

// As indices on the device.
at::Tensor TorchSession::Numbers(std::span<const uint32_t> numbers, uint32_t offset) const {
  std::vector<int64_t> wide(numbers.begin(), numbers.end());
  for (int64_t& number : wide) number += offset;
  return at::from_blob(wide.data(), {Signed(wide.size())}, c10::kLong)
      .to(program_->device(), c10::kLong, /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor TorchSession::Embed(const EmbedNode& node) const {
  std::span<const uint32_t> numbers = NumbersOf(*batch_, node.input);
  const at::Tensor& table = program_->matrix(node.table);
  at::Tensor ids;
  if (node.input == TokenInput::kTypes && numbers.empty()) {
    std::vector<uint32_t> zeros(batch_->token_ids.size());
    ids = Numbers(zeros, node.offset);
  } else {
    ids = Numbers(numbers, node.offset);
  }
  at::Tensor rows = at::embedding(table, ids);
  return node.scale == 1 ? rows : rows * node.scale;
}

at::Tensor TorchSession::Features(uint32_t columns) const {
  std::span<const float> values = batch_->features;
  return at::from_blob(const_cast<float*>(values.data()),
                       {Signed(values.size() / columns), Signed(columns)}, c10::kFloat)
      .to(program_->device(), program_->type(), /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor TorchSession::Linear(const LinearNode& node, const at::Tensor& x, RowSpace space) const {
  std::optional<at::Tensor> bias;
  if (node.bias) bias = program_->matrix(node.bias).view({-1});
  at::Tensor out = at::linear(x, program_->matrix(node.weight), bias);
  for (const AdaptedRows& rows : adapted_[static_cast<size_t>(space)]) {
    auto pair = rows.form->pairs.find(node.weight.index);
    if (pair == rows.form->pairs.end()) continue;
    at::Tensor narrow = at::linear(x.narrow(0, rows.begin, rows.count), pair->second.down);
    out.narrow(0, rows.begin, rows.count).add_(at::linear(narrow, pair->second.up));
  }
  return out;
}

// In fp32: squares of bf16 values lose too much.
at::Tensor TorchSession::Norm(const NormOptions& options, const at::Tensor& x) const {
  int64_t group = options.group == 0 ? x.size(1) : options.group;
  at::Tensor rows = x.to(c10::kFloat).reshape({-1, group});
  std::optional<at::Tensor> weight, bias;
  if (options.weight) weight = program_->vector(options.weight).view({-1});
  if (options.bias) bias = program_->vector(options.bias).view({-1});
  if (weight && options.weight_offset != 0) weight = *weight + options.weight_offset;
  at::Tensor out;
  if (options.kind == NormKind::kLayer) {
    out = at::layer_norm(rows, {group}, weight, bias, options.epsilon);
  } else {
    at::Tensor squares = rows * rows;
    at::Tensor factor =
        options.kind == NormKind::kRms
            ? at::rsqrt(squares.mean({1}, /*keepdim=*/true) + options.epsilon)
            : squares.sum({1}, /*keepdim=*/true).sqrt().clamp_min(options.epsilon).reciprocal();
    out = rows * factor;
    if (weight) out = out * *weight;
    if (bias) out = out + *bias;
  }
  return out.view(x.sizes()).to(program_->type());
}

at::Tensor TorchSession::Rope(const RopeOptions& options, int32_t angles_of, const at::Tensor& x) {
  auto pairs = Signed(options.inverse_frequencies.size());
  int64_t head = options.head_dim, tokens = x.size(0);
  auto [place, is_new] = angles_.try_emplace(angles_of);
  if (is_new) {
    std::vector<float> cosines, sines;
    for (const Segment& segment : batch_->segments) {
      std::vector<float> frequencies = program_->host().Frequencies(options, segment.Length());
      for (uint32_t row = 0; row < segment.rows; ++row) {
        double position = batch_->positions[segment.first_row + row];
        for (float frequency : frequencies) {
          double angle = position * frequency;
          cosines.push_back(static_cast<float>(std::cos(angle) * options.magnitude));
          sines.push_back(static_cast<float>(std::sin(angle) * options.magnitude));
        }
      }
    }
    auto table = [&](std::vector<float>& values) {
      return at::from_blob(values.data(), {tokens, 1, pairs}, c10::kFloat)
          .to(program_->device(), c10::kFloat, /*non_blocking=*/false, /*copy=*/true);
    };
    place->second = {table(cosines), table(sines)};
  }
  const auto& [cosine, sine] = place->second;
  at::Tensor heads = x.reshape({tokens, -1, head}).to(c10::kFloat);
  at::Tensor turned = heads.narrow(2, 0, 2 * pairs), first, second;
  if (options.interleaved) {
    at::Tensor by_pair = turned.reshape({tokens, -1, pairs, 2});
    first = by_pair.select(3, 0), second = by_pair.select(3, 1);
  } else {
    first = turned.narrow(2, 0, pairs), second = turned.narrow(2, pairs, pairs);
  }
  at::Tensor new_first = first * cosine - second * sine;
  at::Tensor new_second = second * cosine + first * sine;
  std::vector<at::Tensor> parts;
  if (options.interleaved) {
    parts = {at::stack({new_first, new_second}, 3).reshape({tokens, -1, 2 * pairs})};
  } else {
    parts = {new_first, new_second};
  }
  if (2 * pairs < head) parts.push_back(heads.narrow(2, 2 * pairs, head - 2 * pairs));
  return at::cat(parts, 2).view({tokens, -1}).to(program_->type());
}

at::Tensor TorchSession::Select(const at::Tensor& x) const {
  return x.index_select(0, Numbers(batch_->output_rows, 0));
}

at::Tensor TorchSession::Pool(Pooling pooling, const at::Tensor& x) const {
  size_t count = batch_->segments.size();
  if (pooling == Pooling::kFirst || pooling == Pooling::kLast) {
    std::vector<uint32_t> rows;
    for (const Segment& segment : batch_->segments) {
      bool is_last = pooling == Pooling::kLast;
      rows.push_back(segment.first_row + (is_last ? segment.rows - 1 : segment.unpooled));
    }
    return x.index_select(0, Numbers(rows, 0));
  }
  if (pooling == Pooling::kMax) {
    std::vector<at::Tensor> tops;
    for (const Segment& segment : batch_->segments) {
      tops.push_back(
          x.narrow(0, segment.first_row + segment.unpooled, segment.rows - segment.unpooled)
              .amax({0}));
    }
    return at::stack(tops, 0);
  }
  std::vector<uint32_t> segment_of;
  std::vector<float> shares;
  for (uint32_t i = 0; i < count; ++i) {
    const Segment& segment = batch_->segments[i];
    float rows = static_cast<float>(segment.rows - segment.unpooled);
    float numbers = 0;  // of its rows, from 1 on
    for (uint32_t row = segment.unpooled; row < segment.rows; ++row) {
      numbers += static_cast<float>(row + 1);
    }
    for (uint32_t row = 0; row < segment.rows; ++row) {
      segment_of.push_back(i);
      if (row < segment.unpooled) {
        shares.push_back(0);
        continue;
      }
      if (pooling == Pooling::kMean) shares.push_back(1 / rows);
      if (pooling == Pooling::kMeanSqrtLength) shares.push_back(1 / std::sqrt(rows));
      if (pooling == Pooling::kWeightedMean) {
        shares.push_back(static_cast<float>(row + 1) / numbers);
      }
    }
  }
  at::Tensor share =
      at::from_blob(shares.data(), {Signed(shares.size()), 1}, c10::kFloat)
          .to(program_->device(), c10::kFloat, /*non_blocking=*/false, /*copy=*/true);
  at::Tensor sums = at::zeros({Signed(count), x.size(1)}, share.options());
  sums.index_add_(0, Numbers(segment_of, 0), x.to(c10::kFloat) * share);
  return sums.to(program_->type());
}

}  // namespace hearth::tensor
