// Which grants of a repository does its git history still need?
//
// The walk over the history takes as long as it takes and holds nothing. What makes its result safe
// to act on is the reference lock: everybody who may make a ref point to an object holds it shared,
// from the check that the object is granted until the ref has moved. The collector takes it alone,
// sees whether any ref is new since its walk (then it walks that, and tries again), and takes the
// grants back before it lets go.
#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_set>

#include "base/error.h"
#include "hub/internal/gc_parts.h"
#include "hub/internal/repos_impl.h"

namespace hearth::hub {
namespace {

using storage::GitRepository;

constexpr size_t kGrantsPerLock = 500;  // some 20 ms
// Long enough for commits and most pushes; a repository that is busier waits for the next run.
constexpr int kLockTries = 100;
constexpr std::chrono::milliseconds kLockPause{20};
constexpr int kMaxWalks = 50;

struct Candidate {
  Sha256 oid;
  uint64_t size_bytes = 0;
  bool operator<(const Candidate& other) const { return oid < other.oid; }
};

class Marking {
 public:
  Marking(GcState& gc, const RepoPtr& repo)
      : gc_(gc), repo_(repo), folder_(gc.hub.repos().GitFolder(*repo)) {}

  void Run() {
    LoadCandidates();
    if (candidates_.empty()) return;
    WalkNewRefs();
    gc_.Step("walked");
    for (int walks = 0; !candidates_.empty(); ++walks) {
      if (walks == kMaxWalks) return Skip("its refs keep moving; the next run tries again");
      std::optional<SweepLock::Guard> guard = LockReferences();
      if (!guard) return Skip("it is being written to; the next run tries again");
      if (HasNewRefs()) {
        guard.reset();
        WalkNewRefs();
        continue;
      }
      walks = -1;
      RevokeSome();
      guard.reset();
      gc_.Step("revoked");
    }
  }

 private:
  void Skip(const std::string& why) { gc_.repos[repo_->id].problem = why; }
  void LoadCandidates();
  std::vector<GitOid> NewTargets() const;
  bool HasNewRefs() const { return !NewTargets().empty(); }
  void WalkNewRefs();
  std::optional<SweepLock::Guard> LockReferences() const;
  void RevokeSome();

  GcState& gc_;
  const RepoPtr& repo_;
  const std::filesystem::path folder_;
  std::vector<Candidate> candidates_;  // sorted
  std::unordered_set<GitOid> seen_;    // git objects
};

void Marking::LoadCandidates() {
  gc_.db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT r.sha256, o.size FROM repo_objects r JOIN objects o ON o.sha256 = r.sha256 "
        "WHERE r.repo_id = ? AND r.created_at <= ? AND r.used_at <= ? ORDER BY r.sha256",
        {repo_->id, gc_.cutoff, gc_.cutoff}, [&](const storage::Row& row) {
          candidates_.push_back({Sha256(row.Text(0)), static_cast<uint64_t>(row.Int(1))});
        });
  });
}

// Opened anew each time: packs and refs may have come since.
std::vector<GitOid> Marking::NewTargets() const {
  std::vector<GitOid> targets;
  for (const storage::RefInfo& ref : GitRepository::Open(folder_).ListAllRefs()) {
    if (!seen_.contains(ref.target)) targets.push_back(ref.target);
  }
  return targets;
}

void Marking::WalkNewRefs() {
  std::unordered_set<Sha256> live;
  GitRepository::Open(folder_).ForEachPointer(
      NewTargets(), &seen_, [&](const storage::LfsPointer& pointer) { live.insert(pointer.oid); });
  std::erase_if(candidates_, [&](const Candidate& c) { return live.contains(c.oid); });
}

std::optional<SweepLock::Guard> Marking::LockReferences() const {
  if (gc_.dry_run()) return SweepLock::Guard();
  SweepLock lock = ReferenceLock(folder_);
  for (int i = 0; i < kLockTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kLockPause);
    if (auto guard = lock.TryAlone()) return guard;
    gc_.Step("waiting");
  }
  return std::nullopt;
}

void Marking::RevokeSome() {
  size_t count = std::min(candidates_.size(), kGrantsPerLock);
  std::vector<Candidate> taken;
  gc_.db.Write([&](storage::Connection& c) {
    taken.clear();
    for (size_t i = candidates_.size() - count; i < candidates_.size(); ++i) {
      const Sha256& oid = candidates_[i].oid;
      // Somebody may have relied on the grant since the candidates were read.
      auto payload = c.QueryOne(
          "SELECT pusher_id, created_at FROM repo_objects WHERE repo_id = ? AND sha256 = ? "
          "AND created_at <= ? AND used_at <= ?",
          {repo_->id, RawKey(oid.raw()), gc_.cutoff, gc_.cutoff}, [](const storage::Row& row) {
            return Json::Obj({{"pusher", row.Int(0)}, {"created", row.Int(1)}});
          });
      if (!payload) continue;
      Json shown = Json::Arr();
      c.Query(
          "SELECT f.hash FROM shown_files s JOIN xet_files f ON f.id = s.file_id "
          "WHERE s.repo_id = ? AND s.sha256 = ?",
          {repo_->id, RawKey(oid.raw())},
          [&](const storage::Row& row) { shown.Push(FileName(row.Text(0))); });
      payload->Set("shown", std::move(shown));
      c.Exec("DELETE FROM repo_objects WHERE repo_id = ? AND sha256 = ?",
             {repo_->id, RawKey(oid.raw())});
      TrashEntry entry{TrashKind::kGrant, std::to_string(repo_->id) + ":" + oid.Hex(), 0,
                       std::move(*payload)};
      AddToTrash(c, gc_.report.run_id, entry, /*pending_move=*/false);
      taken.push_back(candidates_[i]);
    }
  });
  candidates_.resize(candidates_.size() - count);
  GcRepoReport& report = gc_.repos[repo_->id];
  for (const Candidate& grant : taken) {
    ++gc_.report.grants;
    ++report.objects;
    report.nominal_bytes += grant.size_bytes;
    gc_.object_repo[std::string(grant.oid.raw())] = repo_->id;
  }
}

}  // namespace

void RevokeUnusedGrants(GcState& gc) {
  std::vector<RepoPtr> all;
  gc.hub.repos().ForEach([&](const RepoPtr& record) { all.push_back(record); });
  std::sort(all.begin(), all.end(),
            [](const RepoPtr& a, const RepoPtr& b) { return a->id < b->id; });
  for (size_t i = 0; i < all.size(); ++i) {
    gc.Progress("repositories", i, all.size());
    try {
      Marking(gc, all[i]).Run();
    } catch (const Error& error) {
      // What cannot be read keeps everything that it has.
      bool gone = gc.hub.repos().FindById(all[i]->id) == nullptr;
      if (gone) continue;
      if (error.code() != Code::kInternal && error.code() != Code::kNotFound) throw;
      gc.repos[all[i]->id].problem = "nothing was collected: " + error.message();
    }
  }
}

}  // namespace hearth::hub
