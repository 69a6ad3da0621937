// GET /api/{T}/{ns}/{name} and .../revision/{rev}: what is known about a repository.
#include "base/error.h"
#include "server/hub_api/answer_cache.h"
#include "server/hub_api/repo_json.h"
#include "server/inspector_api/safety_json.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr size_t kCacheBytes = 48u << 20;
constexpr size_t kMaxKeyBytes = 1024;

AnswerCache& Cache() {
  static AnswerCache cache(kCacheBytes);
  return cache;
}

// Everything the answer depends on. The object id is unique among all hubs; the version grows with
// the record, its refs and its facts; the generation with what Spaces link to.
std::string CacheKey(const Context& context, std::string_view raw_revision) {
  const hub::RepoRecord& record = context.repo().record();
  std::string key = record.oid;
  key += ':';
  key += std::to_string(record.version);
  key += ':';
  key += std::to_string(context.hub.catalog().LinkGeneration());
  key += ':';
  key += raw_revision;
  key += '?';
  key += context.request.raw_query;
  return key;
}

// "refs/pr/1" may come with its slashes encoded or not; a branch with a slash, too.
GitOid ResolveCommit(const Context& context, std::string_view raw_revision) {
  RevisionAndPath parts = SplitRevisionPath(raw_revision);
  std::string revision = parts.revision;
  if (!parts.path.empty()) revision += "/" + parts.path;
  if (revision == "HEAD") revision = "main";
  auto git = storage::GitRepository::Open(context.repo().git_folder());
  return hub::Commits::ResolveRevision(git, revision);
}

std::optional<net::Response> CachedInfo(Context& context) {
  auto cached = Cache().Find(CacheKey(context, context.request.RawCapture("rev")));
  if (!cached) return std::nullopt;
  return net::Response::Bytes(200, "application/json; charset=utf-8", *cached);
}

net::Response Info(Context& context) {
  std::string_view raw_revision = context.request.RawCapture("rev");
  std::string key = CacheKey(context, raw_revision);
  if (auto cached = CachedInfo(context)) return *std::move(cached);

  RepoJsonOptions options;
  options.expand = context.request.QueryParams("expand");
  options.blobs = context.request.QueryFlag("blobs", false);
  options.security_status = context.request.QueryFlag("securityStatus", false);
  options.security_readable = options.security_status && MayReadSafety(context);
  CheckExpand(context.repo().record().type, &options.expand);
  std::optional<GitOid> commit;
  if (!raw_revision.empty()) commit = ResolveCommit(context, raw_revision);
  auto answer = std::make_shared<const std::string>(
      RepoJson(context.hub, context.repo(), commit, options).Dump());
  if (!DependsOnOthers(options) && key.size() <= kMaxKeyBytes) Cache().Put(std::move(key), answer);
  return net::Response::Bytes(200, "application/json; charset=utf-8", *answer);
}

net::Response Scan(Context& context) {
  if (!MayReadSafety(context)) return JsonResponse(NotScanned());
  return JsonResponse(RepoSafetyJson(context.hub, context.repo(), context.repo().record().head));
}

}  // namespace

void RegisterInfo(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}",
             .access = Access::kRepoInfo,
             .handle = Info,
             .from_memory = CachedInfo,
             .summary = "Facts about a repository: card, tags, files, parameter counts."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/revision/{rev...}",
             .access = Access::kRepoInfo,
             .handle = Info,
             .from_memory = CachedInfo,
             .summary = "The same at a branch, tag or commit."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/scan",
             .access = Access::kRepoInfo,
             .handle = Scan,
             .summary = "What scans found in the files of main."});
}

}  // namespace hearth::server
