// Git tree objects, read in place: "<octal mode> <name>\0<20 id bytes>" again and again, sorted by
// name with a '/' added to folders. Reading the bytes directly keeps folders of 100,000 entries
// fast: no entry is copied or indexed before it is wanted.
// https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "storage/git/git_repository.h"

namespace hearth::storage::internal {

// Deeper trees, which only a hostile push makes, are refused with kTooLarge: paths would grow with
// the square of the depth, and recursion would exhaust the stack. git's own limit is the same.
inline constexpr size_t kMaxTreeDepth = 2048;

struct RawEntry {
  uint32_t mode = 0;
  std::string_view name;  // into the tree's bytes
  GitOid oid;
  std::string_view bytes;  // the whole entry

  EntryKind kind() const;
  bool is_folder() const { return kind() == EntryKind::kFolder; }
};

// Throws kInternal for bytes that are no tree. `tree` must outlive the cursor and its entries.
class TreeCursor {
 public:
  explicit TreeCursor(std::string_view tree) : rest_(tree) {}
  bool Next(RawEntry& entry);

 private:
  std::string_view rest_;
};

uint32_t ModeOf(EntryKind kind);
std::optional<RawEntry> FindInTree(std::string_view tree, std::string_view name);
// <0, 0, >0 in the order of entries within a tree.
int CompareEntryNames(std::string_view a, bool a_is_folder, std::string_view b, bool b_is_folder);
void AppendEntry(std::string& tree, uint32_t mode, std::string_view name, const GitOid& oid);

}  // namespace hearth::storage::internal
