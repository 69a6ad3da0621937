// Which models the administrators of the site keep loaded; survives restarts. Rows of the table
// `meta`, one a model. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/db/database.h"

namespace hearth::hub {

// Database ids of repositories, some of which may have been deleted meanwhile.
std::vector<int64_t> PinnedModels(storage::Database& db);
void SetPinnedModel(storage::Database& db, int64_t repo_id, bool pinned);

}  // namespace hearth::hub
