#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "formats/safetensors/safetensors.h"
#include "formats/source/source_mapped.h"
#include "formats/torch/torch_checkpoint.h"
#include "runtime/checkpoint_sources.h"

namespace hearth::runtime {
namespace {

constexpr uint64_t kMaxIndexBytes = 256u << 20;

// One file, mapped, with what its pickle says.
struct TorchFile {
  explicit TorchFile(const std::filesystem::path& path)
      : source(path), checkpoint(TorchCheckpoint::Open(source)) {}

  // The tensor's bytes inside the mapping; absent when they are not stored as they are.
  std::optional<std::span<const uint8_t>> View(const TorchTensor& tensor) const {
    const TorchStorage& storage = checkpoint.storages()[tensor.storage];
    if (!tensor.contiguous || storage.packed || checkpoint.big_endian()) return std::nullopt;
    uint64_t begin = storage.file_offset + tensor.offset * tensor.dtype->bytes;
    if (begin > source.bytes().size() || tensor.bytes > source.bytes().size() - begin) {
      return std::nullopt;
    }
    return source.bytes().subspan(begin, tensor.bytes);
  }

  MappedSource source;
  TorchCheckpoint checkpoint;
};

}  // namespace

void LoadTorchFile(const std::filesystem::path& path, WeightLoader* loader) {
  auto file = std::make_shared<TorchFile>(path);
  loader->weights().KeepFile(file, {file->source.path(), file->source.bytes()});
  for (const TorchTensor& tensor : file->checkpoint.tensors()) {
    std::optional<tensor::Dtype> dtype = tensor::FindDtype(tensor.dtype->safetensors);
    if (!dtype || tensor.storage < 0 || !tensor::IsFloat(*dtype)) continue;
    FileTensor plain{tensor.name, *dtype, tensor.shape, {}};
    if (auto view = file->View(tensor)) {
      plain.bytes = *view;
    } else {
      auto bytes = std::make_shared<std::string>(file->checkpoint.ReadTensor(tensor));
      plain.bytes = {reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()};
      loader->weights().Keep(bytes);
    }
    loader->Add(plain);
  }
}

void LoadTorch(const std::filesystem::path& folder, WeightLoader* loader) {
  if (std::filesystem::exists(folder / "pytorch_model.bin")) {
    return LoadTorchFile(folder / "pytorch_model.bin", loader);
  }
  // The index has the form of that of safetensors shards.
  SafetensorsIndex index =
      ParseSafetensorsIndex(ReadFile(folder / "pytorch_model.bin.index.json", kMaxIndexBytes));
  for (const std::string& file : index.files) LoadTorchFile(folder / file, loader);
}

}  // namespace hearth::runtime
