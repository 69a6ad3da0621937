// GET /api/hearth/{T}/{ns}/{name}/fit and .../runtimes: does it fit, and what loads it.
#include "hub/inspector/fit/fit.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/fit/runtimes.h"
#include "server/inspector_api/inspected.h"
#include "server/inspector_api/own_hardware.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxAskedDevices = 100;

uint64_t CountParam(const Context& context, std::string_view name, uint64_t usual) {
  std::optional<std::string> text = context.request.QueryParam(name);
  if (!text || text->empty()) return usual;
  std::optional<uint64_t> number = ParseUint(*text);
  if (!number) throw Error(Code::kInvalidArgument, std::string(name) + " is not a number");
  return *number;
}

struct Chosen {
  std::vector<inspector::Device> devices;
  size_t own_begin = 0, own_end = 0;  // which of them the caller has listed as theirs
};

// This node and those asked for ("mine": the caller's own); else this node, the caller's own and
// the table.
Chosen Devices(const Context& context) {
  std::vector<std::string> asked = context.request.QueryParams("device");
  if (asked.size() > kMaxAskedDevices) throw Error(Code::kInvalidArgument, "too many devices");
  Chosen chosen;
  std::vector<inspector::Device>& devices = chosen.devices;
  if (std::optional<inspector::Device> node = inspector::ProbeNode()) devices.push_back(*node);
  bool mine = asked.empty() || std::find(asked.begin(), asked.end(), kMine) != asked.end();
  chosen.own_begin = chosen.own_end = devices.size();
  if (mine) {
    std::vector<inspector::Device> own = OwnHardware(context);
    devices.insert(devices.end(), own.begin(), own.end());
    chosen.own_end = devices.size();
  }
  for (const std::string& text : asked) {
    if (text != kNode && text != kMine) devices.push_back(inspector::ParseDevice(text));
  }
  if (!asked.empty()) return chosen;
  size_t listed = devices.size();
  for (const inspector::Device& device : inspector::KnownDevices()) {
    bool own =
        std::any_of(devices.begin(), devices.begin() + static_cast<ptrdiff_t>(listed),
                    [&](const inspector::Device& other) { return other.name == device.name; });
    if (!own) devices.push_back(device);
  }
  return chosen;
}

net::Response Fit(Context& context) {
  inspector::FitRequest request;
  request.context = CountParam(context, "context", 0);
  request.sequences = CountParam(context, "sequences", 1);
  request.file = context.request.QueryParam("file").value_or("");
  std::string cache = context.request.QueryParam("cache").value_or("f16");
  const inspector::CacheType* type = inspector::FindCacheType(cache);
  if (type == nullptr)
    throw Error(Code::kInvalidArgument, "unknown cache type: f32, f16, bf16, fp8, q8_0 to q4_0");
  request.cache = *type;
  Chosen chosen = Devices(context);
  request.devices = std::move(chosen.devices);
  std::unique_ptr<inspector::RepoView> view = InspectedView(context);
  Json json = inspector::ToJson(inspector::ComputeFit(*view, request));
  Json::Array& rows = *json.Find("devices")->AsArray();
  for (size_t i = chosen.own_begin; i < chosen.own_end && i < rows.size(); ++i)
    rows[i].Set("mine", true);
  net::Response response = JsonResponse(json);
  if (chosen.own_end > chosen.own_begin) response.headers.Set("Cache-Control", "private, no-store");
  return response;
}

inspector::OwnVerdict OwnVerdictOf(const Context& context, const GitOid& commit) {
  inspector::OwnVerdict own;
  if (!context.hub.catalog().judges() || context.repo().record().type != hub::RepoType::kModel)
    return own;
  hub::FactsPtr facts = context.hub.catalog().FactsOf(context.repo(), commit);
  own.known = true;
  own.runs = facts->run.runs();
  own.tasks = facts->run.tasks;
  own.reason = facts->run.reason;
  return own;
}

net::Response Runtimes(Context& context) {
  std::unique_ptr<inspector::RepoView> view = InspectedView(context);
  inspector::OwnVerdict own = OwnVerdictOf(context, InspectedCommit(context));
  return JsonResponse(inspector::ToJson(inspector::FindRuntimes(*view, own)));
}

}  // namespace

void RegisterFit(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/fit",
             .access = Access::kRepoContent,
             .handle = Fit,
             .summary = "What a model needs, part by part, and on which devices it fits."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/{T}/{ns}/{name}/runtimes",
             .access = Access::kRepoContent,
             .handle = Runtimes,
             .summary = "Which programs load the repository, and which of their files are there."});
}

}  // namespace hearth::server
