// Changes of existing repositories: records, refs, settings, names, removal.
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "hub/access.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {
namespace {

// One "column = ?" per difference, so that a change never writes back what another process changed
// meanwhile.
class ColumnChanges {
 public:
  template <typename T>
  void Compare(std::string_view column, const T& before, const T& after, storage::DbValue value) {
    if (before == after) return;
    sql_ += std::string(column) + " = ?, ";
    args_.push_back(std::move(value));
  }
  void Apply(storage::Connection& connection, int64_t id) {
    args_.emplace_back(id);
    connection.Exec("UPDATE repos SET " + sql_ + "version = version + 1 WHERE id = ?", args_);
  }

 private:
  std::string sql_;
  storage::DbArgs args_;
};

ColumnChanges CompareRecords(const RepoRecord& before, const RepoRecord& after) {
  ColumnChanges changes;
  changes.Compare("owner_id", before.owner_id, after.owner_id, after.owner_id);
  changes.Compare("name", before.name, after.name, after.name);
  changes.Compare("name_lower", before.name, after.name, AsciiLower(after.name));
  changes.Compare("private", before.is_private, after.is_private, after.is_private);
  changes.Compare("gated", before.gated, after.gated, GatedText(after.gated));
  changes.Compare("disabled", before.disabled, after.disabled, after.disabled);
  changes.Compare("discussions_disabled", before.discussions_disabled, after.discussions_disabled,
                  after.discussions_disabled);
  changes.Compare("modified_at", before.modified_at, after.modified_at,
                  ToUnixMillis(after.modified_at));
  changes.Compare("head", before.head, after.head,
                  after.head ? storage::DbValue(after.head->Hex()) : storage::DbValue());
  changes.Compare("downloads", before.downloads, after.downloads, after.downloads);
  changes.Compare("downloads_all", before.downloads_all, after.downloads_all, after.downloads_all);
  changes.Compare("likes", before.likes, after.likes, after.likes);
  changes.Compare("used_bytes", before.used_bytes, after.used_bytes, after.used_bytes);
  return changes;
}

using RefMoves = std::vector<std::pair<std::string, std::optional<GitOid>>>;

// Both lists are sorted by name.
RefMoves CompareRefs(const std::vector<storage::RefInfo>& before,
                     const std::vector<storage::RefInfo>& after) {
  RefMoves moves;
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->name < now->name)) {
      moves.emplace_back(old++->name, std::nullopt);
    } else if (old == before.end() || now->name < old->name) {
      moves.emplace_back(now->name, now->target);
      ++now;
    } else {
      if (old->target != now->target) moves.emplace_back(now->name, now->target);
      ++old;
      ++now;
    }
  }
  return moves;
}

[[noreturn]] void ThrowGone() {
  throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
}

}  // namespace

void Repos::Impl::NotifyChanged(const RepoPtr& before, const RepoPtr& after) {
  for (RepoObserver* observer : observers) observer->OnRepoChanged(before, after);
}

void Repos::Impl::NotifyRef(const RepoPtr& repo, const std::string& ref,
                            const std::optional<GitOid>& now) {
  for (RepoObserver* observer : observers) observer->OnRefChanged(repo, ref, now);
}

void Repos::Impl::Store(const RepoPtr& record) {
  std::unique_lock lock(maps_mutex);
  maps.Put(record);
}

RepoPtr Repos::Impl::ChangeRecord(int64_t id, const std::function<void(RepoRecord&)>& change_record,
                                  const std::function<void(storage::Connection&)>& more) {
  std::lock_guard lock(change);
  RepoPtr before = FindById(id);
  if (!before) ThrowGone();
  auto after = std::make_shared<RepoRecord>(*before);
  change_record(*after);
  after->version = before->version + 1;
  ColumnChanges columns = CompareRecords(*before, *after);
  db.Write([&](storage::Connection& c) {
    columns.Apply(c, id);
    if (more) more(c);
  });
  RepoPtr published = std::move(after);
  Store(published);
  NotifyChanged(before, published);
  return published;
}

void Repos::Touch(int64_t repo_id, const std::function<void(RepoRecord&)>& change) {
  std::lock_guard lock(impl_->change);
  if (impl_->FindById(repo_id)) impl_->ChangeRecord(repo_id, change);
}

void Repos::MarkIndexStale(const RepoHandle& repo) {
  std::lock_guard lock(impl_->change);
  int64_t id = repo.record().id;
  if (!impl_->stale_marks.contains(id)) {
    impl_->db.Write([&](storage::Connection& c) {
      c.Exec("UPDATE repos SET index_stale = 1 WHERE id = ?", {id});
    });
  }
  ++impl_->stale_marks[id];
}

void Repos::Impl::ClearStaleMarks() {
  std::lock_guard lock(change);
  std::vector<int64_t> settled;
  for (const auto& [id, writers_under_way] : stale_marks) {
    if (writers_under_way == 0) settled.push_back(id);
  }
  if (settled.empty()) return;
  db.Write([&](storage::Connection& c) {
    for (int64_t id : settled) c.Exec("UPDATE repos SET index_stale = 0 WHERE id = ?", {id});
  });
  for (int64_t id : settled) stale_marks.erase(id);
}

void Repos::AfterRefsChanged(const RepoHandle& repo, const std::vector<storage::RefInfo>& before) {
  int64_t id = repo.record().id;
  std::lock_guard lock(impl_->change);
  RepoPtr record = impl_->FindById(id);
  if (!record) ThrowGone();
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  RefMoves moves = CompareRefs(before, git.ListRefs());
  std::optional<GitOid> head = git.FindRef("refs/heads/main");
  if (!moves.empty() || head != record->head) {
    TimePoint now = impl_->clock.Now();
    record = impl_->ChangeRecord(id, [&](RepoRecord& changed) {
      changed.head = head;
      changed.modified_at = now;
    });
  }
  auto mark = impl_->stale_marks.find(id);
  if (mark != impl_->stale_marks.end() && mark->second > 0) --mark->second;
  for (const auto& [ref, target] : moves) impl_->NotifyRef(record, ref, target);
}

void Repos::UpdateSettings(const RepoHandle& repo, const RepoSettings& settings) {
  repo.Require(Right::kAdmin);
  RepoPtr changed = impl_->ChangeRecord(repo.record().id, [&](RepoRecord& record) {
    if (settings.is_private) record.is_private = *settings.is_private;
    if (settings.gated) record.gated = *settings.gated;
    if (settings.discussions_disabled) record.discussions_disabled = *settings.discussions_disabled;
    if (settings.disabled) record.disabled = *settings.disabled;
  });
  WriteRepoFile(repo.git_folder(), *changed);
}

void Repos::SetGatePass(const RepoHandle& repo, int64_t user_id, GatePass pass) {
  repo.Require(Right::kAdmin);
  int64_t repo_id = repo.record().id;
  impl_->db.Write([&](storage::Connection& c) {
    if (pass == GatePass::kNone) {
      c.Exec("DELETE FROM gate_requests WHERE repo_id = ? AND user_id = ?", {repo_id, user_id});
      return;
    }
    c.Exec(
        "INSERT INTO gate_requests (repo_id, user_id, status, created_at) "
        "VALUES (?, ?, 'accepted', ?) "
        "ON CONFLICT (repo_id, user_id) DO UPDATE SET status = excluded.status",
        {repo_id, user_id, ToUnixMillis(impl_->clock.Now())});
  });
}

void Repos::Move(const Actor& actor, const RepoHandle& repo, std::string_view to) {
  repo.Require(Right::kAdmin);
  RepoId target = ParseRepoId(to);
  AccountPtr owner = impl_->accounts.FindByName(target.owner);
  if (!owner || !MayCreateIn(actor, owner->id)) {
    throw Error(
        Code::kForbidden,
        "You don't have the rights to move a repository to the namespace \"" + target.owner + "\"");
  }
  std::lock_guard lock(impl_->change);
  RepoPtr before = impl_->FindById(repo.record().id);
  if (!before) ThrowGone();
  std::string from_key = RepoKey(before->owner, before->name);
  std::string to_key = RepoKey(owner->name, target.name);
  RepoPtr taken = impl_->FindByKey(before->type, to_key);
  if (taken && taken->id != before->id) {
    throw Error(Code::kConflict, "A repository with this name exists already: " + taken->FullName())
        .With("id", taken->FullName());
  }
  std::string type(SingularName(before->type));
  int index = static_cast<int>(before->type);
  bool renamed = from_key != to_key;
  RepoPtr changed = impl_->ChangeRecord(
      before->id,
      [&](RepoRecord& record) {
        record.owner_id = owner->id;
        record.owner = owner->name;
        record.name = target.name;
        record.modified_at = impl_->clock.Now();
      },
      [&](storage::Connection& c) {
        if (!renamed) return;
        c.Exec("DELETE FROM repo_moves WHERE type = ? AND from_lower = ?", {type, to_key});
        c.Exec(
            "INSERT INTO repo_moves (type, from_lower, repo_id) VALUES (?, ?, ?) "
            "ON CONFLICT (type, from_lower) DO UPDATE SET repo_id = excluded.repo_id",
            {type, from_key, before->id});
      });
  if (renamed) {
    std::unique_lock maps_lock(impl_->maps_mutex);
    impl_->maps.moves[index].erase(to_key);
    impl_->maps.moves[index][from_key] = before->id;
  }
  WriteRepoFile(repo.git_folder(), *changed);
}

void Repos::Impl::RemoveGitFolder(const std::filesystem::path& folder) const {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return;
  // One rename takes it out of the way, however long the removal then takes.
  std::filesystem::path trash =
      git_root->parent_path() / "tmp" / ("trash-" + HexEncode(RandomBytes(8)));
  std::filesystem::create_directories(trash.parent_path(), error);
  std::filesystem::rename(folder, trash, error);
  if (!error) std::filesystem::remove_all(trash, error);
  if (error) {
    log::Warning("the files of a removed repository are still there; hearth fsck reports them",
                 {{"folder", folder.string()}, {"reason", error.message()}});
  }
}

void Repos::Delete(const RepoHandle& repo) {
  repo.Require(Right::kAdmin);
  std::unique_lock writer = LockForWrite(repo.record());
  int64_t id = repo.record().id;
  {
    std::lock_guard lock(impl_->change);
    RepoPtr before = impl_->FindById(id);
    if (!before) ThrowGone();
    // Without its folder a repository can still be removed.
    std::error_code ignored;
    if (std::filesystem::exists(repo.git_folder(), ignored)) {
      WriteFileDurably(repo.git_folder() / kDeletedFile, "");
    }
    impl_->db.Write(
        [&](storage::Connection& c) { c.Exec("DELETE FROM repos WHERE id = ?", {id}); });
    {
      std::unique_lock maps_lock(impl_->maps_mutex);
      impl_->maps.Remove(*before);
      int index = static_cast<int>(before->type);
      std::erase_if(impl_->maps.moves[index],
                    [&](const auto& entry) { return entry.second == id; });
      std::erase_if(impl_->maps.aliases[index],
                    [&](const auto& entry) { return entry.second == id; });
    }
    impl_->stale_marks.erase(id);
    impl_->NotifyChanged(before, nullptr);
  }
  impl_->RemoveGitFolder(repo.git_folder());
}

void Repos::FlushCounters() {
  impl_->ClearStaleMarks();
  std::unordered_map<int64_t, int64_t> pending;
  {
    std::lock_guard lock(impl_->counters_mutex);
    pending.swap(impl_->downloads);
  }
  if (pending.empty()) return;
  std::lock_guard lock(impl_->change);
  try {
    impl_->db.Write([&](storage::Connection& c) {
      for (const auto& [id, count] : pending) {
        c.Exec(
            "UPDATE repos SET downloads = downloads + ?, downloads_all = downloads_all + ?, "
            "version = version + 1 WHERE id = ?",
            {count, count, id});
      }
    });
  } catch (...) {
    std::lock_guard counters(impl_->counters_mutex);
    for (const auto& [id, count] : pending) impl_->downloads[id] += count;
    throw;
  }
  for (const auto& [id, count] : pending) {
    RepoPtr before = impl_->FindById(id);
    if (!before) continue;
    auto after = std::make_shared<RepoRecord>(*before);
    after->downloads += count;
    after->downloads_all += count;
    after->version = before->version + 1;
    impl_->Store(after);
    impl_->NotifyChanged(before, after);
  }
}

}  // namespace hearth::hub
