#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/onnx/onnx_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hearth::MemorySource source(bytes);
  hearth::OnnxLimits limits;
  limits.refuse_escapes = false;
  try {
    hearth::ReadOnnx(source, limits);
  } catch (const hearth::Error&) {
  }
  return 0;
}
