#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/numpy/numpy_array.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hearth::MemorySource source(bytes);
  try {
    hearth::ReadNumpyHeader(source, true);
  } catch (const hearth::Error&) {
  }
  try {
    hearth::ReadNpz(source);
  } catch (const hearth::Error&) {
  }
  return 0;
}
