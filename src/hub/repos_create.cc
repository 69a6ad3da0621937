// New repositories: git first, then the row, then everybody is told. A crash in between leaves a
// folder without a row, which nothing refers to.
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/yaml.h"
#include "hub/access.h"
#include "hub/internal/content_rules.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxFirstFiles = 1000;

std::string TypeWord(RepoType type) { return std::string(SingularName(type)); }

[[noreturn]] void ThrowTaken(RepoType type, const std::string& id) {
  throw Error(Code::kConflict, "You already created this " + TypeWord(type) + " repo: " + id)
      .With("id", id);
}

// The card that a repository starts with, or "" when nothing is known to put there.
std::string FirstCard(const NewRepo& repo) {
  Json card = Json::Obj();
  if (repo.type == RepoType::kSpace) {
    card.Set("title", repo.name);
    card.Set("emoji", "\xF0\x9F\x9A\x80");
    card.Set("colorFrom", "blue");
    card.Set("colorTo", "indigo");
    if (const Json* sdk = repo.space.Find("sdk")) card.Set("sdk", *sdk);
    if (const Json* version = repo.space.Find("sdkVersion")) card.Set("sdk_version", *version);
    card.Set("pinned", false);
    if (const Json* text = repo.space.Find("short_description"))
      card.Set("short_description", *text);
  }
  if (!repo.license.empty()) card.Set("license", repo.license);
  if (card.size() == 0) return "";
  return "---\n" + DumpYaml(card) + "---\n";
}

std::vector<storage::TreeChange> FirstTree(const NewRepo& repo) {
  if (repo.files.size() > kMaxFirstFiles) {
    throw Error(Code::kInvalidArgument, "At most 1000 files can be given at creation");
  }
  std::vector<std::pair<std::string, std::string>> files;
  files.emplace_back(".gitattributes", DefaultGitAttributes(repo.type));
  std::string card = FirstCard(repo);
  if (!card.empty()) files.emplace_back("README.md", card);
  for (const auto& file : repo.files) files.push_back(file);  // later ones win

  ContentRules rules(repo.type, GitAttributes::Parse(DefaultGitAttributes(repo.type)),
                     "refs/heads/main");
  std::vector<storage::TreeChange> changes;
  for (auto& [path, content] : files) {
    rules.CheckPath(path);
    rules.CheckFile(path, content.size(), content);
    rules.CheckCard(path, content);
    if (storage::ParseLfsPointer(content)) {
      throw Error(Code::kInvalidArgument,
                  "'" + path + "' is an LFS pointer: a new repository has no objects yet");
    }
    changes.push_back(storage::PutFile{path, std::move(content)});
  }
  rules.ThrowIfRefused();
  return changes;
}

void MakeFolderDurably(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::create_directory(folder, error)) FsyncFolder(folder.parent_path());
  if (error) ThrowErrno("create folder " + folder.string(), error.value());
}

}  // namespace

storage::Signature MakeSignature(const Actor& actor, TimePoint now) {
  if (!actor.signed_in()) return {"Hearth", "hearth@users.noreply.hearth", now};
  return {actor.user_name, actor.user_name + "@users.noreply.hearth", now};
}

RepoRecord Repos::Impl::PlanNew(const Actor& actor, const NewRepo& repo) const {
  std::string owner_name = repo.owner.empty() ? actor.user_name : repo.owner;
  CheckNamePart(repo.name, "repository name");
  AccountPtr owner = accounts.FindByName(owner_name);
  if (!owner || !MayCreateIn(actor, owner->id)) {
    throw Error(Code::kForbidden, "You don't have the rights to create a " + TypeWord(repo.type) +
                                      " under the namespace \"" + owner_name + "\"");
  }
  if (RepoPtr taken = FindByKey(repo.type, RepoKey(owner->name, repo.name))) {
    ThrowTaken(repo.type, taken->FullName());
  }
  RepoRecord record;
  record.oid = NewObjectId();
  record.type = repo.type;
  record.owner_id = owner->id;
  record.owner = owner->name;
  record.name = repo.name;
  record.creator_id = actor.user_id;
  record.is_private = repo.is_private;
  record.created_at = record.modified_at = clock.Now();
  record.version = 1;
  return record;
}

RepoPtr Repos::Impl::Publish(RepoRecord record, const Json& settings,
                             const std::function<void(storage::Connection&, int64_t id)>& more) {
  std::string type(SingularName(record.type));
  std::string key = RepoKey(record.owner, record.name);
  std::lock_guard lock(change);
  try {
    db.Write([&](storage::Connection& c) {
      c.Exec(
          "INSERT INTO repos (oid, type, owner_id, name, name_lower, creator_id, private, gated, "
          "settings, head, created_at, modified_at, used_bytes, version, index_stale) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
          {record.oid, type, record.owner_id, record.name, AsciiLower(record.name),
           record.creator_id, record.is_private, GatedText(record.gated), settings.Dump(),
           record.head ? storage::DbValue(record.head->Hex()) : storage::DbValue(),
           ToUnixMillis(record.created_at), ToUnixMillis(record.modified_at), record.used_bytes,
           record.version});
      record.id = c.LastInsertId();
      c.Exec("DELETE FROM repo_moves WHERE type = ? AND from_lower = ?", {type, key});
      if (more) more(c, record.id);
    });
  } catch (const Error& error) {
    // Two creations of one name at once: the database decides.
    if (error.code() == Code::kConflict) ThrowTaken(record.type, record.FullName());
    throw;
  }
  auto published = std::make_shared<const RepoRecord>(std::move(record));
  {
    std::unique_lock maps_lock(maps_mutex);
    maps.Put(published);
    maps.moves[static_cast<int>(published->type)].erase(key);
  }
  try {
    WriteRepoFile(GitFolder(*published), *published);
  } catch (const Error& error) {
    log::Warning("hearth.json could not be written; hearth fsck --repair writes it",
                 {{"repo", published->FullName()}, {"reason", error.message()}});
  }
  NotifyChanged(nullptr, published);
  if (published->head) NotifyRef(published, "refs/heads/main", published->head);
  return published;
}

RepoHandle Repos::Create(const Actor& actor, const NewRepo& repo) {
  RepoRecord record = impl_->PlanNew(actor, repo);
  storage::NewCommit first;
  first.ref = "refs/heads/main";
  first.changes = FirstTree(repo);
  first.message = "initial commit";
  first.author = MakeSignature(actor, record.created_at);

  std::filesystem::path folder = impl_->GitFolder(record);
  MakeFolderDurably(folder.parent_path());
  try {
    storage::GitRepository::Create(folder);
    record.head = storage::GitRepository::Open(folder).Commit(first);
    Json settings = Json::Obj();
    if (repo.space.is_object()) settings.Set("space", repo.space);
    return OpenAsSystem(impl_->Publish(std::move(record), settings));
  } catch (...) {
    impl_->RemoveGitFolder(folder);
    throw;
  }
}

RepoHandle Repos::Duplicate(const Actor& actor, const RepoHandle& source, const NewRepo& target) {
  source.Require(Right::kReadContent);
  NewRepo wanted = target;
  wanted.type = source.record().type;
  if (wanted.name.empty()) wanted.name = source.record().name;
  RepoRecord record = impl_->PlanNew(actor, wanted);

  std::filesystem::path folder = impl_->GitFolder(record);
  MakeFolderDurably(folder.parent_path());
  // What the cloned refs point to must still be granted when the grants are copied.
  SweepLock::Guard guard = GuardReferences(source.record());
  try {
    storage::GitRepository::CloneInto(source.git_folder(), folder);
    record.head = storage::GitRepository::Open(folder).FindRef("refs/heads/main");
    record.used_bytes = source.record().used_bytes;
    Json settings = ReadRepoSettingsJson(impl_->db, source.record().id);
    if (wanted.space.is_object()) settings.Set("space", wanted.space);
    int64_t source_id = source.record().id;
    int64_t now = ToUnixMillis(record.created_at);
    // Grants are copied after the git objects: whatever a cloned commit points to was granted
    // before.
    return OpenAsSystem(
        impl_->Publish(std::move(record), settings, [&](storage::Connection& c, int64_t id) {
          c.Exec(
              "INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at, origin) "
              "SELECT ?, sha256, ?, ?, CASE origin WHEN 0 THEN repo_id ELSE origin END FROM "
              "repo_objects WHERE repo_id = ?",
              {id, actor.user_id, now, source_id});
          c.Exec(
              "INSERT INTO shown_files (repo_id, sha256, file_id) "
              "SELECT ?, sha256, file_id FROM shown_files WHERE repo_id = ?",
              {id, source_id});
        }));
  } catch (...) {
    impl_->RemoveGitFolder(folder);
    throw;
  }
}

}  // namespace hearth::hub
