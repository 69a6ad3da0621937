#include "server/inspector_api/revision.h"

namespace hearth::server {

GitOid RevisionOf(const Context& context) {
  std::string revision = context.request.QueryParam("revision").value_or("");
  if (revision.empty() || revision == "HEAD") revision = "main";
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  return hub::Commits::ResolveRevision(git, revision);
}

}  // namespace hearth::server
