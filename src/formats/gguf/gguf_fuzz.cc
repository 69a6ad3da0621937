// The header with the hub's limits and with those of a whole vocabulary; then the values of every
// tensor.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "formats/gguf/gguf_file.h"

namespace {

void ReadTensors(hearth::MemorySource& source) {
  hearth::GgufHeader header = hearth::ReadGgufHeader(source, hearth::FullGgufLimits());
  for (const hearth::GgufTensor& tensor : header.tensors) {
    hearth::tensor::BlockType type = hearth::GgufBlockType(tensor);
    const hearth::tensor::BlockTypeInfo& info = hearth::tensor::InfoOf(type);
    uint64_t blocks = std::min<uint64_t>(tensor.bytes / info.block_bytes, 64);
    std::string bytes = source.Read(header.data_offset + tensor.offset, blocks * info.block_bytes);
    std::vector<float> values(blocks * info.block_elements);
    hearth::tensor::Dequantize(type, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                               values);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::MemorySource source({reinterpret_cast<const char*>(data), size});
  try {
    hearth::ReadGgufHeader(source);
  } catch (const hearth::Error&) {
  }
  try {
    ReadTensors(source);
  } catch (const hearth::Error&) {
  }
  return 0;
}
