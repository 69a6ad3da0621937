// For tests: content stored as a Xet file, as if a client had uploaded it by Xet, in xorbs of a few
// chunks each so that rebuilding crosses from one to the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "storage/xet/chunker.h"

namespace hearth::hub {

// `size` bytes that neither compress nor repeat.
inline std::string NoiseBytes(size_t size, uint32_t number = 1) {
  uint64_t seed = number;
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(seed >> 56);
  }
  return bytes;
}

inline XetIndex::NewFile BuildXetFile(Hub& hub, std::string_view bytes,
                                      size_t chunks_per_xorb = 4) {
  XetIndex::NewFile file;
  storage::MerkleAggregator merkle;
  storage::XorbBuilder builder;
  std::vector<storage::XetHash> eligible;
  auto flush = [&] {
    if (builder.empty()) return;
    storage::XorbBuilder::Built built = builder.Finish();
    hub.xet_index().xorbs().PutBuilt(built);
    hub.xet_index().AddXorb(built.index, 0);
    file.terms.push_back({built.index.hash, built.index.unpacked_bytes, 0,
                          static_cast<uint32_t>(built.index.chunks.size())});
    for (const storage::XetHash& chunk : eligible)
      file.chunks.emplace_back(chunk, built.index.hash);
    eligible.clear();
  };
  auto take = [&](std::string_view chunk) {
    storage::XetHash hash = storage::HashChunk(chunk);
    if (merkle.leaves() == 0) eligible.push_back(hash);
    merkle.Add(hash, chunk.size());
    builder.Add(hash, chunk);
    if (builder.chunks() == chunks_per_xorb) flush();
  };
  storage::Chunker chunker;
  chunker.Feed(bytes, take);
  chunker.Finish(take);
  flush();
  file.size_bytes = bytes.size();
  file.hash = merkle.FinishFile();
  file.sha256 = Sha256Of(bytes);
  return file;
}

inline XetFile StoreByXet(Hub& hub, int64_t repo_id, int64_t user_id, std::string_view bytes) {
  XetIndex::NewFile file = BuildXetFile(hub, bytes);
  XetFile stored;
  hub.db().Write([&](storage::Connection& c) {
    hub.objects().GrantIn(c, repo_id, user_id, *file.sha256, file.size_bytes);
    stored = hub.xet_index().AddFile(c, file);
    hub.xet_index().Show(c, repo_id, *file.sha256, stored.id);
  });
  hub.xet_index().RememberChunks(file);
  return stored;
}

}  // namespace hearth::hub
