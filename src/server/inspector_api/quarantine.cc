#include "server/inspector_api/quarantine.h"

#include "base/error.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

bool MayHaveUnsafe(const Context& context) {
  bool asked = context.request.headers.Get(kAllowUnsafeHeader) == "1" ||
               context.request.QueryFlag(kAllowUnsafeParameter, false);
  return asked &&
         context.hub.repos().May(context.actor, context.repo().record().id, hub::Right::kWrite);
}

}  // namespace

std::string UnsafeMessage(std::string_view what) {
  return std::string(what) +
         " was judged unsafe by this hub's scan and is not given out. Who may write to the "
         "repository gets it from its resolve address with ?allow_unsafe=1.";
}

void RefuseUnsafe(const Context& context, std::string_view path) {
  if (!MayHaveUnsafe(context)) throw Error(Code::kForbidden, UnsafeMessage(path));
}

void RefuseUnsafeHistory(const Context& context) {
  std::vector<GitOid> blocked = context.hub.safety().BlockedBlobs();
  if (blocked.empty() || MayHaveUnsafe(context)) return;
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  for (const GitOid& blob : blocked) {
    if (!git.HasObject(blob)) continue;
    throw Error(Code::kForbidden,
                "This repository holds a file in git that was judged unsafe by this hub's scan, so "
                "it cannot be cloned. Who may write to it can, with "
                "git -c http.extraHeader='X-Hearth-Allow-Unsafe: 1' clone ...");
  }
}

}  // namespace hearth::server
