// Where a model could run: a table of common devices, the machine that this program runs on, and
// what a user writes down. Pure but for ProbeNode; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hearth::inspector {

enum class DeviceKind {
  kCpu,
  kGpu,
  kUnified,  // one memory for both: a GPU may take three quarters of it
};
std::string_view DeviceKindName(DeviceKind kind);  // "cpu", "gpu", "unified"
std::optional<DeviceKind> ParseDeviceKind(std::string_view name);

struct Device {
  std::string maker;
  std::string name;
  DeviceKind kind = DeviceKind::kGpu;
  uint64_t memory_bytes = 0;
  double bandwidth_gbs = 0;  // GB/s; 0 = not known
  unsigned cores = 0;        // of a node that was probed; 0 = not said

  // What a model may take: all of a GPU's, nine tenths of a computer's, three quarters of a shared
  // memory.
  uint64_t usable_bytes() const;
};

std::span<const Device> KnownDevices();
// By its name, letter case aside, with or without the maker; nullptr when it is not in the table.
const Device* FindDevice(std::string_view name);
// "RTX 4090" (of the table), "my box:24GiB", "my box:24GB:400" (GB/s), "my box:24GiB:400:unified":
// behind the size the bandwidth, the kind, or both. Without a kind, a name that says "cpu" or "ram"
// is a processor's memory, any other a GPU's. Sizes in GB, GiB, MB, MiB, TB, TiB. Throws
// kInvalidArgument.
Device ParseDevice(std::string_view text);
// What ParseDevice reads as this device.
std::string DeviceSpec(const Device& device);
// Throws kInvalidArgument for what a user cannot mean: a name that is empty, longer than 100 bytes
// or has a colon or a control character in it, less than 1 MiB or more than 10^15 bytes.
void CheckDevice(const Device& device);
// Memory and cores as the system tells them; nullopt where it does not.
std::optional<Device> ProbeNode();

}  // namespace hearth::inspector
