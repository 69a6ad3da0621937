// Reading one revision: commits, folders, entries and blobs.
#include <algorithm>
#include <vector>

#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/repository_impl.h"
#include "storage/git/internal/utf8.h"

namespace hearth::storage {

using namespace internal;

namespace {

Signature ToSignature(const git_signature* signature) {
  if (signature == nullptr) return {};
  return {ToUtf8Lossy(signature->name), ToUtf8Lossy(signature->email),
          FromUnixMillis(int64_t{signature->when.time} * 1000)};
}

// A subtree that occurs many times can unfold to more entries than there are atoms.
constexpr size_t kMaxListedEntries = 10'000'000;

}  // namespace

std::string CommitInfo::Title() const { return message.substr(0, message.find('\n')); }

std::string CommitInfo::Description() const {
  size_t blank = message.find("\n\n");
  if (blank == std::string::npos) return {};
  size_t end = message.find_last_not_of("\n");
  return end <= blank + 1 ? std::string() : message.substr(blank + 2, end - blank - 1);
}

CommitInfo GitRepository::ReadCommit(const GitOid& commit) const {
  git_oid id = ToGit(commit);
  git_commit* raw = nullptr;
  int result = git_commit_lookup(&raw, impl_->repository(), &id);
  if (result == GIT_ENOTFOUND) throw RevisionNotFound("no commit " + commit.Hex());
  Check(result, "read commit " + commit.Hex());
  CommitHandle handle(raw);
  CommitInfo info;
  info.oid = commit;
  info.tree = FromGit(*git_commit_tree_id(raw));
  for (unsigned i = 0; i < git_commit_parentcount(raw); ++i) {
    info.parents.push_back(FromGit(*git_commit_parent_id(raw, i)));
  }
  info.message = ToUtf8Lossy(git_commit_message(raw));
  info.author = ToSignature(git_commit_author(raw));
  info.committer = ToSignature(git_commit_committer(raw));
  return info;
}

std::optional<TreeEntry> GitRepository::FindEntry(const GitOid& commit,
                                                  std::string_view path) const {
  TreeEntry found{std::string(path), EntryKind::kFolder, impl_->TreeOf(commit), 0};
  for (size_t start = 0; start < path.size();) {
    size_t end = std::min(path.find('/', start), path.size());
    if (found.kind != EntryKind::kFolder || end + 1 == path.size()) return std::nullopt;
    OdbObjectHandle tree = impl_->ReadObject(found.oid, GIT_OBJECT_TREE);
    std::optional<RawEntry> entry = FindInTree(DataOf(tree), path.substr(start, end - start));
    if (!entry) return std::nullopt;
    found.kind = entry->kind();
    found.oid = entry->oid;
    start = end + 1;
  }
  if (found.kind != EntryKind::kFolder && found.kind != EntryKind::kSubmodule) {
    found.size_bytes = BlobSize(found.oid);
  }
  return found;
}

namespace {

// Walks a folder in git order from behind a given path on. The trees on the way to the current
// entry are open at once, so memory grows with depth only.
class TreeWalker {
 public:
  using ReadTree = std::function<OdbObjectHandle(const GitOid&)>;
  TreeWalker(ReadTree read, bool recursive) : read_(std::move(read)), recursive_(recursive) {}

  void Start(std::string folder, const GitOid& tree, std::string_view after);
  bool Next(TreeEntry& entry);

 private:
  struct Level {
    std::string folder;
    OdbObjectHandle object;
    TreeCursor cursor;
    RawEntry entry;
    bool has_entry;
  };
  void Enter(std::string folder, const GitOid& tree) {
    if (levels_.size() >= kMaxTreeDepth) throw Error(Code::kTooLarge, "the tree is too deep");
    OdbObjectHandle object = read_(tree);
    TreeCursor cursor(DataOf(object));
    levels_.push_back({std::move(folder), std::move(object), cursor, {}, false});
    Advance(levels_.back());
  }
  static void Advance(Level& level) { level.has_entry = level.cursor.Next(level.entry); }

  const ReadTree read_;
  const bool recursive_;
  std::vector<Level> levels_;
};

void TreeWalker::Start(std::string folder, const GitOid& tree, std::string_view after) {
  Enter(std::move(folder), tree);
  while (!after.empty()) {
    size_t slash = after.find('/');
    std::string_view name = after.substr(0, slash);
    after.remove_prefix(slash == std::string_view::npos ? after.size() : slash + 1);
    Level& level = levels_.back();
    while (level.has_entry && level.entry.name != name &&
           CompareEntryNames(level.entry.name, level.entry.is_folder(), name, true) < 0) {
      Advance(level);
    }
    if (!level.has_entry || level.entry.name != name) return;
    RawEntry entry = level.entry;
    std::string path = JoinPath(level.folder, name);
    Advance(level);
    if (!entry.is_folder() || !recursive_) return;
    Enter(std::move(path), entry.oid);
  }
}

bool TreeWalker::Next(TreeEntry& out) {
  while (!levels_.empty() && !levels_.back().has_entry) levels_.pop_back();
  if (levels_.empty()) return false;
  Level& level = levels_.back();
  out.path = JoinPath(level.folder, level.entry.name);
  out.kind = level.entry.kind();
  out.oid = level.entry.oid;
  out.size_bytes = 0;
  Advance(level);
  if (recursive_ && out.kind == EntryKind::kFolder) Enter(out.path, out.oid);
  return true;
}

}  // namespace

std::vector<TreeEntry> GitRepository::ListTree(const GitOid& commit, std::string_view folder,
                                               const ListOptions& options) const {
  folder = WithoutTrailingSlash(folder);
  std::optional<TreeEntry> root = FindEntry(commit, folder);
  if (!root || root->kind != EntryKind::kFolder) throw EntryNotFound(std::string(folder));
  std::string_view after = options.after_path;
  if (!folder.empty() && !after.empty()) {
    bool inside =
        after.size() > folder.size() && after.starts_with(folder) && after[folder.size()] == '/';
    if (!inside) throw Error(Code::kInvalidArgument, "the list goes on outside of its folder");
    after.remove_prefix(folder.size() + 1);
  }
  TreeWalker walker([this](const GitOid& oid) { return impl_->ReadObject(oid, GIT_OBJECT_TREE); },
                    options.recursive);
  walker.Start(std::string(folder), root->oid, after);
  std::vector<TreeEntry> entries;
  TreeEntry entry;
  while (entries.size() < options.limit && walker.Next(entry)) {
    bool is_blob = entry.kind != EntryKind::kFolder && entry.kind != EntryKind::kSubmodule;
    if (options.with_sizes && is_blob) entry.size_bytes = BlobSize(entry.oid);
    entries.push_back(std::move(entry));
    if (entries.size() > kMaxListedEntries) {
      throw Error(Code::kTooLarge, "the folder has too many entries to list at once");
    }
  }
  return entries;
}

uint64_t GitRepository::BlobSize(const GitOid& blob) const {
  std::optional<Impl::Header> header = impl_->FindHeader(blob);
  if (!header || header->type != GIT_OBJECT_BLOB) {
    throw Error(Code::kNotFound, "no blob " + blob.Hex()).WithWireCode("EntryNotFound");
  }
  return header->size_bytes;
}

std::string GitRepository::ReadBlob(const GitOid& blob, uint64_t limit_bytes) const {
  if (BlobSize(blob) > limit_bytes) {
    throw Error(Code::kTooLarge,
                "blob " + blob.Hex() + " is larger than " + std::to_string(limit_bytes) + " bytes");
  }
  return std::string(DataOf(impl_->ReadObject(blob, GIT_OBJECT_BLOB)));
}

bool GitRepository::HasObject(const GitOid& oid) const {
  git_oid id = ToGit(oid);
  return git_odb_exists(impl_->odb(), &id) == 1;
}

}  // namespace hearth::storage
