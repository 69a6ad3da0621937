// Hashes of the Xet protocol: keyed BLAKE3 digests, their odd text form, and Merkle aggregation.
//
// Every hash is a 32-byte BLAKE3 digest under a fixed key; the key says what was hashed (a chunk,
// an inner node, a verification list, a file). As text the 32 bytes are four little-endian 64-bit
// numbers, each printed as 16 hex digits; binary formats hold the raw bytes.
// Format: https://huggingface.co/docs/xet/hashing
// Thread rule: values and pure functions; one MerkleAggregator belongs to one thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace hearth::storage {

class XetHash {
 public:
  static constexpr size_t kBytes = 32;

  XetHash() { bytes_.fill(0); }
  // Shorter input is filled up with zeros, longer input is cut.
  static XetHash FromRaw(std::string_view raw);
  // Exactly 64 lower-case hex digits in the protocol's order; nullopt otherwise.
  static std::optional<XetHash> FromText(std::string_view text);
  // Shards store a SHA-256 so that its *text form* is the usual hex: each 8-byte group is reversed.
  static XetHash FromSha256(const Sha256& sha256);
  Sha256 ToSha256() const;

  std::string Text() const;
  std::string_view raw() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  const uint8_t* data() const { return bytes_.data(); }
  uint8_t* data() { return bytes_.data(); }
  // What the protocol writes as `hash % m`: the last 8 bytes, little-endian.
  uint64_t Tail() const;
  bool IsZero() const;
  auto operator<=>(const XetHash&) const = default;

 private:
  std::array<uint8_t, kBytes> bytes_;
};

using Blake3Key = std::array<uint8_t, 32>;

// BLAKE3 in keyed mode, 32 bytes of output. The key is 32 bytes by type.
XetHash Blake3Keyed(const Blake3Key& key, std::string_view bytes);

XetHash HashChunk(std::string_view bytes);
// The same, and gives the bytes to `sha` in the same pass where the machine can: together they then
// take little longer than the SHA-256 alone.
XetHash HashChunk(std::string_view bytes, Sha256Hasher& sha);
// Proof that the sender of a term holds the chunks: over the raw chunk hashes, joined in order.
XetHash HashVerification(std::span<const XetHash> chunk_hashes);
// Names a chunk in a dedup answer without giving its hash away.
XetHash ProtectHash(const Blake3Key& key, const XetHash& chunk_hash);

// Aggregates (hash, length) leaves into a root while they stream by: a group closes as soon as its
// members decide it, so at most 9 nodes wait per level and memory grows with log(leaves).
class MerkleAggregator {
 public:
  // `bytes` is the uncompressed length of the leaf.
  void Add(const XetHash& hash, uint64_t bytes);
  // No leaves: the zero hash. One leaf: that leaf. Ends the aggregation; call once.
  XetHash FinishXorb();
  // The file hash: the root under the zero key; the zero hash itself for an empty file.
  XetHash FinishFile();
  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t leaves() const { return leaves_; }

 private:
  struct Node {
    XetHash hash;
    uint64_t bytes;
  };
  struct Level {
    std::vector<Node> pending;
    uint64_t seen = 0;
  };
  void AddAt(size_t level, const Node& node);
  void CloseGroup(size_t level);

  std::vector<Level> levels_;
  uint64_t total_bytes_ = 0;
  uint64_t leaves_ = 0;
};

}  // namespace hearth::storage

template <>
struct std::hash<hearth::storage::XetHash> {
  size_t operator()(const hearth::storage::XetHash& hash) const noexcept {
    size_t value;
    std::memcpy(&value, hash.data(), sizeof(value));
    return value;
  }
};
