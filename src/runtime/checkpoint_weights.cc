#include "runtime/checkpoint_weights.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using convert::Transform;
using tensor::BlockType;
using tensor::Dtype;
using tensor::WeightView;

std::optional<BlockType> PlainType(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return BlockType::kF32;
    case Dtype::kF16:
      return BlockType::kF16;
    case Dtype::kBf16:
      return BlockType::kBf16;
    case Dtype::kF64:
      return BlockType::kF64;
    default:
      return std::nullopt;
  }
}

// Names that TensorFlow's converters gave to norms, and what multimodal checkpoints put before the
// names of their language model.
std::string UsualName(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kStarts[] = {
      {"language_model.model.", "model."},
      {"model.language_model.", "model."},
      {"language_model.lm_head.", "lm_head."}};
  constexpr std::pair<std::string_view, std::string_view> kEnds[] = {{".gamma", ".weight"},
                                                                     {".beta", ".bias"}};
  for (auto [old, now] : kStarts) {
    if (name.starts_with(old)) return std::string(now) + std::string(name.substr(old.size()));
  }
  for (auto [old, now] : kEnds) {
    if (name.ends_with(old)) {
      return std::string(name.substr(0, name.size() - old.size())) + std::string(now);
    }
  }
  return std::string(name);
}

template <typename T>
const uint8_t* Own(std::shared_ptr<T[]> buffer, tensor::WeightSet* weights) {
  auto* data = reinterpret_cast<const uint8_t*>(buffer.get());
  weights->Keep(std::move(buffer));
  return data;
}

// Executors read values by their type; files may begin them anywhere.
const uint8_t* Aligned(std::span<const uint8_t> bytes, uint64_t size, tensor::WeightSet* weights) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % size == 0) return bytes.data();
  auto copy = std::make_shared<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return Own(std::move(copy), weights);
}

WeightView Transposed(const WeightView& view, tensor::WeightSet* weights) {
  uint64_t size = tensor::InfoOf(view.type).block_bytes;
  std::span<const uint8_t> bytes = view.bytes();
  auto out = std::make_shared<uint8_t[]>(bytes.size());
  constexpr uint64_t kTile = 32;  // a tile of both matrices stays in the first cache
  for (uint64_t r0 = 0; r0 < view.rows; r0 += kTile) {
    for (uint64_t c0 = 0; c0 < view.columns; c0 += kTile) {
      for (uint64_t r = r0; r < std::min(view.rows, r0 + kTile); ++r) {
        for (uint64_t c = c0; c < std::min(view.columns, c0 + kTile); ++c) {
          std::memcpy(&out[(c * view.rows + r) * size], &bytes[(r * view.columns + c) * size],
                      size);
        }
      }
    }
  }
  return {view.columns, view.rows, view.type, Own(std::move(out), weights)};
}

}  // namespace

WeightView ReorderRows(const WeightView& view, std::span<const uint64_t> order,
                       tensor::WeightSet* weights) {
  WeightView made = view;
  // A bias is one row here, but as many rows of one value in its file.
  bool vector = view.rows == 1;
  uint64_t count = vector ? view.columns : view.rows;
  uint64_t size = vector ? tensor::InfoOf(view.type).block_bytes : view.row_bytes();
  (vector ? made.columns : made.rows) = order.size();
  auto out = std::make_shared<uint8_t[]>(order.size() * size);
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] < count) std::memcpy(&out[i * size], view.data + order[i] * size, size);
  }
  made.data = Own(std::move(out), weights);
  return made;
}

WeightLoader::WeightLoader(const ModelConfig& config, tensor::WeightSet* weights)
    : weights_(weights), architecture_(convert::FindByModelType(config.model_type())) {
  rows_.heads = config.Count({"num_attention_heads", "n_head", "n_heads"}, 0u);
  rows_.kv_heads = config.Count({"num_key_value_heads"}, static_cast<uint32_t>(rows_.heads));
}

Transform WeightLoader::TransformOf(std::string_view name) const {
  if (architecture_ == nullptr) return Transform::kNone;
  try {
    convert::Named named = convert::NameInCheckpoint(*architecture_, name);
    return named.rule != nullptr ? named.rule->transform : Transform::kNone;
  } catch (const Error&) {
    return Transform::kNone;  // a tensor that GGUF has no place for: a head's
  }
}

void WeightLoader::Add(const FileTensor& tensor) {
  if (tensor.bytes.empty()) return;
  WeightView view;
  uint64_t elements = 1;
  for (uint64_t size : tensor.shape) elements *= size;
  view.rows = tensor.shape.size() < 2 ? 1 : tensor.shape.front();
  view.columns = elements / view.rows;
  if (auto plain = PlainType(tensor.dtype)) {
    view.type = *plain;
    view.data = Aligned(tensor.bytes, tensor::InfoOf(view.type).block_bytes, weights_);
  } else if (tensor::IsFloat(tensor.dtype)) {
    auto floats = std::make_shared<float[]>(elements);
    tensor::ToFloat(tensor.dtype, tensor.bytes.data(), elements, floats.get());
    view.data = Own(std::move(floats), weights_);
  } else {
    return;  // masks and position numbers
  }
  std::string name = UsualName(tensor.name);
  Transform transform = TransformOf(name);
  if (transform == Transform::kTransposed && view.rows > 1) view = Transposed(view, weights_);
  if (transform == Transform::kFusedHeads) {
    // Architectures take queries, keys and values one after another, as GGUF stores them.
    uint64_t rows = view.rows == 1 ? view.columns : view.rows;
    view = ReorderRows(view, convert::CheckpointRows(transform, rows, rows_), weights_);
  }
  weights_->Add(std::move(name), view);
}

}  // namespace hearth::runtime
