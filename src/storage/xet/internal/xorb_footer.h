// The footer of a stored xorb file, apart from the file that it lies in.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/xet/xorb.h"

namespace hearth::storage::internal {

// A footer for `chunks` chunks, its trailing length included.
constexpr size_t XorbFooterBytes(size_t chunks) { return 96 + 40 * chunks; }

// Parses a whole version 1 footer that follows `body_bytes` bytes of records. Nothing in it is
// believed that can be checked: counts, distances, order and limits of the offsets, the sum of the
// records, and the xorb hash over its chunks. Throws kInternal with `name`.
XorbIndex ParseXorbFooter(std::string_view footer, uint64_t body_bytes, std::string_view name);

}  // namespace hearth::storage::internal
