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

class HubView : public inspector::RepoView {
 public:
  HubView(RepoHandle repo, const Objects& objects, const GitOid& commit)
      : repo_(std::move(repo)),
        objects_(objects),
        commit_(commit.Hex()),
        git_(storage::GitRepository::Open(repo_.git_folder())) {
    siblings_ = ListSiblings(git_, commit).files;
    files_.reserve(siblings_.size());
    for (const Sibling& file : siblings_) {
      files_.push_back({.path = file.path,
                        .size_bytes = file.size_bytes,
                        .blob = file.blob.Hex(),
                        .sha256 = file.lfs});
    }
  }

  std::string type() const override { return std::string(SingularName(repo_.record().type)); }
  std::string id() const override { return repo_.record().FullName(); }
  std::string commit() const override { return commit_; }
  const std::vector<inspector::RepoFile>& files() const override { return files_; }

  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    const Sibling* file = FindSibling(siblings_, path);
    if (file == nullptr)
      throw Error(Code::kNotFound, "There is no file " + std::string(path) + ".");
    if (!file->lfs) return std::make_unique<OwnedSource>(git_.ReadBlob(file->blob));
    // A pointer without a grant must not show what another repository's object holds.
    if (!objects_.FindIn(repo_.record(), *file->lfs))
      throw Error(Code::kNotFound, "The large object of " + file->path + " has not been uploaded.");
    return objects_.OpenSource(*file->lfs);
  }

 private:
  RepoHandle repo_;
  const Objects& objects_;
  std::string commit_;
  storage::GitRepository git_;
  std::vector<Sibling> siblings_;
  std::vector<inspector::RepoFile> files_;
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
