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

// Bytes that were made, as a view that owns them.
template <typename T>
WeightView Owned(const WeightView& shape, std::shared_ptr<T[]> bytes) {
  auto* data = reinterpret_cast<const uint8_t*>(bytes.get());
  return {shape.rows, shape.columns, shape.type, data, std::move(bytes)};
}

WeightView Copied(const WeightView& view) {
  std::span<const uint8_t> bytes = view.bytes();
  auto copy = std::make_shared<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return Owned(view, std::move(copy));
}

WeightView Transposed(const WeightView& view) {
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
  return Owned({view.columns, view.rows, view.type}, std::move(out));
}

// A bias is one row here, but as many rows of one value in its file.
WeightView Reordered(const WeightView& view, std::span<const uint64_t> order) {
  WeightView shape = view;
  bool vector = view.rows == 1;
  uint64_t count = vector ? view.columns : view.rows;
  uint64_t size = vector ? tensor::InfoOf(view.type).block_bytes : view.row_bytes();
  (vector ? shape.columns : shape.rows) = order.size();
  auto out = std::make_shared<uint8_t[]>(order.size() * size);
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] < count) std::memcpy(&out[i * size], view.data + order[i] * size, size);
  }
  return Owned(shape, std::move(out));
}

bool IsAligned(const WeightView& view) {
  return reinterpret_cast<uintptr_t>(view.data) % tensor::InfoOf(view.type).block_bytes == 0;
}

}  // namespace

void AddReordered(std::string name, const WeightView& view, std::vector<uint64_t> order,
                  tensor::WeightSet* weights) {
  WeightView shape = view;
  (view.rows == 1 ? shape.columns : shape.rows) = order.size();
  weights->AddLazy(std::move(name), shape,
                   [view, order = std::move(order)] { return Reordered(view, order); });
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
  std::span<const uint64_t> sizes = tensor.shape;
  while (sizes.size() > 2 && sizes.front() == 1) sizes = sizes.subspan(1);
  view.rows = sizes.size() < 2 ? 1 : sizes.front();
  view.columns = elements / view.rows;
  view.data = tensor.bytes.data();
  if (auto plain = PlainType(tensor.dtype)) {
    view.type = *plain;
    AddView(UsualName(tensor.name), view);
  } else if (tensor::IsFloat(tensor.dtype)) {
    auto floats = std::make_shared<float[]>(elements);
    tensor::ToFloat(tensor.dtype, tensor.bytes.data(), elements, floats.get());
    AddView(UsualName(tensor.name), Owned(view, std::move(floats)));
  }  // else masks and position numbers
}

void WeightLoader::AddView(std::string name, const WeightView& view) {
  Transform transform = TransformOf(name);
  if (transform == Transform::kTransposed && view.rows > 1) {
    weights_->AddLazy(std::move(name), {view.columns, view.rows, view.type},
                      [view] { return Transposed(view); });
  } else if (transform == Transform::kFusedHeads) {
    // Architectures take queries, keys and values one after another, as GGUF stores them.
    uint64_t rows = view.rows == 1 ? view.columns : view.rows;
    AddReordered(std::move(name), view, convert::CheckpointRows(transform, rows, rows_), weights_);
  } else if (!IsAligned(view)) {
    // Executors read values by their type; files may begin them anywhere.
    weights_->AddLazy(std::move(name), view, [view] { return Copied(view); });
  } else {
    weights_->Add(std::move(name), view);
  }
}

}  // namespace hearth::runtime
