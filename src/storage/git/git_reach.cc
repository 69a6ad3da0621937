// What the refs of a repository reach: the roots that keep large objects alive.
#include <algorithm>

#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/repository_impl.h"

namespace hearth::storage {

using namespace internal;

std::vector<RefInfo> GitRepository::ListAllRefs() const {
  std::vector<RefInfo> refs;
  ForEachReference(impl_->repository(), [&](const git_reference* ref) {
    // A symbolic one leads to another ref of the list, or nowhere.
    if (git_reference_type(ref) != GIT_REFERENCE_DIRECT) return;
    refs.push_back({git_reference_name(ref), FromGit(*git_reference_target(ref))});
  });
  git_reference* head = nullptr;
  Check(git_reference_lookup(&head, impl_->repository(), "HEAD"), "read HEAD");
  ReferenceHandle owned(head);
  if (git_reference_type(head) == GIT_REFERENCE_DIRECT) {
    refs.push_back({"HEAD", FromGit(*git_reference_target(head))});
  }
  std::sort(refs.begin(), refs.end(),
            [](const RefInfo& a, const RefInfo& b) { return a.name < b.name; });
  return refs;
}

void GitRepository::ForEachPointer(const std::vector<GitOid>& from,
                                   std::unordered_set<GitOid>* seen,
                                   const std::function<void(const LfsPointer&)>& each) const {
  std::vector<GitOid> waiting;
  auto visit = [&](const GitOid& oid) {
    if (seen->insert(oid).second) waiting.push_back(oid);
  };
  auto visit_hex = [&](std::string_view hex) {
    std::optional<GitOid> oid = GitOid::FromHex(hex);
    if (!oid) throw Error(Code::kInternal, "a commit or tag names no object");
    visit(*oid);
  };
  // The header lines of commits and tags that name objects: "tree", "parent", "object".
  auto visit_header = [&](std::string_view text) {
    while (!text.empty() && text.front() != '\n') {
      std::string_view line = text.substr(0, text.find('\n'));
      for (std::string_view key : {"tree ", "parent ", "object "}) {
        if (line.starts_with(key)) visit_hex(line.substr(key.size()));
      }
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
  };
  for (const GitOid& oid : from) visit(oid);
  while (!waiting.empty()) {
    GitOid oid = waiting.back();
    waiting.pop_back();
    std::optional<Impl::Header> header = impl_->FindHeader(oid);
    if (!header) throw Error(Code::kInternal, "git object " + oid.Hex() + " is missing");
    if (header->type == GIT_OBJECT_BLOB) {
      if (header->size_bytes > kMaxPointerBytes) continue;
      OdbObjectHandle blob = impl_->ReadObject(oid, GIT_OBJECT_BLOB);
      if (std::optional<LfsPointer> pointer = ParseLfsPointer(DataOf(blob))) each(*pointer);
    } else if (header->type == GIT_OBJECT_TREE) {
      OdbObjectHandle tree = impl_->ReadObject(oid, GIT_OBJECT_TREE);
      TreeCursor cursor(DataOf(tree));
      for (RawEntry entry; cursor.Next(entry);) {
        if (entry.kind() != EntryKind::kSubmodule) visit(entry.oid);
      }
    } else {
      OdbObjectHandle text = impl_->ReadObject(oid, header->type);
      visit_header(DataOf(text));
    }
  }
}

}  // namespace hearth::storage
