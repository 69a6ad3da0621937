// Repository records between the database and memory.
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {

std::string_view GatedText(Gated gated) {
  switch (gated) {
    case Gated::kAuto:
      return "auto";
    case Gated::kManual:
      return "manual";
    case Gated::kOff:
      break;
  }
  return "";
}

Gated ParseGated(std::string_view text) {
  return text == "auto" ? Gated::kAuto : text == "manual" ? Gated::kManual : Gated::kOff;
}

RepoRecord ReadRepoRow(const storage::Row& row) {
  RepoRecord record;
  record.id = row.Int(0);
  record.oid = row.Str(1);
  record.type = ParseRepoType(row.Text(2)).value_or(RepoType::kModel);
  record.owner_id = row.Int(3);
  record.owner = row.Str(4);
  record.name = row.Str(5);
  record.creator_id = row.Int(6);
  record.is_private = row.Int(7) != 0;
  record.gated = ParseGated(row.Text(8));
  record.disabled = row.Int(9) != 0;
  record.discussions_disabled = row.Int(10) != 0;
  record.created_at = FromUnixMillis(row.Int(11));
  record.modified_at = FromUnixMillis(row.Int(12));
  record.head = GitOid::FromHex(row.Text(13));
  record.downloads = row.Int(14);
  record.downloads_all = row.Int(15);
  record.likes = row.Int(16);
  record.used_bytes = static_cast<uint64_t>(row.Int(17));
  record.version = static_cast<uint64_t>(row.Int(18));
  return record;
}

namespace {

std::string RepoFileText(const RepoRecord& record) {
  Json file = Json::Obj({{"type", SingularName(record.type)},
                         {"owner", record.owner},
                         {"name", record.name},
                         {"private", record.is_private},
                         {"gated", GatedText(record.gated)},
                         {"oid", record.oid},
                         {"createdAt", FormatIso8601(record.created_at)}});
  return file.Dump(2) + "\n";
}

}  // namespace

void WriteRepoFile(const std::filesystem::path& git_folder, const RepoRecord& record) {
  WriteFileDurably(git_folder / kRepoFile, RepoFileText(record));
}

bool Repos::RefreshRepoFile(const RepoRecord& repo) {
  std::filesystem::path folder = GitFolder(repo);
  std::error_code ignored;
  bool current = std::filesystem::exists(folder / kRepoFile, ignored) &&
                 ReadFile(folder / kRepoFile, 1 << 20) == RepoFileText(repo);
  if (!current) WriteRepoFile(folder, repo);
  return !current;
}

RepoHandle Repos::Adopt(const std::filesystem::path& git_folder) {
  Json file = Json::Parse(ReadFile(git_folder / kRepoFile, 1 << 20));
  RepoRecord record;
  std::optional<RepoType> type = ParseRepoType(file.RequireString("type"));
  if (!type) throw Error(Code::kInvalidArgument, "hearth.json names an unknown repository type");
  record.type = *type;
  record.oid = file.RequireString("oid");
  record.name = file.RequireString("name");
  CheckNamePart(record.name, "repository name");
  if (record.oid.size() != 24 || !IsLowerHex(record.oid) ||
      impl_->GitFolder(record) != git_folder) {
    throw Error(Code::kInvalidArgument, "hearth.json does not belong to this folder");
  }
  AccountPtr owner = impl_->accounts.FindByName(file.RequireString("owner"));
  if (!owner) {
    throw Error(Code::kNotFound, "its owner " + file.RequireString("owner") + " does not exist");
  }
  record.owner_id = record.creator_id = owner->id;
  record.owner = owner->name;
  record.is_private = file.BoolField("private").value_or(true);
  record.gated = ParseGated(file.StringField("gated").value_or(""));
  record.modified_at = impl_->clock.Now();
  record.created_at =
      ParseIso8601(file.StringField("createdAt").value_or("")).value_or(record.modified_at);
  record.version = 1;
  record.head = storage::GitRepository::Open(git_folder).FindRef("refs/heads/main");
  return OpenAsSystem(impl_->Publish(std::move(record), Json::Obj()));
}

RepoMaps Repos::Impl::Load() const {
  RepoMaps loaded;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT type, COUNT(*) FROM repos GROUP BY type", {}, [&](const storage::Row& row) {
      if (std::optional<RepoType> type = ParseRepoType(row.Text(0)))
        loaded.Reserve(*type, static_cast<size_t>(row.Int(1)));
    });
    c.Query("SELECT " + std::string(kRepoColumns) +
                " FROM repos r JOIN accounts a ON a.id = r.owner_id",
            {}, [&](const storage::Row& row) {
              loaded.Put(std::make_shared<const RepoRecord>(ReadRepoRow(row)));
            });
    auto read_names = [&](const char* sql, TextMap<int64_t>* maps_by_type) {
      c.Query(sql, {}, [&](const storage::Row& row) {
        if (std::optional<RepoType> type = ParseRepoType(row.Text(0))) {
          maps_by_type[static_cast<int>(*type)][row.Str(1)] = row.Int(2);
        }
      });
    };
    read_names("SELECT type, from_lower, repo_id FROM repo_moves", loaded.moves);
    read_names("SELECT type, alias_lower, repo_id FROM repo_aliases", loaded.aliases);
  });
  return loaded;
}

void Repos::Impl::RecheckStaleHeads() {
  for (int64_t id : db.ReadInts("SELECT id FROM repos WHERE index_stale <> 0")) {
    RepoPtr record = FindById(id);
    if (!record) continue;
    try {
      std::optional<GitOid> head =
          storage::GitRepository::Open(GitFolder(*record)).FindRef("refs/heads/main");
      stale_marks[id] = 0;  // looked at: the next flush takes the mark back
      if (head == record->head) continue;
      TimePoint now = clock.Now();
      ChangeRecord(id, [&](RepoRecord& changed) {
        changed.head = head;
        changed.modified_at = now;
      });
    } catch (const Error& fault) {
      log::LogError("a repository could not be checked at start; run hearth fsck",
                    {{"repo", record->FullName()}, {"reason", fault.message()}});
    }
  }
}

void Repos::Reload() {
  std::lock_guard change(impl_->change);
  RepoMaps loaded = impl_->Load();
  std::vector<std::pair<RepoPtr, RepoPtr>> changes;
  {
    std::unique_lock lock(impl_->maps_mutex);
    for (auto& [id, record] : loaded.by_id) {
      auto known = impl_->maps.by_id.find(id);
      if (known == impl_->maps.by_id.end()) {
        changes.emplace_back(nullptr, record);
      } else if (known->second->version != record->version ||
                 known->second->owner != record->owner) {
        changes.emplace_back(known->second, record);
      }
    }
    for (auto& [id, record] : impl_->maps.by_id) {
      if (!loaded.by_id.contains(id)) changes.emplace_back(record, nullptr);
    }
    impl_->maps = std::move(loaded);
  }
  for (const auto& [before, after] : changes) impl_->NotifyChanged(before, after);
}

}  // namespace hearth::hub
