#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "formats/safetensors/safetensors_file.h"

// Whatever header is accepted, every tensor of it can be read and cut.
void ReadSlices(hearth::ByteSource& source) {
  hearth::SafetensorsReader reader(source);
  for (const hearth::SafetensorsTensor& tensor : reader.header().tensors) {
    std::vector<hearth::DimRange> ranges;
    for (uint64_t dim : tensor.shape) ranges.push_back({dim / 3, dim / 2 + 1});
    if (tensor.bytes() > 4096 || ranges.size() > 6) continue;
    try {
      reader.Slice(tensor, ranges);
    } catch (const hearth::Error&) {
    }
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The first byte chooses the part, so that JSON can be reached without guessing a length.
  if (bytes.empty()) return 0;
  char part = bytes[0];
  bytes.remove_prefix(1);
  try {
    if (part % 3 == 0) {
      hearth::MemorySource source(bytes);
      ReadSlices(source);
    } else if (part % 3 == 1) {
      std::string file(8, '\0');
      for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>((bytes.size() >> (8 * i)) & 0xFF);
      file += bytes;
      hearth::ParseSafetensorsHeader(file, file.size());
    } else {
      hearth::ParseSafetensorsIndex(bytes);
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
