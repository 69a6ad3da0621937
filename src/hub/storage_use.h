// How much room content takes: nominal (what a repository's objects add up to), deduplicated (what
// is stored for it, each piece once) and shared (the part of that which somebody else needs, too).
// Trash and git's own files are not counted. Thread-safe.
#pragma once

#include <cstdint>
#include <map>

#include "hub/hub.h"

namespace hearth::hub {

struct StorageUse {
  uint64_t nominal_bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t shared_bytes = 0;
};

struct StorageReport {
  std::map<int64_t, StorageUse> repos;    // by repository id
  std::map<int64_t, StorageUse> buckets;  // by bucket id
  // By account id; shared = needed by other accounts, too.
  std::map<int64_t, StorageUse> owners;
  StorageUse total;
};

// Reads every grant and every use of a xorb once: seconds for a million, so for operators.
StorageReport ReadStorageUse(Hub& hub);

// The sizes of the objects that one repository holds, or of the files at main where that is more
// (`main_bytes`, from the catalog): what clients see as usedStorage.
uint64_t UsedStorage(storage::Database& db, int64_t repo_id, uint64_t main_bytes);

}  // namespace hearth::hub
