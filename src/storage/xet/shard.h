// Shards: the metadata half of Xet, which says how files are put together from ranges of xorbs.
//
// 48-byte records: a header, file blocks, a bookend, xorb blocks, a bookend. Senders differ in what
// they put around that: the footer size in the header may lie, lookup tables and a footer may
// follow the second bookend. So a shard is read front to back and ends at the second bookend; the
// rest is ignored. The same format, with a footer, is the answer to a chunk query, where chunk
// hashes are hidden under a key. Format: https://huggingface.co/docs/xet/shard Errors:
// kInvalidArgument for anything malformed, kTooLarge for a passed limit. Thread rule: values and
// pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/xet/xet_hash.h"
#include "storage/xet/xorb.h"

namespace hearth::storage {

constexpr size_t kShardMaxBytes = 64 << 20;
constexpr size_t kShardRecordBytes = 48;
constexpr size_t kShardFooterBytes = 200;

// One range of chunks of one xorb, in file order.
struct ShardTerm {
  XetHash xorb;
  uint32_t unpacked_bytes = 0;
  uint32_t chunk_start = 0;
  uint32_t chunk_end = 0;  // exclusive
  XetHash verification;    // zero where the file carries none

  bool operator==(const ShardTerm&) const = default;
};

struct ShardFile {
  XetHash hash;  // zero for the empty file
  bool has_verification = false;
  std::optional<Sha256> sha256;  // of the content, as the sender says
  std::vector<ShardTerm> terms;

  bool operator==(const ShardFile&) const = default;
};

struct ShardChunk {
  XetHash hash;
  uint32_t unpacked_start = 0;  // offset in the uncompressed xorb
  uint32_t unpacked_bytes = 0;
  bool wants_global_dedup = false;

  bool operator==(const ShardChunk&) const = default;
};

struct ShardXorb {
  XetHash hash;
  uint32_t unpacked_bytes = 0;
  uint32_t stored_bytes = 0;  // most clients send 0 here: never rely on it
  std::vector<ShardChunk> chunks;

  bool operator==(const ShardXorb&) const = default;
};

struct Shard {
  std::vector<ShardFile> files;
  std::vector<ShardXorb> xorbs;

  bool operator==(const Shard&) const = default;
};

// Reads a shard of any sender. Counts are compared with the bytes at hand before anything is
// allocated, so memory stays within a few times the input. Sums, ranges against xorbs and hashes
// are not checked here.
Shard ParseShard(std::string_view bytes);

// Writes a shard without a footer, as current clients upload it.
std::string WriteShard(const Shard& shard);

// What stands at the end of a shard that was written with a footer.
struct ShardFooter {
  Blake3Key hmac_key = {};  // zero: chunk hashes are plain
  std::chrono::sys_seconds created;
  std::chrono::sys_seconds key_expiry;
};

// nullopt when the bytes do not end with a footer.
std::optional<ShardFooter> FindShardFooter(std::string_view bytes);

// The answer to a chunk query: xorb blocks whose chunk hashes are hidden under footer.hmac_key. The
// key must not be zero: plain hashes would hand out what proves possession of the chunks.
std::string WriteDedupShard(std::span<const ShardXorb> xorbs, const ShardFooter& footer);

// The block that describes a stored xorb.
ShardXorb DescribeXorb(const XorbIndex& index);

// Throws unless the sender's block lists exactly the chunks of the stored xorb. Its flags and
// stored size are not compared.
// `known`: the chunks that the sender knows (nullptr = all); what it says of others is not looked
// at, as a refusal would confirm or deny a guess.
void CheckShardXorb(const ShardXorb& block, const XorbIndex& index,
                    const std::vector<bool>* known = nullptr);

// Throws unless the term lies inside the stored xorb, has the right length and proves by its
// verification hash that the sender knew the chunks (their hashes never leave the server in plain
// form).
void CheckShardTerm(const ShardTerm& term, const XorbIndex& index);

}  // namespace hearth::storage
