// Keeps the garbage collector, maybe in another process, away from content that is just being
// stored: whoever puts bytes in place and then writes the row that vouches for them holds the lock
// shared over both; the collector holds it alone while it drops rows and moves the bytes away. The
// kernel lets go of it when a process dies. Thread-safe.
#pragma once

#include <filesystem>

#include "base/file.h"

namespace hearth::hub {

class SweepLock {
 public:
  explicit SweepLock(std::filesystem::path file) : file_(std::move(file)) {}
  // Held until the guard is destroyed. Throws kInternal when the file cannot be opened.
  using Guard = UniqueFd;
  Guard Shared() const;
  Guard Alone() const;

 private:
  Guard Take(int operation) const;
  std::filesystem::path file_;
};

}  // namespace hearth::hub
