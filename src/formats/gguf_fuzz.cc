#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "formats/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::MemorySource source({reinterpret_cast<const char*>(data), size});
  try {
    hearth::ReadGgufHeader(source);
  } catch (const hearth::Error&) {
  }
  return 0;
}
