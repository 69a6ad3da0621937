// The database schema as numbered migrations. Append; never edit one that has been released.
#pragma once

#include <vector>

#include "storage/db/database.h"

namespace hearth::hub {

const std::vector<storage::Migration>& Migrations();

}  // namespace hearth::hub
