// What tells whether a checkpoint is still the one that something was made from: its configuration,
// and of each file of weights the device, inode, size, times of the last change of its bytes and of
// its inode, and its first 64 KiB (the header of a safetensors file).
//
// Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "runtime/checkpoint.h"

namespace hearth::runtime {

class CheckpointIdentity {
 public:
  // Of the files that the checkpoint's weights are read from. A file that was changed more lately
  // than `settled` may change again within the same tick of the file system's clock: it has no
  // identity yet.
  CheckpointIdentity(const Checkpoint& checkpoint, std::chrono::nanoseconds settled);

  // As the files are now; nullopt when they cannot be read, or are not settled.
  std::optional<Sha256> Now() const;

 private:
  std::string config_;
  std::vector<std::filesystem::path> files_;
  std::chrono::nanoseconds settled_;
};

}  // namespace hearth::runtime
