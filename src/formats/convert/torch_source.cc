// PyTorch checkpoints (.bin, .pt, .pth), one file or the shards of an index, as a source.
#include <map>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "formats/convert/tensor_source.h"
#include "formats/safetensors/safetensors.h"
#include "formats/source/source_mapped.h"
#include "formats/torch/torch_checkpoint.h"

namespace hearth::convert {
namespace {

constexpr uint64_t kMaxIndexBytes = 256u << 20;
constexpr std::string_view kIndexEnd = ".bin.index.json";

class TorchSource : public TensorSource {
 public:
  void AddFile(const std::filesystem::path& path);

  const std::vector<SourceTensor>& tensors() const override { return tensors_; }
  std::vector<std::pair<std::string, std::string>> metadata() const override {
    return {{"format", "pt"}};
  }

  void Read(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    if (out.empty()) return;
    const Place& place = places_[index];
    files_[place.file]->checkpoint.ReadTensor(*place.tensor, offset, out.size(),
                                              reinterpret_cast<char*>(out.data()));
  }

 private:
  struct File {
    explicit File(const std::filesystem::path& path)
        : source(path), checkpoint(TorchCheckpoint::Open(source)) {}
    MappedSource source;
    TorchCheckpoint checkpoint;
  };
  struct Place {
    size_t file;
    const TorchTensor* tensor;
  };

  std::vector<std::unique_ptr<File>> files_;
  std::vector<SourceTensor> tensors_;
  std::vector<Place> places_;
};

void TorchSource::AddFile(const std::filesystem::path& path) {
  files_.push_back(std::make_unique<File>(path));
  const TorchCheckpoint& checkpoint = files_.back()->checkpoint;
  if (!checkpoint.unreadable().empty()) {
    throw Error(Code::kUnimplemented, path.string() + " holds a tensor without plain values: " +
                                          checkpoint.unreadable()[0]);
  }
  for (const TorchTensor& tensor : checkpoint.tensors()) {
    std::optional<tensor::Dtype> dtype = tensor::FindDtype(tensor.dtype->safetensors);
    if (!dtype || tensor.storage < 0) {
      throw Error(Code::kUnimplemented,
                  "tensor \"" + tensor.name.substr(0, 200) + "\" has no form in safetensors");
    }
    tensors_.push_back({tensor.name, *dtype, tensor.shape});
    places_.push_back({files_.size() - 1, &tensor});
  }
}

// The file of a folder that stands for the checkpoint.
std::optional<std::filesystem::path> MainFile(const std::filesystem::path& folder) {
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  return std::nullopt;
}

bool IsTorchName(std::string_view name) {
  return name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") ||
         name.ends_with(kIndexEnd);
}

}  // namespace

std::unique_ptr<TensorSource> OpenTorchSource(const std::filesystem::path& path) {
  std::optional<std::filesystem::path> main = path;
  if (std::filesystem::is_directory(path)) main = MainFile(path);
  if (!main || !IsTorchName(main->filename().string())) return nullptr;
  auto source = std::make_unique<TorchSource>();
  if (!main->filename().string().ends_with(kIndexEnd)) {
    source->AddFile(*main);
    return source;
  }
  // The index has the form of that of safetensors shards.
  SafetensorsIndex index = ParseSafetensorsIndex(ReadFile(*main, kMaxIndexBytes));
  for (const std::string& file : index.files) source->AddFile(main->parent_path() / file);
  return source;
}

}  // namespace hearth::convert
