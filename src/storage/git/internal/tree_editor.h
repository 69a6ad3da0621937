// Applies a list of changes to a tree: only the folders on the way to a change are read and written
// again, and within them unchanged entries are copied as bytes.
//
// Changes count in order, the last on a path wins; whether a path may be deleted or clashes is
// judged on the result, so "delete the file a, put a/b" works in either order.
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/git/internal/libgit2.h"
#include "storage/git/internal/object_batch.h"
#include "storage/git/internal/raw_tree.h"

namespace hearth::storage::internal {

class TreeEditor {
 public:
  using ReadTree = std::function<OdbObjectHandle(const GitOid&)>;
  // New trees go into `batch`, which outlives the editor.
  TreeEditor(ReadTree read, ObjectBatch& batch) : read_(std::move(read)), batch_(batch) {}

  void Put(std::string_view path, const GitOid& blob, uint32_t mode);
  void DeleteFile(std::string_view path);
  void DeleteFolder(std::string_view path);
  // The new root tree. Throws EntryNotFound or kInvalidArgument as GitRepository::Commit says.
  GitOid Apply(const std::optional<GitOid>& root);

 private:
  struct File {
    GitOid blob;
    uint32_t mode;
  };
  struct Node {
    std::map<std::string, Node, std::less<>> children;
    std::optional<File> file;
    bool file_was_put = false;  // by this editor, perhaps deleted again
    bool delete_file = false;
    bool delete_folder = false;
    bool folder_was_put = false;
  };
  struct NewEntry {
    std::string_view name;
    uint32_t mode;
    GitOid oid;
  };

  Node& Find(std::string_view path);
  std::optional<GitOid> ApplyTo(const Node& node, const std::optional<GitOid>& base,
                                const std::string& path);
  std::optional<NewEntry> Resolve(std::string_view name, const Node& node,
                                  const std::optional<RawEntry>& old, const std::string& path);

  const ReadTree read_;
  ObjectBatch& batch_;
  Node root_;
};

}  // namespace hearth::storage::internal
