#include <sys/statvfs.h>

#include <algorithm>

#include "base/error.h"
#include "hub/internal/disk_reserve.h"

namespace hearth::hub {

constexpr uint64_t kReserveBytes = 1 << 30;
constexpr uint64_t kReserveShare = 50;

bool HasRoom(const std::filesystem::path& folder, std::optional<uint64_t> reserve_bytes) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) ThrowErrno("statvfs " + folder.string());
  uint64_t reserve = reserve_bytes.value_or(
      std::min<uint64_t>(kReserveBytes, disk.f_blocks * disk.f_frsize / kReserveShare));
  return disk.f_bavail * disk.f_frsize >= reserve;
}

}  // namespace hearth::hub
