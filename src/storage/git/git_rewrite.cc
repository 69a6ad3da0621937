// History without certain LFS objects.
#include <utility>

#include "base/error.h"
#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {

using namespace internal;

namespace {

class Rewriter {
 public:
  using Read = std::function<OdbObjectHandle(const GitOid&, git_object_t)>;
  using FindHeader = std::function<std::pair<git_object_t, uint64_t>(const GitOid&)>;

  Rewriter(const std::unordered_set<Sha256>& objects, Read read, FindHeader header,
           ObjectBatch& batch)
      : objects_(objects), read_(std::move(read)), header_(std::move(header)), batch_(batch) {}

  // What stands for a commit or tag from now on: itself, when nothing that it reaches changes.
  GitOid Rewrite(const GitOid& target);

 private:
  bool IsDropped(const GitOid& blob);
  // nullopt: nothing is left of the folder.
  std::optional<GitOid> RewriteTree(const GitOid& tree, size_t depth);
  // Objects that the header of a commit or tag names and that are not done yet.
  std::vector<GitOid> Missing(std::string_view text);
  GitOid RewriteText(const GitOid& oid, git_object_t type, std::string_view text);

  const std::unordered_set<Sha256>& objects_;
  Read read_;
  FindHeader header_;
  ObjectBatch& batch_;
  std::unordered_map<GitOid, GitOid> done_;  // commits and tags
  std::unordered_map<GitOid, std::optional<GitOid>> trees_;
  std::unordered_map<GitOid, bool> blobs_;  // dropped?
};

bool Rewriter::IsDropped(const GitOid& blob) {
  auto [known, is_new] = blobs_.try_emplace(blob, false);
  if (is_new && header_(blob).second <= kMaxPointerBytes) {
    OdbObjectHandle object = read_(blob, GIT_OBJECT_BLOB);
    std::optional<LfsPointer> pointer = ParseLfsPointer(DataOf(object));
    known->second = pointer && objects_.contains(pointer->oid);
  }
  return known->second;
}

std::optional<GitOid> Rewriter::RewriteTree(const GitOid& tree, size_t depth) {
  if (auto known = trees_.find(tree); known != trees_.end()) return known->second;
  if (depth > kMaxTreeDepth) throw Error(Code::kTooLarge, "a tree of the history is too deep");
  OdbObjectHandle object = read_(tree, GIT_OBJECT_TREE);
  std::string rewritten;
  bool changed = false;
  TreeCursor cursor(DataOf(object));
  for (RawEntry entry; cursor.Next(entry);) {
    std::optional<GitOid> now = entry.oid;
    if (entry.is_folder()) {
      now = RewriteTree(entry.oid, depth + 1);
    } else if (entry.kind() != EntryKind::kSubmodule && IsDropped(entry.oid)) {
      now.reset();
    }
    changed |= now != entry.oid;
    if (now) AppendEntry(rewritten, entry.mode, entry.name, *now);
  }
  std::optional<GitOid> result = tree;
  if (changed) {
    result = rewritten.empty()
                 ? std::nullopt
                 : std::optional(batch_.AddOwned(GIT_OBJECT_TREE, std::move(rewritten)));
  }
  trees_.emplace(tree, result);
  return result;
}

std::optional<GitOid> NamedBy(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  return GitOid::FromHex(line.substr(key.size()));
}

// Calls each(line) for the header's lines; returns the rest, from the empty line on.
template <typename F>
std::string_view ForEachHeaderLine(std::string_view text, F each) {
  while (!text.empty() && text.front() != '\n') {
    std::string_view line = text.substr(0, text.find('\n'));
    each(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return text;
}

std::vector<GitOid> Rewriter::Missing(std::string_view text) {
  std::vector<GitOid> missing;
  ForEachHeaderLine(text, [&](std::string_view line) {
    std::optional<GitOid> named = NamedBy(line, "parent ");
    if (!named) named = NamedBy(line, "object ");
    if (named && !done_.contains(*named)) missing.push_back(*named);
  });
  return missing;
}

GitOid Rewriter::RewriteText(const GitOid& oid, git_object_t type, std::string_view text) {
  std::string rewritten;
  bool changed = false;
  bool in_signature = false;
  std::string_view rest = ForEachHeaderLine(text, [&](std::string_view line) {
    // Signatures would no longer fit; their further lines begin with a space.
    in_signature = line.starts_with("gpgsig") || (in_signature && line.starts_with(' '));
    std::optional<std::pair<std::string_view, GitOid>> now;
    if (std::optional<GitOid> tree = NamedBy(line, "tree ")) {
      std::optional<GitOid> kept = RewriteTree(*tree, 0);
      now = {"tree ", kept ? *kept : batch_.AddOwned(GIT_OBJECT_TREE, "")};
      changed |= now->second != *tree;
    }
    for (std::string_view key : {"parent ", "object "}) {
      std::optional<GitOid> named = NamedBy(line, key);
      if (!named) continue;
      now = {key, done_.at(*named)};
      changed |= now->second != *named;
    }
    if (in_signature) return;
    rewritten += now ? std::string(now->first) + now->second.Hex() : std::string(line);
    rewritten += '\n';
  });
  if (!changed) return oid;
  rewritten += rest;
  return batch_.AddOwned(type, std::move(rewritten));
}

GitOid Rewriter::Rewrite(const GitOid& target) {
  std::vector<GitOid> waiting = {target};
  while (!waiting.empty()) {
    GitOid oid = waiting.back();
    if (done_.contains(oid)) {
      waiting.pop_back();
      continue;
    }
    git_object_t type = header_(oid).first;
    if (type != GIT_OBJECT_COMMIT && type != GIT_OBJECT_TAG) {
      // A tag of a tree or blob: nobody downloads by it.
      done_.emplace(oid, oid);
      continue;
    }
    OdbObjectHandle object = read_(oid, type);
    std::vector<GitOid> missing = Missing(DataOf(object));
    if (missing.empty()) {
      done_.emplace(oid, RewriteText(oid, type, DataOf(object)));
    } else {
      waiting.insert(waiting.end(), missing.begin(), missing.end());
    }
  }
  return done_.at(target);
}

}  // namespace

std::vector<GitOid> GitRepository::RewriteWithout(const std::vector<GitOid>& targets,
                                                  const std::unordered_set<Sha256>& objects) {
  ObjectBatch batch = impl_->NewBatch();
  Rewriter rewriter(
      objects,
      [this](const GitOid& oid, git_object_t type) { return impl_->ReadObject(oid, type); },
      [this](const GitOid& oid) {
        std::optional<Impl::Header> header = impl_->FindHeader(oid);
        if (!header) throw Error(Code::kInternal, "git object " + oid.Hex() + " is missing");
        return std::pair(header->type, header->size_bytes);
      },
      batch);
  std::vector<GitOid> rewritten;
  rewritten.reserve(targets.size());
  for (const GitOid& target : targets) rewritten.push_back(rewriter.Rewrite(target));
  batch.Store();
  return rewritten;
}

}  // namespace hearth::storage
