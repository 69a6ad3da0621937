#include "storage/xet/xet_hash.h"

#include <blake3.h>

#include <algorithm>
#include <bit>

#include "storage/xet/internal/paired_hash.h"

namespace hearth::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "Xet formats are read in place");

// The protocol's fixed keys (public constants, not secrets).
constexpr Blake3Key kChunkKey = {0x66, 0x97, 0xf5, 0x77, 0x5b, 0x95, 0x50, 0xde, 0x31, 0x35, 0xcb,
                                 0xac, 0xa5, 0x97, 0x18, 0x1c, 0x9d, 0xe4, 0x21, 0x10, 0x9b, 0xeb,
                                 0x2b, 0x58, 0xb4, 0xd0, 0xb0, 0x4b, 0x93, 0xad, 0xf2, 0x29};
constexpr Blake3Key kNodeKey = {0x01, 0x7e, 0xc5, 0xc7, 0xa5, 0x47, 0x29, 0x96, 0xfd, 0x94, 0x66,
                                0x66, 0xb4, 0x8a, 0x02, 0xe6, 0x5d, 0xdd, 0x53, 0x6f, 0x37, 0xc7,
                                0x6d, 0xd2, 0xf8, 0x63, 0x52, 0xe6, 0x4a, 0x53, 0x71, 0x3f};
constexpr Blake3Key kVerificationKey = {
    0x7f, 0x18, 0x57, 0xd6, 0xce, 0x56, 0xed, 0x66, 0x12, 0x7f, 0xf9, 0x13, 0xe7, 0xa5, 0xc3, 0xf3,
    0xa4, 0xcd, 0x26, 0xd5, 0xb5, 0xdb, 0x49, 0xe6, 0x41, 0x24, 0x98, 0x7f, 0x28, 0xfb, 0x94, 0xc3};
constexpr Blake3Key kFileKey = {};

constexpr size_t kShaBlockBytes = 64;

// A group closes after a node whose hash is divisible by 4, from the third member on, or when full.
constexpr uint64_t kGroupDivisor = 4;
constexpr size_t kGroupMin = 3;
constexpr size_t kGroupMax = 9;

}  // namespace

XetHash XetHash::FromRaw(std::string_view raw) {
  XetHash hash;
  std::memcpy(hash.bytes_.data(), raw.data(), std::min(raw.size(), kBytes));
  return hash;
}

std::optional<XetHash> XetHash::FromText(std::string_view text) {
  auto digest = Sha256::FromHex(text);
  if (!digest) return std::nullopt;
  return FromSha256(*digest);
}

XetHash XetHash::FromSha256(const Sha256& sha256) {
  XetHash hash = FromRaw(sha256.raw());
  for (auto at = hash.bytes_.begin(); at != hash.bytes_.end(); at += 8) std::reverse(at, at + 8);
  return hash;
}

Sha256 XetHash::ToSha256() const {
  XetHash reversed = FromSha256(Sha256(raw()));
  return Sha256(reversed.raw());
}

std::string XetHash::Text() const { return ToSha256().Hex(); }

uint64_t XetHash::Tail() const {
  uint64_t value;
  std::memcpy(&value, bytes_.data() + 24, sizeof(value));
  return value;
}

bool XetHash::IsZero() const { return *this == XetHash(); }

XetHash Blake3Keyed(const Blake3Key& key, std::string_view bytes) {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, key.data());
  blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  XetHash hash;
  blake3_hasher_finalize(&hasher, hash.data(), XetHash::kBytes);
  return hash;
}

XetHash HashChunk(std::string_view bytes) { return Blake3Keyed(kChunkKey, bytes); }

XetHash HashChunk(std::string_view bytes, Sha256Hasher& sha) {
  if (!internal::HasPairedHash() || bytes.size() < internal::kPairedMinBytes ||
      bytes.size() > internal::kPairedMaxBytes) {
    sha.Update(bytes);
    return HashChunk(bytes);
  }
  // Up to where a block of SHA-256 begins.
  std::string_view rest = bytes;
  size_t lead = (kShaBlockBytes - sha.PendingBytes()) % kShaBlockBytes;
  sha.Update(rest.substr(0, lead));
  rest.remove_prefix(lead);
  internal::ShaBlocks blocks{sha.ChainingWords(), rest.data(), rest.size() / kShaBlockBytes};
  XetHash hash;
  size_t taken = internal::PairedHash(kChunkKey, bytes, blocks, &hash);
  sha.NoteBlocks(taken);
  sha.Update(rest.substr(taken * kShaBlockBytes));
  return hash;
}

XetHash HashVerification(std::span<const XetHash> chunk_hashes) {
  static_assert(sizeof(XetHash) == XetHash::kBytes);
  return Blake3Keyed(kVerificationKey, {reinterpret_cast<const char*>(chunk_hashes.data()),
                                        chunk_hashes.size_bytes()});
}

XetHash ProtectHash(const Blake3Key& key, const XetHash& chunk_hash) {
  return Blake3Keyed(key, chunk_hash.raw());
}

void MerkleAggregator::Add(const XetHash& hash, uint64_t bytes) {
  total_bytes_ += bytes;
  ++leaves_;
  AddAt(0, {hash, bytes});
}

void MerkleAggregator::AddAt(size_t level, const Node& node) {
  if (level == levels_.size()) levels_.emplace_back();
  Level& at = levels_[level];
  at.pending.push_back(node);
  ++at.seen;
  size_t members = at.pending.size();
  bool closes = members >= kGroupMin && node.hash.Tail() % kGroupDivisor == 0;
  if (closes || members == kGroupMax) CloseGroup(level);
}

void MerkleAggregator::CloseGroup(size_t level) {
  std::string text;
  uint64_t bytes = 0;
  for (const Node& node : levels_[level].pending) {
    text += node.hash.Text() + " : " + std::to_string(node.bytes) + "\n";
    bytes += node.bytes;
  }
  levels_[level].pending.clear();
  AddAt(level + 1, {Blake3Keyed(kNodeKey, text), bytes});
}

XetHash MerkleAggregator::FinishXorb() {
  for (size_t level = 0; level < levels_.size(); ++level) {
    // A level that ever held one node only is the root; a lone trailing node is still a group.
    if (levels_[level].seen == 1) return levels_[level].pending.front().hash;
    if (!levels_[level].pending.empty()) CloseGroup(level);
  }
  return XetHash();
}

XetHash MerkleAggregator::FinishFile() {
  if (leaves_ == 0) return XetHash();
  return Blake3Keyed(kFileKey, FinishXorb().raw());
}

}  // namespace hearth::storage
