#include "base/hash_folders.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

namespace hearth {

namespace fs = std::filesystem;

static bool IsHexByte(const std::string& name) { return name.size() == 2 && IsLowerHex(name); }

void MakeFolder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    ThrowErrno("create folder " + folder.string());
  }
}

void MakeStore(const fs::path& root, const fs::path& temp_folder) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) ThrowErrno("create folder " + root.string(), error.value());
  MakeFolder(temp_folder);
  FsyncFolder(root);
  if (fs::path parent = fs::absolute(root).parent_path(); !parent.empty()) FsyncFolder(parent);
}

std::vector<std::string> FolderNames(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) ThrowErrno("list " + folder.string(), error.value());
  std::vector<std::string> names;
  while (entries != fs::directory_iterator()) {
    names.push_back(entries->path().filename().string());
    entries.increment(error);
    if (error) ThrowErrno("list " + folder.string(), error.value());
  }
  return names;
}

void ForEachHashFile(const fs::path& root,
                     const std::function<void(const std::string& name)>& each) {
  for (const std::string& first : FolderNames(root)) {
    if (!IsHexByte(first)) continue;
    for (const std::string& second : FolderNames(root / first)) {
      if (!IsHexByte(second)) continue;
      for (const std::string& name : FolderNames(root / first / second)) {
        if (name.compare(0, 4, first + second) == 0) each(name);
      }
    }
  }
}

}  // namespace hearth
