// The parts of Safety that its source files share: the table (safety_table.cc), the work
// (safety_work.cc) and what a start has to find out (safety_catch_up.cc).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/safety/safety.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

inline constexpr std::string_view kMainRef = "refs/heads/main";

// The column `pending`.
inline constexpr int kNotPending = 0;
inline constexpr int kPending = 1;
inline constexpr int kRunning = 2;

inline storage::DbValue ContentValue(std::string_view bytes) {
  return storage::BlobValue{std::string(bytes)};
}

// The column `kind` of a repository's own row: the kind, "@" and the repository. Kinds have
// letters, digits and dots only.
inline constexpr char kOwnMark = '@';
inline std::string OwnKind(std::string_view kind, int64_t repo_id) {
  return std::string(kind) + kOwnMark + std::to_string(repo_id);
}
inline std::string KindOf(std::string_view column) {
  return std::string(column.substr(0, column.find(kOwnMark)));
}

// A row that was taken for scanning.
struct WaitingScan {
  int64_t id = 0;
  std::string content;
  std::string kind;
  int64_t repo_id = 0;
  SafetyState before = SafetyState::kUnknown;
};

// What came of it.
struct ScanOutcome {
  int64_t id = 0;
  std::string content;
  SafetyState state = SafetyState::kError;
  Json report;
  std::string error;
};

// Answers about one blob of git whose repository is gone: their rows, and another repository that
// has the blob (0 = none).
struct UnheldAnswer {
  std::vector<int64_t> ids;
  int64_t holder = 0;
};
using UnheldAnswers = std::unordered_map<std::string, UnheldAnswer>;  // by content

struct Safety::Impl {
  Impl(const Parts& p, Quarantine q) : parts(p), policy(q) {}

  // --- the table
  void LoadUnsafe();
  void Recover();
  void Insert(const RepoRecord& repo, std::span<const SafetyKey> keys);
  std::vector<WaitingScan> TakeBatch();
  void Save(const std::vector<ScanOutcome>& done);
  // --- the work
  void Enqueue(int64_t repo_id, const std::string& ref);
  std::optional<std::pair<int64_t, std::string>> TakeRef();
  void ListRef(int64_t repo_id, const std::string& ref);
  std::vector<SafetyKey> NewFiles(const storage::GitRepository& git, int64_t repo_id,
                                  const std::string& ref, const GitOid& commit);
  std::unique_ptr<ByteSource> OpenContent(const WaitingScan& row);
  ScanOutcome ScanOne(const WaitingScan& row);
  bool ScanSome();
  // --- at start
  void LoadUncertain();
  bool EnqueueStaleMains(int64_t* after);
  std::vector<int64_t> TakeUnsure(int64_t* after);
  // How many. Throws for a repository that cannot be read.
  size_t EnqueueStaleRefs(const RepoRecord& repo);
  void CatchUpRepo(int64_t repo_id);
  void CatchUp();
  // Answers about large objects that the store no longer has, but for those that block.
  void DropForgotten();
  // How many were dropped; the others have a new holder.
  size_t Settle(const UnheldAnswers& answers);
  // --- the thread
  void Drain();
  void Run();

  Parts parts;
  const Quarantine policy;

  mutable std::shared_mutex unsafe_mutex;
  std::unordered_set<std::string> unsafe;  // contents
  std::atomic<size_t> unsafe_count{0};

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::set<int64_t> uncertain;  // repositories whose refs a crash may have moved
  std::deque<std::pair<int64_t, std::string>> refs;
  std::set<std::pair<int64_t, std::string>> ref_set;
  size_t listing = 0;  // refs that were taken and are not in the table yet
  bool work = true;    // rows may wait
  bool running = false;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

}  // namespace hearth::hub
