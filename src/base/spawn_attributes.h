// How a child process begins, whoever starts it: in a process group of its own, with default signal
// handlers and nothing blocked. For posix_spawn; belongs to one thread.
#pragma once

#include <spawn.h>

namespace hearth {

class SpawnAttributes {
 public:
  SpawnAttributes();
  ~SpawnAttributes();
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace hearth
