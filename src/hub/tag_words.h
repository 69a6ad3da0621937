// What a tag of a repository is about, and how people say it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "hub/types.h"

namespace hearth::hub {

// The group of a tag as /api/{T}-tags-by-type names it ("license", "language", "library", ...);
// "other" for a word of the author, "" for what belongs to no group.
std::string_view TagGroup(RepoType type, std::string_view tag);
// "language:en" of group "language" -> "English"; what has no word of its own stays as it is,
// without its prefix.
std::string TagLabel(std::string_view group, std::string_view tag);

}  // namespace hearth::hub
