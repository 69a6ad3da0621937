// What the inspector says of repositories, kept: of main in the database, once per commit and
// version of the rules, made by a background thread after each change; of other commits in a small
// cache.
//
// A kept reading holds nothing that depends on who asks. What does (which of the named repositories
// are here) is looked up for each answer, by the caller, with inspector::Resolve.
//
// Readings tell of content: whoever shows them, or filters a list by them, must have found
// Right::kReadContent on the repository. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "hub/inspector/fit/smallest_need.h"
#include "hub/inspector/inspect_repo.h"
#include "hub/listed_reading.h"
#include "hub/objects.h"
#include "hub/repos.h"

namespace hearth::hub {

struct KeptReading {
  inspector::Classification kinds;  // references are not resolved
  Json reading_order;
  Json card_score;
  inspector::SmallestNeed need;  // models
};
using KeptReadingPtr = std::shared_ptr<const KeptReading>;

class Inspections : public RepoObserver {
 public:
  Inspections(storage::Database& db, Repos& repos, const Objects& objects);
  ~Inspections() override;

  // From memory, from the database, or made on the spot. Right::kReadContent. Never null. Throws
  // kInternal for a damaged repository.
  KeptReadingPtr Of(const RepoHandle& repo, const GitOid& commit);

  // Kinds of one whose main was read: "adapter:proved,remote_code:declared", best known first; ""
  // when it was not read yet.
  std::string KindsOf(int64_t repo_id) const;
  // For the index behind lists: called after Start for every kept reading (one by earlier rules
  // counts until it is made anew), and whenever one was stored, on the thread of the readings. Set
  // before Start.
  using Listener = std::function<void(int64_t repo_id, const ListedReading& reading)>;
  void OnListed(Listener told);

  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override;
  void OnRefChanged(const RepoPtr& repo, const std::string& ref,
                    const std::optional<GitOid>& now) override;

  // The thread that reads main of what changed, and at its start of what no reading of the present
  // rules is kept.
  void Start();
  void Stop();
  // Reads one in the caller's thread.
  void InspectNow(const RepoPtr& repo);
  // Blocks until nothing is queued; false on timeout.
  bool WaitIdle(std::chrono::milliseconds timeout) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
