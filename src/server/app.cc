#include "server/app.h"

#include <algorithm>
#include <atomic>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "codec/base64.h"
#include "hub/chores.h"
#include "net/multipart.h"
#include "net/router.h"
#include "server/fault.h"
#include "server/metrics.h"
#include "server/request_history.h"
#include "server/route.h"
#include "server/surroundings.h"
#include "server/xet_api/xet_token.h"

namespace hearth::server {
namespace {

constexpr std::string_view kExposedHeaders =
    "X-Repo-Commit, X-Request-Id, X-Error-Code, X-Error-Message, X-Total-Count, ETag, Link, "
    "Accept-Ranges, "
    "Content-Range, X-Linked-Size, X-Linked-ETag, X-Xet-Hash, X-Compute-Type, X-Compute-Time, "
    "Retry-After, RateLimit, RateLimit-Policy";
// "*" is all but Authorization; what browsers do not know of it read the names.
constexpr std::string_view kAllowedHeaders =
    "*, Authorization, Content-Type, Range, If-None-Match, If-Match, If-Range, X-CSRF-Token, "
    "X-HF-Download-Counter, X-Xet-Session-Id, "
    "X-Amzn-Trace-Id, Git-Protocol, X-Wait-For-Model, X-Use-Cache, X-HF-Bill-To";
// Bodies above this are refused or let in before they arrive (Plan::admit); smaller ones are
// checked with the request.
constexpr uint64_t kAdmitAbove = 2 << 20;
// Where a form's token is looked for in a spooled body: forms of the site begin with it.
constexpr size_t kTokenWithin = 8 << 10;

std::optional<hub::Right> NeededRight(Access access) {
  switch (access) {
    case Access::kRepoInfo:
      return hub::Right::kReadInfo;
    case Access::kRepoContent:
    case Access::kBucketRead:
      return hub::Right::kReadContent;
    case Access::kRepoWrite:
    case Access::kBucketWrite:
      return hub::Right::kWrite;
    case Access::kRepoAdmin:
    case Access::kBucketAdmin:
      return hub::Right::kAdmin;
    default:
      return std::nullopt;
  }
}

bool OnBucket(Access access) {
  return access == Access::kBucketRead || access == Access::kBucketWrite ||
         access == Access::kBucketAdmin;
}

bool ChangesState(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool NeedsCsrf(const hub::Actor& actor, const net::Request& request) {
  return actor.via == hub::Actor::Via::kSession && ChangesState(request.method);
}

// A form of a page, whose token is among its fields; scripts send theirs in a header.
bool TokenIsInBody(const net::Request& request, const Route& route) {
  if (route.surface != Surface::kPage || request.headers.Find("X-CSRF-Token")) return false;
  std::string type = AsciiLower(request.headers.Get("Content-Type"));
  return type.starts_with("application/x-www-form-urlencoded") ||
         type.starts_with("multipart/form-data");
}

std::string FormToken(const net::Request& request) {
  std::string type = request.headers.Get("Content-Type");
  std::string head(static_cast<size_t>(std::min<uint64_t>(request.body.size_bytes(), kTokenWithin)),
                   '\0');
  head.resize(request.body.ReadAt(0, head.data(), head.size()));
  if (std::optional<std::string> boundary = net::MultipartBoundary(type)) {
    return net::FirstPart(head, *boundary, "csrf_token").value_or("");
  }
  if (!AsciiLower(type).starts_with("application/x-www-form-urlencoded")) return "";
  // The rest of a long body is not needed, and cutting it may split an escape.
  if (head.size() < request.body.size_bytes()) head.resize(std::min(head.find('&'), head.size()));
  for (const auto& [key, value] : net::ParseForm(head)) {
    if (key == "csrf_token") return value;
  }
  return "";
}

void CheckCsrf(const hub::Actor& actor, const net::Request& request) {
  std::string sent = request.headers.Get("X-CSRF-Token");
  if (sent.empty()) sent = FormToken(request);
  if (ConstantTimeEqual(sent, actor.csrf_token)) return;
  throw Error(Code::kForbidden,
              "The form has expired or came from another site. Reload the page and try again.");
}

[[noreturn]] void BadCredentials() {
  throw Error(Code::kUnauthenticated, "Invalid credentials in Authorization header");
}

// "Bearer <token>" or "Basic <base64(any user:token)>", as git and git-lfs send it. The view is
// into `header` or `decoded`.
std::string_view TokenFromHeader(std::string_view header, std::optional<std::string>* decoded) {
  size_t space = header.find(' ');
  if (space == std::string_view::npos) BadCredentials();
  std::string_view scheme = header.substr(0, space);
  std::string_view value = TrimAscii(header.substr(space + 1));
  if (AsciiEqualsIgnoreCase(scheme, "bearer")) return value;
  if (!AsciiEqualsIgnoreCase(scheme, "basic")) BadCredentials();
  *decoded = Base64Decode(value);
  if (!*decoded) BadCredentials();
  std::string_view both = **decoded;
  size_t colon = both.find(':');
  if (colon == std::string_view::npos) BadCredentials();
  std::string_view password = both.substr(colon + 1);
  // Some tools put the token where the user name belongs.
  return password.empty() ? both.substr(0, colon) : password;
}

// What every answer carries.
void Finish(const Route& route, const net::Request& request, net::Response* response) {
  response->route = route.pattern;
  if (request.headers.Find("Origin") != nullptr) {
    response->headers.Set("Access-Control-Allow-Origin", "*");
    response->headers.Set("Access-Control-Expose-Headers", std::string(kExposedHeaders));
  }
}

bool SafeHost(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  for (char c : host) {
    bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
    if (!ok) return false;
  }
  return true;
}

// Nobody is called "api": an unknown API route must not be taken for the page of a repository.
bool IsPageOfApi(const net::Request& request, const Route& route) {
  return route.surface == Surface::kPage && request.raw_path.starts_with("/api/");
}

}  // namespace

struct App::Impl {
  hub::Hub& hub;
  AppOptions options;
  RouteTable table;
  net::Router router;
  std::unique_ptr<Metrics> metrics;
  std::shared_ptr<InferenceAdmission> admission;
  std::function<net::ServerStats()> server_stats;
  RequestHistory history;
  hub::Chores chores;
  Surroundings surroundings;
  std::atomic<bool> ready{false};

  Impl(hub::Hub& h, AppOptions o)
      : hub(h), options(std::move(o)), table(BuildRouteTable()), history(h.clock()), chores(h) {
    surroundings.sign_up = options.allow_sign_up;
    surroundings.started_at = hub.clock().Now();
    surroundings.history = &history;
    surroundings.chores = &chores;
    surroundings.server_stats = [this] {
      return server_stats ? server_stats() : net::ServerStats{};
    };
    admission = std::make_shared<InferenceAdmission>(hub.clock(), options.admission);
    AddSystemRoutes();
    std::vector<std::string> patterns;
    for (size_t i = 0; i < table.routes().size(); ++i) {
      const Route& route = table.routes()[i];
      router.Add(route.methods, route.pattern, i);
      patterns.push_back(route.pattern);
    }
    metrics = std::make_unique<Metrics>(patterns);
  }

  void AddSystemRoutes();
  void RewriteAlias(net::Request* request) const;
  std::string BaseUrl(const net::Request& request) const;
  hub::Actor Authenticate(const net::Request& request, const Route& route) const;
  void CheckAccess(Context* context, const Route& route, bool body_is_there) const;
  std::optional<net::RouteMatch> FindRoute(std::string_view method,
                                           const net::Request& request) const;
  net::Plan Unrouted(const net::Request& request) const;
  std::optional<net::Response> AnswerFromMemory(const Route& route, net::Request& request) const;
  net::Response Guard(const Route& route, net::Request& request, const std::string& base_url,
                      const hub::Actor* const& actor,
                      const std::function<net::Response()>& body) const;
};

void App::Impl::AddSystemRoutes() {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/healthz",
             .access = Access::kPublic,
             .handle = [](Context&) { return net::Response::Text(200, "ok\n"); },
             .summary = "The process answers."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/readyz",
             .access = Access::kPublic,
             .handle =
                 [this](Context& context) {
                   if (!ready)
                     throw Error(Code::kUnavailable, "the hub is starting or shutting down");
                   context.hub.db().Read(
                       [](storage::Connection& c) { c.QueryInt("SELECT COUNT(*) FROM meta"); });
                   return net::Response::Text(200, "ready\n");
                 },
             .summary = "The hub is open for requests and its database answers."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/metrics",
             .access = Access::kPublic,
             .handle =
                 [this](Context&) {
                   net::ServerStats stats = surroundings.server_stats();
                   return net::Response::Bytes(200, "text/plain; version=0.0.4",
                                               metrics->Render(stats) + RenderHubMetrics(hub) +
                                                   RenderInferenceMetrics(options.scheduler));
                 },
             .summary = "Counters in Prometheus' text format."});
}

// "/gpt2/resolve/..." and "/api/models/gpt2" are the old one-part ids: replaced by what they stand
// for.
void App::Impl::RewriteAlias(net::Request* request) const {
  struct Place {
    std::string_view prefix;
    hub::RepoType type;
  };
  // The last one matches every path.
  static constexpr Place kPlaces[] = {{"/api/models/", hub::RepoType::kModel},
                                      {"/api/datasets/", hub::RepoType::kDataset},
                                      {"/api/spaces/", hub::RepoType::kSpace},
                                      {"/datasets/", hub::RepoType::kDataset},
                                      {"/spaces/", hub::RepoType::kSpace},
                                      {"/models/", hub::RepoType::kModel},
                                      {"/hf-inference/models/", hub::RepoType::kModel},
                                      {"/", hub::RepoType::kModel}};
  std::string_view path = request->raw_path;
  const Place* place = kPlaces;
  while (!path.starts_with(place->prefix) && place->prefix.size() > 1) ++place;
  hub::RepoType type = place->type;
  size_t at = place->prefix.size();
  // "/pipeline/{task}/gpt2"
  for (std::string_view pipeline : {"/pipeline/", "/hf-inference/pipeline/"}) {
    if (path.starts_with(pipeline)) at = std::min(path.find('/', pipeline.size()), path.size()) + 1;
  }
  if (at >= path.size()) return;
  size_t end = path.find('/', at);
  std::string_view part = path.substr(at, end == std::string_view::npos ? end : end - at);
  std::string_view bare = part.ends_with(".git") ? part.substr(0, part.size() - 4) : part;
  std::optional<std::string> target = hub.repos().FindAlias(type, bare);
  if (!target || hub.accounts().FindByName(bare) != nullptr) return;
  std::string rewritten =
      std::string(path.substr(0, at)) + *target + std::string(path.substr(at + bare.size()));
  request->raw_path = std::move(rewritten);
}

std::string App::Impl::BaseUrl(const net::Request& request) const {
  if (!options.base_url.empty()) return options.base_url;
  std::string url;
  url.reserve(64);
  url += request.secure ? "https://" : "http://";
  url += SafeHost(request.host) ? std::string_view(request.host) : "localhost";
  return url;
}

hub::Actor App::Impl::Authenticate(const net::Request& request, const Route& route) const {
  if (route.access == Access::kSigned) return {};
  if (const std::string* header = request.headers.Find("Authorization")) {
    // Two different ones: a proxy in front may have checked the other. The same one twice is what
    // git-lfs sends after a redirect when git's http.extraHeader sets it.
    for (const auto& [name, value] : request.headers.fields()) {
      if (AsciiEqualsIgnoreCase(name, "Authorization") && value != *header) {
        throw Error(Code::kInvalidArgument, "More than one Authorization header");
      }
    }
    std::optional<std::string> decoded;
    std::string_view token = TokenFromHeader(*header, &decoded);
    // Clients of the Xet store send its tokens to public addresses beside it as well.
    if (route.access == Access::kPublic && token.starts_with(kXetTokenPrefix)) return {};
    return hub.accounts().AuthenticateToken(token);
  }
  if (const std::string* cookies = request.headers.Find("Cookie")) {
    std::string_view cookie = CookieValue(*cookies, "hearth_session");
    if (!cookie.empty()) {
      if (std::optional<hub::Actor> actor = hub.accounts().AuthenticateSession(cookie))
        return *std::move(actor);
    }
  }
  return {};
}

// `body_is_there`: false while a large body waits to be let in; a form's token is then checked by
// PlanFor's handler, before anything else looks at the body.
void App::Impl::CheckAccess(Context* context, const Route& route, bool body_is_there) const {
  const hub::Actor& actor = context->actor;
  net::Request& request = context->request;
  if (NeedsCsrf(actor, request) && (body_is_there || !TokenIsInBody(request, route)))
    CheckCsrf(actor, request);
  if (std::optional<hub::Right> right = NeededRight(route.access)) {
    std::string id = request.Capture("ns") + "/" + request.Capture("name");
    if (OnBucket(route.access)) {
      context->bucket_handle = hub.buckets().Open(actor, id, *right);
      return;
    }
    context->repo_handle =
        hub.repos().Open(actor, route.type.value_or(hub::RepoType::kModel), id, *right);
    return;
  }
  bool needs_user = route.access == Access::kUser || route.access == Access::kUserWrite ||
                    route.access == Access::kSiteAdmin;
  if (needs_user && !actor.signed_in()) {
    throw Error(Code::kUnauthenticated, "Invalid username or password.");
  }
  if (route.access == Access::kUserWrite && !hub::TokenMayWrite(actor)) {
    throw Error(Code::kForbidden, "This token may only read: use a token with write permission");
  }
  if (route.access == Access::kSiteAdmin && !(actor.site_admin && hub::TokenMayWrite(actor))) {
    throw Error(Code::kForbidden, "Only an administrator of this hub may do this");
  }
}

// Runs `body` and maps whatever it throws; adds what every answer carries.
net::Response App::Impl::Guard(const Route& route, net::Request& request,
                               const std::string& base_url, const hub::Actor* const& actor,
                               const std::function<net::Response()>& body) const {
  net::Response response;
  // Made when a fault is there: the caller is known only after `body` has begun.
  auto fault = [&](const Error& error) {
    FaultSite site{route.surface, &request, actor != nullptr && actor->signed_in(), base_url};
    return FaultResponse(error, site);
  };
  auto internal = [&](const char* reason) {
    log::LogError(
        "request failed",
        {{"request_id", request.request_id}, {"route", route.pattern}, {"reason", reason}});
    return fault(Error(
        Code::kInternal,
        "Internal error. The server's log has the details under request id " + request.request_id));
  };
  try {
    response = body();
  } catch (const Error& error) {
    if (error.code() == Code::kInsufficientStorage) {
      log::LogError("request failed", {{"request_id", request.request_id},
                                       {"route", route.pattern},
                                       {"reason", error.message()}});
    }
    response = error.code() == Code::kInternal ? internal(error.what()) : fault(error);
  } catch (const std::bad_alloc&) {
    response = fault(Error(Code::kUnavailable, "The server is out of memory; try again later"));
  } catch (const std::exception& error) {
    response = internal(error.what());
  }
  Finish(route, request, &response);
  return response;
}

// The same steps as on the pool, as long as each needs memory only: no session, no gate. A fault of
// any kind, or a cache that does not have the answer, leaves the request to the pool.
std::optional<net::Response> App::Impl::AnswerFromMemory(const Route& route,
                                                         net::Request& request) const {
  std::optional<hub::Right> right = NeededRight(route.access);
  if (!route.from_memory || ChangesState(request.method) ||
      request.headers.Find("Cookie") != nullptr)
    return std::nullopt;
  hub::RepoPtr repo;
  if (right) {
    repo = hub.repos().Find(*route.type, request.RawCapture("ns"), request.RawCapture("name"));
    if (repo == nullptr || repo->gated != hub::Gated::kOff) return std::nullopt;
  }
  try {
    Context context{hub,
                    request,
                    Authenticate(request, route),
                    {},
                    BaseUrl(request),
                    {},
                    options.scheduler,
                    admission.get(),
                    &surroundings};
    if (right) {
      context.repo_handle = hub.repos().Open(context.actor, repo, *right);
    } else {
      CheckAccess(&context, route, true);
    }
    std::optional<net::Response> response = route.from_memory(context);
    if (response) Finish(route, request, &*response);
    return response;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<net::RouteMatch> App::Impl::FindRoute(std::string_view method,
                                                    const net::Request& request) const {
  // The dataset viewer lives on its own host name; clients fall back to the files while it does not
  // answer.
  if (request.host.starts_with("datasets-server.")) return std::nullopt;
  std::optional<net::RouteMatch> match = router.Match(method, request.raw_path);
  if (match && IsPageOfApi(request, table.routes()[match->route])) return std::nullopt;
  return match;
}

net::Plan App::Impl::Unrouted(const net::Request& request) const {
  net::Plan plan;
  plan.body.max_bytes = 1 << 20;
  std::vector<std::string> allowed = router.AllowedMethods(request.raw_path);
  std::erase_if(allowed, [&](const std::string& method) { return !FindRoute(method, request); });
  if (request.method == "OPTIONS" && !allowed.empty()) {
    plan.handle = [allowed](net::Request&) {
      net::Response response = net::Response::Empty(204);
      std::string methods = "OPTIONS";
      for (const std::string& method : allowed) methods += ", " + method;
      response.headers.Set("Access-Control-Allow-Origin", "*");
      response.headers.Set("Access-Control-Allow-Methods", methods);
      response.headers.Set("Access-Control-Allow-Headers", std::string(kAllowedHeaders));
      response.headers.Set("Access-Control-Max-Age", "86400");
      response.route = "preflight";
      return response;
    };
    return plan;
  }
  bool page = request.headers.Get("Accept").find("text/html") != std::string::npos;
  plan.handle = [this, allowed, page](net::Request& r) {
    static const Route unknown{
        .methods = "", .pattern = "unknown", .access = Access::kPublic, .handle = {}};
    Route route = unknown;
    route.surface = page ? Surface::kPage : Surface::kApi;
    return Guard(route, r, BaseUrl(r), nullptr, [&]() -> net::Response {
      if (allowed.empty())
        throw Error(Code::kNotFound, "Sorry, we can't find the page you are looking for.");
      std::string list;
      for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
      throw Error(Code::kMethodNotAllowed, r.method + " is not possible here; allowed: " + list)
          .WithHeader("Allow", list);
    });
  };
  return plan;
}

App::App(hub::Hub& hub, AppOptions options)
    : impl_(std::make_unique<Impl>(hub, std::move(options))) {}
App::~App() = default;

net::Plan App::PlanFor(net::Request& request) {
  Impl* impl = impl_.get();
  impl->RewriteAlias(&request);
  std::optional<net::RouteMatch> match = impl->FindRoute(request.method, request);
  if (!match) return impl->Unrouted(request);
  const Route* route = &impl->table.routes()[match->route];
  request.captures = std::move(match->captures);

  net::Plan plan;
  plan.body = route->body;
  if (route->announced_bytes) {
    plan.body.max_bytes = std::min(plan.body.max_bytes, route->announced_bytes(request));
  }
  if ((plan.answer = impl->AnswerFromMemory(*route, request))) return plan;
  // Access is checked before a large body is taken in, else together with the handler.
  auto context = std::make_shared<std::unique_ptr<Context>>();
  auto prepare = [impl, route, context](net::Request& r, bool body_is_there) {
    *context = std::make_unique<Context>(Context{impl->hub,
                                                 r,
                                                 {},
                                                 {},
                                                 impl->BaseUrl(r),
                                                 {},
                                                 impl->options.scheduler,
                                                 impl->admission.get(),
                                                 &impl->surroundings});
    (*context)->actor = impl->Authenticate(r, *route);
    impl->CheckAccess(context->get(), *route, body_is_there);
    if (route->admit) route->admit(**context);
  };
  bool early =
      route->body.max_bytes > kAdmitAbove || route->body.spool_always || route->admit != nullptr;
  if (early) {
    plan.admit = [impl, route, context, prepare](net::Request& r) -> std::optional<net::Response> {
      bool admitted = false;
      net::Response refusal = impl->Guard(*route, r, impl->BaseUrl(r), nullptr, [&] {
        prepare(r, false);
        admitted = true;
        return net::Response::Empty(100);
      });
      if (admitted) return std::nullopt;
      return refusal;
    };
  }
  plan.handle = [impl, route, context, prepare, early](net::Request& r) {
    std::string base_url = impl->BaseUrl(r);
    const hub::Actor* actor = nullptr;
    return impl->Guard(*route, r, base_url, actor, [&] {
      if (!early || !*context) {
        prepare(r, true);
      } else if (NeedsCsrf((*context)->actor, r) && TokenIsInBody(r, *route)) {
        CheckCsrf((*context)->actor, r);
      }
      actor = &(*context)->actor;
      return route->handle(**context);
    });
  };
  return plan;
}

void App::RecordRequest(const std::string& method, const std::string& route, int status,
                        std::chrono::microseconds elapsed) {
  (void)method;
  impl_->metrics->Record(route, status, elapsed);
  impl_->history.Record(status, elapsed);
}

void App::SetServerStats(std::function<net::ServerStats()> stats) {
  impl_->server_stats = std::move(stats);
}
void App::SetReady(bool ready) { impl_->ready = ready; }
void App::StopChores() { impl_->chores.Stop(); }

}  // namespace hearth::server
