#include "hub/inspector/fit/devices.h"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::inspector {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;
constexpr size_t kMaxNameBytes = 100;
constexpr double kMaxBytes = 1e15;

uint64_t Gibibytes(double count) { return static_cast<uint64_t>(std::llround(count * kGib)); }

double ParseReal(std::string_view text, std::string_view whole) {
  double value = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !(value > 0) ||
      value > kMaxBytes) {
    throw Error(Code::kInvalidArgument,
                "a device is written as name, name:24GiB or name:24GiB:400 (GB/s), not \"" +
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

}  // namespace

std::string_view DeviceKindName(DeviceKind kind) {
  return kind == DeviceKind::kCpu ? "cpu" : kind == DeviceKind::kGpu ? "gpu" : "unified";
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
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kMaxNameBytes) ParseReal("", text);
  Device device;
  device.name = std::string(TrimAscii(text.substr(0, colon)));
  std::string_view rest = text.substr(colon + 1);
  size_t second = rest.find(':');
  device.memory_bytes = ParseSize(TrimAscii(rest.substr(0, second)), text);
  if (second != std::string_view::npos)
    device.bandwidth_gbs = ParseReal(TrimAscii(rest.substr(second + 1)), text);
  // Named like a processor's memory, or a GPU's.
  std::string lower = AsciiLower(device.name);
  bool cpu = lower.find("cpu") != std::string::npos || lower.find("ram") != std::string::npos;
  device.kind = cpu ? DeviceKind::kCpu : DeviceKind::kGpu;
  return device;
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
