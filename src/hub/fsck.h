// `hearth fsck`: git, large objects and the database checked against each other, and the database's
// index of git rebuilt. Needs the exclusive Hub of a stopped server.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"

namespace hearth::hub {

struct FsckOptions {
  bool repair = false;
  bool deep = false;  // hash every large object again
};

struct FsckFinding {
  std::string where;  // "model acme/bert", "object ab12...", "database"
  std::string what;
  bool serious = true;  // a fault; false = a note (garbage that does no harm)
  bool repaired = false;
};

struct FsckReport {
  std::vector<FsckFinding> findings;
  size_t repositories = 0;
  size_t objects = 0;
  size_t CountFaults() const;  // serious and not repaired
  size_t CountRepaired() const;
  size_t CountNotes() const;
};

using FsckProgress = std::function<void(std::string_view stage, size_t done, size_t total)>;
FsckReport RunFsck(Hub& hub, const FsckOptions& options, const FsckProgress& progress);

}  // namespace hearth::hub
