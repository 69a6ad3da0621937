// GET /api/hearth/{T}/facets: what a list can be narrowed by, with counts.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/facets.h"
#include "server/list_query.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxValues = 1000;

Json GroupJson(const hub::FacetGroup& group) {
  Json::Array values;
  for (const hub::FacetValue& value : group.values) {
    Json row = Json::Obj({{"value", value.value}, {"label", value.label}, {"count", value.count}});
    if (value.selected) row.Set("selected", true);
    values.push_back(std::move(row));
  }
  return Json::Obj({{"key", group.key},
                    {"label", group.label},
                    {"multiple", group.many},
                    {"distinct", group.distinct},
                    {"values", Json(std::move(values))}});
}

hub::FacetOptions ReadOptions(const net::Request& request, hub::RepoType type) {
  hub::FacetOptions options;
  if (std::string text = request.QueryParam("values").value_or(""); !text.empty()) {
    std::optional<uint64_t> values = ParseUint(text);
    if (!values || *values == 0 || *values > kMaxValues)
      throw Error(Code::kInvalidArgument, "invalid values: expected a number from 1 to 1000");
    options.max_values = static_cast<size_t>(*values);
  }
  std::vector<std::string_view> known = hub::FacetKeys(type);
  for (const std::string& list : request.QueryParams("only")) {
    for (std::string_view key : Split(list, ',')) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        throw Error(Code::kInvalidArgument,
                    "invalid only: no facet \"" + std::string(key.substr(0, 60)) + "\"");
      options.only.emplace_back(key);
    }
  }
  return options;
}

net::Response FacetList(Context& context, hub::RepoType type) {
  ListQuery list = ReadListQuery(context.request, type);
  hub::FacetOptions options = ReadOptions(context.request, type);
  hub::Facets facets;
  if (!list.nothing) facets = context.hub.catalog().FacetsOf(context.actor, list.query, options);
  Json::Array groups;
  for (const hub::FacetGroup& group : facets.groups) groups.push_back(GroupJson(group));
  return JsonResponse(Json::Obj({{"total", facets.total}, {"facets", Json(std::move(groups))}}));
}

}  // namespace

void RegisterFacets(RouteTable& table) {
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    table.Add(
        {.methods = "GET,HEAD",
         .pattern = "/api/hearth/" + std::string(hub::PluralName(type)) + "/facets",
         .access = Access::kPublic,
         .handle = [type](Context& context) { return FacetList(context, type); },
         .summary = "What the list can be narrowed by, with counts of what the caller sees."});
  }
}

}  // namespace hearth::server
