// A repository of the hub as the inspector sees it: one commit, its files with real sizes and
// digests, and reads by ranges, large objects in whatever form they are stored.
#pragma once

#include <memory>
#include <string_view>

#include "base/hash.h"
#include "hub/inspector/repo_view.h"
#include "hub/objects.h"
#include "hub/repos.h"

namespace hearth::hub {

// Right::kReadContent. `objects` outlives the view; one view, one thread. Open throws kNotFound
// also for a pointer whose object the repository does not hold, and kTooLarge for a blob of git
// above 64 MiB. Files are listed at the first use; kInternal for a damaged repository.
std::unique_ptr<inspector::RepoView> OpenRepoView(const RepoHandle& repo, const Objects& objects,
                                                  const GitOid& commit);

// The repositories whose content `actor` may read; nothing else exists, and a rename is followed.
// `repos` and `objects` outlive it. Thread-safe; each view it gives belongs to one thread.
class HubNeighbours : public inspector::Neighbours {
 public:
  HubNeighbours(const Repos& repos, const Objects& objects, const Actor& actor)
      : repos_(repos), objects_(objects), actor_(actor) {}

  // `type` in the singular, `id` "ns/name" or a one-part alias; `revision` a branch, tag, commit or
  // ref, "" = main.
  std::unique_ptr<inspector::RepoView> Find(std::string_view type, std::string_view id,
                                            std::string_view revision) const override;

 private:
  const Repos& repos_;
  const Objects& objects_;
  Actor actor_;
};

}  // namespace hearth::hub
