#include "server/inspector_api/inspected.h"

#include <algorithm>

#include "base/error.h"
#include "hub/commits.h"
#include "hub/repo_view.h"
#include "server/inspector_api/revision.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

std::unique_ptr<inspector::RepoView> OtherRepo(const Context& context, const std::string& against) {
  size_t at = against.find('@');
  std::string id = against.substr(0, at);
  if (std::count(id.begin(), id.end(), '/') != 1 || id.starts_with("refs/")) return nullptr;
  hub::HubNeighbours neighbours(context.hub.repos(), context.hub.objects(), context.actor);
  return neighbours.Find(SingularName(context.repo().record().type), id,
                         at == std::string::npos ? "" : against.substr(at + 1));
}

}  // namespace

GitOid InspectedCommit(const Context& context) { return RevisionOf(context); }

std::unique_ptr<inspector::RepoView> InspectedView(const Context& context) {
  return hub::OpenRepoView(context.repo(), context.hub.objects(), InspectedCommit(context));
}

std::unique_ptr<inspector::RepoView> AgainstView(const Context& context) {
  std::string against = context.request.QueryParam("against").value_or("");
  if (against.empty()) {
    throw Error(Code::kInvalidArgument,
                "say what to compare with: ?against=ns/name, ns/name@revision or a revision");
  }
  if (std::unique_ptr<inspector::RepoView> other = OtherRepo(context, against)) return other;
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  std::optional<GitOid> commit = git.FindCommit(against);
  if (!commit)
    throw Error(Code::kNotFound, "There is no such repository or revision to compare with.");
  return hub::OpenRepoView(context.repo(), context.hub.objects(), *commit);
}

}  // namespace hearth::server
