#include "hub/hardware.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::hub {
namespace {

using inspector::Device;

Json Stored(const std::vector<Device>& devices) {
  Json rows = Json::Arr();
  for (const Device& device : devices) rows.Push(ToJson(device));
  return rows;
}

bool SameName(const Device& device, std::string_view name) {
  return AsciiEqualsIgnoreCase(device.name, name);
}

std::vector<Device> Read(storage::Connection& c, int64_t user_id) {
  std::optional<std::string> text =
      c.QueryOne("SELECT devices FROM user_hardware WHERE user_id = ?", {user_id},
                 [](const storage::Row& row) { return std::string(row.Text(0)); });
  std::vector<Device> devices;
  if (!text) return devices;
  Json rows = Json::Parse(*text);
  if (rows.AsArray() == nullptr) return devices;
  for (const Json& row : *rows.AsArray()) {
    try {
      devices.push_back(DeviceFromJson(row));
    } catch (const Error&) {
      // Of a later version: it cannot be judged here.
    }
  }
  return devices;
}

void Write(storage::Connection& c, int64_t user_id, const std::vector<Device>& devices) {
  if (devices.empty()) {
    c.Exec("DELETE FROM user_hardware WHERE user_id = ?", {user_id});
    return;
  }
  c.Exec(
      "INSERT INTO user_hardware (user_id, devices) VALUES (?, ?)"
      " ON CONFLICT (user_id) DO UPDATE SET devices = excluded.devices",
      {user_id, Stored(devices).Dump()});
}

}  // namespace

std::vector<Device> HardwareOf(storage::Database& db, int64_t user_id) {
  if (user_id <= 0) return {};
  return db.ReadValue([&](storage::Connection& c) { return Read(c, user_id); });
}

void SaveHardware(storage::Database& db, int64_t user_id, std::vector<Device> devices) {
  std::vector<Device> kept;
  for (Device& device : devices) {
    inspector::CheckDevice(device);
    bool there = std::any_of(kept.begin(), kept.end(),
                             [&](const Device& other) { return SameName(other, device.name); });
    if (!there) kept.push_back(std::move(device));
  }
  if (kept.size() > kMaxDevicesOfUser) {
    throw Error(Code::kInvalidArgument,
                "at most " + std::to_string(kMaxDevicesOfUser) + " devices can be kept");
  }
  db.Write([&](storage::Connection& c) { Write(c, user_id, kept); });
}

void AddHardware(storage::Database& db, int64_t user_id, const Device& device) {
  inspector::CheckDevice(device);
  db.Write([&](storage::Connection& c) {
    std::vector<Device> devices = Read(c, user_id);
    for (const Device& other : devices) {
      if (SameName(other, device.name))
        throw Error(Code::kConflict, "You have listed '" + other.name + "' already");
    }
    if (devices.size() >= kMaxDevicesOfUser)
      throw Error(Code::kConflict, "You have listed as many devices as can be kept: remove one");
    devices.push_back(device);
    Write(c, user_id, devices);
  });
}

void RemoveHardware(storage::Database& db, int64_t user_id, std::string_view name) {
  db.Write([&](storage::Connection& c) {
    std::vector<Device> devices = Read(c, user_id);
    std::erase_if(devices, [name](const Device& device) { return SameName(device, name); });
    Write(c, user_id, devices);
  });
}

Json ToJson(const Device& device) {
  bool known = !device.maker.empty();
  return Json::Obj(
      {{"name", device.name},
       {"maker", device.maker},
       {"kind", inspector::DeviceKindName(device.kind)},
       {"memory_bytes", device.memory_bytes},
       {"usable_bytes", device.usable_bytes()},
       {"bandwidth_gbs", device.bandwidth_gbs > 0 ? Json(device.bandwidth_gbs) : Json()},
       {"known", known},
       {"spec", inspector::DeviceSpec(device)}});
}

Device DeviceFromJson(const Json& json) {
  if (const std::string* text = json.AsString()) return inspector::ParseDevice(*text);
  if (json.AsObject() == nullptr)
    throw Error(Code::kInvalidArgument, "a device is a text or an object");
  std::string name(TrimAscii(json.RequireString("name")));
  const Device* known = inspector::FindDevice(name);
  if (known != nullptr && json.Find("memory_bytes") == nullptr) return *known;
  if (known != nullptr && json.BoolField("known").value_or(false)) return *known;
  Device device;
  device.name = std::move(name);
  std::string kind = json.StringField("kind").value_or("gpu");
  std::optional<inspector::DeviceKind> parsed = inspector::ParseDeviceKind(kind);
  if (!parsed) throw Error(Code::kInvalidArgument, "kind must be gpu, cpu or unified");
  device.kind = *parsed;
  const Json* memory = json.Find("memory_bytes");
  if (memory == nullptr || !memory->AsUint())
    throw Error(Code::kInvalidArgument, "memory_bytes must be a number of bytes");
  device.memory_bytes = *memory->AsUint();
  if (const Json* bandwidth = json.Find("bandwidth_gbs");
      bandwidth != nullptr && !bandwidth->is_null()) {
    if (!bandwidth->AsDouble())
      throw Error(Code::kInvalidArgument, "bandwidth_gbs must be a number of GB/s");
    device.bandwidth_gbs = *bandwidth->AsDouble();
  }
  inspector::CheckDevice(device);
  return device;
}

}  // namespace hearth::hub
