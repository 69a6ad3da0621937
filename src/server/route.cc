#include "server/route.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

std::string ReplaceOnce(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

constexpr hub::RepoType kTypes[] = {hub::RepoType::kModel, hub::RepoType::kDataset,
                                    hub::RepoType::kSpace};

// Takes one raw segment off the front of `rest`.
std::string_view TakeSegment(std::string_view* rest) {
  size_t slash = rest->find('/');
  std::string_view segment = rest->substr(0, slash);
  *rest = slash == std::string_view::npos ? std::string_view() : rest->substr(slash + 1);
  return segment;
}

}  // namespace

#define HEARTH_ROUTES(Name) void Register##Name(RouteTable&);
#include "server/routes.inc"
#undef HEARTH_ROUTES

RouteTable BuildRouteTable() {
  RouteTable table;
#define HEARTH_ROUTES(Name) Register##Name(table);
#include "server/routes.inc"
#undef HEARTH_ROUTES
  return table;
}

void RouteTable::Add(Route route) {
  bool plural = route.pattern.find("{T}") != std::string::npos;
  bool prefix = route.pattern.find("{P}") != std::string::npos;
  if (!plural && !prefix) {
    routes_.push_back(std::move(route));
    return;
  }
  for (hub::RepoType type : kTypes) {
    Route copy = route;
    copy.type = type;
    copy.pattern = plural ? ReplaceOnce(copy.pattern, "{T}", hub::PluralName(type))
                          : ReplaceOnce(copy.pattern, "{P}", hub::PathPrefix(type));
    routes_.push_back(std::move(copy));
  }
}

Json Context::JsonBody() const {
  std::string text = request.body.ReadAll();
  if (TrimAscii(text).empty()) return Json::Obj();
  Json body = Json::Parse(text);
  if (!body.is_object())
    throw Error(Code::kInvalidArgument, "the request body must be a JSON object");
  return body;
}

net::Response JsonResponse(const Json& body, int status) {
  return net::Response::Bytes(status, "application/json; charset=utf-8", body.Dump());
}

RevisionAndPath SplitRevisionPath(std::string_view raw) {
  RevisionAndPath result;
  std::string_view rest = raw;
  std::string revision = net::PercentDecodePath(TakeSegment(&rest));
  // "refs/pr/1", "refs/heads/x" and "refs/convert/x" may come with their slashes unencoded.
  if (revision == "refs" && !rest.empty()) {
    std::string_view after = rest;
    std::string kind = net::PercentDecodePath(TakeSegment(&after));
    if ((kind == "pr" || kind == "heads" || kind == "convert" || kind == "tags") &&
        !after.empty()) {
      revision = "refs/" + kind + "/" + net::PercentDecodePath(TakeSegment(&after));
      rest = after;
    }
  }
  result.revision = std::move(revision);
  result.path = net::PercentDecodePath(rest);
  while (!result.path.empty() && result.path.back() == '/') result.path.pop_back();
  return result;
}

void AddNextLink(net::Response* response, const Context& context, std::string_view cursor) {
  if (cursor.empty()) return;
  std::string target = context.base_url + context.request.raw_path;
  char separator = '?';
  for (std::string_view pair : Split(context.request.raw_query, '&')) {
    if (pair.empty() || pair == "cursor" || pair.starts_with("cursor=")) continue;
    target += separator;
    target += pair;
    separator = '&';
  }
  target += separator;
  target += "cursor=" + net::PercentEncode(cursor);
  response->headers.Add("Link", "<" + target + ">; rel=\"next\"");
}

std::string RepoUrl(const Context& context, const hub::RepoRecord& repo) {
  return context.base_url + "/" + std::string(hub::PathPrefix(repo.type)) + repo.FullName();
}

std::string_view CookieValue(std::string_view header, std::string_view name) {
  for (std::string_view pair : Split(header, ';')) {
    pair = TrimAscii(pair);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace hearth::server
