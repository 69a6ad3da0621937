#include "hub/inspector/weights/tensor_file.h"

#include "base/error.h"

namespace hearth::inspector {
namespace {

struct Kind {
  std::vector<std::string_view> endings;
  std::unique_ptr<TensorFile> (*open)(std::unique_ptr<ByteSource>);
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
#define HEARTH_TENSOR_FILE(Name, ...) {{__VA_ARGS__}, Open##Name##Tensors},
#include "hub/inspector/weights/tensor_files.inc"
#undef HEARTH_TENSOR_FILE
  };
  return kinds;
}

const Kind* KindOf(std::string_view path) {
  for (const Kind& kind : Kinds()) {
    for (std::string_view ending : kind.endings)
      if (path.ends_with(ending)) return &kind;
  }
  return nullptr;
}

}  // namespace

bool HoldsTensors(std::string_view path) { return KindOf(path) != nullptr; }

std::unique_ptr<TensorFile> OpenTensorFile(std::unique_ptr<ByteSource> source,
                                           std::string_view path) {
  const Kind* kind = KindOf(path);
  if (kind == nullptr) {
    throw Error(Code::kUnimplemented,
                std::string(path) + " is not of a format whose tensors are read here");
  }
  return kind->open(std::move(source));
}

void ReadValues(TensorFile& file, size_t index, uint64_t first, std::span<float> out) {
  TensorFile::Block block = file.BlockOf(index);
  if (first % block.elements != 0 || out.size() % block.elements != 0)
    throw Error(Code::kInvalidArgument, "values are read by whole blocks");
  std::vector<uint8_t> bytes(out.size() / block.elements * block.bytes);
  file.ReadBytes(index, first / block.elements * block.bytes, bytes);
  file.Decode(index, bytes, out);
}

}  // namespace hearth::inspector
