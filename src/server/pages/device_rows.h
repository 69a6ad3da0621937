// Devices to choose from, as pages that ask for one suggest them. Thread-safe.
#pragma once

#include "codec/json.h"

namespace hearth::server {

// [{"name", "memory"}]: what inspector::ParseDevice takes, and how much it has.
const Json& KnownDeviceRows();

}  // namespace hearth::server
