#include "runtime/checkpoint.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "formats/convert/architecture.h"
#include "formats/safetensors/safetensors_sharded.h"
#include "tensor/dtype.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;
using tensor::BlockType;
using tensor::Dtype;
using tensor::WeightView;

// config.json larger than this is no configuration.
constexpr uint64_t kMaxConfigBytes = 16u << 20;

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

// Names that TensorFlow's converters gave to norms.
std::string Modern(std::string_view name) {
  for (auto [old, now] :
       {std::pair<std::string_view, std::string_view>{".gamma", ".weight"}, {".beta", ".bias"}}) {
    if (name.ends_with(old)) {
      return std::string(name.substr(0, name.size() - old.size())) + std::string(now);
    }
  }
  return std::string(name);
}

bool IsTransposed(const convert::Architecture* architecture, std::string_view name) {
  if (architecture == nullptr) return false;
  try {
    convert::Named named = convert::NameInCheckpoint(*architecture, name);
    return named.rule != nullptr && named.rule->transform == convert::Transform::kTransposed;
  } catch (const Error&) {
    return false;  // a tensor that GGUF has no place for
  }
}

std::shared_ptr<uint8_t[]> Transpose(std::span<const uint8_t> bytes, uint64_t rows,
                                     uint64_t columns, uint64_t size) {
  auto out = std::make_shared<uint8_t[]>(bytes.size());
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      std::copy_n(&bytes[(r * columns + c) * size], size, &out[(c * rows + r) * size]);
    }
  }
  return out;
}

void AddTensor(const SafetensorsTensor& tensor, std::span<const uint8_t> bytes, bool transposed,
               tensor::WeightSet* weights) {
  WeightView view;
  if (tensor.elements() == 0) return;
  view.rows = tensor.shape.size() < 2 ? 1 : tensor.shape.front();
  view.columns = tensor.elements() / view.rows;
  view.data = bytes.data();
  if (auto plain = PlainType(tensor.type)) {
    view.type = *plain;
  } else if (tensor::IsFloat(tensor.type)) {
    auto floats = std::make_shared<float[]>(tensor.elements());
    tensor::ToFloat(tensor.type, bytes.data(), tensor.elements(), floats.get());
    view.data = reinterpret_cast<const uint8_t*>(floats.get());
    weights->Keep(floats);
  } else {
    return;  // masks and position numbers
  }
  if (transposed && view.rows > 1) {
    uint64_t size = tensor::InfoOf(view.type).block_bytes;
    auto turned = Transpose(view.bytes(), view.rows, view.columns, size);
    view.data = turned.get();
    std::swap(view.rows, view.columns);
    weights->Keep(turned);
  }
  weights->Add(Modern(tensor.name), view);
}

}  // namespace

Checkpoint LoadCheckpoint(const fs::path& path) {
  if (!fs::is_directory(path)) {
    throw Error(Code::kNotFound, path.string() + " is no model folder");
  }
  std::string text = ReadFile(path / "config.json", kMaxConfigBytes);
  Checkpoint checkpoint{ModelConfig::Parse(text), {}, path, {}};
  auto files = std::make_shared<ShardedCheckpoint>(ShardedCheckpoint::Open(path));
  const convert::Architecture* architecture =
      convert::FindByModelType(checkpoint.config.model_type());
  for (const ShardedCheckpoint::Entry& entry : files->entries()) {
    AddTensor(*entry.tensor, files->Bytes(entry), IsTransposed(architecture, entry.tensor->name),
              &checkpoint.weights);
  }
  checkpoint.weights.Keep(files);
  return checkpoint;
}

}  // namespace hearth::runtime
