// What changed between two commits: as a list, by walking both trees side by side, and as text.
#include <algorithm>

#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {

using namespace internal;

namespace {

constexpr size_t kMaxDiffEntries = 5'000'000;
// Trees that only a hostile push makes: a name may have megabytes, and a subtree that occurs many
// times unfolds to more paths than there are bytes in the push.
constexpr size_t kMaxDiffPathBytes = 4096;
constexpr size_t kMaxDiffPathsBytes = 512 << 20;
// Larger files are named only, as binary ones are.
constexpr git_off_t kMaxDiffedFileBytes = 8 << 20;

// Subtrees with the same id are passed over unread, so the cost is that of what changed.
class TreeDiff {
 public:
  using DiffEntry = GitRepository::DiffEntry;
  using ReadTree = std::function<OdbObjectHandle(const GitOid&)>;
  using SizeOf = std::function<uint64_t(const GitOid&)>;
  TreeDiff(ReadTree read, SizeOf size_of) : read_(std::move(read)), size_of_(std::move(size_of)) {}

  void Compare(const std::optional<GitOid>& from, const std::optional<GitOid>& to,
               const std::string& folder, size_t depth = 0);
  std::vector<DiffEntry> Take() { return std::move(entries_); }

 private:
  void Pair(const RawEntry* old_entry, const RawEntry* new_entry, const std::string& folder,
            size_t depth);
  void Report(DiffEntry::Kind kind, const std::string& path, const RawEntry* old_entry,
              const RawEntry* new_entry);
  uint64_t SizeOfEntry(const RawEntry& entry) const {
    return entry.kind() == EntryKind::kSubmodule ? 0 : size_of_(entry.oid);
  }
  const ReadTree read_;
  const SizeOf size_of_;
  std::vector<DiffEntry> entries_;
  size_t paths_bytes_ = 0;
};

void TreeDiff::Report(DiffEntry::Kind kind, const std::string& path, const RawEntry* old_entry,
                      const RawEntry* new_entry) {
  paths_bytes_ += path.size();
  if (entries_.size() >= kMaxDiffEntries || paths_bytes_ > kMaxDiffPathsBytes) {
    throw Error(Code::kTooLarge, "the difference has too many entries");
  }
  DiffEntry out{kind, path, {}, {}, 0, 0};
  if (old_entry != nullptr) {
    out.old_oid = old_entry->oid;
    out.old_size = SizeOfEntry(*old_entry);
  }
  if (new_entry != nullptr) {
    out.new_oid = new_entry->oid;
    out.new_size = SizeOfEntry(*new_entry);
  }
  entries_.push_back(std::move(out));
}

void TreeDiff::Pair(const RawEntry* old_entry, const RawEntry* new_entry, const std::string& folder,
                    size_t depth) {
  if (old_entry != nullptr && new_entry != nullptr && old_entry->oid == new_entry->oid &&
      old_entry->mode == new_entry->mode) {
    return;
  }
  std::string path = JoinPath(folder, old_entry != nullptr ? old_entry->name : new_entry->name);
  if (path.size() > kMaxDiffPathBytes) {
    throw Error(Code::kTooLarge, "a path is longer than " + std::to_string(kMaxDiffPathBytes) +
                                     " bytes: " + path.substr(0, 200) + "...");
  }
  bool old_folder = old_entry != nullptr && old_entry->is_folder();
  bool new_folder = new_entry != nullptr && new_entry->is_folder();
  const RawEntry* old_file = old_folder ? nullptr : old_entry;
  const RawEntry* new_file = new_folder ? nullptr : new_entry;
  if (old_file != nullptr && new_file != nullptr) {
    Report(DiffEntry::Kind::kModified, path, old_file, new_file);
  } else if (old_file != nullptr) {
    Report(DiffEntry::Kind::kDeleted, path, old_file, nullptr);
  } else if (new_file != nullptr) {
    Report(DiffEntry::Kind::kAdded, path, nullptr, new_file);
  }
  if (old_folder || new_folder) {
    Compare(old_folder ? std::optional(old_entry->oid) : std::nullopt,
            new_folder ? std::optional(new_entry->oid) : std::nullopt, path, depth + 1);
  }
}

void TreeDiff::Compare(const std::optional<GitOid>& from, const std::optional<GitOid>& to,
                       const std::string& folder, size_t depth) {
  if (depth >= kMaxTreeDepth) throw Error(Code::kTooLarge, "the tree is too deep");
  OdbObjectHandle old_object = from ? read_(*from) : nullptr;
  OdbObjectHandle new_object = to ? read_(*to) : nullptr;
  TreeCursor old_cursor(old_object ? DataOf(old_object) : std::string_view());
  TreeCursor new_cursor(new_object ? DataOf(new_object) : std::string_view());
  RawEntry old_entry, new_entry;
  bool has_old = old_cursor.Next(old_entry), has_new = new_cursor.Next(new_entry);
  while (has_old || has_new) {
    int order = !has_new   ? -1
                : !has_old ? 1
                           : CompareEntryNames(old_entry.name, old_entry.is_folder(),
                                               new_entry.name, new_entry.is_folder());
    // A file that became a folder sorts apart from it and is reported as deleted and added.
    Pair(order <= 0 ? &old_entry : nullptr, order >= 0 ? &new_entry : nullptr, folder, depth);
    if (order <= 0) has_old = old_cursor.Next(old_entry);
    if (order >= 0) has_new = new_cursor.Next(new_entry);
  }
}

struct PatchText {
  std::string text;
  uint64_t limit_bytes;
  bool cut = false;
};

int AppendLine(const git_diff_delta*, const git_diff_hunk*, const git_diff_line* line,
               void* payload) {
  auto& patch = *static_cast<PatchText*>(payload);
  bool has_origin = line->origin == '+' || line->origin == '-' || line->origin == ' ';
  if (patch.text.size() + line->content_len + (has_origin ? 1 : 0) > patch.limit_bytes) {
    patch.cut = true;
    return GIT_EUSER;
  }
  if (has_origin) patch.text += line->origin;
  patch.text.append(line->content, line->content_len);
  return 0;
}

TreeHandle LookupTree(git_repository* repository, const GitOid& oid) {
  git_oid id = ToGit(oid);
  git_tree* raw = nullptr;
  Check(git_tree_lookup(&raw, repository, &id), "read tree " + oid.Hex());
  return TreeHandle(raw);
}

}  // namespace

std::vector<GitRepository::DiffEntry> GitRepository::Diff(const std::optional<GitOid>& from,
                                                          const GitOid& to) const {
  std::optional<GitOid> old_tree;
  if (from) old_tree = impl_->TreeOf(*from);
  GitOid new_tree = impl_->TreeOf(to);
  if (old_tree == new_tree) return {};
  TreeDiff diff([this](const GitOid& oid) { return impl_->ReadObject(oid, GIT_OBJECT_TREE); },
                [this](const GitOid& oid) { return BlobSize(oid); });
  diff.Compare(old_tree, new_tree, "");
  return diff.Take();
}

std::string GitRepository::UnifiedDiff(const std::optional<GitOid>& from, const GitOid& to,
                                       uint64_t limit_bytes) const {
  TreeHandle old_tree = from ? LookupTree(impl_->repository(), impl_->TreeOf(*from)) : TreeHandle();
  TreeHandle new_tree = LookupTree(impl_->repository(), impl_->TreeOf(to));
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.max_size = kMaxDiffedFileBytes;
  git_diff* raw = nullptr;
  Check(git_diff_tree_to_tree(&raw, impl_->repository(), old_tree.get(), new_tree.get(), &options),
        "compare trees");
  DiffHandle diff(raw);
  PatchText patch{{}, limit_bytes};
  int result = git_diff_print(raw, GIT_DIFF_FORMAT_PATCH, AppendLine, &patch);
  if (!patch.cut) Check(result, "print difference");
  if (patch.cut) patch.text += "... cut at " + std::to_string(limit_bytes) + " bytes\n";
  return std::move(patch.text);
}

}  // namespace hearth::storage
