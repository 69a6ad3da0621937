// The machines that a person has listed as theirs: what "does it fit" is answered for.
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "hub/hardware.h"
#include "server/inspector_api/own_hardware.h"
#include "server/pages/device_rows.h"
#include "server/pages/form_page.h"

namespace hearth::server {
namespace {

constexpr const char* kPath = "/settings/hardware";
constexpr double kGib = 1024.0 * 1024 * 1024;

std::string_view KindLabel(inspector::DeviceKind kind) {
  switch (kind) {
    case inspector::DeviceKind::kCpu:
      return "processor";
    case inspector::DeviceKind::kGpu:
      return "GPU";
    case inspector::DeviceKind::kUnified:
      break;
  }
  return "shared memory";
}

Json Row(const inspector::Device& device) {
  Json row = hub::ToJson(device);
  row.Set("kind_label", KindLabel(device.kind));
  return row;
}

Json PageData(Context& context, Json values) {
  Json rows = Json::Arr();
  for (const inspector::Device& device : OwnHardware(context)) rows.Push(Row(device));
  std::optional<inspector::Device> node = inspector::ProbeNode();
  Json data = Json::Obj({{"tab", "hardware"},
                         {"node", node ? Row(*node) : Json()},
                         {"full", rows.size() >= hub::kMaxDevicesOfUser},
                         {"most", hub::kMaxDevicesOfUser},
                         {"known_devices", KnownDeviceRows()},
                         {"values", std::move(values)},
                         {"said", context.request.QueryParam("said").value_or("")}});
  data.Set("own", std::move(rows));
  return data;
}

double NumberOf(const std::string& text, std::string_view label) {
  double value = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !(value > 0) || value > 1e9)
    throw Error(Code::kInvalidArgument, std::string(label) + " is a number above 0");
  return value;
}

// A device of the table, by its name alone, or one in the person's own words.
inspector::Device DeviceOf(const Form& form) {
  if (form.Has("known")) {
    std::string name = form.Require("known", "Device");
    const inspector::Device* known = inspector::FindDevice(name);
    if (known != nullptr) return *known;
    throw Error(Code::kInvalidArgument,
                "'" + name + "' is not in the table: describe it as a device of your own");
  }
  inspector::Device device;
  device.name = form.Require("name", "Name");
  std::optional<inspector::DeviceKind> kind = inspector::ParseDeviceKind(form.Text("kind"));
  if (!kind) throw Error(Code::kInvalidArgument, "Choose a kind of memory");
  device.kind = *kind;
  double gib = NumberOf(form.Require("memory", "Memory"), "Memory");
  device.memory_bytes = static_cast<uint64_t>(std::llround(std::min(gib, 1e6) * kGib));
  if (std::string bandwidth = form.Text("bandwidth"); !bandwidth.empty())
    device.bandwidth_gbs = NumberOf(bandwidth, "Bandwidth");
  return device;
}

net::Response HardwarePage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "settings_hardware.html", PageData(context, Json::Obj()));
}

net::Response AddDevice(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::AddHardware(context.hub.db(), context.actor.user_id, DeviceOf(form));
        return GoTo(kPath, "added");
      },
      [&](const Error&) { return PageData(context, form.Values()); }, context,
      "settings_hardware.html");
}

net::Response RemoveDevice(Context& context) {
  RequireSession(context);
  Form form(context.request);
  hub::RemoveHardware(context.hub.db(), context.actor.user_id, form.Text("device"));
  return GoTo(kPath, "removed");
}

}  // namespace

void RegisterHardwarePage(RouteTable& table) {
  AddFormRoute(table, {"GET,HEAD", kPath, Access::kUser, HardwarePage,
                       "The devices that one has listed as one's own."});
  AddFormRoute(table, {"POST", kPath, Access::kUserWrite, AddDevice, "Adds a device to them."});
  AddFormRoute(table, {"POST", "/settings/hardware/remove", Access::kUserWrite, RemoveDevice,
                       "Takes a device away."});
}

}  // namespace hearth::server
