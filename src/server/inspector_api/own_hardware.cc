// GET, PUT /api/hearth/settings/hardware: the machines that the caller has listed as theirs.
#include "server/inspector_api/own_hardware.h"

#include "base/error.h"
#include "hub/hardware.h"
#include "server/hub_api/account_json.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxBody = 32 << 10;
// Beyond it nobody reads the list that they send.
constexpr size_t kMaxSent = 100;

net::Response Answer(const Context& context) {
  Json rows = Json::Arr();
  for (const inspector::Device& device : OwnHardware(context)) rows.Push(hub::ToJson(device));
  Json node;
  if (std::optional<inspector::Device> probed = inspector::ProbeNode()) {
    node = Json::Obj({{"name", probed->name},
                      {"kind", inspector::DeviceKindName(probed->kind)},
                      {"memory_bytes", probed->memory_bytes},
                      {"usable_bytes", probed->usable_bytes()}});
  }
  net::Response response = JsonResponse(Json::Obj(
      {{"devices", std::move(rows)}, {"node", std::move(node)}, {"most", hub::kMaxDevicesOfUser}}));
  response.headers.Set("Cache-Control", "private, no-store");
  return response;
}

net::Response Put(Context& context) {
  RequireAccountControl(context.actor);
  Json body = context.JsonBody();
  const Json::Array& sent = body.RequireArray("devices");
  if (sent.size() > kMaxSent) throw Error(Code::kInvalidArgument, "too many devices");
  std::vector<inspector::Device> devices;
  for (const Json& item : sent) devices.push_back(hub::DeviceFromJson(item));
  hub::SaveHardware(context.hub.db(), context.actor.user_id, std::move(devices));
  return Answer(context);
}

}  // namespace

std::vector<inspector::Device> OwnHardware(const Context& context) {
  if (!context.actor.signed_in()) return {};
  return hub::HardwareOf(context.hub.db(), context.actor.user_id);
}

void RegisterOwnHardware(RouteTable& table) {
  constexpr const char* kPattern = "/api/hearth/settings/hardware";
  table.Add({.methods = "GET,HEAD",
             .pattern = kPattern,
             .access = Access::kUser,
             .handle = [](Context& context) { return Answer(context); },
             .summary = "The devices that the caller has listed as theirs, and this node."});
  table.Add({.methods = "PUT",
             .pattern = kPattern,
             .access = Access::kUserWrite,
             .handle = Put,
             .body = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody},
             .summary = "Replaces the list of the caller's devices."});
}

}  // namespace hearth::server
