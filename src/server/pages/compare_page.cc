// Repositories side by side. The address is the whole state; the table is complete without scripts.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/compare/comparison.h"
#include "server/inspector_api/own_hardware.h"
#include "server/inspector_api/portraits.h"
#include "server/pages/compare_places.h"
#include "server/pages/device_rows.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

struct State {
  std::vector<inspector::RepoSpec> specs;
  std::vector<std::string> devices;
  bool own_devices = false;  // they are not in the address, but listed in the reader's settings
  bool only_differences = false;
};

std::string Text(const inspector::RepoSpec& spec) {
  return inspector::SpecOf(spec.type, spec.id, spec.revision);
}

// The page with other repositories or another view. `without`: the column that is left out.
std::string AddressOf(const State& state, std::optional<size_t> without, bool only_differences) {
  std::string query;
  for (size_t i = 0; i < state.specs.size(); ++i) {
    if (without == i) continue;
    query += (query.empty() ? "?repos=" : ",") + net::PercentEncode(Text(state.specs[i]), "/@");
  }
  auto add = [&query](const std::string& part) { query += (query.empty() ? "?" : "&") + part; };
  if (!state.own_devices) {
    for (const std::string& device : state.devices) add("device=" + net::PercentEncode(device));
  }
  if (only_differences) add("only=differences");
  return "/compare" + query;
}

Json Column(const State& state, size_t index, const AskedRepo& asked) {
  const hub::RepoRecord& record = asked.repo.record();
  return Json::Obj({{"id", record.FullName()},
                    {"owner", record.owner},
                    {"name", record.name},
                    {"type", hub::SingularName(record.type)},
                    {"path", RepoPath(record)},
                    {"private", record.is_private},
                    {"commit", asked.commit.Hex()},
                    {"spec", Text(state.specs[index])},
                    {"remove", AddressOf(state, index, state.only_differences)}});
}

// Tasks that ask with one text and answer with something that people can hold side by side, the
// most telling first.
constexpr std::string_view kOneText[] = {
    "text-generation",     "summarization",        "translation", "text2text-generation",
    "text-classification", "token-classification", "fill-mask",   "feature-extraction"};

// What one prompt to all models would be: {"task", "models": [{"id", "path", "reason"}]}, or why
// there is none ("fault"). Null when fewer than two columns are models.
Json SamePrompt(const Context& context, const std::vector<AskedRepo>& columns) {
  Json models = Json::Arr();
  std::vector<std::string_view> shared(std::begin(kOneText), std::end(kOneText));
  size_t running = 0;
  for (const AskedRepo& column : columns) {
    const hub::RepoRecord& record = column.repo.record();
    if (record.type != hub::RepoType::kModel) continue;
    std::string reason = "models do not run on this hub";
    if (context.hub.catalog().judges()) {
      hub::FactsPtr facts = context.hub.catalog().FactsOf(column.repo, column.commit);
      const std::vector<std::string>& tasks = facts->run.tasks;
      reason = facts->run.runs() ? "" : facts->run.reason;
      // The engine has main.
      if (reason.empty() && record.head != column.commit) reason = "only main is run";
      if (reason.empty()) {
        ++running;
        std::erase_if(shared, [&tasks](std::string_view task) {
          return std::find(tasks.begin(), tasks.end(), task) == tasks.end();
        });
      }
    }
    models.Push(
        Json::Obj({{"id", record.FullName()}, {"path", RepoPath(record)}, {"reason", reason}}));
  }
  if (models.size() < 2) return {};
  Json same = Json::Obj({{"models", std::move(models)}, {"task", ""}, {"fault", ""}});
  if (running < 2) {
    same.Set("fault", "Fewer than two of these run here.");
  } else if (shared.empty()) {
    same.Set("fault", "They run here for different tasks.");
  } else {
    same.Set("task", shared.front());
  }
  return same;
}

// Adds to every place where it leads, and to every group whether something in it differs.
void AddLinks(const std::vector<AskedRepo>& columns, Json* comparison) {
  for (Json& group : *comparison->Find("groups")->AsArray()) {
    bool differs = false;
    for (Json& row : *group.Find("rows")->AsArray()) {
      differs = differs || row.BoolField("differs").value_or(false);
      Json::Array& cells = *row.Find("cells")->AsArray();
      for (size_t i = 0; i < cells.size() && i < columns.size(); ++i)
        AddPlaceLinks(columns[i].repo.record(), columns[i].commit.Hex(), &cells[i]);
    }
    group.Set("differs", differs);
  }
}

// Chosen devices, each with the address without it.
Json Devices(const State& state) {
  Json rows = Json::Arr();
  for (const std::string& device : state.devices) {
    State without = state;
    without.own_devices = false;
    std::erase(without.devices, device);
    // Without any device the reader's own are back.
    bool removable = !state.own_devices || !without.devices.empty();
    rows.Push(Json::Obj(
        {{"spec", device},
         {"name", inspector::ParseDevice(device).name},
         {"remove", removable ? AddressOf(without, std::nullopt, state.only_differences) : ""}}));
  }
  return rows;
}

State StateOf(const Context& context) {
  State state;
  state.specs = AskedSpecs(context);
  for (const std::string& device : context.request.QueryParams("device"))
    if (!device.empty() && device != kNode && device != kMine) state.devices.push_back(device);
  if (state.devices.empty() && !OwnHardware(context).empty()) {
    state.own_devices = true;
    for (const inspector::Device& device : AskedDevices(context))
      state.devices.push_back(inspector::DeviceSpec(device));
  }
  state.only_differences = context.request.QueryParam("only") == "differences";
  return state;
}

net::Response ComparePage(Context& context) {
  State state;
  Json absent = Json::Arr();
  std::string fault;
  std::vector<inspector::Device> devices;
  try {
    state = StateOf(context);
    devices = AskedDevices(context);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    fault = error.message();
    state.devices.clear();
  }
  std::vector<AskedRepo> columns;
  std::vector<inspector::RepoSpec> found;
  for (const inspector::RepoSpec& spec : state.specs) {
    try {
      columns.push_back(OpenAsked(context, spec));
      found.push_back(spec);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      absent.Push(Text(spec));
    }
  }
  state.specs = std::move(found);
  std::vector<inspector::Portrait> portraits;
  Json rows = Json::Arr();
  State pinned = state;
  pinned.own_devices = false;  // the same for whoever opens it
  for (size_t i = 0; i < columns.size(); ++i) {
    portraits.push_back(PortraitOf(context, columns[i], devices));
    rows.Push(Column(state, i, columns[i]));
    pinned.specs[i].revision = columns[i].commit.Hex();
  }
  Json comparison = inspector::ToJson(inspector::Compare(portraits), portraits);
  AddLinks(columns, &comparison);

  Json data = Json::Obj({{"columns", std::move(rows)},
                         {"comparison", std::move(comparison)},
                         {"absent", absent},
                         {"fault", fault},
                         {"only", state.only_differences},
                         {"devices", Devices(state)},
                         {"own_devices", state.own_devices},
                         {"same", SamePrompt(context, columns)},
                         {"most", inspector::kMaxCompared}});
  std::string address = AddressOf(pinned, std::nullopt, false);
  data.Set("known_devices", KnownDeviceRows());
  data.Set("toggle", AddressOf(state, std::nullopt, !state.only_differences));
  data.Set("pinned", AddressOf(pinned, std::nullopt, state.only_differences));
  std::string query = address.substr(std::string_view("/compare").size());
  data.Set("note", "/compare/note" + query);
  data.Set("api", "/api/hearth/compare" + query);
  int status = !fault.empty() ? 400 : absent.size() > 0 ? 404 : 200;
  return RenderPage(context, "compare.html", std::move(data), status);
}

}  // namespace

void RegisterComparePage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/compare",
             .access = Access::kPublic,
             .handle = ComparePage,
             .surface = Surface::kPage,
             .summary = "Repositories side by side, row by row."});
}

}  // namespace hearth::server
