// History: the log, and which commit touched a path last.
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {

using namespace internal;

namespace {

RevwalkHandle StartWalk(git_repository* repository, const GitOid& from) {
  git_revwalk* raw = nullptr;
  Check(git_revwalk_new(&raw, repository), "walk history");
  RevwalkHandle walk(raw);
  git_oid id = ToGit(from);
  int result = git_revwalk_push(raw, &id);
  if (result == GIT_ENOTFOUND) throw RevisionNotFound("no commit " + from.Hex());
  Check(result, "walk history");
  return walk;
}

bool NextCommit(git_revwalk* walk, git_oid& id) {
  int result = git_revwalk_next(&id, walk);
  if (result == GIT_ITEROVER) return false;
  Check(result, "walk history");
  return true;
}

// The paths that still wait for their commit, as a tree of folders: a folder whose object is the
// same in a commit and its parent is dismissed with everything below it.
class PendingPaths {
 public:
  using ReadTree = std::function<OdbObjectHandle(const GitOid&)>;
  explicit PendingPaths(ReadTree read) : read_(std::move(read)) {}

  void Add(std::string_view path, size_t index);
  // Drops the paths that do not exist in `tree`.
  void KeepExisting(const GitOid& tree) { Prune(root_, tree); }
  // The paths whose entry differs between the two trees; they no longer wait.
  std::vector<size_t> TakeChanged(const GitOid& now, const std::optional<GitOid>& before);
  bool empty() const { return root_.is_done(); }

 private:
  struct Node {
    std::map<std::string, Node, std::less<>> children;
    std::vector<size_t> paths;  // indexes of the caller's paths that end here
    bool is_done() const { return children.empty() && paths.empty(); }
  };
  struct Found {
    uint32_t mode;
    GitOid oid;
    bool operator==(const Found&) const = default;
    std::optional<GitOid> folder() const {
      return RawEntry{mode, {}, oid, {}}.is_folder() ? std::optional(oid) : std::nullopt;
    }
  };
  using FoundByName = std::map<std::string_view, Found>;

  FoundByName FindChildren(const Node& node, const std::optional<GitOid>& tree) const;
  void Prune(Node& node, const std::optional<GitOid>& tree);
  void Compare(Node& node, const std::optional<GitOid>& now, const std::optional<GitOid>& before,
               std::vector<size_t>& changed);
  static void DropDone(Node& node) {
    std::erase_if(node.children, [](const auto& child) { return child.second.is_done(); });
  }
  static void Take(std::vector<size_t>& from, std::vector<size_t>& to) {
    to.insert(to.end(), from.begin(), from.end());
    from.clear();
  }

  const ReadTree read_;
  Node root_;
};

void PendingPaths::Add(std::string_view path, size_t index) {
  Node* node = &root_;
  for (std::string_view part : Split(WithoutTrailingSlash(path), '/')) {
    if (path.empty()) break;  // the root folder itself
    auto found = node->children.find(part);
    if (found == node->children.end()) {
      found = node->children.emplace(std::string(part), Node()).first;
    }
    node = &found->second;
  }
  node->paths.push_back(index);
}

PendingPaths::FoundByName PendingPaths::FindChildren(const Node& node,
                                                     const std::optional<GitOid>& tree) const {
  FoundByName found;
  if (!tree || node.children.empty()) return found;
  OdbObjectHandle object = read_(*tree);
  TreeCursor cursor(DataOf(object));
  for (RawEntry entry; found.size() < node.children.size() && cursor.Next(entry);) {
    auto child = node.children.find(entry.name);
    if (child != node.children.end()) found.emplace(child->first, Found{entry.mode, entry.oid});
  }
  return found;
}

void PendingPaths::Prune(Node& node, const std::optional<GitOid>& tree) {
  FoundByName found = FindChildren(node, tree);
  for (auto& [name, child] : node.children) {
    auto entry = found.find(name);
    if (entry == found.end()) {
      child = Node();
    } else {
      Prune(child, entry->second.folder());
    }
  }
  // Only now: `found` is keyed by the names in the nodes.
  DropDone(node);
}

void PendingPaths::Compare(Node& node, const std::optional<GitOid>& now,
                           const std::optional<GitOid>& before, std::vector<size_t>& changed) {
  FoundByName after_entries = FindChildren(node, now);
  FoundByName before_entries = FindChildren(node, before);
  for (auto& [name, child] : node.children) {
    const Found& entry = after_entries.at(name);
    auto old = before_entries.find(name);
    if (old == before_entries.end() || !(old->second == entry)) {
      Take(child.paths, changed);
      Compare(child, entry.folder(),
              old == before_entries.end() ? std::nullopt : old->second.folder(), changed);
    }
  }
  DropDone(node);
}

std::vector<size_t> PendingPaths::TakeChanged(const GitOid& now,
                                              const std::optional<GitOid>& before) {
  std::vector<size_t> changed;
  if (before == now) return changed;
  Take(root_.paths, changed);
  Compare(root_, now, before, changed);
  return changed;
}

}  // namespace

std::vector<CommitInfo> GitRepository::Log(const GitOid& from, size_t skip, size_t limit) const {
  RevwalkHandle walk = StartWalk(impl_->repository(), from);
  std::vector<CommitInfo> commits;
  git_oid id;
  while (commits.size() < limit && NextCommit(walk.get(), id)) {
    if (skip > 0) {
      --skip;
      continue;
    }
    commits.push_back(ReadCommit(FromGit(id)));
  }
  return commits;
}

size_t GitRepository::CountCommits(const GitOid& from) const {
  RevwalkHandle walk = StartWalk(impl_->repository(), from);
  size_t count = 0;
  for (git_oid id; NextCommit(walk.get(), id);) ++count;
  return count;
}

std::vector<std::pair<std::string, CommitInfo>> GitRepository::LastCommits(
    const GitOid& from, const std::vector<std::string>& paths, size_t max_commits) const {
  PendingPaths pending(
      [this](const GitOid& oid) { return impl_->ReadObject(oid, GIT_OBJECT_TREE); });
  for (size_t i = 0; i < paths.size(); ++i) pending.Add(paths[i], i);
  GitOid commit = from;
  Impl::CommitLinks links = impl_->ReadLinks(commit);
  pending.KeepExisting(links.tree);

  std::vector<std::pair<std::string, CommitInfo>> result;
  for (size_t walked = 0; walked < max_commits && !pending.empty(); ++walked) {
    std::optional<Impl::CommitLinks> parent;
    if (links.first_parent) parent = impl_->ReadLinks(*links.first_parent);
    std::optional<GitOid> before;
    if (parent) before = parent->tree;
    std::vector<size_t> changed = pending.TakeChanged(links.tree, before);
    if (!changed.empty()) {
      CommitInfo info = ReadCommit(commit);
      for (size_t index : changed) result.emplace_back(paths[index], info);
    }
    if (!parent) break;
    commit = *links.first_parent;
    links = *parent;
  }
  return result;
}

}  // namespace hearth::storage
