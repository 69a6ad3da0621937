#include "server/list_query.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxLimit = 1000;
// Each text is one pass over all names.
constexpr size_t kMaxSearchTexts = 20;
constexpr size_t kMaxFacetValues = 50;
// The facet's value; clients of the public service say "warm".
constexpr std::string_view kAvailable = "available";

[[noreturn]] void BadParam(std::string_view name, std::string_view why) {
  throw Error(Code::kInvalidArgument, "invalid " + std::string(name) + ": " + std::string(why));
}

// Repeated keys and comma lists, empty items dropped.
std::vector<std::string> ListParam(const net::Request& request, std::string_view key) {
  std::vector<std::string> list;
  for (const std::string& value : request.QueryParams(key)) {
    for (std::string_view part : Split(value, ',')) {
      part = TrimAscii(part);
      if (!part.empty()) list.emplace_back(part);
    }
  }
  return list;
}

// "6B", "0.5M", "128000000".
uint64_t ParseCount(std::string_view text) {
  std::string number(text);
  double scale = 1;
  switch (number.empty() ? '\0' : number.back()) {
    case 'k':
    case 'K':
      scale = 1e3;
      break;
    case 'm':
    case 'M':
      scale = 1e6;
      break;
    case 'b':
    case 'B':
      scale = 1e9;
      break;
    case 't':
    case 'T':
      scale = 1e12;
      break;
  }
  if (scale > 1) number.pop_back();
  bool plain = !number.empty() && number.size() < 20 &&
               number.find_first_not_of("0123456789.") == std::string::npos;
  if (!plain) BadParam("num_parameters", "expected min:6B,max:128B");
  double value = std::strtod(number.c_str(), nullptr) * scale;
  return value >= 9e18 ? static_cast<uint64_t>(9e18) : static_cast<uint64_t>(std::llround(value));
}

void ReadParameterRange(const net::Request& request, hub::CatalogQuery* query) {
  for (const std::string& part : ListParam(request, "num_parameters")) {
    if (part.starts_with("min:")) {
      query->min_parameters = ParseCount(std::string_view(part).substr(4));
    } else if (part.starts_with("max:")) {
      query->max_parameters = ParseCount(std::string_view(part).substr(4));
    } else {
      BadParam("num_parameters", "expected min:6B,max:128B");
    }
  }
}

// A comma list as well, as clients send it.
void ReadApps(const net::Request& request, hub::CatalogQuery* query) {
  if (query->type != hub::RepoType::kModel) return;
  for (const std::string& name : ListParam(request, "apps")) hub::ApplyFacet("apps", name, query);
}

size_t ReadLimit(const net::Request& request) {
  std::optional<std::string> text = request.QueryParam("limit");
  if (!text || text->empty()) return kMaxLimit;
  std::optional<uint64_t> limit = ParseUint(*text);
  if (!limit || *limit == 0) BadParam("limit", "expected a number from 1 to 1000");
  return static_cast<size_t>(std::min<uint64_t>(*limit, kMaxLimit));
}

void ReadSort(const net::Request& request, hub::CatalogQuery* query) {
  std::string sort = request.QueryParam("sort").value_or("");
  if (!sort.empty()) {
    std::optional<hub::SortKey> key = hub::ParseSortKey(sort);
    if (!key) BadParam("sort", "unknown key \"" + sort.substr(0, 60) + "\"");
    query->sort = *key;
  }
  std::string direction = request.QueryParam("direction").value_or("");
  if (!direction.empty() && direction != "-1" && direction != "1")
    BadParam("direction", "expected -1 or 1");
  query->ascending = direction == "1";
}

void ReadFacets(const net::Request& request, hub::CatalogQuery* query) {
  for (std::string_view key : hub::FacetKeys(query->type)) {
    if (key == "apps") continue;  // ReadApps
    for (const std::string& value : request.QueryParams(key)) {
      if (value.empty()) continue;
      if (key == "gated") {
        hub::ApplyFacet(key, request.QueryFlag(key, false) ? "true" : "false", query);
      } else if (key != "inference" || value == kAvailable) {
        hub::ApplyFacet(key, value, query);
      }
    }
  }
  if (query->facets.size() > kMaxFacetValues) BadParam("facets", "at most 50 values");
}

hub::CatalogQuery ReadQuery(const net::Request& request, hub::RepoType type) {
  hub::CatalogQuery query;
  query.type = type;
  for (std::string& text : request.QueryParams("search")) {
    if (!text.empty()) query.search.push_back(std::move(text));
  }
  if (query.search.size() > kMaxSearchTexts) BadParam("search", "at most 20 texts");
  query.filters = ListParam(request, "filter");
  ReadFacets(request, &query);
  if (type == hub::RepoType::kModel) {
    query.pipeline_tag = request.QueryParam("pipeline_tag").value_or("");
    ReadParameterRange(request, &query);
    ReadApps(request, &query);
  }
  if (type == hub::RepoType::kSpace) {
    query.linked_models = ListParam(request, "models");
    query.linked_datasets = ListParam(request, "datasets");
    query.linked = request.QueryFlag("linked", false);
  }
  ReadSort(request, &query);
  query.limit = ReadLimit(request);
  query.cursor = request.QueryParam("cursor").value_or("");
  return query;
}

// Which models this hub is asked to run: it is the provider "hf-inference", and no other is here.
// False: nothing can match.
bool ReadServed(const net::Request& request, hub::CatalogQuery* query) {
  std::string state = request.QueryParam("inference").value_or("");
  std::vector<std::string> providers = ListParam(request, "inference_provider");
  if (state == kAvailable) state.clear();
  if (state.empty() && providers.empty()) return true;
  query->run_task = "";
  bool here = providers.empty() ||
              std::any_of(providers.begin(), providers.end(), [](const std::string& provider) {
                return provider == "hf-inference" || provider == "all";
              });
  return here && (state.empty() || state == "warm");
}

}  // namespace

ListQuery ReadListQuery(const net::Request& request, hub::RepoType type) {
  ListQuery list{ReadQuery(request, type), false};
  if (type == hub::RepoType::kModel) list.nothing = !ReadServed(request, &list.query);
  return list;
}

}  // namespace hearth::server
