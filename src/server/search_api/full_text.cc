// GET /api/hearth/search and /api/search/full-text: the texts of all repositories.
#include "hub/full_text.h"
#include "base/bytes.h"
#include "base/error.h"
#include "server/list_query.h"
#include "server/route.h"
#include "server/search_api/search_json.h"
#include "text/html.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxHits = 100;
constexpr size_t kDefaultHits = 20;

size_t NumberParam(const net::Request& request, std::string_view key, size_t fallback,
                   size_t most) {
  std::string text = request.QueryParam(key).value_or("");
  if (text.empty()) return fallback;
  std::optional<uint64_t> number = ParseUint(text);
  if (!number) throw Error(Code::kInvalidArgument, "invalid " + std::string(key) + ": no number");
  return static_cast<size_t>(std::min<uint64_t>(*number, most));
}

std::optional<hub::RepoType> TypeParam(const net::Request& request) {
  std::string name = request.QueryParam("type").value_or("");
  if (name.empty() || name == "all") return std::nullopt;
  std::optional<hub::RepoType> type = hub::ParseRepoType(name);
  if (!type)
    throw Error(Code::kInvalidArgument, "invalid type: expected all, model, dataset or space");
  return type;
}

// The text as pieces: {text, match} of ours, {text, type} of the public service.
template <typename F>
void ForEachPiece(std::string_view text, const std::vector<std::pair<uint32_t, uint32_t>>& matches,
                  F each) {
  size_t at = 0;
  for (auto [begin, end] : matches) {
    if (begin > at) each(text.substr(at, begin - at), false);
    each(text.substr(begin, end - begin), true);
    at = end;
  }
  if (at < text.size()) each(text.substr(at), false);
}

Json FormattedJson(std::string_view text,
                   const std::vector<std::pair<uint32_t, uint32_t>>& matches) {
  Json::Array pieces;
  ForEachPiece(text, matches, [&pieces](std::string_view piece, bool match) {
    pieces.push_back(Json::Obj({{"text", piece}, {"type", match ? "highlight" : "text"}}));
  });
  return Json(std::move(pieces));
}

Json HitJson(const hub::FullTextHit& hit) {
  const hub::RepoRecord& repo = *hit.repo;
  Json row =
      Json::Obj({{"type", hub::SingularName(repo.type)},
                 {"id", repo.FullName()},
                 {"author", repo.owner},
                 {"private", repo.is_private},
                 {"lastModified", FormatIso8601(repo.modified_at)},
                 {"likes", repo.likes},
                 {"downloads", repo.downloads},
                 {"url", "/" + std::string(hub::PathPrefix(repo.type)) + repo.FullName()},
                 {"title", MarkedHtml(repo.FullName(), hit.name_matches)},
                 {"snippet", Json::Obj({{"file", hit.file},
                                        {"field", search::RuleOf(hit.snippet.field).name},
                                        {"html", MarkedHtml(hit.snippet.text, hit.snippet.matches)},
                                        {"cutBefore", hit.snippet.cut_before},
                                        {"cutAfter", hit.snippet.cut_after}})}});
  return row;
}

// What both forms of the search take.
hub::FullTextQuery QueryOf(const net::Request& request) {
  hub::FullTextQuery query;
  query.text = request.QueryParam("q").value_or("");
  query.type = TypeParam(request);
  query.skip = NumberParam(request, "skip", 0, SIZE_MAX / 2);
  query.limit = NumberParam(request, "limit", kDefaultHits, kMaxHits);
  return query;
}

net::Response OwnSearch(Context& context) {
  const net::Request& request = context.request;
  hub::FullTextQuery query = QueryOf(request);
  query.with_facets = request.QueryFlag("facets", false);
  if (query.type) {
    ListQuery list = ReadListQuery(request, *query.type);
    query.list = list.query;
    query.restricts = !list.query.facets.empty() || !list.query.filters.empty();
  }
  hub::FullTextPage page = context.hub.full_text().Find(context.actor, query);
  Json::Array hits;
  for (const hub::FullTextHit& hit : page.hits) hits.push_back(HitJson(hit));
  Json answer = Json::Obj(
      {{"query", query.text},
       {"total", page.total},
       {"counts",
        Json::Obj({{"models", page.models}, {"datasets", page.datasets}, {"spaces", page.spaces}})},
       {"relaxed", page.relaxed},
       {"hits", Json(std::move(hits))}});
  if (!page.corrected.empty()) answer.Set("corrected", page.corrected);
  if (page.facets) answer.Set("facets", FacetsJson(*page.facets));
  return JsonResponse(answer);
}

// The names that the public service's answer has; of what it adds beyond the found repositories
// only what this hub knows.
Json PublicHitJson(const hub::FullTextHit& hit) {
  const hub::RepoRecord& repo = *hit.repo;
  std::string name = repo.FullName();
  return Json::Obj(
      {{"repoId", repo.oid},
       {"repoOwner", repo.owner},
       {"repoName", repo.name},
       {"name", name},
       {"type", hub::SingularName(repo.type)},
       {"private", repo.is_private},
       {"likes", repo.likes},
       {"updatedAt", FormatIso8601(repo.modified_at)},
       {"fileName", hit.file},
       {"isReadmeFile", hit.file == "README.md"},
       {"formatted",
        Json::Obj({{"name", FormattedJson(name, hit.name_matches)},
                   {"fileName", FormattedJson(hit.file, {})},
                   {"fileContent", FormattedJson(hit.snippet.text, hit.snippet.matches)}})}});
}

net::Response PublicSearch(Context& context) {
  hub::FullTextQuery query = QueryOf(context.request);
  hub::FullTextPage page = context.hub.full_text().Find(context.actor, query);
  Json::Array hits;
  for (const hub::FullTextHit& hit : page.hits) hits.push_back(PublicHitJson(hit));
  return JsonResponse(Json::Obj({{"query", query.text},
                                 {"estimatedTotalHits", page.total},
                                 {"hits", Json(std::move(hits))}}));
}

}  // namespace

std::string MarkedHtml(std::string_view text,
                       const std::vector<std::pair<uint32_t, uint32_t>>& matches) {
  std::string html;
  ForEachPiece(text, matches, [&html](std::string_view piece, bool match) {
    if (match) html += "<mark>";
    html += EscapeHtml(piece);
    if (match) html += "</mark>";
  });
  return html;
}

void RegisterFullText(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/search",
             .access = Access::kPublic,
             .handle = OwnSearch,
             .summary = "Searches names, cards, files and code of all repositories."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/search/full-text",
             .access = Access::kPublic,
             .handle = PublicSearch,
             .summary = "The same search, in the words of the public service."});
}

}  // namespace hearth::server
