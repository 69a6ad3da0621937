// Repository records between the database and memory.
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

void WriteRepoFile(const std::filesystem::path& git_folder, const RepoRecord& record) {
  Json file = Json::Obj({{"type", SingularName(record.type)},
                         {"owner", record.owner},
                         {"name", record.name},
                         {"private", record.is_private},
                         {"gated", GatedText(record.gated)},
                         {"oid", record.oid},
                         {"createdAt", FormatIso8601(record.created_at)}});
  WriteFileDurably(git_folder / kRepoFile, file.Dump(2) + "\n");
}

RepoMaps Repos::Impl::Load() const {
  RepoMaps loaded;
  db.Read([&](storage::Connection& c) {
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
  std::vector<int64_t> stale;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT id FROM repos WHERE index_stale <> 0", {},
            [&](const storage::Row& row) { stale.push_back(row.Int(0)); });
  });
  for (int64_t id : stale) {
    RepoPtr record = FindById(id);
    if (!record) continue;
    try {
      std::optional<GitOid> head =
          storage::GitRepository::Open(GitFolder(*record)).FindRef("refs/heads/main");
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
