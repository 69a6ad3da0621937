// Checkpoints of PyTorch through the restricted reader: nothing of them is executed.
#include "base/error.h"
#include "formats/torch/torch_checkpoint.h"
#include "hub/inspector/weights/tensor_file.h"
#include "tensor/dtype.h"

namespace hearth::inspector {
namespace {

// A storage inside of a compressed zip is unpacked whole; the index does not pay more for one.
constexpr uint64_t kMaxUnpackedBytes = 1ull << 30;

class TorchTensors : public TensorFile {
 public:
  explicit TorchTensors(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), checkpoint_(TorchCheckpoint::Open(*source_, Limits())) {
    for (size_t at = 0; at < checkpoint_.tensors().size(); ++at) {
      const TorchTensor& tensor = checkpoint_.tensors()[at];
      if (tensor.storage < 0 || tensor.dtype == nullptr) continue;
      positions_.push_back(at);
      TensorInfo info{
          .name = tensor.name,
          .dtype = std::string(tensor.dtype->safetensors.empty() ? tensor.dtype->torch
                                                                 : tensor.dtype->safetensors),
          .shape = tensor.shape,
          .elements = tensor.elements,
          .bytes = tensor.bytes,
          .same_as = tensor.same_as};
      const TorchStorage& storage = checkpoint_.storages()[static_cast<size_t>(tensor.storage)];
      if (tensor.contiguous && !storage.packed) {
        info.begin = storage.file_offset + tensor.offset * tensor.dtype->bytes;
        info.end = info.begin + tensor.bytes;
      }
      infos_.push_back(std::move(info));
    }
  }

  std::string_view format() const override { return "pytorch"; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  void ReadBytes(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    const TorchTensor& tensor = Tensor(index);
    if (offset > tensor.bytes || out.size() > tensor.bytes - offset)
      throw Error(Code::kInvalidArgument, "a range past the end of " + tensor.name);
    checkpoint_.ReadTensor(tensor, offset, out.size(), reinterpret_cast<char*>(out.data()));
  }
  Block BlockOf(size_t index) const override { return {Tensor(index).dtype->bytes, 1}; }
  bool HasValues(size_t index) const override {
    std::optional<tensor::Dtype> dtype = tensor::FindDtype(infos_[index].dtype);
    return dtype && *dtype != tensor::Dtype::kC64;
  }
  void Decode(size_t index, std::span<const uint8_t> blocks, std::span<float> out) const override {
    std::optional<tensor::Dtype> dtype = tensor::FindDtype(infos_[index].dtype);
    if (!dtype)
      throw Error(Code::kUnimplemented, "values of " + infos_[index].dtype + " are not read");
    tensor::ToFloat(*dtype, blocks.data(), out.size(), out.data());
  }

 private:
  static TorchCheckpoint::Limits Limits() {
    TorchCheckpoint::Limits limits;
    limits.max_unpacked_bytes = kMaxUnpackedBytes;
    limits.max_tensors = 100'000;
    return limits;
  }
  const TorchTensor& Tensor(size_t index) const { return checkpoint_.tensors()[positions_[index]]; }

  std::unique_ptr<ByteSource> source_;
  TorchCheckpoint checkpoint_;
  std::vector<TensorInfo> infos_;
  std::vector<size_t> positions_;
};

}  // namespace

std::unique_ptr<TensorFile> OpenTorchTensors(std::unique_ptr<ByteSource> source) {
  return std::make_unique<TorchTensors>(std::move(source));
}

}  // namespace hearth::inspector
