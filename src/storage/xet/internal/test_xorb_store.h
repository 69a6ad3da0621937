// A store in a folder of its own that goes away with it, and ways to fill it. Tests and benches
// only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "storage/xet/internal/test_xorb.h"
#include "storage/xet/reconstruction.h"
#include "storage/xet/xorb_store.h"

namespace hearth::storage::internal {

class TestFolder {
 public:
  TestFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("hearth-xet-" + HexEncode(RandomBytes(8)))) {
    std::filesystem::create_directories(path_);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline TempFile Spool(const XorbStore& store, std::string_view body) {
  TempFile file(store.temp_folder());
  file.Append(body);
  return file;
}

inline std::vector<std::string> Chunks(std::string_view bytes) {
  std::vector<std::string> chunks;
  Chunker chunker;
  auto add = [&](std::string_view chunk) { chunks.emplace_back(chunk); };
  chunker.Feed(bytes, add);
  chunker.Finish(add);
  return chunks;
}

// The body of a xorb with every chunk packed under one scheme, and its hash.
struct Packed {
  std::string body;
  XetHash hash;
};
inline Packed PackAll(const std::vector<std::string>& chunks, XorbScheme scheme) {
  Packed packed;
  MerkleAggregator merkle;
  for (const std::string& chunk : chunks) {
    PackXorbChunk(chunk, scheme, packed.body);
    merkle.Add(HashChunk(chunk), chunk.size());
  }
  packed.hash = merkle.FinishXorb();
  return packed;
}

inline XetTerm TermOf(const XorbIndex& index, uint32_t chunk_start, uint32_t chunk_end) {
  XetTerm term{index.hash, 0, chunk_start, chunk_end};
  for (uint32_t i = chunk_start; i < chunk_end; ++i) {
    term.unpacked_bytes += index.chunks[i].unpacked_bytes;
  }
  return term;
}

}  // namespace hearth::storage::internal
