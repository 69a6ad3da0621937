#include "hub/inspector/fit/devices.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::inspector {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;
constexpr size_t kMaxNameBytes = 100;
constexpr double kMaxBytes = 1e15;
constexpr double kMaxBandwidth = 1e6;  // GB/s; the fastest memories have some thousands
constexpr uint64_t kBytesOfMib = uint64_t{1} << 20;

uint64_t Gibibytes(double count) { return static_cast<uint64_t>(std::llround(count * kGib)); }

double ParseReal(std::string_view text, std::string_view whole) {
  double value = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !(value > 0) ||
      value > kMaxBytes) {
    throw Error(Code::kInvalidArgument,
                "a device is written as name, name:24GiB, name:24GiB:400 (GB/s) or "
                "name:24GiB:unified (gpu, cpu), not \"" +
                    std::string(whole.substr(0, kMaxNameBytes)) + "\"");
  }
  return value;
}

uint64_t ParseSize(std::string_view text, std::string_view whole) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr Unit kUnits[] = {{"gib", kGib}, {"gb", 1e9},          {"mib", 1024.0 * 1024},
                             {"mb", 1e6},   {"tib", kGib * 1024}, {"tb", 1e12},
                             {"g", kGib},   {"m", 1024.0 * 1024}};
  std::string lower = AsciiLower(text);
  for (const Unit& unit : kUnits) {
    if (!lower.ends_with(unit.name)) continue;
    double count =
        ParseReal(std::string_view(lower).substr(0, lower.size() - unit.name.size()), whole);
    if (count * unit.bytes > kMaxBytes) break;
    return static_cast<uint64_t>(std::llround(count * unit.bytes));
  }
  ParseReal("", whole);
  return 0;
}

DeviceKind KindByName(std::string_view name) {
  std::string lower = AsciiLower(name);
  bool cpu = lower.find("cpu") != std::string::npos || lower.find("ram") != std::string::npos;
  return cpu ? DeviceKind::kCpu : DeviceKind::kGpu;
}

}  // namespace

std::string_view DeviceKindName(DeviceKind kind) {
  return kind == DeviceKind::kCpu ? "cpu" : kind == DeviceKind::kGpu ? "gpu" : "unified";
}

std::optional<DeviceKind> ParseDeviceKind(std::string_view name) {
  for (DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kUnified}) {
    if (name == DeviceKindName(kind)) return kind;
  }
  return std::nullopt;
}

uint64_t Device::usable_bytes() const {
  switch (kind) {
    case DeviceKind::kGpu:
      return memory_bytes;
    case DeviceKind::kCpu:
      return memory_bytes / 10 * 9;
    case DeviceKind::kUnified:
      break;
  }
  return memory_bytes / 4 * 3;
}

std::span<const Device> KnownDevices() {
  using enum DeviceKind;
  static const std::vector<Device> devices = {
#define HEARTH_DEVICE(maker, name, kind, gib, gbs) {maker, name, kind, Gibibytes(gib), gbs, 0},
#include "hub/inspector/fit/devices.inc"
#undef HEARTH_DEVICE
  };
  return devices;
}

const Device* FindDevice(std::string_view name) {
  std::string wanted = AsciiLower(TrimAscii(name));
  for (const Device& device : KnownDevices()) {
    std::string known = AsciiLower(device.name);
    if (wanted == known || wanted == AsciiLower(device.maker) + " " + known) return &device;
  }
  return nullptr;
}

Device ParseDevice(std::string_view text) {
  if (const Device* known = FindDevice(text)) return *known;
  std::vector<std::string_view> parts = Split(text, ':');
  std::string_view name = TrimAscii(parts[0]);
  if (parts.size() < 2 || parts.size() > 4 || name.empty() || name.size() > kMaxNameBytes)
    ParseReal("", text);
  Device device;
  device.name = std::string(name);
  device.memory_bytes = ParseSize(TrimAscii(parts[1]), text);
  device.kind = KindByName(name);
  for (size_t i = 2; i < parts.size(); ++i) {
    std::string_view part = TrimAscii(parts[i]);
    if (std::optional<DeviceKind> kind = ParseDeviceKind(part)) {
      device.kind = *kind;
    } else {
      device.bandwidth_gbs = ParseReal(part, text);
    }
  }
  return device;
}

std::string DeviceSpec(const Device& device) {
  if (!device.maker.empty()) return device.name;
  bool whole = device.memory_bytes % kBytesOfMib == 0;
  char size[64];
  // What is no whole number of MiB is said in MB, with all its digits.
  if (whole) {
    std::snprintf(size, sizeof size, ":%lluMiB",
                  static_cast<unsigned long long>(device.memory_bytes / kBytesOfMib));
  } else {
    std::snprintf(size, sizeof size, ":%.6fMB", static_cast<double>(device.memory_bytes) / 1e6);
  }
  std::string spec = device.name + size;
  if (device.bandwidth_gbs > 0) {
    char bandwidth[64];
    std::snprintf(bandwidth, sizeof bandwidth, ":%.10g", device.bandwidth_gbs);
    spec += bandwidth;
  }
  if (device.kind != KindByName(device.name))
    spec += ":" + std::string(DeviceKindName(device.kind));
  return spec;
}

void CheckDevice(const Device& device) {
  bool plain = std::none_of(device.name.begin(), device.name.end(), [](char c) {
    return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (TrimAscii(device.name).empty() || device.name.size() > kMaxNameBytes || !plain) {
    throw Error(Code::kInvalidArgument,
                "A device needs a name of at most 100 bytes, without colons and line breaks");
  }
  if (device.memory_bytes < kBytesOfMib || static_cast<double>(device.memory_bytes) > kMaxBytes)
    throw Error(Code::kInvalidArgument, "The memory of a device is 1 MiB or more");
  if (!(device.bandwidth_gbs >= 0) || device.bandwidth_gbs > kMaxBandwidth)
    throw Error(Code::kInvalidArgument, "The bandwidth of a memory is a number of GB/s");
}

std::optional<Device> ProbeNode() {
  long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return std::nullopt;
  Device node;
  node.name = "this node";
  node.kind = DeviceKind::kCpu;
  node.memory_bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  node.cores = std::thread::hardware_concurrency();
  return node;
}

}  // namespace hearth::inspector
