#include "base/error.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/gguf_file.h"
#include "hub/inspector/weights/tensor_file.h"
#include "tensor/blocks.h"

namespace hearth::inspector {
namespace {

class GgufTensors : public TensorFile {
 public:
  explicit GgufTensors(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), header_(ReadGgufHeader(*source_)) {
    for (const GgufTensor& tensor : header_.tensors) {
      uint64_t begin = header_.data_offset + tensor.offset;
      infos_.push_back({.name = tensor.name,
                        .dtype = tensor.type,
                        .shape = GgufShape(tensor),
                        .begin = begin,
                        .end = begin + tensor.bytes,
                        .elements = tensor.elements,
                        .bytes = tensor.bytes});
    }
  }

  std::string_view format() const override { return "gguf"; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  std::vector<std::pair<std::string, std::string>> metadata() const override {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const GgufMetadata& item : header_.metadata) {
      if (item.value.is_null() || item.value.is_array()) continue;
      const std::string* text = item.value.AsString();
      pairs.emplace_back(item.key, text != nullptr ? *text : item.value.Dump());
    }
    return pairs;
  }
  void ReadBytes(size_t index, uint64_t offset, std::span<uint8_t> out) override {
    const TensorInfo& tensor = infos_[index];
    if (offset > tensor.bytes || out.size() > tensor.bytes - offset)
      throw Error(Code::kInvalidArgument, "a range past the end of " + tensor.name);
    source_->ReadAt(tensor.begin + offset, reinterpret_cast<char*>(out.data()), out.size());
  }
  Block BlockOf(size_t index) const override {
    const tensor::BlockTypeInfo* info = tensor::FindBlockType(infos_[index].dtype);
    return info == nullptr ? Block{} : Block{info->block_bytes, info->block_elements};
  }
  bool HasValues(size_t index) const override {
    return tensor::FindBlockType(infos_[index].dtype) != nullptr;
  }
  void Decode(size_t index, std::span<const uint8_t> blocks, std::span<float> out) const override {
    tensor::Dequantize(GgufBlockType(header_.tensors[index]), blocks, out);
  }

 private:
  std::unique_ptr<ByteSource> source_;
  GgufHeader header_;
  std::vector<TensorInfo> infos_;
};

}  // namespace

std::unique_ptr<TensorFile> OpenGgufTensors(std::unique_ptr<ByteSource> source) {
  return std::make_unique<GgufTensors>(std::move(source));
}

}  // namespace hearth::inspector
