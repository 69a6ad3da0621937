#include "server/pages/repo_frame.h"

#include "base/error.h"
#include "server/pages/repo_view.h"

namespace hearth::server {

Json RepoFrame(Context& context, std::string_view tab, std::string_view revision) {
  Json data = RepoPageData(context, tab, revision, HeadFacts(context).get());
  data.Find("repo")->Set("can_write", context.repo().right() >= hub::Right::kWrite);
  data.Set("said", context.request.QueryParam("said").value_or(""));
  return data;
}

std::string RepoLocation(const hub::RepoRecord& repo) {
  return net::PercentEncode(RepoPath(repo), "/");
}

BranchView OpenBranch(Context& context, std::string_view raw) {
  constexpr std::string_view kHeads = "refs/heads/";
  RevisionAndPath at = SplitRevisionPath(raw);
  storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
  std::string branch = at.revision;
  if (branch.starts_with(kHeads)) branch.erase(0, kHeads.size());
  std::optional<GitOid> head = git.FindRef(std::string(kHeads) + branch);
  if (!head) {
    hub::Commits::ResolveRevision(git, at.revision);
    throw Error(
        Code::kInvalidArgument,
        "'" + at.revision + "' is not a branch: make one from it, and change the files there");
  }
  return BranchView{std::move(git), std::move(branch), std::move(at.path), *head};
}

}  // namespace hearth::server
