// The first byte chooses the format; the rest is the file. Whatever was read survives packing, and
// the bytes themselves as packed records are refused or read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/error.h"
#include "formats/source/source_window.h"
#include "hub/inspector/weights/tensor_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::inspector;
  if (size == 0) return 0;
  constexpr const char* kNames[] = {"a.safetensors", "a.gguf", "a.bin"};
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FileRecords records =
      ScanTensors(std::make_unique<hearth::OwnedSource>(bytes), kNames[data[0] % 3]);
  std::string packed = PackRecords(records);
  if (PackRecords(UnpackRecords(packed)) != packed) std::abort();
  try {
    UnpackRecords(bytes);
  } catch (const hearth::Error&) {
  }
  return 0;
}
