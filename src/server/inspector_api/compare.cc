// GET /api/hearth/compare: repositories side by side, row by row.
#include "base/error.h"
#include "hub/inspector/compare/comparison.h"
#include "server/inspector_api/portraits.h"

namespace hearth::server {
namespace {

net::Response CompareRepos(Context& context) {
  std::vector<inspector::RepoSpec> specs = AskedSpecs(context);
  if (specs.size() < 2)
    throw Error(Code::kInvalidArgument,
                "say what to compare: ?repos=models/ns/name,datasets/ns/name@revision");
  std::vector<inspector::Device> devices = AskedDevices(context);
  // All are opened before any is read: what is refused costs nothing.
  std::vector<AskedRepo> asked;
  for (const inspector::RepoSpec& spec : specs) asked.push_back(OpenAsked(context, spec));
  std::vector<inspector::Portrait> portraits;
  for (const AskedRepo& repo : asked) portraits.push_back(PortraitOf(context, repo, devices));
  return JsonResponse(inspector::ToJson(inspector::Compare(portraits), portraits));
}

}  // namespace

void RegisterCompare(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/compare",
             .access = Access::kPublic,
             .handle = CompareRepos,
             .summary = "Two to eight repositories side by side, each cell with evidence."});
}

}  // namespace hearth::server
