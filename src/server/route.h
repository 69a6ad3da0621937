// One table of all routes. A route that touches a repository gets it opened, with the right that
// its rule names, before its handler runs: there is no other way to a RepoHandle, and a route
// without an access rule does not compile.
//
// A resource is one file (server/hub_api/<resource>.cc) with one `void Register...(RouteTable&)`
// and one line in server/routes.inc. Handlers are synchronous, run on the worker pool and throw
// Error; server/dispatcher.cc maps it once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/access.h"
#include "hub/hub.h"
#include "inference/scheduler.h"
#include "net/http.h"

namespace hearth::server {

enum class Access {
  kPublic,       // anybody, no repository
  kUser,         // signed in (token of any role, or session)
  kUserWrite,    // signed in, and the token may write
  kRepoInfo,     // hub::Right::kReadInfo on the repository of the path
  kRepoContent,  // kReadContent
  kRepoWrite,    // kWrite
  kRepoAdmin,    // kAdmin
  kBucketRead,   // kReadContent on the bucket of the path
  kBucketWrite,  // kWrite
  kBucketAdmin,  // kAdmin
  kSigned,       // the URL carries its own signature, checked by the handler's `admit`
  kSiteAdmin,
};

// How errors and missing credentials look on this route.
enum class Surface {
  kApi,   // JSON, X-Error-Code
  kGit,   // 401 with WWW-Authenticate: Basic, text
  kLfs,   // {"message"}, LFS-Authenticate
  kPage,  // HTML error page; anonymous on kUser redirects to /login
};

class InferenceAdmission;
struct Surroundings;

struct Context {
  hub::Hub& hub;
  net::Request& request;
  hub::Actor actor;
  std::optional<hub::RepoHandle> repo_handle;           // set for Access::kRepo*
  std::string base_url;                                 // "http://host:port", no slash at the end
  std::optional<hub::BucketHandle> bucket_handle = {};  // set for Access::kBucket*
  inference::Scheduler* scheduler = nullptr;            // nullptr = this hub runs no models
  InferenceAdmission* admission = nullptr;              // nullptr = nobody is limited
  const Surroundings* surroundings = nullptr;           // of the process; never null in a handler

  const hub::RepoHandle& repo() const { return *repo_handle; }
  const hub::BucketHandle& bucket() const { return *bucket_handle; }
  // The parsed JSON body (route caps its size); throws kInvalidArgument. An empty body is {}.
  Json JsonBody() const;
};

using Handler = std::function<net::Response(Context&)>;

struct Route {
  // "GET,HEAD"
  std::string methods;
  // Pattern of net::Router. "{T}" expands to models|datasets|spaces and "{P}" to
  // ""|"datasets/"|"spaces/"; with a kRepo* access the pattern must capture {ns} and {name} after
  // it, with a kBucket* access as well. Example: "/api/{T}/{ns}/{name}/tree/{rev_path...}".
  std::string pattern;
  Access access;
  Handler handle;
  Surface surface = Surface::kApi;
  net::BodyPolicy body = {};
  // A shortcut for hot requests: called on an I/O thread with caller and repository checked; must
  // answer from memory without blocking, or give nullopt, and then `handle` runs on the pool as for
  // any route. GET and HEAD only.
  std::function<std::optional<net::Response>(Context&)> from_memory = {};
  // Narrows body.max_bytes to what this request announced elsewhere (its URL, say). Called on an
  // I/O thread before any check: must only parse.
  std::function<uint64_t(const net::Request&)> announced_bytes = {};
  // Extra check before a large body is read (after authentication and repository access). Throw to
  // refuse.
  std::function<void(Context&)> admit = {};
  // Set when the table expands {T}/{P}; fixed by hand for patterns that name one type.
  std::optional<hub::RepoType> type = {};
  std::string summary = {};  // one line for the route list in docs
};

class RouteTable {
 public:
  void Add(Route route);
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

// Every resource's Register function, in the order of routes.inc.
RouteTable BuildRouteTable();

// --- helpers that handlers share
net::Response JsonResponse(const Json& body, int status = 200);
// Splits "refs/pr/1/a/b", "refs%2Fpr%2F1/a%2Fb", "main/a/b" (raw, still encoded) into decoded
// revision and path (0.1 "Path encoding").
struct RevisionAndPath {
  std::string revision;
  std::string path;
};
RevisionAndPath SplitRevisionPath(std::string_view raw);
// Adds `Link: <base + target with cursor=...>; rel="next"`.
void AddNextLink(net::Response* response, const Context& context, std::string_view cursor);
// The value of one cookie in a Cookie header; "" when it is not there.
std::string_view CookieValue(std::string_view header, std::string_view name);
// "{base}/{P}ns/name"
std::string RepoUrl(const Context& context, const hub::RepoRecord& repo);

}  // namespace hearth::server
