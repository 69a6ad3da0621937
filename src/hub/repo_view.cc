#include "hub/repo_view.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "formats/source/source_window.h"
#include "hub/internal/siblings.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {
namespace {

// A name may have been taken over and given up several times; a circle ends here.
constexpr int kMaxRenames = 8;

// The list of files is read when it is first asked for: whoever only wants to know that a
// repository is there pays for nothing else.
class HubView : public inspector::RepoView {
 public:
  HubView(RepoHandle repo, const Objects& objects, const GitOid& commit)
      : repo_(std::move(repo)), objects_(objects), commit_(commit) {}

  std::string type() const override { return std::string(SingularName(repo_.record().type)); }
  std::string id() const override { return repo_.record().FullName(); }
  std::string commit() const override { return commit_.Hex(); }
  const std::vector<inspector::RepoFile>& files() const override { return Load().files; }

  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    const Loaded& loaded = Load();
    const Sibling* file = FindSibling(loaded.siblings, path);
    if (file == nullptr)
      throw Error(Code::kNotFound, "There is no file " + std::string(path) + ".");
    if (!file->lfs) return std::make_unique<OwnedSource>(loaded.git.ReadBlob(file->blob));
    // A pointer without a grant must not show what another repository's object holds.
    if (!objects_.FindIn(repo_.record(), *file->lfs))
      throw Error(Code::kNotFound, "The large object of " + file->path + " has not been uploaded.");
    return objects_.OpenSource(*file->lfs);
  }

 private:
  struct Loaded {
    storage::GitRepository git;
    std::vector<Sibling> siblings;
    std::vector<inspector::RepoFile> files;
  };

  const Loaded& Load() const {
    if (loaded_) return *loaded_;
    Loaded loaded{storage::GitRepository::Open(repo_.git_folder()), {}, {}};
    loaded.siblings = ListSiblings(loaded.git, commit_).files;
    loaded.files.reserve(loaded.siblings.size());
    for (const Sibling& file : loaded.siblings) {
      loaded.files.push_back({.path = file.path,
                              .size_bytes = file.size_bytes,
                              .blob = file.blob.Hex(),
                              .sha256 = file.lfs});
    }
    loaded_.emplace(std::move(loaded));
    return *loaded_;
  }

  RepoHandle repo_;
  const Objects& objects_;
  GitOid commit_;
  mutable std::optional<Loaded> loaded_;
};

std::string Destination(const Error& moved) {
  for (const auto& [key, value] : moved.details()) {
    if (key == "to") return value;
  }
  return {};
}

// Absence, a closed gate and a disabled repository are one answer here.
std::optional<RepoHandle> OpenReadable(const Repos& repos, const Actor& actor, RepoType type,
                                       std::string id) {
  for (int renames = 0; renames <= kMaxRenames; ++renames) {
    try {
      return repos.Open(actor, type, id, Right::kReadContent);
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw;
      if (error.code() != Code::kMoved) return std::nullopt;
      id = Destination(error);
    }
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<inspector::RepoView> OpenRepoView(const RepoHandle& repo, const Objects& objects,
                                                  const GitOid& commit) {
  repo.Require(Right::kReadContent);
  return std::make_unique<HubView>(repo, objects, commit);
}

std::unique_ptr<inspector::RepoView> HubNeighbours::Find(std::string_view type, std::string_view id,
                                                         std::string_view revision) const {
  std::optional<RepoType> known = ParseRepoType(type);
  if (!known) return nullptr;
  std::optional<RepoHandle> repo = OpenReadable(repos_, actor_, *known, std::string(id));
  if (!repo) return nullptr;
  std::optional<GitOid> commit = repo->record().head;
  if (!revision.empty())
    commit = storage::GitRepository::Open(repo->git_folder()).FindCommit(revision);
  if (!commit) return nullptr;
  return OpenRepoView(*repo, objects_, *commit);
}

}  // namespace hearth::hub
