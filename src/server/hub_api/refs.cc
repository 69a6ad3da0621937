// Branches, tags, squashing and comparison (wire reference, sections 2.1 and 3.1).
#include "base/error.h"
#include "server/route.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

// A page shows a diff; a client that wants all of it has git.
constexpr uint64_t kMaxDiffBytes = 10u << 20;

// Names may hold slashes, encoded or not: the rest of the path is one name.
std::string RestAsName(const Context& context, std::string_view capture) {
  return net::PercentDecodePath(context.request.RawCapture(capture));
}

Json RefEntry(std::string_view name, const storage::RefInfo& ref) {
  return Json::Obj({{"name", name}, {"ref", ref.name}, {"targetCommit", ref.target.Hex()}});
}

net::Response ListRefs(Context& context) {
  struct Group {
    std::string_view key, prefix;
  };
  static constexpr Group kGroups[] = {{"branches", "refs/heads/"},
                                      {"converts", "refs/convert/"},
                                      {"tags", "refs/tags/"},
                                      {"pullRequests", "refs/pr/"}};
  bool with_prs = context.request.QueryFlag("include_prs", false);
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  std::vector<storage::RefInfo> refs = git.ListRefs();
  Json body = Json::Obj();
  for (const Group& group : kGroups) {
    if (group.key == "pullRequests" && !with_prs) continue;
    Json entries = Json::Arr();
    for (const storage::RefInfo& ref : refs) {
      if (!ref.name.starts_with(group.prefix)) continue;
      entries.Push(RefEntry(std::string_view(ref.name).substr(group.prefix.size()), ref));
    }
    body.Set(std::string(group.key), std::move(entries));
  }
  return JsonResponse(body);
}

net::Response CreateBranch(Context& context) {
  Json body = context.JsonBody();
  context.hub.commits().CreateBranch(context.actor, context.repo(), RestAsName(context, "branch"),
                                     body.StringField("startingPoint"),
                                     body.BoolField("emptyBranch").value_or(false),
                                     body.BoolField("overwrite").value_or(false));
  return JsonResponse(Json::Obj());
}

net::Response DeleteBranch(Context& context) {
  context.hub.commits().DeleteBranch(context.repo(), RestAsName(context, "branch"));
  return JsonResponse(Json::Obj());
}

net::Response CreateTag(Context& context) {
  Json body = context.JsonBody();
  context.hub.commits().CreateTag(context.actor, context.repo(), body.RequireString("tag"),
                                  RestAsName(context, "rev"),
                                  body.StringField("message").value_or(""));
  return JsonResponse(Json::Obj());
}

net::Response DeleteTag(Context& context) {
  context.hub.commits().DeleteTag(context.repo(), RestAsName(context, "tag"));
  return JsonResponse(Json::Obj());
}

net::Response SuperSquash(Context& context) {
  Json body = context.JsonBody();
  GitOid oid = context.hub.commits().SuperSquash(context.actor, context.repo(),
                                                 RestAsName(context, "branch"),
                                                 body.StringField("message").value_or(""));
  return JsonResponse(Json::Obj({{"commitId", oid.Hex()}}));
}

net::Response Compare(Context& context) {
  std::string spec = RestAsName(context, "spec");
  size_t dots = spec.find("..");
  if (dots == std::string::npos || dots == 0 || dots + 2 >= spec.size() || spec[dots + 2] == '.') {
    throw Error(Code::kInvalidArgument, "Compare needs two revisions: base..head");
  }
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  GitOid from = hub::Commits::ResolveRevision(git, spec.substr(0, dots));
  GitOid to = hub::Commits::ResolveRevision(git, spec.substr(dots + 2));
  net::Response response = net::Response::Bytes(200, "text/plain; charset=utf-8",
                                                git.UnifiedDiff(from, to, kMaxDiffBytes));
  response.headers.Set("X-Repo-Commit", to.Hex());
  return response;
}

}  // namespace

void RegisterRefsApi(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/refs",
             .access = Access::kRepoInfo,
             .handle = ListRefs,
             .summary = "Lists branches, tags and conversions."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/branch/{branch...}",
             .access = Access::kRepoWrite,
             .handle = CreateBranch,
             .summary = "Creates a branch."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/{T}/{ns}/{name}/branch/{branch...}",
             .access = Access::kRepoWrite,
             .handle = DeleteBranch,
             .summary = "Deletes a branch."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/tag/{rev...}",
             .access = Access::kRepoWrite,
             .handle = CreateTag,
             .summary = "Tags a revision."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/{T}/{ns}/{name}/tag/{tag...}",
             .access = Access::kRepoWrite,
             .handle = DeleteTag,
             .summary = "Deletes a tag."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/super-squash/{branch...}",
             .access = Access::kRepoWrite,
             .handle = SuperSquash,
             .summary = "Replaces a branch's history by one commit."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/compare/{spec...}",
             // A difference shows the lines of files.
             .access = Access::kRepoContent,
             .handle = Compare,
             .summary = "Unified diff between two revisions."});
}

}  // namespace hearth::server
