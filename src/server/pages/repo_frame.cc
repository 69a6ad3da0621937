#include "server/pages/repo_frame.h"

#include "base/error.h"
#include "server/pages/repo_head.h"

namespace hearth::server {

Json RepoFrame(Context& context, std::string_view tab, std::string_view revision) {
  const hub::RepoRecord& repo = context.repo().record();
  hub::FactsPtr facts;
  if (repo.head) facts = context.hub.catalog().FactsOf(context.repo(), *repo.head);
  Json summary = RepoSummary(repo, facts.get(), context.hub.clock().Now());
  AddRepoHead(context, facts.get(), &summary);
  return Json::Obj({{"repo", std::move(summary)},
                    {"tab", tab},
                    {"revision", revision},
                    {"said", context.request.QueryParam("said").value_or("")}});
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
