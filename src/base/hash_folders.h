// Folders of files named by a hash in hex: <root>/ab/cd/abcd... Errors: kInternal,
// kInsufficientStorage. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hearth {

// Makes one folder; one that exists is fine. Not synced.
void MakeFolder(const std::filesystem::path& folder);
// Makes the root of a store, with the folders above it, and its folder of unfinished files;
// durable.
void MakeStore(const std::filesystem::path& root, const std::filesystem::path& temp_folder);
// What is directly in a folder, in no order.
std::vector<std::string> FolderNames(const std::filesystem::path& folder);
// Each name that stands where its first four digits say; other names are passed over. The caller
// judges the rest of the name, and the file may be gone by then.
void ForEachHashFile(const std::filesystem::path& root,
                     const std::function<void(const std::string& name)>& each);

}  // namespace hearth
