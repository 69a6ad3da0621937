// The index of tensors: for every file of weights on a main branch the records of its tensors
// (name, type, shape, place, digest, statistics), and which files hold a tensor of a digest.
//
// A thread of the lowest priority scans after each change of main; a kill costs the file that it
// was at, the next start goes on. A file is scanned once per content, but for one rule: the records
// of a private repository's file serve other owners' repositories no more than its bytes do, not
// even by how soon their index is complete. The index is never the truth: dropping its tables
// rebuilds it. Thread-safe. Errors of one repository are logged; the next change or start tries
// again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "hub/inspector/provenance/origins.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "storage/db/database.h"

namespace hearth::hub {

class TensorIndex : public RepoObserver {
 public:
  // What it reads and writes; all outlive it.
  struct Parts {
    storage::Database& db;
    Repos& repos;
    const Objects& objects;
    Clock& clock;
  };
  explicit TensorIndex(const Parts& parts);
  ~TensorIndex() override { Stop(); }

  // RepoObserver: queues what changed.
  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override;
  void OnRefChanged(const RepoPtr& repo, const std::string& ref,
                    const std::optional<GitOid>& now) override;

  // One thread. Start queues what is not up to date; Stop ends it within a piece of a file.
  void Start();
  void Stop();
  // Brings one repository up to date in the calling thread.
  void IndexNow(const RepoPtr& repo);
  // False on timeout.
  bool WaitIdle(std::chrono::milliseconds timeout) const;
  size_t Waiting() const;

  struct Stats {
    uint64_t scanned_files = 0;  // since the start
    uint64_t scanned_bytes = 0;  // of tensors
    uint64_t reused_files = 0;   // whose content was known
  };
  Stats stats() const;

  // What the index knows of a file that this repository holds or has held.
  std::optional<inspector::FileRecords> FindRecords(const RepoRecord& repo,
                                                    const inspector::RepoFile& file) const;
  // Repositories, but for `except`, whose main branch holds some of the tensors and whose content
  // `actor` may read; most shared first, at most 50.
  std::vector<inspector::TensorHolder> FindHolders(const Actor& actor, int64_t except_repo,
                                                   std::span<const inspector::TensorHash> hashes,
                                                   bool* more) const;

 private:
  struct File {
    std::string path;
    int64_t id = 0;
  };

  void Enqueue(int64_t repo_id);
  void Run();
  void DropForgotten();
  int64_t IndexFile(const RepoRecord& repo, const inspector::RepoView& view,
                    const inspector::RepoFile& file);
  std::optional<int64_t> FindReusable(const RepoRecord& repo, const std::string& content) const;
  int64_t StoreFile(const std::string& content, const inspector::FileRecords& records);
  bool StoreRepo(const RepoRecord& repo, const GitOid& commit, const std::vector<File>& files);

  Parts parts_;
  std::atomic<uint64_t> scanned_files_{0}, scanned_bytes_{0}, reused_files_{0};

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<int64_t> queue_;
  std::unordered_set<int64_t> queued_;
  size_t running_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// The index for one caller: what the inspector asks of it.
class CallerTensors : public inspector::StoredRecords, public inspector::TensorJoin {
 public:
  // `repo` is the one that is asked about; all outlive this.
  CallerTensors(const TensorIndex& index, const Repos& repos, const Actor& actor,
                const RepoRecord& repo)
      : index_(index), repos_(repos), actor_(actor), repo_(repo) {}

  std::optional<inspector::FileRecords> Find(const inspector::RepoView& view,
                                             const inspector::RepoFile& file) const override;
  std::vector<inspector::TensorHolder> FindHolders(std::span<const inspector::TensorHash> hashes,
                                                   bool* more) const override;

 private:
  const TensorIndex& index_;
  const Repos& repos_;
  const Actor& actor_;
  const RepoRecord& repo_;
};

}  // namespace hearth::hub
