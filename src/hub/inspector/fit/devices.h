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
std::string_view DeviceKindName(DeviceKind kind);

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
// "RTX 4090" (of the table), "my box:24GiB", "my box:24GB:400" (GB/s last). Sizes in GB, GiB, MB,
// MiB. Throws kInvalidArgument.
Device ParseDevice(std::string_view text);
// Memory and cores as the system tells them; nullopt where it does not.
std::optional<Device> ProbeNode();

}  // namespace hearth::inspector
