#include "base/error.h"
#include "formats/safetensors/safetensors.h"
#include "hub/inspector/weights/tensor_file.h"
#include "tensor/blocks.h"
#include "tensor/dtype.h"

namespace hearth::inspector {
namespace {

using tensor::Dtype;

class SafetensorsTensors : public TensorFile {
 public:
  explicit SafetensorsTensors(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), header_(ReadSafetensorsHeader(*source_)) {
    for (const SafetensorsTensor& tensor : header_.tensors) {
      infos_.push_back({.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .begin = header_.data_offset + tensor.begin,
                        .end = header_.data_offset + tensor.end,
                        .elements = tensor.elements(),
                        .bytes = tensor.bytes()});
    }
  }

  std::string_view format() const override { return "safetensors"; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  std::vector<std::pair<std::string, std::string>> metadata() const override {
    return header_.metadata;
  }
  void ReadBytes(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    const TensorInfo& tensor = infos_[index];
    if (offset > tensor.bytes || out.size() > tensor.bytes - offset)
      throw Error(Code::kInvalidArgument, "a range past the end of " + tensor.name);
    source_->ReadAt(tensor.begin + offset, reinterpret_cast<char*>(out.data()), out.size());
  }
  Block BlockOf(size_t index) const override {
    uint64_t bits = tensor::DtypeBits(header_.tensors[index].type);
    if (bits % 8 == 0) return {bits / 8, 1};
    // F4: two values a byte; F6: four in three bytes.
    return bits == 4 ? Block{1, 2} : Block{3, 4};
  }
  bool HasValues(size_t index) const override { return header_.tensors[index].type != Dtype::kC64; }
  void Decode(size_t index, std::span<const uint8_t> blocks, std::span<float> out) const override {
    Dtype type = header_.tensors[index].type;
    // The block converters have a kernel in every tier.
    if (type == Dtype::kF16) {
      tensor::Dequantize(tensor::BlockType::kF16, blocks, out);
    } else if (type == Dtype::kBf16) {
      tensor::Dequantize(tensor::BlockType::kBf16, blocks, out);
    } else {
      tensor::ToFloat(type, blocks.data(), out.size(), out.data());
    }
  }

 private:
  std::unique_ptr<ByteSource> source_;
  SafetensorsHeader header_;
  std::vector<TensorInfo> infos_;
};

}  // namespace

std::unique_ptr<TensorFile> OpenSafetensorsTensors(std::unique_ptr<ByteSource> source) {
  return std::make_unique<SafetensorsTensors>(std::move(source));
}

}  // namespace hearth::inspector
