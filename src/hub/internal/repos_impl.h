// The state behind Repos, shared by its source files (repos*.cc).
//
// Locks, outermost first: a repository's write lock (LockForWrite), `change` (one record change at
// a time: database row, then map, then observers, so that all three see changes in one order),
// `maps` (the maps themselves, held only for look-ups and single replacements). `change` is
// recursive because an observer may change a record in turn.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/repos.h"

namespace hearth::hub {

// Looks up std::string keys by string_view without a copy.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// Records by RepoKey, which stands in no string of its own: of a million that would be 100 MB. The
// hashes are kept (the hash is not noexcept), so that growing computes none.
struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  size_t operator()(const RepoPtr& record) const {
    return (*this)(std::string_view(RepoKey(record->owner, record->name)));
  }
};
struct KeyEqual {
  using is_transparent = void;
  bool operator()(std::string_view key, const RepoPtr& record) const {
    return key.size() == record->owner.size() + 1 + record->name.size() &&
           key == RepoKey(record->owner, record->name);
  }
  bool operator()(const RepoPtr& record, std::string_view key) const {
    return (*this)(key, record);
  }
  bool operator()(const RepoPtr& a, const RepoPtr& b) const {
    return a == b || (*this)(std::string_view(RepoKey(a->owner, a->name)), b);
  }
};

struct RepoMaps {
  std::unordered_map<int64_t, RepoPtr> by_id;
  std::unordered_set<RepoPtr, KeyHash, KeyEqual> by_key[3];  // per type
  TextMap<int64_t> moves[3];                                 // former RepoKey
  TextMap<int64_t> aliases[3];                               // lower-case one-part id
  struct Owned {
    std::unordered_set<int64_t> ids;
    int64_t open[3] = {}, hidden[3] = {};  // how many of them are public and private, by type
  };
  std::unordered_map<int64_t, Owned> by_owner;

  void Reserve(RepoType type, size_t count);
  void Put(const RepoPtr& record);  // adds or replaces
  // `record`: as it was put.
  void Remove(const RepoRecord& record);
};

std::filesystem::path GitFolderIn(const std::filesystem::path& git_root, const RepoRecord& record);

struct Repos::Impl {
  Impl(storage::Database& database, Accounts& accounts_in, Clock& clock_in,
       std::filesystem::path root)
      : db(database),
        accounts(accounts_in),
        clock(clock_in),
        git_root(std::make_shared<const std::filesystem::path>(std::move(root))) {}

  storage::Database& db;
  Accounts& accounts;
  Clock& clock;
  std::shared_ptr<const std::filesystem::path> git_root;  // shared with the handles
  std::vector<RepoObserver*> observers;

  mutable std::shared_mutex maps_mutex;
  RepoMaps maps;

  mutable std::recursive_mutex change;
  // Repositories whose index_stale is set in the database, and how many writers are between
  // MarkIndexStale and AfterRefsChanged; under `change`. A mark stays until the next FlushCounters,
  // so that a series of commits pays for one durable mark and not for one each.
  std::unordered_map<int64_t, int> stale_marks;

  mutable std::mutex writers_mutex;
  mutable std::unordered_map<int64_t, std::unique_ptr<RepoWriter>> writers;

  std::mutex counters_mutex;
  std::unordered_map<int64_t, int64_t> downloads;  // not yet in the database

  RepoPtr FindById(int64_t id) const;
  RepoPtr FindByKey(RepoType type, std::string_view key) const;
  void Store(const RepoPtr& record);
  void NotifyChanged(const RepoPtr& before, const RepoPtr& after);
  void NotifyRef(const RepoPtr& repo, const std::string& ref, const std::optional<GitOid>& now);

  RepoMaps Load() const;
  // Rows whose git may have moved without them (a crash in the middle of a push).
  void RecheckStaleHeads();
  // Takes back the marks of repositories that nobody is writing to.
  void ClearStaleMarks();

  // Applies `change_record` to a copy of the record, writes it with version + 1 to the database,
  // publishes and notifies. `more` runs in the same transaction. Returns the new record.
  RepoPtr ChangeRecord(int64_t id, const std::function<void(RepoRecord&)>& change_record,
                       const std::function<void(storage::Connection&)>& more = {});
  // Checks that the actor may make `repo`, and resolves its owner.
  RepoRecord PlanNew(const Actor& actor, const NewRepo& repo) const;
  // Row, map, hearth.json and observers of a repository whose git folder is there.
  RepoPtr Publish(RepoRecord record, const Json& settings,
                  const std::function<void(storage::Connection&, int64_t id)>& more = {});
  void RemoveGitFolder(const std::filesystem::path& folder) const;
  std::filesystem::path GitFolder(const RepoRecord& record) const {
    return GitFolderIn(*git_root, record);
  }
  enum class Reached { kByName, kByFormerName };
  // What the actor may do; throws as Repos::Open says when that is less than `needed`.
  Right Admit(const Actor& actor, const RepoRecord& record, Reached reached, Right needed) const;
};

// hearth.json beside HEAD in each git folder: what the database row says, so that `hearth fsck
// --repair` can adopt a repository whose row was lost. Written after the row and therefore absent
// in the leavings of an interrupted creation.
inline constexpr std::string_view kRepoFile = "hearth.json";
// Made durable before a row is deleted: a folder that has it and no row is garbage, never adopted.
inline constexpr std::string_view kDeletedFile = "hearth.deleted";
// The file in each git folder that is locked, shared, by whoever may move refs (RepoWriter, pushes)
// and alone by the garbage collector while it takes grants back.
inline SweepLock ReferenceLock(const std::filesystem::path& git_folder) {
  return SweepLock(git_folder / "hearth.references");
}
void WriteRepoFile(const std::filesystem::path& git_folder, const RepoRecord& record);

std::string_view GatedText(Gated gated);  // "", "auto", "manual"
Gated ParseGated(std::string_view text);

// The columns of ReadRepoRow, for "SELECT <columns> FROM repos r JOIN accounts a ON a.id =
// r.owner_id".
inline constexpr std::string_view kRepoColumns =
    "r.id, r.oid, r.type, r.owner_id, a.name, r.name, r.creator_id, r.private, r.gated, "
    "r.disabled, r.discussions_disabled, r.created_at, r.modified_at, r.head, r.downloads, "
    "r.downloads_all, r.likes, r.used_bytes, r.version";
RepoRecord ReadRepoRow(const storage::Row& row);

// Author lines show the hub's name of a user, never the private e-mail address.
storage::Signature MakeSignature(const Actor& actor, TimePoint now);

}  // namespace hearth::hub
