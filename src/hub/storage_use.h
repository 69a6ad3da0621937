// How much room content takes: nominal (what a repository's objects add up to), deduplicated (what
// is stored for it, each piece once) and shared (the part of that which somebody else needs, too).
// Trash and git's own files are not counted. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hub/hub.h"

namespace hearth::hub {

struct StorageUse {
  uint64_t nominal_bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t shared_bytes = 0;
};

struct StorageReport {
  std::map<int64_t, StorageUse> repos;    // by repository id
  std::map<int64_t, StorageUse> buckets;  // by bucket id
  // By account id; shared = needed by other accounts, too.
  std::map<int64_t, StorageUse> owners;
  StorageUse total;
};

// Reads every grant and every use of a xorb once: seconds for a million, so for operators.
StorageReport ReadStorageUse(Hub& hub);

// The report in short, for a page that is opened often: whoever asks gets the last one, and an old
// one is counted again beside them. Thread-safe.
class StorageCounter {
 public:
  static constexpr size_t kLargest = 100;
  static constexpr std::chrono::minutes kFresh{1};
  using Row = std::pair<int64_t, StorageUse>;
  struct Short {
    StorageUse total;
    std::vector<Row> repos, owners;  // by id; the largest by what is stored, at most kLargest
    TimePoint counted_at;
  };

  explicit StorageCounter(Hub& hub) : hub_(hub) {}
  ~StorageCounter();  // waits for a count that is under way
  // Waits for the first one at most so long (a small hub is counted within); nullptr when it is
  // still being counted.
  std::shared_ptr<const Short> Latest(
      std::chrono::milliseconds patience = std::chrono::milliseconds(10));
  void WaitIdle();

 private:
  std::shared_ptr<const Short> CountNow() const;
  void StartCounting();  // under mutex_

  Hub& hub_;
  std::mutex mutex_;
  std::condition_variable counted_;
  std::shared_ptr<const Short> latest_;
  std::thread counting_;
  bool busy_ = false;  // counting_ is at work
};

// The sizes of the objects that one repository holds, or of the files at main where that is more
// (`main_bytes`, from the catalog): what clients see as usedStorage.
uint64_t UsedStorage(storage::Database& db, int64_t repo_id, uint64_t main_bytes);
// The sizes of the objects that each repository of an owner holds, in one query; those without any
// are left out.
std::unordered_map<int64_t, uint64_t> HeldByReposOf(storage::Database& db, int64_t owner_id);

}  // namespace hearth::hub
