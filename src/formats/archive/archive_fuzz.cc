#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/archive/archive_decode.h"
#include "formats/archive/archive_packed.h"
#include "formats/archive/archive_tar.h"
#include "formats/archive/archive_zip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hearth::MemorySource source(bytes);
  try {
    hearth::WalkZip(source);
    hearth::ReadZip(source);
  } catch (const hearth::Error&) {
  }
  try {
    hearth::WalkTar(source);
  } catch (const hearth::Error&) {
  }
  // The archives that come by libarchive; both have a mark.
  hearth::WalkPackedArchive(source, {.max_bytes = 1 << 20},
                            [](hearth::PackedMember&) { return true; });
  // Every decoder, whatever the mark says.
  if (!bytes.empty()) {
    auto packing = static_cast<hearth::Packing>(data[0] % 9);
    hearth::MemorySource packed(bytes.substr(1));
    hearth::Unpack(packed, packing, {.max_bytes = 1 << 20});
  }
  return 0;
}
