// Everything that must be true of an uploaded shard before anybody sees its files (docs/protocols/
// xet.md). Used once, by one thread.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "hub/xet_index.h"
#include "storage/xet/shard.h"

namespace hearth::hub {

class ShardCheck {
 public:
  // May the sender name this xorb? True must also keep it from garbage collection.
  using IsUsable = std::function<bool(const storage::XetHash&)>;
  using Progress = std::function<void(uint64_t verified, uint64_t total)>;

  ShardCheck(const XetIndex& index, IsUsable is_usable)
      : index_(index), is_usable_(std::move(is_usable)) {}

  // The shard's files, with proved SHA-256. Throws kInvalidArgument for every lie, kTooLarge above
  // the limits.
  std::vector<XetIndex::NewFile> Run(const storage::Shard& shard, const Progress& progress);

 private:
  storage::XorbIndexPtr IndexOf(const storage::XetHash& xorb);
  XetIndex::NewFile CheckFile(const storage::ShardFile& file);
  void ProveContent(const XetIndex::NewFile& file, const Progress& progress);

  const XetIndex& index_;
  IsUsable is_usable_;
  std::unordered_map<storage::XetHash, bool> usable_;
  uint64_t chunks_walked_ = 0;
  uint64_t verified_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace hearth::hub
