// Scrubbing: everything stored is read again and compared with the hash that names it, at a bounded
// rate, so that rot is found while a backup or an uploader still has the content.
//
// Rotten files are moved to <data>/quarantine and entered in the table of that name; their rows
// stay. A xorb whose file is gone is entered likewise. Reading them is then a clear error, clients are
// asked for the content again, and storing it anew heals it. A scrub goes on where the last one stopped (meta row scrub_cursor). Runs beside a
// serving hub in the same or another process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/gc.h"

namespace hearth::hub {

struct ScrubOptions {
  uint64_t bytes_per_second = 50'000'000;  // 0 = as fast as it goes
  bool from_start = false;                 // forget where the last one stopped
};

struct ScrubFinding {
  std::string what;                   // "object ab12...", "xorb cd34..."
  std::string reason;                 // "its content does not have this SHA-256"
  std::vector<std::string> affected;  // "model acme/bert: w.bin"
};

struct ScrubReport {
  size_t objects = 0, xorbs = 0;
  uint64_t bytes = 0;
  std::vector<ScrubFinding> findings;
  Json ToJson() const;
};

// hooks.stop ends it early (kUnavailable); what was looked at is not looked at again.
ScrubReport RunScrub(Hub& hub, const ScrubOptions& options, const GcHooks& hooks = {});

}  // namespace hearth::hub
