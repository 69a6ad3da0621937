// Rendering of the site: server-side templates from web/templates, embedded in the program, no
// other host; pages work without their scripts. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/catalog.h"
#include "net/http.h"
#include "server/route.h"

namespace hearth::server {

// Renders a template with `data` and what every page has: viewer (name, csrf), base_url, path,
// version. What a page is allowed beyond the usual stands in data's `permissions`, a list: "blobs"
// (pictures and sounds that its scripts hold), "microphone".
net::Response RenderPage(const Context& context, std::string_view template_name, Json data,
                         int status = 200);
// The same when no Context was made (errors before routing).
net::Response RenderBarePage(std::string_view template_name, Json data, int status);
// "/{P}ns/name": the path of a repository's page.
std::string RepoPath(const hub::RepoRecord& repo);
// What a card in a list and the head of a repository's page show.
Json RepoSummary(const hub::RepoRecord& repo, const hub::RepoFacts* facts, TimePoint now);
// A list of them, with the facts of main.
Json RepoSummaries(Context& context, const std::vector<hub::RepoPtr>& repos);
// The first `query.limit` of each type of repository, whatever type the query names: type, plural
// (in addresses), label (in sentences), total, repos.
Json RepoColumns(Context& context, hub::CatalogQuery query);
// "3 days ago"
std::string Ago(TimePoint then, TimePoint now);

}  // namespace hearth::server
