// The job: moved refs become rows, rows become answers.
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "formats/source/source_window.h"
#include "hub/internal/siblings.h"
#include "hub/safety/content_scan.h"
#include "hub/safety/safety_impl.h"

namespace hearth::hub {
namespace {

constexpr std::chrono::seconds kPause{30};

// Throws when the server stops: a large file must not hold it up.
class StoppableSource : public ByteSource {
 public:
  StoppableSource(std::unique_ptr<ByteSource> source, const std::atomic<bool>& stop)
      : source_(std::move(source)), stop_(stop) {}
  uint64_t size_bytes() override { return source_->size_bytes(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override {
    if (stop_) throw Error(Code::kUnavailable, "the scan was stopped");
    source_->ReadAt(offset, out, n);
  }

 private:
  std::unique_ptr<ByteSource> source_;
  const std::atomic<bool>& stop_;
};

}  // namespace

void Safety::Impl::Enqueue(int64_t repo_id, const std::string& ref) {
  if (policy == Quarantine::kOff) return;
  std::lock_guard lock(mutex);
  if (ref_set.emplace(repo_id, ref).second) refs.emplace_back(repo_id, ref);
  changed.notify_all();
}

std::optional<std::pair<int64_t, std::string>> Safety::Impl::TakeRef() {
  std::lock_guard lock(mutex);
  if (refs.empty()) return std::nullopt;
  auto next = refs.front();
  refs.pop_front();
  ref_set.erase(next);
  ++listing;
  return next;
}

// What the commit has that the one before had not; everything when there was none.
std::vector<SafetyKey> Safety::Impl::NewFiles(const storage::GitRepository& git, int64_t repo_id,
                                              const std::string& ref, const GitOid& commit) {
  std::optional<std::string> before = parts.db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT commit_oid FROM safety_refs WHERE repo_id = ? AND ref = ?",
                      {repo_id, ref}, [](const storage::Row& row) { return row.Str(0); });
  });
  std::optional<GitOid> known;
  if (before) known = GitOid::FromHex(*before);
  std::vector<SafetyKey> keys;
  if (!known || !git.HasObject(*known)) {
    for (const Sibling& file : ListSiblings(git, commit).files) keys.push_back(SafetyKeyOf(file));
    return keys;
  }
  for (const storage::GitRepository::DiffEntry& entry : git.Diff(known, commit)) {
    if (entry.kind == storage::GitRepository::DiffEntry::Kind::kDeleted) continue;
    std::optional<storage::LfsPointer> pointer;
    if (entry.new_size <= storage::kMaxPointerBytes && git.HasObject(entry.new_oid))
      pointer = storage::ParseLfsPointer(git.ReadBlob(entry.new_oid));
    std::optional<Sha256> lfs;
    if (pointer) lfs = pointer->oid;
    keys.push_back(SafetyKeyOf(entry.path, entry.new_oid, lfs,
                               pointer ? pointer->size_bytes : entry.new_size));
  }
  return keys;
}

void Safety::Impl::ListRef(int64_t repo_id, const std::string& ref) {
  RepoPtr repo = parts.repos.FindById(repo_id);
  if (!repo) return;
  storage::GitRepository git = storage::GitRepository::Open(parts.repos.GitFolder(*repo));
  std::optional<GitOid> commit = git.FindCommit(ref);
  if (!commit) {
    parts.db.Write([&](storage::Connection& c) {
      c.Exec("DELETE FROM safety_refs WHERE repo_id = ? AND ref = ?", {repo_id, ref});
    });
    return;
  }
  Insert(*repo, NewFiles(git, repo_id, ref, *commit));
  // Only now: a crash before this lists the files again.
  parts.db.Write([&](storage::Connection& c) {
    if (!c.QueryInt("SELECT 1 FROM repos WHERE id = ?", {repo_id})) return;
    c.Exec(
        "INSERT INTO safety_refs (repo_id, ref, commit_oid) VALUES (?, ?, ?) ON CONFLICT (repo_id, "
        "ref) DO UPDATE SET commit_oid = excluded.commit_oid",
        {repo_id, ref, commit->Hex()});
  });
}

std::unique_ptr<ByteSource> Safety::Impl::OpenContent(const WaitingScan& row) {
  if (row.content.size() == 32) return parts.objects.OpenSource(Sha256(row.content));
  RepoPtr repo = parts.repos.FindById(row.repo_id);
  if (!repo) throw Error(Code::kNotFound, "the repository is gone");
  storage::GitRepository git = storage::GitRepository::Open(parts.repos.GitFolder(*repo));
  return std::make_unique<OwnedSource>(git.ReadBlob(GitOid(row.content)));
}

ScanOutcome Safety::Impl::ScanOne(const WaitingScan& row) {
  ScanOutcome done{.id = row.id,
                   .content = row.content,
                   .state = SafetyState::kError,
                   .report = {},
                   .error = {}};
  try {
    StoppableSource source(OpenContent(row), stopping);
    ContentVerdict verdict = ScanContent(source, row.kind);
    done.state = verdict.state;
    done.report = std::move(verdict.report);
  } catch (const Error& error) {
    if (stopping) throw;
    // Messages may hold paths of this machine; who reads this is a stranger.
    done.error = error.code() == Code::kNotFound ? "Its content is not stored here."
                                                 : "Its content could not be read.";
    log::Warning("a file could not be scanned",
                 {{"content", HexEncode(row.content)}, {"reason", error.message()}});
  }
  return done;
}

// False when nothing waits.
bool Safety::Impl::ScanSome() {
  std::vector<WaitingScan> batch = TakeBatch();
  if (batch.empty()) return false;
  std::vector<ScanOutcome> done;
  for (const WaitingScan& row : batch) {
    if (stopping) break;
    try {
      done.push_back(ScanOne(row));
    } catch (const Error&) {
      break;  // stopping: what was not scanned waits for the next start
    }
  }
  Save(done);
  if (done.size() < batch.size()) {
    parts.db.Write([&](storage::Connection& c) {
      for (size_t i = done.size(); i < batch.size(); ++i) {
        c.Exec("UPDATE safety_scans SET pending = ?, tries = tries - 1 WHERE id = ?",
               {kPending, batch[i].id});
      }
    });
  }
  return true;
}

void Safety::Impl::Drain() {
  while (!stopping) {
    if (auto ref = TakeRef()) {
      try {
        ListRef(ref->first, ref->second);
      } catch (const Error& error) {
        log::Warning("the files of a repository could not be listed for scanning",
                     {{"repo_id", std::to_string(ref->first)}, {"reason", error.message()}});
      }
      {
        std::lock_guard lock(mutex);
        --listing;
      }
      continue;
    }
    if (!ScanSome()) return;
  }
}

void Safety::Impl::Run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // of this thread only
  bool caught_up = false;
  while (!stopping) {
    try {
      {
        std::lock_guard lock(mutex);
        work = false;
        running = true;
      }
      if (!caught_up) CatchUp();
      caught_up = true;
      Drain();
    } catch (const std::exception& fault) {
      log::Warning("scanning was interrupted; it will be tried again", {{"reason", fault.what()}});
    }
    std::unique_lock lock(mutex);
    running = false;
    changed.notify_all();
    changed.wait_for(lock, kPause, [this] { return stopping || work || !refs.empty(); });
  }
}

}  // namespace hearth::hub
