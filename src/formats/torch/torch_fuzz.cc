#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/archive/archive_fixture.h"
#include "formats/torch/torch_checkpoint.h"

namespace {

void ReadAll(std::string_view bytes) {
  hearth::MemorySource source(bytes);
  try {
    hearth::TorchCheckpoint::Limits limits;
    limits.pickle.max_values = 100'000;
    limits.max_unpacked_bytes = 1 << 20;
    auto checkpoint = hearth::TorchCheckpoint::Open(source, limits);
    char first[64];
    for (const hearth::TorchTensor& tensor : checkpoint.tensors()) {
      if (tensor.storage < 0) continue;
      checkpoint.ReadTensor(tensor, 0, std::min<uint64_t>(tensor.bytes, sizeof first), first);
    }
  } catch (const hearth::Error&) {
  }
}

}  // namespace

// The input is a file, and then the pickle inside of an honest archive with storages: checksums and
// offsets of a zip cannot be guessed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadAll(bytes);
  ReadAll(hearth::MakeTestZip({{.name = "m/data.pkl", .data = std::string(bytes)},
                               {.name = "m/byteorder", .data = "little"},
                               {.name = "m/data/0", .data = std::string(64, '\1')},
                               {.name = "m/data/1", .data = ""},
                               {.name = "m/version", .data = "3\n"}}));
  return 0;
}
