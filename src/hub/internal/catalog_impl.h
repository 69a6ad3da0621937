// The parts of Catalog that its source files share.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "hub/catalog.h"
#include "hub/internal/catalog_table.h"

namespace hearth::hub {

// A shared mutex whose writers get their turn: std::shared_mutex lets new readers in while a writer
// waits, and under a steady load of lists an update would wait for ever.
class FairSharedMutex {
 public:
  void lock() {
    std::lock_guard turn(turn_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    std::lock_guard turn(turn_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;  // held by a waiting writer: readers queue behind it
  std::shared_mutex mutex_;
};

// Facts by (repository, commit), least recently used first out, bounded by bytes. Thread-safe.
class FactsCache {
 public:
  explicit FactsCache(size_t max_bytes) : max_bytes_(max_bytes) {}
  FactsPtr Find(int64_t repo_id, const GitOid& commit);
  void Put(int64_t repo_id, const FactsPtr& facts);
  void Forget(int64_t repo_id);

 private:
  struct Entry {
    std::string key;
    FactsPtr facts;
    size_t bytes;
  };
  static std::string Key(int64_t repo_id, const GitOid& commit);
  void Evict();

  std::mutex mutex_;
  std::list<Entry> entries_;  // most recent first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  size_t bytes_ = 0;
  const size_t max_bytes_;
};

// Counts for anonymous callers by everything that they depend on, oldest out first. Thread-safe.
class FacetCache {
 public:
  std::shared_ptr<const Facets> Find(const std::string& key) const;
  void Put(const std::string& key, std::shared_ptr<const Facets> facets);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Facets>> by_key_;
  std::deque<std::string> order_;
};

struct Catalog::Impl {
  Impl(storage::Database& d, Repos& r, Objects& o, Clock& c, ModelJudge j);

  void Load();
  void LoadRecentLikes();
  CatalogTable& TableOf(RepoType type) { return tables[static_cast<size_t>(type)]; }
  const CatalogTable& TableOf(RepoType type) const { return tables[static_cast<size_t>(type)]; }
  // Holds the lock shared with an order for `key` that is up to date, building it if needed.
  std::shared_lock<FairSharedMutex> LockWithOrder(RepoType type, SortKey key);

  void Enqueue(int64_t repo_id);
  FactsPtr LoadStored(const RepoRecord& repo, const GitOid& commit);
  // False when the repository is no longer at that commit.
  bool Store(const RepoRecord& repo, const RepoFacts& facts, const FactsColumns& columns);

  storage::Database& db;
  Repos& repos;
  Objects& objects;
  Clock& clock;
  const ModelJudge judge;

  mutable FairSharedMutex mutex;  // tables
  std::array<CatalogTable, 3> tables{CatalogTable(RepoType::kModel),
                                     CatalogTable(RepoType::kDataset),
                                     CatalogTable(RepoType::kSpace)};
  mutable FacetCache facet_cache;
  std::mutex store_mutex;
  std::atomic<uint64_t> link_generation{1};
  FactsCache cache{64u << 20};

  mutable std::mutex queue_mutex;
  mutable std::condition_variable queue_changed;
  std::deque<int64_t> queue;
  std::unordered_set<int64_t> queued;
  size_t running = 0;
  bool stopping = false;
  std::vector<int64_t> stale_at_load;
  std::thread worker;
};

}  // namespace hearth::hub
