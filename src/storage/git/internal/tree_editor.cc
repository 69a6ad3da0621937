#include "storage/git/internal/tree_editor.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace hearth::storage::internal {
namespace {

constexpr uint32_t kFolderMode = 0040000;

Error Clash(const std::string& path) {
  return Error(Code::kInvalidArgument, "\"" + path + "\" would be a file and a folder at once");
}

}  // namespace

TreeEditor::Node& TreeEditor::Find(std::string_view path) {
  Node* node = &root_;
  for (std::string_view part : Split(path, '/')) {
    auto found = node->children.find(part);
    if (found == node->children.end()) {
      found = node->children.emplace(std::string(part), Node()).first;
    }
    node = &found->second;
  }
  return *node;
}

void TreeEditor::Put(std::string_view path, const GitOid& blob, uint32_t mode) {
  Node& node = Find(path);
  node.file = File{blob, mode};
  node.file_was_put = true;
}

void TreeEditor::DeleteFile(std::string_view path) {
  Node& node = Find(path);
  node.file.reset();
  node.delete_file = true;
}

void TreeEditor::DeleteFolder(std::string_view path) {
  Node& node = Find(path);
  node.folder_was_put |= !node.children.empty();
  node.children.clear();
  node.delete_folder = true;
}

std::optional<TreeEditor::NewEntry> TreeEditor::Resolve(std::string_view name, const Node& node,
                                                        const std::optional<RawEntry>& old,
                                                        const std::string& path) {
  bool old_folder = old && old->is_folder();
  bool old_file = old && !old_folder;
  if (node.delete_file && !old_file && !node.file_was_put) throw EntryNotFound(path);
  if (node.delete_folder && !old_folder && !node.folder_was_put) throw EntryNotFound(path);

  std::optional<GitOid> base;
  if (old_folder && !node.delete_folder) base = old->oid;
  std::optional<GitOid> folder = base;
  if (!node.children.empty()) folder = ApplyTo(node, base, path);
  bool keeps_file = old_file && !node.delete_file;
  if (folder && (node.file || keeps_file)) throw Clash(path);

  if (folder) return NewEntry{name, kFolderMode, *folder};
  if (node.file) return NewEntry{name, node.file->mode, node.file->blob};
  if (keeps_file) return NewEntry{name, old->mode, old->oid};
  return std::nullopt;
}

std::optional<GitOid> TreeEditor::ApplyTo(const Node& node, const std::optional<GitOid>& base,
                                          const std::string& path) {
  OdbObjectHandle object = base ? read_(*base) : nullptr;
  std::string_view old_bytes = object ? DataOf(object) : std::string_view();

  std::map<std::string_view, RawEntry> touched;
  RawEntry entry;
  for (TreeCursor cursor(old_bytes); cursor.Next(entry);) {
    if (node.children.find(entry.name) != node.children.end()) touched[entry.name] = entry;
  }
  std::vector<NewEntry> fresh;
  for (const auto& [name, child] : node.children) {
    auto old = touched.find(name);
    std::optional<RawEntry> old_entry;
    if (old != touched.end()) old_entry = old->second;
    std::string child_path = path.empty() ? name : path + "/" + name;
    if (auto made = Resolve(name, child, old_entry, child_path)) fresh.push_back(*made);
  }
  std::sort(fresh.begin(), fresh.end(), [](const NewEntry& a, const NewEntry& b) {
    return CompareEntryNames(a.name, a.mode == kFolderMode, b.name, b.mode == kFolderMode) < 0;
  });

  std::string bytes;
  bytes.reserve(old_bytes.size() + fresh.size() * 64);
  auto next = fresh.begin();
  auto append_fresh = [&] {
    AppendEntry(bytes, next->mode, next->name, next->oid);
    ++next;
  };
  for (TreeCursor cursor(old_bytes); cursor.Next(entry);) {
    if (!touched.empty() && touched.count(entry.name) > 0) continue;
    while (next != fresh.end() && CompareEntryNames(next->name, next->mode == kFolderMode,
                                                    entry.name, entry.is_folder()) < 0) {
      append_fresh();
    }
    bytes += entry.bytes;
  }
  while (next != fresh.end()) append_fresh();
  if (bytes.empty()) return std::nullopt;
  if (base && bytes == old_bytes) return base;
  return batch_.AddOwned(GIT_OBJECT_TREE, std::move(bytes));
}

GitOid TreeEditor::Apply(const std::optional<GitOid>& root) {
  std::optional<GitOid> made = root_.children.empty() ? root : ApplyTo(root_, root, "");
  return made ? *made : batch_.AddOwned(GIT_OBJECT_TREE, "");
}

}  // namespace hearth::storage::internal
