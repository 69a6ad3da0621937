#include "runtime/checkpoint_identity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"

namespace hearth::runtime {
namespace {

constexpr uint64_t kHeadBytes = 64 << 10;

std::chrono::nanoseconds SinceEpoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The status change time is the one that nobody can set.
bool IsSettled(const struct stat& status, std::chrono::nanoseconds settled) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return SinceEpoch(now) - SinceEpoch(status.st_ctim) >= settled;
}

bool AddFile(const std::filesystem::path& path, std::chrono::nanoseconds settled,
             Sha256Hasher* hasher) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || !IsSettled(status, settled)) return false;
  hasher->Update(fmt::format("{} {} {} {}.{} {}.{}\n", status.st_dev, status.st_ino, status.st_size,
                             status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                             status.st_ctim.tv_nsec));
  std::string head(std::min(kHeadBytes, static_cast<uint64_t>(status.st_size)), '\0');
  ReadExactAt(fd.get(), 0, head.data(), head.size());
  hasher->Update(head);
  return true;
}

}  // namespace

CheckpointIdentity::CheckpointIdentity(const Checkpoint& checkpoint,
                                       std::chrono::nanoseconds settled)
    : config_(checkpoint.config.json().Dump()), settled_(settled) {
  for (const tensor::WeightFile& file : checkpoint.weights.files()) {
    files_.push_back(std::filesystem::absolute(file.path));
  }
}

std::optional<Sha256> CheckpointIdentity::Now() const {
  if (files_.empty()) return std::nullopt;
  Sha256Hasher hasher;
  hasher.Update(std::to_string(config_.size()) + "\n" + config_);
  try {
    for (const std::filesystem::path& file : files_) {
      if (!AddFile(file, settled_, &hasher)) return std::nullopt;
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return hasher.Finish();
}

}  // namespace hearth::runtime
