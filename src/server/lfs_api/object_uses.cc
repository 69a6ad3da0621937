#include "server/lfs_api/object_uses.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"

namespace hearth::server {

ObjectUses FindObjectUses(const hub::RepoHandle& repo) {
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  std::vector<storage::RefInfo> refs = git.ListRefs();
  std::stable_partition(refs.begin(), refs.end(),
                        [](const storage::RefInfo& ref) { return ref.name == "refs/heads/main"; });
  ObjectUses uses;
  std::unordered_map<GitOid, std::optional<storage::LfsPointer>> pointers;
  for (const storage::RefInfo& ref : refs) {
    storage::GitRepository::ListOptions options;
    options.recursive = true;
    for (const storage::TreeEntry& entry : git.ListTree(ref.target, "", options)) {
      bool file =
          entry.kind == storage::EntryKind::kFile || entry.kind == storage::EntryKind::kExecutable;
      if (!file || entry.size_bytes > storage::kMaxPointerBytes) continue;
      auto [known, first] = pointers.try_emplace(entry.oid);
      if (first) known->second = storage::ParseLfsPointer(git.ReadBlob(entry.oid));
      if (known->second) uses.try_emplace(known->second->oid, ObjectUse{entry.path, ref.name});
    }
  }
  return uses;
}

void GiveUpObjects(Context& context, const std::vector<Sha256>& oids, bool rewrite_history) {
  if (rewrite_history) {
    context.hub.commits().RemoveObjects(context.repo(), {oids.begin(), oids.end()});
  }
  // No commit may begin to use one of them between the look and the deed.
  std::unique_lock writer = context.hub.repos().LockForWrite(context.repo().record());
  ObjectUses uses = FindObjectUses(context.repo());
  for (const Sha256& oid : oids) {
    if (auto use = uses.find(oid); use != uses.end()) {
      throw Error(Code::kConflict, "The object is the content of " + use->second.path + " in " +
                                       use->second.ref +
                                       ": delete the file first, or ask to rewrite the history");
    }
  }
  context.hub.objects().Revoke(context.repo(), oids);
}

}  // namespace hearth::server
