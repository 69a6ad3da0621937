// The list of an index's segments: one small file, replaced as a whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "search/segment.h"

namespace hearth::search {

struct Manifest {
  uint64_t next_number = 1;
  std::vector<SegmentFiles> segments;  // oldest first
};

std::string FormatManifest(const Manifest& manifest);
// Throws kInternal for damaged bytes or those of another version.
Manifest ParseManifest(std::string_view bytes);
std::filesystem::path ManifestPath(const std::filesystem::path& folder);

}  // namespace hearth::search
