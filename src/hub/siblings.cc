#include <algorithm>

#include "hub/internal/siblings.h"

namespace hearth::hub {
namespace {

// `version`, `oid sha256:` and `size` lines of a pointer cannot be shorter.
constexpr uint64_t kMinPointerBytes = 120;

}  // namespace

SiblingList ListSiblings(const storage::GitRepository& git, const GitOid& commit) {
  storage::GitRepository::ListOptions options;
  options.recursive = true;
  options.limit = kMaxSiblings + 1;
  std::vector<storage::TreeEntry> entries = git.ListTree(commit, "", options);
  SiblingList list;
  list.cut = entries.size() > kMaxSiblings;
  if (list.cut) entries.pop_back();
  for (storage::TreeEntry& entry : entries) {
    if (entry.kind == storage::EntryKind::kFolder || entry.kind == storage::EntryKind::kSubmodule)
      continue;
    Sibling file{std::move(entry.path), entry.oid, entry.size_bytes, {}, 0};
    if (entry.size_bytes >= kMinPointerBytes && entry.size_bytes <= storage::kMaxPointerBytes) {
      if (auto pointer = storage::ParseLfsPointer(git.ReadBlob(entry.oid))) {
        file.pointer_bytes = file.size_bytes;
        file.size_bytes = pointer->size_bytes;
        file.lfs = pointer->oid;
      }
    }
    list.files.push_back(std::move(file));
  }
  std::sort(list.files.begin(), list.files.end(),
            [](const Sibling& a, const Sibling& b) { return a.path < b.path; });
  return list;
}

const Sibling* FindSibling(const std::vector<Sibling>& files, std::string_view path) {
  auto found =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const Sibling& file, std::string_view p) { return file.path < p; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

}  // namespace hearth::hub
