#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::Json value;
  try {
    value = hearth::Json::Parse({reinterpret_cast<const char*>(data), size});
  } catch (const hearth::Error&) {
    return 0;
  }
  std::string written = value.Dump();
  if (hearth::Json::Parse(written).Dump() != written) abort();
  return 0;
}
