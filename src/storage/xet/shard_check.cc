// Shards against stored xorbs: what a sender says is compared with what the server hashed itself.
#include <vector>

#include "base/error.h"
#include "storage/xet/shard.h"

namespace hearth::storage {

ShardXorb DescribeXorb(const XorbIndex& index) {
  ShardXorb block{index.hash, index.unpacked_bytes, index.body_bytes, {}};
  block.chunks.reserve(index.chunks.size());
  uint32_t start = 0;
  for (const XorbChunk& chunk : index.chunks) {
    block.chunks.push_back({chunk.hash, start, chunk.unpacked_bytes, false});
    start += chunk.unpacked_bytes;
  }
  return block;
}

void CheckShardXorb(const ShardXorb& block, const XorbIndex& index,
                    const std::vector<bool>* known) {
  bool same = block.hash == index.hash && block.chunks.size() == index.chunks.size() &&
              block.unpacked_bytes == index.unpacked_bytes;
  uint32_t start = 0;
  for (size_t i = 0; same && i < block.chunks.size(); ++i) {
    const ShardChunk& said = block.chunks[i];
    const XorbChunk& stored = index.chunks[i];
    same = (known != nullptr && !(*known)[i]) ||
           (said.hash == stored.hash && said.unpacked_start == start &&
            said.unpacked_bytes == stored.unpacked_bytes);
    start += stored.unpacked_bytes;
  }
  if (!same) {
    throw Error(Code::kInvalidArgument, "shard describes xorb " + block.hash.Text() + " wrongly");
  }
}

void CheckShardTerm(const ShardTerm& term, const XorbIndex& index) {
  auto refuse = [&](const char* what) {
    throw Error(Code::kInvalidArgument, "term of xorb " + term.xorb.Text() + ": " + what);
  };
  if (term.xorb != index.hash) refuse("is checked against another xorb");
  if (term.chunk_start >= term.chunk_end || term.chunk_end > index.chunks.size()) {
    refuse("chunk range is outside the xorb");
  }
  uint64_t unpacked_bytes = 0;
  std::vector<XetHash> hashes;
  hashes.reserve(term.chunk_end - term.chunk_start);
  for (uint32_t i = term.chunk_start; i < term.chunk_end; ++i) {
    unpacked_bytes += index.chunks[i].unpacked_bytes;
    hashes.push_back(index.chunks[i].hash);
  }
  // One answer for both: the lengths of chunks may be unknown to who names them.
  if (unpacked_bytes != term.unpacked_bytes || HashVerification(hashes) != term.verification) {
    refuse("length or verification hash is not that of its chunks");
  }
}

}  // namespace hearth::storage
