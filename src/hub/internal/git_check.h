// Git's own opinion on a repository.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hearth::hub {

// Runs `git fsck` on a bare repository; nullopt when it finds nothing, else its words (shortened).
// With `hash_objects` every object is read and its id computed again, otherwise only that all
// objects which the refs need are there. Throws kInternal when git cannot be run.
std::optional<std::string> FindGitFault(const std::filesystem::path& folder, bool hash_objects);

}  // namespace hearth::hub
