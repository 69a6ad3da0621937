// For tests: what a Xet client does with a file before it talks to the hub: chunks, xorbs, shard.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/xet.h"
#include "storage/xet/chunker.h"
#include "storage/xet/shard.h"
#include "storage/xet/xorb.h"

namespace hearth::hub {

// Bytes that do not compress, the same for each seed.
inline std::string NoiseBytes(uint64_t seed, size_t count) {
  std::mt19937_64 generator(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}
// Bytes that do.
inline std::string TextRows(int rows) {
  std::string bytes;
  for (int i = 0; i < rows; ++i) bytes += "line " + std::to_string(i) + " the quick brown fox\n";
  return bytes;
}

// The pieces of one upload session; change them to lie.
struct XetUpload {
  std::vector<storage::XorbBuilder::Built> xorbs;
  storage::Shard shard;

  // Chunks `bytes` into the last xorb (or a new one) and adds the file to the shard. No
  // deduplication.
  const storage::ShardFile& AddFile(std::string_view bytes, bool with_sha256 = true) {
    storage::XorbBuilder builder;
    storage::MerkleAggregator merkle;
    storage::ShardFile file;
    auto close = [&] {
      if (builder.empty()) return;
      xorbs.push_back(builder.Finish());
      const storage::XorbIndex& index = xorbs.back().index;
      std::vector<storage::XetHash> hashes;
      for (const storage::XorbChunk& chunk : index.chunks) hashes.push_back(chunk.hash);
      file.terms.push_back({index.hash, index.unpacked_bytes, 0,
                            static_cast<uint32_t>(index.chunks.size()),
                            storage::HashVerification(hashes)});
      storage::ShardXorb block = storage::DescribeXorb(index);
      block.stored_bytes = 0;  // as the clients do
      shard.xorbs.push_back(std::move(block));
    };
    auto add = [&](std::string_view chunk) {
      if (!builder.Fits(chunk.size())) close();
      storage::XetHash hash = storage::HashChunk(chunk);
      merkle.Add(hash, chunk.size());
      builder.Add(hash, chunk);
    };
    storage::Chunker chunker;
    chunker.Feed(bytes, add);
    chunker.Finish(add);
    close();
    file.hash = merkle.FinishFile();
    file.has_verification = true;
    if (with_sha256) file.sha256 = Sha256Of(bytes);
    shard.files.push_back(std::move(file));
    return shard.files.back();
  }

  // As by a client that does not compress: the same xorbs, other bodies.
  void PackPlainly() {
    for (storage::XorbBuilder::Built& xorb : xorbs) {
      std::string body;
      size_t at = 0;
      for (storage::XorbChunk& chunk : xorb.index.chunks) {
        std::string_view record = std::string_view(xorb.body).substr(at, chunk.record_end - at);
        at = chunk.record_end;
        std::string bytes;
        storage::UnpackXorbChunk(storage::ParseXorbChunkHeader(record),
                                 record.substr(storage::kXorbHeaderBytes), bytes);
        storage::PackXorbChunk(bytes, storage::XorbScheme::kNone, body);
        chunk.record_end = static_cast<uint32_t>(body.size());
      }
      xorb.body = std::move(body);
      xorb.index.body_bytes = static_cast<uint32_t>(xorb.body.size());
    }
  }

  // Sends the xorbs, then the shard.
  void Send(Xet& xet, const XetScope& scope) const {
    SendXorbs(xet, scope);
    xet.RegisterShard(scope, storage::WriteShard(shard), [](uint64_t, uint64_t) {});
  }
  void SendXorbs(Xet& xet, const XetScope& scope) const {
    for (const storage::XorbBuilder::Built& xorb : xorbs) {
      TempFile body(xet.index().xorbs().temp_folder());
      body.Append(xorb.body);
      xet.PutXorb(scope, xorb.index.hash, std::move(body));
    }
  }
};

inline XetScope RepoScope(const RepoRecord& repo, int64_t user_id, bool may_write = true) {
  return {XetHolder::kRepo, repo.id, user_id, may_write, true};
}

}  // namespace hearth::hub
