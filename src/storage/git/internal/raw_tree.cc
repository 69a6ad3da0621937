#include "storage/git/internal/raw_tree.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace hearth::storage::internal {
namespace {

constexpr uint32_t kTypeMask = 0170000;

Error Damaged() { return Error(Code::kInternal, "damaged tree object"); }

std::string OctalMode(uint32_t mode) {
  std::string digits;
  for (; mode > 0; mode >>= 3) digits += static_cast<char>('0' + (mode & 7));
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace

EntryKind RawEntry::kind() const {
  switch (mode & kTypeMask) {
    case 0040000:
      return EntryKind::kFolder;
    case 0120000:
      return EntryKind::kSymlink;
    case 0160000:
      return EntryKind::kSubmodule;
    default:
      return (mode & 0100) != 0 ? EntryKind::kExecutable : EntryKind::kFile;
  }
}

uint32_t ModeOf(EntryKind kind) {
  switch (kind) {
    case EntryKind::kFolder:
      return 0040000;
    case EntryKind::kSymlink:
      return 0120000;
    case EntryKind::kSubmodule:
      return 0160000;
    case EntryKind::kExecutable:
      return 0100755;
    case EntryKind::kFile:
      break;
  }
  return 0100644;
}

bool TreeCursor::Next(RawEntry& entry) {
  if (rest_.empty()) return false;
  uint32_t mode = 0;
  size_t i = 0;
  while (i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '7' && i < 8) {
    mode = mode * 8 + static_cast<uint32_t>(rest_[i++] - '0');
  }
  if (i == 0 || i >= rest_.size() || rest_[i] != ' ') throw Damaged();
  const char* name = rest_.data() + i + 1;
  const auto* end = static_cast<const char*>(std::memchr(name, '\0', rest_.size() - i - 1));
  if (end == nullptr) throw Damaged();
  size_t total = static_cast<size_t>(end - rest_.data()) + 1 + GitOid::kBytes;
  if (total > rest_.size()) throw Damaged();
  entry.mode = mode;
  entry.name = {name, static_cast<size_t>(end - name)};
  entry.oid = GitOid(std::string_view(end + 1, GitOid::kBytes));
  entry.bytes = rest_.substr(0, total);
  rest_.remove_prefix(total);
  return true;
}

std::optional<RawEntry> FindInTree(std::string_view tree, std::string_view name) {
  TreeCursor cursor(tree);
  RawEntry entry;
  while (cursor.Next(entry)) {
    if (entry.name == name) return entry;
  }
  return std::nullopt;
}

int CompareEntryNames(std::string_view a, bool a_is_folder, std::string_view b, bool b_is_folder) {
  size_t common = std::min(a.size(), b.size());
  if (int order = std::memcmp(a.data(), b.data(), common); order != 0) return order;
  auto next = [common](std::string_view name, bool is_folder) -> int {
    if (name.size() > common) return static_cast<unsigned char>(name[common]);
    return is_folder ? '/' : 0;
  };
  int difference = next(a, a_is_folder) - next(b, b_is_folder);
  if (difference != 0) return difference;
  return static_cast<int>(a.size() > common) - static_cast<int>(b.size() > common);
}

void AppendEntry(std::string& tree, uint32_t mode, std::string_view name, const GitOid& oid) {
  tree += OctalMode(mode);
  tree += ' ';
  tree += name;
  tree += '\0';
  tree += oid.raw();
}

}  // namespace hearth::storage::internal
