// What scanning found in the files of repositories: a durable table by content, a job that fills
// it, and the policy for files that are dangerous.
//
// A file is scanned once for all public repositories that hold it: the row's key is its content
// (blob of git or SHA-256 of a large object) and what its name makes loaders take it for (its
// extension). A private or gated repository has rows of its own for what no public one has brought: an
// answer that is there too early would say that somebody else has the same content. Every
// moved ref puts its new contents into the table as waiting; a thread of the lowest priority scans
// them. A killed scan starts again; what ends the process three times is given up with a reason.
// Better rules (kSafetyRules) make everything wait again while the old answer stands.
//
// Answers are about content: only who may read a file's content may be shown them; callers check.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "codec/json.h"
#include "hub/facts.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "storage/db/database.h"

namespace hearth::hub {

// Of what scans look for: one more with every change that can change an answer.
inline constexpr int kSafetyRules = 1;

enum class SafetyState {
  kUnknown,
  kQueued,
  kScanning,
  kSafe,
  kCaution,
  kSuspicious,
  kUnsafe,
  kError
};
std::string_view SafetyStateName(
    SafetyState state);  // "unknown", "queued", "scanning", "safe", ...

// What happens to files that are judged unsafe.
enum class Quarantine {
  kOff,    // nothing is scanned
  kWarn,   // it is said wherever the file is shown
  kBlock,  // nor are they given out, but to writers of the repository who ask for it
};
std::optional<Quarantine> ParseQuarantine(std::string_view text);
std::string_view QuarantineName(Quarantine policy);

// A content, and what its file's name makes of it.
struct SafetyKey {
  std::string content;  // 20 bytes: blob of git; 32: SHA-256 of a large object
  std::string kind;     // "json", "bin", "", or "tokenizer.json"
  uint64_t size_bytes = 0;
};
SafetyKey SafetyKeyOf(const Sibling& file);
SafetyKey SafetyKeyOf(std::string_view path, const GitOid& blob, const std::optional<Sha256>& lfs,
                      uint64_t size_bytes);

struct FileSafety {
  SafetyState state = SafetyState::kUnknown;
  int rules = 0;         // which rules judged; 0 = none yet
  TimePoint scanned_at;  // of the answer
  std::string error;     // of kError, one sentence
  // {"findings": [{severity, kind, path, offset, evidence, advice?}], "imports": [{module, name,
  // class}], "secrets": [{kind, line, length, digest}]}; null before the first scan. Paths begin
  // with kScannedName.
  Json report;
};
// Stands for the file's own path in reports, because one content has several.
inline constexpr std::string_view kScannedName = "file";

struct SafetyQueue {
  uint64_t queued = 0, scanning = 0;
  uint64_t safe = 0, caution = 0, suspicious = 0, unsafe = 0, error = 0;
  uint64_t refs_waiting = 0;               // moved refs whose files are not in the table yet
  std::optional<TimePoint> oldest_queued;  // since when the first one waits
};

// A content that a scan warns of, or that no scan could read.
struct FlaggedContent {
  std::string content;  // as of SafetyKey
  std::string kind;
  uint64_t size_bytes = 0;
  int64_t repo_id = 0;  // the repository that brought it last; others may hold it too
  FileSafety safety;
};

class Safety : public RepoObserver {
 public:
  // All outlive this.
  struct Parts {
    storage::Database& db;
    Repos& repos;
    const Objects& objects;
    Clock& clock;
  };
  Safety(const Parts& parts, Quarantine policy);
  ~Safety() override;

  Quarantine policy() const;
  // Of files of the repository, in the order of `keys`; unknown ones are kUnknown. Without reports
  // when `with_reports` says so.
  enum class Detail { kStates, kReports };
  std::vector<FileSafety> Find(const RepoRecord& repo, std::span<const SafetyKey> keys,
                               Detail detail) const;
  // Whether all contents of the ref's commit are in the table: what is not there is not safe
  // either.
  bool IsListed(int64_t repo_id, const std::string& ref, const GitOid& commit) const;
  // Puts files of the repository that are not in the table into it: commits that no ref shows.
  void Want(const RepoRecord& repo, std::span<const SafetyKey> keys);

  // True when the policy is kBlock and a scan judged the content unsafe under any name. From
  // memory.
  bool Blocks(const GitOid& blob) const;
  bool Blocks(const Sha256& oid) const;
  // The same for what a file of the Xet store (its row) holds.
  bool BlocksXetFile(int64_t file_id) const;
  // Contents in git (not large objects) that Blocks says yes to; empty nearly always.
  std::vector<GitOid> BlockedBlobs() const;

  SafetyQueue Queue() const;
  // Unsafe, suspicious and unread contents with their reports: the worst first, of equals the
  // newest. For administrators.
  std::vector<FlaggedContent> Flagged(size_t limit) const;
  // What could not be scanned waits again.
  void ScanFailedAgain();

  // Drops answers about blobs of git that no repository of the hub has any more, but for those that
  // block; of those whose repository is gone and that another one has, that becomes the holder.
  // Opens all repositories when there may be such. Part of garbage collection, in any process.
  // `stop`: asked often, true ends it with nothing done. How many were dropped.
  size_t DropUnheld(const std::function<bool()>& stop = {});

  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override;
  void OnRefChanged(const RepoPtr& repo, const std::string& ref,
                    const std::optional<GitOid>& now) override;

  // The thread. Stop ends it soon, also within a large file.
  void Start();
  void Stop();
  // Everything that waits, on the calling thread; not beside Start.
  void ScanNow();
  // Blocks until nothing waits (tests); false on timeout.
  bool WaitIdle(std::chrono::milliseconds timeout) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
