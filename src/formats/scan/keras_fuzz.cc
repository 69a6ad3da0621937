#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/scan/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A configuration by itself, and inside of the head of an HDF5 file.
  hearth::MemorySource json(bytes);
  hearth::ScanSource(json, "config.json");
  std::string h5 = "\x89HDF\r\n\x1a\n" + std::string(512, '\0') + std::string(bytes);
  hearth::MemorySource file(h5);
  hearth::ScanSource(file, "model.h5");
  hearth::ScanTemplate(bytes, "chat_template.jinja");
  return 0;
}
