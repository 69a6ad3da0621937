// Safetensors checkpoints, sharded or not, as a source.
#include <cstring>

#include "formats/convert/tensor_source.h"
#include "formats/safetensors/safetensors_sharded.h"

namespace hearth::convert {
namespace {

class SafetensorsSource : public TensorSource {
 public:
  explicit SafetensorsSource(const std::filesystem::path& path)
      : checkpoint_(ShardedCheckpoint::Open(path)) {
    for (const ShardedCheckpoint::Entry& entry : checkpoint_.entries()) {
      tensors_.push_back({entry.tensor->name, entry.tensor->type, entry.tensor->shape});
    }
  }

  const std::vector<SourceTensor>& tensors() const override { return tensors_; }

  void Read(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    if (out.empty()) return;
    std::memcpy(out.data(), checkpoint_.Bytes(checkpoint_.entries()[index]).data() + offset,
                out.size());
  }

  std::vector<std::pair<std::string, std::string>> metadata() const override {
    return checkpoint_.metadata();
  }

 private:
  ShardedCheckpoint checkpoint_;
  std::vector<SourceTensor> tensors_;
};

bool HoldsSafetensors(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json")) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<TensorSource> OpenSafetensorsSource(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path) && !HoldsSafetensors(path)) return nullptr;
  std::string name = path.filename().string();
  if (!std::filesystem::is_directory(path) && !name.ends_with(".safetensors") &&
      !name.ends_with(".safetensors.index.json")) {
    return nullptr;
  }
  return std::make_unique<SafetensorsSource>(path);
}

}  // namespace hearth::convert
