// Repositories: life cycle, settings, lookup with access check, and what every ref change must do.
// Thread-safe.
//
// All records are kept in memory (RepoRecord snapshots) so that the hot routes need no SQL; the
// database is written first.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "hub/accounts.h"
#include "hub/actor.h"
#include "hub/repo_record.h"
#include "hub/sweep_lock.h"
#include "storage/db/database.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {

struct NewRepo {
  RepoType type = RepoType::kModel;
  std::string owner;  // "" = the actor
  std::string name;
  bool is_private = false;
  std::string license;  // goes into README front matter when set
  std::vector<std::pair<std::string, std::string>>
      files;   // path, content: part of the first commit
  Json space;  // sdk, hardware, ... for Spaces: kept in settings
};

struct RepoSettings {  // nullopt = leave
  std::optional<bool> is_private;
  std::optional<Gated> gated;
  std::optional<bool> discussions_disabled;
  std::optional<bool> disabled;  // by the hub's administrators only: no route sets it
};

// Held by whoever changes one repository: one thread of this process at a time, and no garbage
// collector, maybe in another process, in between. Lockable.
class RepoWriter {
 public:
  explicit RepoWriter(const std::filesystem::path& git_folder);
  void lock();
  void unlock();

 private:
  std::mutex mutex_;
  SweepLock references_;
  SweepLock::Guard guard_;
};

enum class GatePass { kGranted, kNone };

// Told about every change after it is durable; called on the thread that made it.
class RepoObserver {
 public:
  virtual ~RepoObserver() = default;
  virtual void OnRepoChanged(
      const RepoPtr& before,
      const RepoPtr& after) = 0;  // before null = created, after null = deleted
  // A ref moved (commit, push, branch, squash). `ref` full name; nullopt new = deleted.
  virtual void OnRefChanged(const RepoPtr& repo, const std::string& ref,
                            const std::optional<GitOid>& now) = 0;
};

class Repos {
 public:
  Repos(storage::Database& db, Accounts& accounts, Clock& clock, std::filesystem::path git_root);
  ~Repos();
  void AddObserver(RepoObserver* observer);  // before use; not owned

  // The gate. `id` is "ns/name" or a one-part alias. Throws as table 0.3 of the wire reference
  // demands:
  //  kUnauthenticated+RepoNotFound (anonymous) or kNotFound+RepoNotFound (signed in) for missing or
  //  not visible alike, GatedRepo 401/403, kForbidden without code for a known repository but too
  //  small a right, kForbidden "Access to this resource is disabled." for a disabled one, and
  //  kMoved with detail "to" when the repository was renamed and the caller may see it.
  RepoHandle Open(const Actor& actor, RepoType type, std::string_view id, Right needed) const;
  // The same for a record that Find has just given.
  RepoHandle Open(const Actor& actor, const RepoPtr& found, Right needed) const;
  // Whether Open would succeed.
  bool May(const Actor& actor, int64_t repo_id, Right needed) const;
  // Same lookup without the gate, for the system itself (jobs, fsck, lists that filter themselves).
  RepoPtr Find(RepoType type, std::string_view owner, std::string_view name) const;
  RepoPtr FindById(int64_t id) const;
  RepoHandle OpenAsSystem(const RepoPtr& record) const;
  void ForEach(const std::function<void(const RepoPtr&)>& each) const;            // a snapshot
  std::vector<RepoPtr> OwnedBy(int64_t owner_id, size_t limit = SIZE_MAX) const;  // in no order
  // How many repositories of an owner the actor may see, by type. Kept: O(1) whatever their number.
  struct OwnedCounts {
    int64_t of[3] = {};  // by RepoType
    int64_t all() const { return of[0] + of[1] + of[2]; }
  };
  OwnedCounts CountOwned(const Actor& actor, int64_t owner_id) const;
  // "gpt2" -> "openai-community/gpt2" when such an alias exists for the type.
  std::optional<std::string> FindAlias(RepoType type, std::string_view one_part) const;
  void SetAlias(RepoType type, std::string_view one_part, int64_t repo_id);

  // Throws kConflict with detail "url"-less id (detail "id" = "ns/name") when it exists, kForbidden
  // for a foreign namespace.
  RepoHandle Create(const Actor& actor, const NewRepo& repo);
  void Delete(const RepoHandle& repo);  // Right::kAdmin
  // `to` = "ns/name". The old id answers kMoved afterwards until a new repository takes it.
  // kConflict when `to` exists.
  void Move(const Actor& actor, const RepoHandle& repo, std::string_view to);  // Right::kAdmin
  void UpdateSettings(const RepoHandle& repo, const RepoSettings& settings);   // Right::kAdmin
  // Lets a user through the repository's gate, or takes that back; kept while it is not gated.
  // Right::kAdmin.
  void SetGatePass(const RepoHandle& repo, int64_t user_id, GatePass pass);
  RepoHandle Duplicate(const Actor& actor, const RepoHandle& source, const NewRepo& target);

  // Serialises writers of one repository inside this process: hold it around check-then-commit.
  std::unique_lock<RepoWriter> LockForWrite(const RepoRecord& repo) const;
  // Keeps garbage collection away from the repository while its refs may move to objects that were
  // checked before; any number at a time. For pushes, which take no write lock.
  SweepLock::Guard GuardReferences(const RepoRecord& repo) const;
  // Before handing a repository to a foreign writer (git receive-pack): durably marks its index as
  // stale, so that a crash in the middle is noticed at the next start.
  void MarkIndexStale(const RepoHandle& repo);
  // After refs moved: brings record, database and observers up to date (head, modified_at,
  // version). Reads the refs itself; `before` are the refs as they were. Idempotent.
  void AfterRefsChanged(const RepoHandle& repo, const std::vector<storage::RefInfo>& before);
  // After facts were recomputed or counters moved: new version of the record.
  void Touch(int64_t repo_id, const std::function<void(RepoRecord&)>& change);
  // Counters and the marks of MarkIndexStale that have been answered (write-behind; flushed by the
  // background thread). For the serving process only.
  void CountDownload(int64_t repo_id);
  void FlushCounters();

  std::filesystem::path GitFolder(const RepoRecord& repo) const;
  // For fsck: makes the row of a git folder (under the git root, in its usual place) that lost it,
  // from the hearth.json in it. kInvalidArgument when that file is unusable, kNotFound when its
  // owner does not exist, kConflict when its name is taken.
  RepoHandle Adopt(const std::filesystem::path& git_folder);
  // For fsck: (re)writes hearth.json when it does not say what the record says; true if it did.
  bool RefreshRepoFile(const RepoRecord& repo);
  void Reload();  // another process changed the database

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Settings and like state as kept in the `settings` column (Space sdk and so on). Read on demand.
Json ReadRepoSettingsJson(storage::Database& db, int64_t repo_id);

}  // namespace hearth::hub
