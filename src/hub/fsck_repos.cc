// Repositories: folders without rows, rows without folders, and what a row says about its git.
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "hub/internal/fsck_parts.h"
#include "hub/internal/git_check.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;
using storage::GitRepository;

struct Pointer {
  storage::LfsPointer target;
  std::string path;
};

// LFS pointers in the trees of the given commits; a blob is read once.
std::vector<Pointer> PointersAt(const GitRepository& git, const std::vector<GitOid>& commits) {
  std::vector<Pointer> pointers;
  std::unordered_set<GitOid> seen;
  GitRepository::ListOptions everything;
  everything.recursive = true;
  for (const GitOid& commit : commits) {
    for (const storage::TreeEntry& entry : git.ListTree(commit, "", everything)) {
      bool file =
          entry.kind == storage::EntryKind::kFile || entry.kind == storage::EntryKind::kExecutable;
      if (!file || entry.size_bytes > storage::kMaxPointerBytes) continue;
      if (!seen.insert(entry.oid).second) continue;
      if (auto pointer = storage::ParseLfsPointer(git.ReadBlob(entry.oid))) {
        pointers.push_back({*pointer, entry.path});
      }
    }
  }
  return pointers;
}

std::vector<GitOid> Tips(const GitRepository& git) {
  std::vector<GitOid> tips;
  std::unordered_set<GitOid> seen;
  for (const storage::RefInfo& ref : git.ListRefs()) {
    if (seen.insert(ref.target).second) tips.push_back(ref.target);
  }
  return tips;
}

// An adopted repository lost its grants with its row. Whatever its history points to was granted
// when it was written.
void GrantHistory(Hub& hub, const RepoHandle& repo) {
  GitRepository git = GitRepository::Open(repo.git_folder());
  std::unordered_set<GitOid> commits;
  for (const GitOid& tip : Tips(git)) {
    for (const storage::CommitInfo& commit : git.Log(tip, 0, SIZE_MAX)) commits.insert(commit.oid);
  }
  for (const Pointer& pointer : PointersAt(git, {commits.begin(), commits.end()})) {
    std::optional<uint64_t> size = hub.objects().FindStored(pointer.target.oid);
    if (size == pointer.target.size_bytes) {
      GrantForRepair(hub, repo.record().id, pointer.target.oid, *size);
    }
  }
}

void CheckOrphan(FsckRun& run, const fs::path& folder) {
  std::string where = "folder " + folder.string();
  auto remove = [folder] { fs::remove_all(folder); };
  if (fs::exists(folder / kDeletedFile)) {
    run.Note(where, "is what is left of a deleted repository", remove);
  } else if (!fs::exists(folder / kRepoFile)) {
    run.Note(where, "is what is left of an interrupted creation", remove);
  } else {
    run.Fault(where, "is a repository without a row in the database",
              [&run, folder] { GrantHistory(run.hub, run.hub.repos().Adopt(folder)); });
  }
}

bool RowIsStale(storage::Database& db, int64_t repo_id) {
  return db.ReadValue([&](storage::Connection& c) {
    return c.QueryInt("SELECT index_stale FROM repos WHERE id = ?", {repo_id}).value_or(0) != 0;
  });
}

std::string FactsCommit(storage::Database& db, int64_t repo_id) {
  return db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryOne("SELECT commit_oid FROM repo_facts WHERE repo_id = ?", {repo_id},
                  [](const storage::Row& row) { return row.Str(0); })
        .value_or("");
  });
}

void CheckPointers(FsckRun& run, const RepoHandle& repo, const GitRepository& git,
                   const std::string& where) {
  for (const Pointer& pointer : PointersAt(git, Tips(git))) {
    const auto& [oid, size_bytes] = pointer.target;
    if (run.hub.objects().FindIn(repo.record(), oid) == size_bytes) continue;
    std::string what = pointer.path + " points to the object " + oid.Hex();
    if (run.hub.objects().FindStored(oid) == size_bytes) {
      run.Fault(where, what + ", which the repository may not use",
                [&] { GrantForRepair(run.hub, repo.record().id, oid, size_bytes); });
    } else {
      run.Fault(where, what + ", which is missing or has another size (upload it again)");
    }
  }
}

void CheckIndex(FsckRun& run, const RepoHandle& repo, const GitRepository& git,
                const std::string& where) {
  Hub& hub = run.hub;
  std::optional<GitOid> main = git.FindRef("refs/heads/main");
  if (!main) run.Fault(where, "has no branch main");
  auto refresh = [&] {
    hub.repos().AfterRefsChanged(repo, git.ListRefs());
    hub.repos().FlushCounters();  // takes the mark back
  };
  if (main != repo.record().head) {
    run.Fault(where, "the database has another head than git", refresh);
  } else if (RowIsStale(hub.db(), repo.record().id)) {
    run.Note(where, "was in use when the server was killed; git and the database agree", refresh);
  }
  if (main && FactsCommit(hub.db(), repo.record().id) != main->Hex()) {
    run.Note(where, "its facts are not those of its head (the server computes them at start)",
             [&] { hub.catalog().IndexNow(hub.repos().FindById(repo.record().id)); });
  }
}

void CheckRepository(FsckRun& run, const RepoPtr& record) {
  std::string where = std::string(SingularName(record->type)) + " " + record->FullName();
  RepoHandle repo = run.hub.repos().OpenAsSystem(record);
  const fs::path& folder = repo.git_folder();
  if (!fs::exists(folder)) {
    run.Fault(where, "its git folder " + folder.string() +
                         " is missing (restore it from a backup, or delete the repository)");
    return;
  }
  if (fs::exists(folder / kDeletedFile)) {
    run.Note(where, "its deletion was interrupted and did not happen",
             [&] { fs::remove(folder / kDeletedFile); });
  }
  if (!fs::exists(folder / kRepoFile)) {
    run.Note(where, "hearth.json is missing in its git folder",
             [&] { run.hub.repos().RefreshRepoFile(*record); });
  } else if (run.options.repair) {
    run.hub.repos().RefreshRepoFile(*record);
  }
  if (std::optional<std::string> fault = FindGitFault(folder, run.options.deep)) {
    run.Fault(where, "git fsck: " + *fault);
  }
  GitRepository git = GitRepository::Open(folder);
  CheckIndex(run, repo, git, where);
  CheckPointers(run, repo, git, where);
}

}  // namespace

void CheckGitFolders(FsckRun& run) {
  std::unordered_set<std::string> known;
  run.hub.repos().ForEach([&](const RepoPtr& record) { known.insert(record->oid + ".git"); });
  std::vector<fs::path> orphans;
  for (const auto& fan : fs::directory_iterator(run.hub.data() / "git")) {
    if (!fan.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(fan.path())) {
      std::string name = entry.path().filename().string();
      if (name.starts_with(".new-")) {
        run.Note("folder " + entry.path().string(), "is what is left of an interrupted creation",
                 [path = entry.path()] { fs::remove_all(path); });
      } else if (name.ends_with(".git") && !known.contains(name)) {
        orphans.push_back(entry.path());
      }
    }
  }
  for (const fs::path& folder : orphans) CheckOrphan(run, folder);
}

void CheckRepositories(FsckRun& run) {
  std::vector<RepoPtr> all;
  run.hub.repos().ForEach([&](const RepoPtr& record) { all.push_back(record); });
  std::sort(all.begin(), all.end(),
            [](const RepoPtr& a, const RepoPtr& b) { return a->id < b->id; });
  for (size_t i = 0; i < all.size(); ++i) {
    run.progress("repositories", i, all.size());
    try {
      CheckRepository(run, all[i]);
    } catch (const Error& error) {
      run.Fault(std::string(SingularName(all[i]->type)) + " " + all[i]->FullName(),
                "cannot be read: " + error.message());
    }
  }
  run.report.repositories = all.size();
}

}  // namespace hearth::hub
