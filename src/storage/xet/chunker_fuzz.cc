#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "storage/xet/chunker.h"

// The first two bytes choose how the rest, repeated to reach real chunk sizes, is split over calls.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  size_t step = 1 + data[0] + 256 * data[1];
  std::string unit(reinterpret_cast<const char*>(data + 2), size - 2);
  std::string bytes;
  while (bytes.size() < 300000) bytes += unit;
  std::vector<size_t> whole;
  std::vector<size_t> split;
  hearth::storage::Chunker chunker;
  auto keep_whole = [&](std::string_view chunk) { whole.push_back(chunk.size()); };
  chunker.Feed(bytes, keep_whole);
  chunker.Finish(keep_whole);
  std::string joined;
  auto keep_split = [&](std::string_view chunk) {
    split.push_back(chunk.size());
    joined += chunk;
  };
  for (size_t at = 0; at < bytes.size(); at += step) {
    chunker.Feed(std::string_view(bytes).substr(at, step), keep_split);
  }
  chunker.Finish(keep_split);
  if (whole != split || joined != bytes) abort();
  for (size_t i = 0; i + 1 < whole.size(); ++i) {
    if (whole[i] < hearth::storage::kXetMinChunkBytes) abort();
    if (whole[i] > hearth::storage::kXetMaxChunkBytes) abort();
  }
  return 0;
}
