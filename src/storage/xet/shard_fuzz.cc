#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "storage/xet/shard.h"

// What is read from any bytes must survive being written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hearth::storage::FindShardFooter(bytes);
  hearth::storage::Shard shard;
  try {
    shard = hearth::storage::ParseShard(bytes);
  } catch (const hearth::Error&) {
    return 0;
  }
  if (hearth::storage::ParseShard(hearth::storage::WriteShard(shard)) != shard) abort();
  return 0;
}
