// Everything that must be true of an uploaded shard before anybody sees its files (docs/protocols/
// xet.md). Used once, by one thread.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "hub/internal/xet_ahead.h"
#include "hub/xet_index.h"
#include "storage/xet/shard.h"

namespace hearth::hub {

class ShardCheck {
 public:
  // What is known of who sends it.
  struct Sender {
    int64_t user_id = 0;
    // The form of the xorb that it knows, and which of its chunks: empty for all (it has sent the
    // xorb). nullopt: it may not name it. Garbage collection must not take it from then on.
    struct Usable {
      storage::XorbForm form;
      std::vector<bool> chunks = {};
    };
    std::function<std::optional<Usable>(const storage::XetHash&)> find_xorb;
    // The file that it may know to have been proved before. Any other is proved again, and the time
    // that takes says nothing about others.
    std::function<std::optional<XetFile>(const storage::XetHash&)> find_file;
  };
  using Progress = std::function<void(uint64_t verified, uint64_t total)>;

  // Of one shard. A short list of terms may repeat a xorb without end.
  struct Limits {
    // As many as a shard has room for files; a client may have made all its chunks to be asked for.
    size_t dedup_chunks = 500'000;
    // Of contents to read back, each counted once: a core takes a quarter of an hour.
    uint64_t proved_bytes = 1'000'000'000'000;
  };

  ShardCheck(const XetIndex& index, XetAhead& ahead, Sender sender)
      : ShardCheck(index, ahead, std::move(sender), Limits()) {}
  ShardCheck(const XetIndex& index, XetAhead& ahead, Sender sender, const Limits& limits)
      : index_(index), ahead_(ahead), sender_(std::move(sender)), limits_(limits) {}

  // The shard's files, with proved SHA-256. Throws kInvalidArgument for every lie, kTooLarge above
  // the limits.
  std::vector<XetIndex::NewFile> Run(const storage::Shard& shard, const Progress& progress);

 private:
  // The form that the sender means, its index, and the chunks that may be named (nullptr = all).
  struct Named {
    storage::XorbForm form;
    storage::XorbIndexPtr index;
    const std::vector<bool>* chunks;
  };
  Named Find(const storage::XetHash& xorb);
  XetIndex::NewFile CheckFile(const storage::ShardFile& file);
  void PlanProofs(const std::vector<XetIndex::NewFile>& files);
  void ProveContent(const XetIndex::NewFile& file, const Progress& progress);

  const XetIndex& index_;
  XetAhead& ahead_;
  const Sender sender_;
  const Limits limits_;
  std::unordered_map<storage::XetHash, std::optional<Sender::Usable>> usable_;
  std::vector<const XetIndex::NewFile*> to_prove_;  // each pair of hashes once
  uint64_t chunks_walked_ = 0;
  size_t dedup_chunks_ = 0;
  uint64_t verified_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace hearth::hub
