#include "hub/repos.h"

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "hub/access.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {
namespace {

int Index(RepoType type) { return static_cast<int>(type); }

[[noreturn]] void ThrowMissing(const Actor& actor) {
  // Missing and not visible must not differ in anything.
  if (!actor.signed_in()) {
    throw Error(Code::kUnauthenticated, "Repository not found").WithWireCode("RepoNotFound");
  }
  throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
}

[[noreturn]] void ThrowGated(const Actor& actor, const RepoRecord& repo, bool pending) {
  std::string name = std::string(SingularName(repo.type)) + " " + repo.FullName();
  if (!actor.signed_in()) {
    throw Error(Code::kUnauthenticated,
                "Access to " + name +
                    " is restricted. You must have access to it and be authenticated to access "
                    "it. Please log in.")
        .WithWireCode("GatedRepo");
  }
  if (pending) {
    throw Error(Code::kForbidden, "Access to " + name + " is restricted. Your request to access " +
                                      name + " is awaiting a review from the repo authors.")
        .WithWireCode("GatedRepo");
  }
  throw Error(Code::kForbidden,
              "Access to " + name +
                  " is restricted and you are not in the authorized list. Visit /" +
                  std::string(PathPrefix(repo.type)) + repo.FullName() + " to ask for access.")
      .WithWireCode("GatedRepo");
}

[[noreturn]] void ThrowTooWeak(const Actor& actor, const RepoRecord& repo, Right needed) {
  if (!actor.signed_in()) throw Error(Code::kUnauthenticated, "Invalid username or password.");
  std::string what = needed == Right::kAdmin ? "administer" : "write to";
  throw Error(Code::kForbidden, "You do not have the right to " + what + " the " +
                                    std::string(SingularName(repo.type)) + " " + repo.FullName() +
                                    " (write access is needed; a read token does not give it)");
}

// "accepted", "pending", ... or "" when the user never asked.
std::string GateStatus(storage::Database& db, int64_t repo_id, int64_t user_id) {
  return db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryOne("SELECT status FROM gate_requests WHERE repo_id = ? AND user_id = ?",
                  {repo_id, user_id}, [](const storage::Row& row) { return row.Str(0); })
        .value_or("");
  });
}

}  // namespace

void RepoMaps::Reserve(RepoType type, size_t count) {
  by_id.reserve(by_id.size() + count);
  by_key[Index(type)].reserve(count);
}

void RepoMaps::Put(const RepoPtr& record) {
  auto known = by_id.find(record->id);
  if (known != by_id.end()) {
    const RepoRecord& old = *known->second;
    if (old.owner_id != record->owner_id || old.name != record->name ||
        old.is_private != record->is_private)
      Remove(RepoRecord(old));
  }
  by_id[record->id] = record;
  auto& keys = by_key[Index(record->type)];
  keys.erase(record);  // the former record of this name
  keys.insert(record);
  Owned& owned = by_owner[record->owner_id];
  if (owned.ids.insert(record->id).second)
    ++(record->is_private ? owned.hidden : owned.open)[Index(record->type)];
}

void RepoMaps::Remove(const RepoRecord& record) {
  by_id.erase(record.id);
  auto& keys = by_key[Index(record.type)];
  auto known = keys.find(std::string_view(RepoKey(record.owner, record.name)));
  if (known != keys.end()) keys.erase(known);
  auto owned = by_owner.find(record.owner_id);
  if (owned == by_owner.end()) return;
  if (owned->second.ids.erase(record.id) > 0)
    --(record.is_private ? owned->second.hidden : owned->second.open)[Index(record.type)];
  if (owned->second.ids.empty()) by_owner.erase(owned);
}

RepoPtr Repos::Impl::FindById(int64_t id) const {
  std::shared_lock lock(maps_mutex);
  auto found = maps.by_id.find(id);
  return found == maps.by_id.end() ? nullptr : found->second;
}

RepoPtr Repos::Impl::FindByKey(RepoType type, std::string_view key) const {
  std::shared_lock lock(maps_mutex);
  const auto& map = maps.by_key[Index(type)];
  auto found = map.find(key);
  return found == map.end() ? nullptr : *found;
}

std::filesystem::path GitFolderIn(const std::filesystem::path& git_root, const RepoRecord& record) {
  // Object ids begin with the time: only their last digits spread repositories over folders.
  return git_root / record.oid.substr(record.oid.size() - 2) / (record.oid + ".git");
}

std::filesystem::path RepoHandle::git_folder() const { return GitFolderIn(*git_root_, *record_); }

Repos::Repos(storage::Database& db, Accounts& accounts, Clock& clock,
             std::filesystem::path git_root)
    : impl_(std::make_unique<Impl>(db, accounts, clock, std::move(git_root))) {
  impl_->maps = impl_->Load();
  impl_->RecheckStaleHeads();
}

Repos::~Repos() = default;

void Repos::AddObserver(RepoObserver* observer) { impl_->observers.push_back(observer); }

RepoPtr Repos::Find(RepoType type, std::string_view owner, std::string_view name) const {
  return impl_->FindByKey(type, RepoKey(owner, name));
}

RepoPtr Repos::FindById(int64_t id) const { return impl_->FindById(id); }

RepoHandle Repos::OpenAsSystem(const RepoPtr& record) const {
  return RepoHandle(record, Right::kAdmin, impl_->git_root);
}

std::filesystem::path Repos::GitFolder(const RepoRecord& repo) const {
  return impl_->GitFolder(repo);
}

void Repos::ForEach(const std::function<void(const RepoPtr&)>& each) const {
  std::vector<RepoPtr> all;
  {
    std::shared_lock lock(impl_->maps_mutex);
    all.reserve(impl_->maps.by_id.size());
    for (const auto& [id, record] : impl_->maps.by_id) all.push_back(record);
  }
  for (const RepoPtr& record : all) each(record);
}

std::vector<RepoPtr> Repos::OwnedBy(int64_t owner_id, size_t limit) const {
  std::vector<RepoPtr> result;
  std::shared_lock lock(impl_->maps_mutex);
  auto owned = impl_->maps.by_owner.find(owner_id);
  if (owned == impl_->maps.by_owner.end()) return result;
  for (int64_t id : owned->second.ids) {
    if (result.size() == limit) break;
    result.push_back(impl_->maps.by_id.at(id));
  }
  return result;
}

Repos::OwnedCounts Repos::CountOwned(const Actor& actor, int64_t owner_id) const {
  OwnedCounts counts;
  RepoMaps::Owned owned;
  {
    std::shared_lock lock(impl_->maps_mutex);
    auto known = impl_->maps.by_owner.find(owner_id);
    if (known == impl_->maps.by_owner.end()) return counts;
    std::copy(std::begin(known->second.open), std::end(known->second.open), owned.open);
    std::copy(std::begin(known->second.hidden), std::end(known->second.hidden), owned.hidden);
  }
  for (RepoType type : {RepoType::kModel, RepoType::kDataset, RepoType::kSpace}) {
    int64_t& count = counts.of[Index(type)];
    count = owned.open[Index(type)];
    if (owned.hidden[Index(type)] == 0) continue;
    // The rules ask a private repository for its owner alone; only the scopes of a token name
    // single ones. So a made-up one answers for all, and those that are named are looked at.
    RepoRecord probe;
    probe.owner_id = owner_id;
    probe.type = type;
    probe.is_private = true;
    if (RightOn(actor, probe, false)) {
      count += owned.hidden[Index(type)];
      continue;
    }
    std::unordered_set<int64_t> named;
    for (const TokenScope& scope : actor.scopes) {
      if (scope.entity_type != SingularName(type)) continue;
      RepoPtr repo = impl_->FindByKey(type, AsciiLower(scope.entity_name));
      if (repo && repo->owner_id == owner_id && repo->is_private && RightOn(actor, *repo, false) &&
          named.insert(repo->id).second)
        ++count;
    }
  }
  return counts;
}

std::optional<std::string> Repos::FindAlias(RepoType type, std::string_view one_part) const {
  std::shared_lock lock(impl_->maps_mutex);
  const auto& map = impl_->maps.aliases[Index(type)];
  if (map.empty()) return std::nullopt;
  auto found = map.find(AsciiLower(one_part));
  if (found == map.end()) return std::nullopt;
  auto record = impl_->maps.by_id.find(found->second);
  if (record == impl_->maps.by_id.end()) return std::nullopt;
  return record->second->FullName();
}

void Repos::SetAlias(RepoType type, std::string_view one_part, int64_t repo_id) {
  CheckNamePart(one_part, "alias");
  RepoPtr record = FindById(repo_id);
  if (!record || record->type != type) throw Error(Code::kNotFound, "Repository not found");
  std::string alias = AsciiLower(one_part);
  std::lock_guard change(impl_->change);
  impl_->db.Write([&](storage::Connection& c) {
    c.Exec(
        "INSERT INTO repo_aliases (type, alias_lower, repo_id) VALUES (?, ?, ?) "
        "ON CONFLICT (type, alias_lower) DO UPDATE SET repo_id = excluded.repo_id",
        {SingularName(type), alias, repo_id});
  });
  std::unique_lock lock(impl_->maps_mutex);
  impl_->maps.aliases[Index(type)][alias] = repo_id;
}

RepoHandle Repos::Open(const Actor& actor, RepoType type, std::string_view id, Right needed) const {
  std::string key = AsciiLower(id);
  if (id.find('/') == std::string_view::npos) {
    std::optional<std::string> target = FindAlias(type, id);
    if (!target) ThrowMissing(actor);
    key = AsciiLower(*target);
  }
  RepoPtr record = impl_->FindByKey(type, key);
  auto reached = Impl::Reached::kByName;
  if (!record) {
    std::shared_lock lock(impl_->maps_mutex);
    auto former = impl_->maps.moves[Index(type)].find(key);
    if (former != impl_->maps.moves[Index(type)].end()) {
      auto found = impl_->maps.by_id.find(former->second);
      if (found != impl_->maps.by_id.end()) record = found->second;
      reached = Impl::Reached::kByFormerName;
    }
  }
  if (!record) ThrowMissing(actor);
  Right right = impl_->Admit(actor, *record, reached, needed);
  return RepoHandle(std::move(record), right, impl_->git_root);
}

RepoHandle Repos::Open(const Actor& actor, const RepoPtr& found, Right needed) const {
  Right right = impl_->Admit(actor, *found, Impl::Reached::kByName, needed);
  return RepoHandle(found, right, impl_->git_root);
}

Right Repos::Impl::Admit(const Actor& actor, const RepoRecord& record, Reached reached,
                         Right needed) const {
  std::string gate;
  std::optional<Right> right = RightOn(actor, record, false);
  if (right && *right < needed && record.gated != Gated::kOff && actor.signed_in()) {
    gate = GateStatus(db, record.id, actor.user_id);
    if (gate == "accepted") right = RightOn(actor, record, true);
  }
  if (!right) ThrowMissing(actor);
  if (reached == Reached::kByFormerName) {
    throw Error(Code::kMoved, "The repository was renamed to " + record.FullName())
        .With("to", record.FullName());
  }
  bool rules_site = actor.site_admin || actor.via == Actor::Via::kSystem;
  if (record.disabled && !rules_site) {
    throw Error(Code::kForbidden, "Access to this resource is disabled.");
  }
  if (*right < needed) {
    // The gate guards content; who may not change the repository is told so as anywhere.
    if (needed == Right::kReadContent && record.gated != Gated::kOff) {
      ThrowGated(actor, record, gate == "pending");
    }
    ThrowTooWeak(actor, record, needed);
  }
  return *right;
}

bool Repos::May(const Actor& actor, int64_t repo_id, Right needed) const {
  RepoPtr record = FindById(repo_id);
  if (!record || record->disabled) return false;
  std::optional<Right> right = RightOn(actor, *record, false);
  if (!right) return false;
  if (*right >= needed) return true;
  if (record->gated == Gated::kOff || !actor.signed_in()) return false;
  if (GateStatus(impl_->db, repo_id, actor.user_id) != "accepted") return false;
  return RightOn(actor, *record, true) >= needed;
}

namespace {

// A repository whose folder is lost has nothing to keep the collector from.
SweepLock::Guard GuardIfThere(const SweepLock& lock) {
  try {
    return lock.Shared();
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return {};
  }
}

}  // namespace

RepoWriter::RepoWriter(const std::filesystem::path& git_folder)
    : references_(ReferenceLock(git_folder)) {}

void RepoWriter::lock() {
  mutex_.lock();
  try {
    guard_ = GuardIfThere(references_);
  } catch (...) {
    mutex_.unlock();
    throw;
  }
}

void RepoWriter::unlock() {
  guard_.Reset();
  mutex_.unlock();
}

std::unique_lock<RepoWriter> Repos::LockForWrite(const RepoRecord& repo) const {
  RepoWriter* writer = nullptr;
  {
    std::lock_guard lock(impl_->writers_mutex);
    std::unique_ptr<RepoWriter>& slot = impl_->writers[repo.id];
    if (!slot) slot = std::make_unique<RepoWriter>(impl_->GitFolder(repo));
    writer = slot.get();  // never removed: somebody may be waiting for it
  }
  return std::unique_lock(*writer);
}

SweepLock::Guard Repos::GuardReferences(const RepoRecord& repo) const {
  return GuardIfThere(ReferenceLock(impl_->GitFolder(repo)));
}

void Repos::CountDownload(int64_t repo_id) {
  std::lock_guard lock(impl_->counters_mutex);
  ++impl_->downloads[repo_id];
}

Json ReadRepoSettingsJson(storage::Database& db, int64_t repo_id) {
  std::optional<std::string> text = db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT settings FROM repos WHERE id = ?", {repo_id},
                      [](const storage::Row& row) { return row.Str(0); });
  });
  return text && !text->empty() ? Json::Parse(*text) : Json::Obj();
}

}  // namespace hearth::hub
