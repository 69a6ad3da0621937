#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "formats/hdf5/hdf5_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::MemorySource source(std::string_view(reinterpret_cast<const char*>(data), size));
  hearth::Hdf5Limits limits;
  limits.max_objects = 2000;
  limits.max_links = 5000;
  limits.max_read_bytes = 16 << 20;
  try {
    hearth::ReadHdf5(source, limits);
  } catch (const hearth::Error&) {
  }
  return 0;
}
