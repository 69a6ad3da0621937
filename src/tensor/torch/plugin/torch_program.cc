#include "tensor/torch/plugin/torch_program.h"

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <torch/headeronly/version.h>

#include <algorithm>

#include "tensor/torch/plugin/torch_session.h"

namespace hearth::tensor {
namespace {

c10::Device ChooseDevice(const std::string& wanted) {
  bool has_cuda = at::hasCUDA();
  if (wanted.empty()) return c10::Device(has_cuda ? c10::kCUDA : c10::kCPU);
  c10::Device device = [&] {
    try {
      return c10::Device(wanted);
    } catch (const c10::Error&) {
      throw Error(Code::kInvalidArgument, "torch knows no device \"" + wanted.substr(0, 40) + "\"");
    }
  }();
  if (!device.is_cpu() && !(device.is_cuda() && has_cuda)) {
    throw Error(Code::kInvalidArgument, "torch sees no device \"" + wanted.substr(0, 40) + "\"");
  }
  return device;
}

c10::ScalarType ChooseType(TorchOptions::Values values, c10::Device device) {
  if (values == TorchOptions::Values::kAutomatic) {
    return device.is_cuda() ? c10::kBFloat16 : c10::kFloat;
  }
  return values == TorchOptions::Values::kBf16 ? c10::kBFloat16 : c10::kFloat;
}

// A copy on the device.
at::Tensor FromFloats(std::span<const float> values, at::IntArrayRef sizes,
                      const at::TensorOptions& options) {
  at::Tensor view = at::from_blob(const_cast<float*>(values.data()), sizes, c10::kFloat);
  return view.to(options, /*non_blocking=*/false, /*copy=*/true);
}

bool SameAngles(const RopeOptions& a, const RopeOptions& b) {
  return a.inverse_frequencies == b.inverse_frequencies &&
         a.long_inverse_frequencies == b.long_inverse_frequencies && a.long_after == b.long_after &&
         a.dynamic_after == b.dynamic_after && a.dynamic_base == b.dynamic_base &&
         a.dynamic_factor == b.dynamic_factor && a.magnitude == b.magnitude;
}

}  // namespace

TorchCache::TorchCache(const KvShape& shape, uint32_t pages, const at::TensorOptions& options)
    : pages_(pages) {
  if (shape.layers == 0 || shape.kv_heads == 0 || shape.head_dim == 0) {
    throw Error(Code::kInvalidArgument, "a KV cache needs layers, heads and a head size");
  }
  int64_t tokens = int64_t{pages} * kPageTokens;
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    for (auto* kept : {&keys_, &values_}) {
      kept->push_back(at::empty({tokens, shape.kv_heads, shape.head_dim}, options));
    }
  }
}

void TorchCache::CopyPage(uint32_t from, uint32_t to) {
  if (from == to) return;
  Guarded([&] {
    for (auto* kept : {&keys_, &values_}) {
      for (at::Tensor& layer : *kept) {
        layer.narrow(0, int64_t{to} * kPageTokens, kPageTokens)
            .copy_(layer.narrow(0, int64_t{from} * kPageTokens, kPageTokens));
      }
    }
  });
}

TorchProgram::TorchProgram(Graph graph, std::shared_ptr<const TorchHost> host,
                           const TorchOptions& options)
    : graph_(std::move(graph)),
      host_(std::move(host)),
      device_(ChooseDevice(options.device)),
      type_(ChooseType(options.values, device_)) {
  for (const Node& node : graph_.nodes) {
    if (const auto* embed = std::get_if<EmbedNode>(&node.operation)) AddMatrix(embed->table);
    if (const auto* linear = std::get_if<LinearNode>(&node.operation)) {
      AddMatrix(linear->weight);
      if (linear->bias) AddMatrix(linear->bias);
    }
    if (const auto* norm = std::get_if<NormOptions>(&node.operation)) {
      if (norm->weight) AddVector(norm->weight);
      if (norm->bias) AddVector(norm->bias);
    }
    const auto* attention = std::get_if<AttentionOptions>(&node.operation);
    if (attention != nullptr && attention->relative_bias) AddVector(attention->relative_bias);
  }
  PlanValues();
  FindRopes();
}

at::Tensor TorchProgram::Load(Weight weight, c10::ScalarType type) const {
  WeightView view = host_->View(weight);
  std::vector<int64_t> sizes = {static_cast<int64_t>(view.rows),
                                static_cast<int64_t>(view.columns)};
  at::TensorOptions options = at::TensorOptions().device(device_).dtype(type);
  auto plain = [&](c10::ScalarType of_file) {
    // The view's owner lives as long as the tensor.
    return at::from_blob(
        const_cast<uint8_t*>(view.data), sizes, [owner = view.owner](void*) {}, of_file);
  };
  switch (view.type) {
    case BlockType::kF32:
      return plain(c10::kFloat).to(options);
    case BlockType::kBf16:
      return plain(c10::kBFloat16).to(options);
    case BlockType::kF16:
      return plain(c10::kHalf).to(options);
    default:
      return FromFloats(host_->Floats(view), sizes, options);
  }
}

void TorchProgram::AddMatrix(Weight weight) {
  if (matrices_.count(weight.index) == 0) matrices_[weight.index] = Load(weight, type_);
}

void TorchProgram::AddVector(Weight weight) {
  if (vectors_.count(weight.index) == 0) vectors_[weight.index] = Load(weight, c10::kFloat);
}

void TorchProgram::PlanValues() {
  std::vector<int32_t> last_reader(graph_.nodes.size(), -1);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (int32_t input : graph_.nodes[i].inputs) last_reader[input] = static_cast<int32_t>(i);
  }
  for (const auto& [name, node] : graph_.outputs) last_reader[node] = -1;
  over_after_.resize(graph_.nodes.size());
  for (size_t i = 0; i < last_reader.size(); ++i) {
    if (last_reader[i] >= 0) over_after_[last_reader[i]].push_back(static_cast<int32_t>(i));
  }
}

void TorchProgram::FindRopes() {
  rope_of_.resize(graph_.nodes.size(), -1);
  std::vector<int32_t> known;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const auto* options = std::get_if<RopeOptions>(&graph_.nodes[i].operation);
    if (options == nullptr) continue;
    auto found = std::find_if(known.begin(), known.end(), [&](int32_t node) {
      return SameAngles(std::get<RopeOptions>(graph_.nodes[node].operation), *options);
    });
    if (found == known.end()) found = known.insert(known.end(), static_cast<int32_t>(i));
    rope_of_[i] = *found;
  }
}

std::unique_ptr<Session> TorchProgram::NewSession(ThreadTeam& team) const {
  return std::make_unique<TorchSession>(shared_from_this(), host_->Threads(team));
}

std::shared_ptr<const ProgramAdapter> TorchProgram::MakeAdapter(
    std::span<const LowRank> pairs) const {
  return Guarded([&] {
    auto form = std::make_shared<TorchForm>();
    at::TensorOptions options = at::TensorOptions().device(device_).dtype(type_);
    for (const LowRank& pair : pairs) {
      host_->CheckLowRank(pair);
      auto rank = static_cast<int64_t>(pair.rank);
      auto inputs = static_cast<int64_t>(pair.a.size()) / rank;
      auto outputs = static_cast<int64_t>(pair.b.size()) / rank;
      std::vector<float> scaled(pair.b.begin(), pair.b.end());
      for (float& value : scaled) value *= pair.scale;
      form->pairs[pair.weight.index] = {FromFloats(pair.a, {rank, inputs}, options),
                                        FromFloats(scaled, {outputs, rank}, options)};
    }
    return form;
  });
}

uint64_t TorchProgram::CachePageBytes(const KvShape& shape) const {
  uint64_t bytes = type_ == c10::kFloat ? 4 : 2;
  return 2 * bytes * kPageTokens * shape.head_dim * shape.kv_heads * shape.layers;
}

std::unique_ptr<SequenceCache> TorchProgram::NewCache(const KvShape& shape, uint32_t pages) const {
  return Guarded([&] {
    return std::make_unique<TorchCache>(shape, pages,
                                        at::TensorOptions().device(device_).dtype(type_));
  });
}

namespace {

std::shared_ptr<const Program> Compile(Graph graph, std::shared_ptr<const TorchHost> host,
                                       const TorchOptions& options) {
  return Guarded([&]() -> std::shared_ptr<const Program> {
    return std::make_shared<TorchProgram>(std::move(graph), std::move(host), options);
  });
}

}  // namespace
}  // namespace hearth::tensor

extern "C" __attribute__((visibility("default"))) const hearth::tensor::TorchPlugin*
hearth_torch_plugin() {
  static const hearth::tensor::TorchPlugin plugin = {HEARTH_TORCH_STAMP, TORCH_VERSION,
                                                     hearth::tensor::Compile};
  return &plugin;
}
