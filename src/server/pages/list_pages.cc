// The lists of models, data sets and Spaces: facets at the side, cards or tiles, sort and pages.
// The address is the whole state; every facet, sort and page is a link, so nothing needs a script.
#include <algorithm>

#include "base/error.h"
#include "hub/facets.h"
#include "hub/inspector/compare/comparison.h"
#include "hub/tasks.h"
#include "server/inspector_api/own_hardware.h"
#include "server/list_query.h"
#include "server/pages/device_rows.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

constexpr size_t kPerPage = 30;
constexpr size_t kShownValues = 60;  // of a facet
constexpr size_t kOpenFacets = 5;    // the first ones are unfolded

// Parameters of the address by name, in their order.
using Params = std::vector<std::pair<std::string, std::string>>;

std::string Address(const net::Request& request, const Params& params) {
  std::string query;
  for (const auto& [name, text] : params) {
    if (text.empty()) continue;
    query +=
        (query.empty() ? "?" : "&") + net::PercentEncode(name) + "=" + net::PercentEncode(text);
  }
  return request.raw_path + query;
}

// Without the page that was shown: another choice starts at the first.
Params ParamsOf(const net::Request& request) {
  Params params;
  for (const auto& [name, text] : net::ParseForm(request.raw_query)) {
    if (name != "cursor") params.emplace_back(name, text);
  }
  return params;
}

std::string With(const net::Request& request, const std::string& key, const std::string& value) {
  Params params = ParamsOf(request);
  std::erase_if(params, [&key](const auto& param) { return param.first == key; });
  params.emplace_back(key, value);
  return Address(request, params);
}

// Adds the value, or takes it away when it is there.
std::string Toggled(const net::Request& request, const std::string& key, const std::string& value) {
  Params params = ParamsOf(request);
  size_t before = params.size();
  std::erase_if(params,
                [&](const auto& param) { return param.first == key && param.second == value; });
  if (params.size() == before) params.emplace_back(key, value);
  return Address(request, params);
}

std::string_view TaskGroupLabel(std::string_view group) {
  static constexpr std::pair<std::string_view, std::string_view> kLabels[] = {
      {"multimodal", "Multimodal"}, {"cv", "Vision"},      {"nlp", "Text"},
      {"audio", "Audio"},           {"tabular", "Tables"}, {"rl", "Acting and robots"}};
  for (auto [name, label] : kLabels) {
    if (name == group) return label;
  }
  return "Other";
}

Json ValueRow(const net::Request& request, const std::string& key, const hub::FacetValue& value) {
  return Json::Obj({{"value", value.value},
                    {"label", value.label},
                    {"count", value.count},
                    {"selected", value.selected},
                    {"url", Toggled(request, key, value.value)}});
}

// The reader's own devices before the usual sizes.
Json FitParts(const net::Request& request, const hub::FacetGroup& facet,
              const std::vector<hub::FacetValue>& devices) {
  Json own = Json::Arr(), others = Json::Arr(), parts = Json::Arr();
  for (const hub::FacetValue& device : devices) own.Push(ValueRow(request, facet.key, device));
  for (const hub::FacetValue& value : facet.values) {
    bool listed = std::any_of(devices.begin(), devices.end(), [&value](const hub::FacetValue& d) {
      return d.value == value.value;
    });
    if (!listed) others.Push(ValueRow(request, facet.key, value));
  }
  bool named = own.size() > 0;
  if (named) parts.Push(Json::Obj({{"label", "Your hardware"}, {"values", std::move(own)}}));
  if (others.size() > 0) {
    parts.Push(
        Json::Obj({{"label", named ? "Other memories" : ""}, {"values", std::move(others)}}));
  }
  return parts;
}

// [{label, values}]: tasks by what they work on, memories by whose they are, every other facet as
// one part without a label.
Json Parts(const net::Request& request, const hub::FacetGroup& facet, const hub::Facets& facets) {
  if (facet.key == "fits") return FitParts(request, facet, facets.devices);
  if (facet.key != "task") {
    Json values = Json::Arr();
    for (const hub::FacetValue& value : facet.values)
      values.Push(ValueRow(request, facet.key, value));
    return Json::Arr({Json::Obj({{"label", ""}, {"values", std::move(values)}})});
  }
  Json parts = Json::Arr();
  for (std::string_view group : {"nlp", "cv", "multimodal", "audio", "tabular", "rl", "other"}) {
    Json values = Json::Arr();
    for (const hub::FacetValue& value : facet.values) {
      const hub::TaskEntry* task = hub::FindTask(value.value);
      if ((task == nullptr ? "other" : task->group) == group)
        values.Push(ValueRow(request, facet.key, value));
    }
    if (values.size() > 0)
      parts.Push(Json::Obj({{"label", TaskGroupLabel(group)}, {"values", std::move(values)}}));
  }
  return parts;
}

Json FacetRows(const net::Request& request, const hub::Facets& facets) {
  Json rows = Json::Arr();
  for (const hub::FacetGroup& facet : facets.groups) {
    bool own = facet.key == "fits" && !facets.devices.empty() && facets.total > 0;
    if (facet.values.empty() && !own) continue;
    bool chosen = std::any_of(facet.values.begin(), facet.values.end(),
                              [](const hub::FacetValue& value) { return value.selected; });
    rows.Push(Json::Obj({{"key", facet.key},
                         {"label", facet.label},
                         {"many", facet.many},
                         {"open", chosen || rows.size() < kOpenFacets},
                         {"hidden", facet.distinct - std::min(facet.distinct, facet.values.size())},
                         {"parts", Parts(request, facet, facets)},
                         {"size", facet.values.size()}}));
  }
  return rows;
}

// What narrows the list now, each with the address without it.
Json Active(const net::Request& request, const hub::Facets& facets) {
  Json rows = Json::Arr();
  for (const hub::FacetGroup& facet : facets.groups) {
    for (const hub::FacetValue& value : facet.values) {
      if (value.selected)
        rows.Push(Json::Obj({{"facet", facet.label},
                             {"label", value.label},
                             {"url", Toggled(request, facet.key, value.value)}}));
    }
  }
  for (const char* key : {"filter", "search", "num_parameters", "other"}) {
    for (const std::string& value : request.QueryParams(key)) {
      if (!value.empty())
        rows.Push(Json::Obj({{"facet", std::string_view(key) == "search" ? "Name has" : ""},
                             {"label", value},
                             {"url", Toggled(request, key, value)}}));
    }
  }
  return rows;
}

Json Sorts(const net::Request& request, hub::RepoType type) {
  Json sorts = Json::Arr();
  std::vector<std::pair<const char*, const char*>> keys = {{"trendingScore", "Trending"},
                                                           {"likes", "Most likes"},
                                                           {"downloads", "Most downloads"},
                                                           {"createdAt", "Newest"},
                                                           {"lastModified", "Recently updated"}};
  if (type == hub::RepoType::kModel) keys.emplace_back("num_parameters", "Most parameters");
  if (type != hub::RepoType::kSpace) keys.emplace_back("mainSize", "Largest");
  for (auto [key, label] : keys) {
    sorts.Push(Json::Obj({{"key", key}, {"label", label}, {"url", With(request, "sort", key)}}));
  }
  return sorts;
}

// What a form for one parameter sends along.
Json Kept(const net::Request& request, std::string_view but) {
  Json rows = Json::Arr();
  for (const auto& [name, text] : ParamsOf(request)) {
    if (name != but && !text.empty()) rows.Push(Json::Obj({{"name", name}, {"value", text}}));
  }
  return rows;
}

net::Response ListPage(Context& context, hub::RepoType type) {
  const net::Request& request = context.request;
  ListQuery list = ReadListQuery(request, type);
  list.query.limit = kPerPage;
  hub::CatalogPage page;
  hub::Facets facets;
  if (!list.nothing) {
    page = context.hub.catalog().List(context.actor, list.query);
    hub::CatalogQuery all = list.query;
    all.cursor.clear();
    hub::FacetOptions options{.max_values = kShownValues};
    if (type == hub::RepoType::kModel) {
      for (const inspector::Device& device : OwnHardware(context))
        options.devices.push_back(inspector::DeviceSpec(device));
    }
    facets = context.hub.catalog().FacetsOf(context.actor, all, options);
  }
  std::string sort = request.QueryParam("sort").value_or("");
  Json data = Json::Obj({{"type", hub::SingularName(type)},
                         {"plural", hub::PluralName(type)},
                         {"repos", RepoSummaries(context, page.repos)},
                         {"total", page.total},
                         {"search", request.QueryParam("search").value_or("")},
                         {"kept", Kept(request, "search")},
                         {"facets", FacetRows(request, facets)},
                         {"active", Active(request, facets)},
                         {"sorts", Sorts(request, type)},
                         {"most", inspector::kMaxCompared},
                         {"sort", sort.empty() ? "trendingScore" : sort}});
  if (type == hub::RepoType::kModel) {
    data.Set("kept_for_device", Kept(request, "fits"));
    data.Set("devices", KnownDeviceRows());
  }
  if (!page.next_cursor.empty()) {
    Params params = ParamsOf(request);
    params.emplace_back("cursor", page.next_cursor);
    data.Set("next", Address(request, params));
  }
  if (!list.query.cursor.empty()) data.Set("first", Address(request, ParamsOf(request)));
  return RenderPage(context, "list.html", std::move(data));
}

}  // namespace

void RegisterListPages(RouteTable& table) {
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    table.Add({.methods = "GET,HEAD",
               .pattern = "/" + std::string(hub::PluralName(type)),
               .access = Access::kPublic,
               .handle = [type](Context& context) { return ListPage(context, type); },
               .surface = Surface::kPage,
               .summary = "List with facets, search and sort."});
  }
}

}  // namespace hearth::server
