#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "server/hub_api/bucket_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    hearth::server::ParseBucketBatch({reinterpret_cast<const char*>(data), size});
  } catch (const hearth::Error&) {
  }
  return 0;
}
