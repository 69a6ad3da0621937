// Free disk that bulk storage leaves to git and the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace hearth::hub {

// Whether the disk of `folder` has more room than is kept free: `reserve_bytes`, or 1 GiB or a
// fiftieth of the disk, whichever is less. Throws kInternal when the folder cannot be asked.
bool HasRoom(const std::filesystem::path& folder, std::optional<uint64_t> reserve_bytes);

}  // namespace hearth::hub
