#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "formats/torch_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::MemorySource source({reinterpret_cast<const char*>(data), size});
  try {
    hearth::TorchCheckpoint::Limits limits;
    limits.pickle.max_values = 100'000;
    limits.max_unpacked_bytes = 1 << 20;
    auto checkpoint = hearth::TorchCheckpoint::Open(source, limits);
    char bytes[64];
    for (const hearth::TorchTensor& tensor : checkpoint.tensors()) {
      if (tensor.storage < 0) continue;
      checkpoint.ReadTensor(tensor, 0, std::min<uint64_t>(tensor.bytes, sizeof bytes), bytes);
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
