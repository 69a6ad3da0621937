// GET /api/hearth/{T}/{ns}/{name}/fit and .../runtimes: does it fit, and what loads it.
#include "hub/inspector/fit/fit.h"

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/fit/runtimes.h"
#include "server/inspector_api/inspected.h"

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

// Those asked for; else this node and the table.
std::vector<inspector::Device> Devices(const Context& context) {
  std::vector<std::string> asked = context.request.QueryParams("device");
  if (asked.size() > kMaxAskedDevices) throw Error(Code::kInvalidArgument, "too many devices");
  std::vector<inspector::Device> devices;
  for (const std::string& text : asked) {
    if (text == "node") continue;
    devices.push_back(inspector::ParseDevice(text));
  }
  if (std::optional<inspector::Device> node = inspector::ProbeNode())
    devices.insert(devices.begin(), *std::move(node));
  if (!asked.empty()) return devices;
  for (const inspector::Device& device : inspector::KnownDevices()) devices.push_back(device);
  return devices;
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
  request.devices = Devices(context);
  std::unique_ptr<inspector::RepoView> view = InspectedView(context);
  return JsonResponse(inspector::ToJson(inspector::ComputeFit(*view, request)));
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
