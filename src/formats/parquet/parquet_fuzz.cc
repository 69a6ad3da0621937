// Whatever the bytes: the footer and the first rows of each column, or an Error.
#include <cstdint>

#include "base/error.h"
#include "formats/parquet/parquet_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::MemorySource source(std::string_view(reinterpret_cast<const char*>(data), size));
  try {
    hearth::ParquetFile file(source);
    for (size_t column = 0; column < file.summary().columns.size() && column < 20; ++column) {
      try {
        file.ReadHead(column, 20);
      } catch (const hearth::Error&) {
      }
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
