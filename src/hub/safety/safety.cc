#include "hub/safety/safety.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "formats/source/source_window.h"
#include "hub/internal/siblings.h"
#include "hub/safety/content_scan.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {
namespace {

// Rows of one look at the table, and bytes of one batch of scans: what a crash repeats.
constexpr int64_t kBatchRows = 32;
constexpr uint64_t kBatchBytes = 64ull << 20;
constexpr size_t kRowsPerWrite = 1000;
constexpr int64_t kMaxTries = 3;
constexpr std::chrono::seconds kPause{30};
constexpr std::string_view kMain = "refs/heads/main";

// The column `pending`.
constexpr int kNotPending = 0;
constexpr int kPending = 1;
constexpr int kRunning = 2;

storage::DbValue Blob(std::string_view bytes) { return storage::BlobValue{std::string(bytes)}; }

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

struct Waiting {
  int64_t id = 0;
  std::string content;
  std::string kind;
  int64_t repo_id = 0;
  SafetyState before = SafetyState::kUnknown;
};

struct Done {
  int64_t id = 0;
  std::string content;
  SafetyState state = SafetyState::kError;
  Json report;
  std::string error;
};

}  // namespace

std::string_view SafetyStateName(SafetyState state) {
  static constexpr std::string_view kNames[] = {"unknown", "queued",     "scanning", "safe",
                                                "caution", "suspicious", "unsafe",   "error"};
  return kNames[static_cast<size_t>(state)];
}

std::optional<Quarantine> ParseQuarantine(std::string_view text) {
  if (text == "off") return Quarantine::kOff;
  if (text == "warn") return Quarantine::kWarn;
  if (text == "block") return Quarantine::kBlock;
  return std::nullopt;
}

std::string_view QuarantineName(Quarantine policy) {
  return policy == Quarantine::kOff ? "off" : policy == Quarantine::kWarn ? "warn" : "block";
}

SafetyKey SafetyKeyOf(std::string_view path, const GitOid& blob, const std::optional<Sha256>& lfs,
                      uint64_t size_bytes) {
  SafetyKey key;
  key.content = std::string(lfs ? lfs->raw() : blob.raw());
  key.size_bytes = size_bytes;
  std::string name = AsciiLower(path.substr(path.rfind('/') + 1));
  if (name == "tokenizer.json") {
    key.kind = name;
    return key;
  }
  size_t dot = name.rfind('.');
  std::string extension = dot == std::string::npos ? "" : name.substr(dot + 1);
  bool plain = extension.size() <= 16 &&
               std::all_of(extension.begin(), extension.end(),
                           [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (plain) key.kind = extension;
  return key;
}

SafetyKey SafetyKeyOf(const Sibling& file) {
  return SafetyKeyOf(file.path, file.blob, file.lfs, file.size_bytes);
}

struct Safety::Impl {
  Impl(const Parts& p, Quarantine q) : parts(p), policy(q) {}

  // --- the table
  void LoadUnsafe();
  void Recover();
  void Insert(const RepoRecord& repo, std::span<const SafetyKey> keys);
  std::vector<Waiting> TakeBatch();
  void Save(const std::vector<Done>& done);
  // --- the work
  void Enqueue(int64_t repo_id, const std::string& ref);
  std::optional<std::pair<int64_t, std::string>> TakeRef();
  void ListRef(int64_t repo_id, const std::string& ref);
  std::vector<SafetyKey> NewFiles(const storage::GitRepository& git, int64_t repo_id,
                                  const std::string& ref, const GitOid& commit);
  std::unique_ptr<ByteSource> OpenContent(const Waiting& row);
  Done ScanOne(const Waiting& row);
  bool ScanSome();
  void EnqueueStale();
  void Drain();
  void Run();

  Parts parts;
  const Quarantine policy;

  mutable std::shared_mutex unsafe_mutex;
  std::unordered_set<std::string> unsafe;  // contents
  std::atomic<size_t> unsafe_count{0};

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::deque<std::pair<int64_t, std::string>> refs;
  std::set<std::pair<int64_t, std::string>> ref_set;
  bool work = true;  // rows may wait
  bool running = false;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

// --- the table

void Safety::Impl::LoadUnsafe() {
  parts.db.Read([&](storage::Connection& c) {
    c.Query("SELECT DISTINCT content FROM safety_scans WHERE state = ?",
            {static_cast<int>(SafetyState::kUnsafe)},
            [&](const storage::Row& row) { unsafe.insert(row.Str(0)); });
  });
  unsafe_count = unsafe.size();
}

// After a crash, and after a change of the rules.
void Safety::Impl::Recover() {
  parts.db.Write([&](storage::Connection& c) {
    c.Exec("UPDATE safety_scans SET pending = ? WHERE pending = ? AND tries < ?",
           {kPending, kRunning, kMaxTries});
    c.Exec(
        "UPDATE safety_scans SET pending = ?, state = ?, rules = ?, report = ? WHERE pending = ?",
        {kNotPending, static_cast<int>(SafetyState::kError), kSafetyRules,
         Json::Obj({{"error", "Scanning it ended the scanner three times."}}).Dump(), kRunning});
    c.Exec("UPDATE safety_scans SET pending = ?, tries = 0 WHERE pending = ? AND rules < ?",
           {kPending, kNotPending, kSafetyRules});
  });
}

void Safety::Impl::Insert(const RepoRecord& repo, std::span<const SafetyKey> keys) {
  int64_t now = ToUnixMillis(parts.clock.Now());
  for (size_t at = 0; at < keys.size(); at += kRowsPerWrite) {
    std::span<const SafetyKey> some = keys.subspan(at, std::min(kRowsPerWrite, keys.size() - at));
    parts.db.Write([&](storage::Connection& c) {
      for (const SafetyKey& key : some) {
        // What could not be read before may be there now.
        c.Exec(
            "INSERT INTO safety_scans (content, kind, size, pending, repo_id, queued_at) VALUES "
            "(?, ?, ?, ?, ?, ?) ON CONFLICT (content, kind) DO UPDATE SET pending = "
            "excluded.pending, repo_id = excluded.repo_id, queued_at = excluded.queued_at, tries "
            "= 0 WHERE pending = 0 AND (state = ? OR rules < ?)",
            {Blob(key.content), key.kind, key.size_bytes, kPending, repo.id, now,
             static_cast<int>(SafetyState::kError), kSafetyRules});
      }
    });
  }
  if (keys.empty()) return;
  std::lock_guard lock(mutex);
  work = true;
  changed.notify_all();
}

// One that was taken before is scanned alone: if it ends the process again, nothing else suffers.
std::vector<Waiting> Safety::Impl::TakeBatch() {
  std::vector<Waiting> batch;
  parts.db.Write([&](storage::Connection& c) {
    batch.clear();
    uint64_t bytes = 0;
    bool full = false;
    c.Query(
        "SELECT id, content, kind, repo_id, state, size, tries FROM safety_scans WHERE pending = ? "
        "ORDER BY id LIMIT ?",
        {kPending, kBatchRows}, [&](const storage::Row& row) {
          auto size = static_cast<uint64_t>(row.Int(5));
          bool again = row.Int(6) > 0;
          full = full || (!batch.empty() && (again || bytes + size > kBatchBytes));
          if (full) return;
          bytes += size;
          full = again;
          batch.push_back({row.Int(0), row.Str(1), row.Str(2), row.Int(3),
                           static_cast<SafetyState>(row.Int(4))});
        });
    for (const Waiting& row : batch) {
      c.Exec("UPDATE safety_scans SET pending = ?, tries = tries + 1 WHERE id = ?",
             {kRunning, row.id});
    }
  });
  return batch;
}

void Safety::Impl::Save(const std::vector<Done>& done) {
  int64_t now = ToUnixMillis(parts.clock.Now());
  parts.db.Write([&](storage::Connection& c) {
    for (const Done& row : done) {
      Json report = row.report;
      if (!row.error.empty()) report = Json::Obj({{"error", row.error}});
      c.Exec(
          "UPDATE safety_scans SET state = ?, pending = ?, rules = ?, tries = 0, scanned_at = ?, "
          "report = ? WHERE id = ?",
          {static_cast<int>(row.state), kNotPending, kSafetyRules, now, report.Dump(), row.id});
    }
  });
  for (const Done& row : done) {
    bool bad = row.state == SafetyState::kUnsafe;
    if (!bad && unsafe_count == 0) continue;
    // Under another name the same content may still be unsafe.
    if (!bad) {
      bad = parts.db.ReadValue([&](storage::Connection& c) {
        return c
            .QueryInt("SELECT 1 FROM safety_scans WHERE content = ? AND state = ?",
                      {Blob(row.content), static_cast<int>(SafetyState::kUnsafe)})
            .has_value();
      });
    }
    std::unique_lock lock(unsafe_mutex);
    if (bad) {
      unsafe.insert(row.content);
    } else {
      unsafe.erase(row.content);
    }
    unsafe_count = unsafe.size();
  }
}

// --- the work

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

std::unique_ptr<ByteSource> Safety::Impl::OpenContent(const Waiting& row) {
  if (row.content.size() == 32) return parts.objects.OpenSource(Sha256(row.content));
  RepoPtr repo = parts.repos.FindById(row.repo_id);
  if (!repo) throw Error(Code::kNotFound, "the repository is gone");
  storage::GitRepository git = storage::GitRepository::Open(parts.repos.GitFolder(*repo));
  return std::make_unique<OwnedSource>(git.ReadBlob(GitOid(row.content)));
}

Done Safety::Impl::ScanOne(const Waiting& row) {
  Done done{.id = row.id,
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
  std::vector<Waiting> batch = TakeBatch();
  if (batch.empty()) return false;
  std::vector<Done> done;
  for (const Waiting& row : batch) {
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

// Refs that moved while nobody looked: a crash between the move and its listing.
void Safety::Impl::EnqueueStale() {
  std::vector<int64_t> ids;
  parts.db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT r.id FROM repos r LEFT JOIN safety_refs s ON s.repo_id = r.id AND s.ref = ? WHERE "
        "r.head IS NOT NULL AND (s.commit_oid IS NULL OR s.commit_oid <> r.head)",
        {kMain}, [&](const storage::Row& row) { ids.push_back(row.Int(0)); });
  });
  for (int64_t id : ids) Enqueue(id, std::string(kMain));
  std::vector<RepoPtr> all;
  parts.repos.ForEach([&](const RepoPtr& repo) { all.push_back(repo); });
  for (const RepoPtr& repo : all) {
    if (stopping) return;
    try {
      std::unordered_map<std::string, std::string> known;
      parts.db.Read([&](storage::Connection& c) {
        c.Query("SELECT ref, commit_oid FROM safety_refs WHERE repo_id = ?", {repo->id},
                [&](const storage::Row& row) { known[row.Str(0)] = row.Str(1); });
      });
      for (const storage::RefInfo& ref :
           storage::GitRepository::Open(parts.repos.GitFolder(*repo)).ListRefs()) {
        auto found = known.find(ref.name);
        if (found == known.end() || found->second != ref.target.Hex()) Enqueue(repo->id, ref.name);
      }
    } catch (const Error&) {
      continue;  // a repository that fsck will speak of
    }
  }
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
      continue;
    }
    if (!ScanSome()) return;
  }
}

void Safety::Impl::Run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // of this thread only
  bool looked = false;
  while (!stopping) {
    try {
      if (!looked) EnqueueStale();
      looked = true;
      {
        std::lock_guard lock(mutex);
        work = false;
        running = true;
      }
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

Safety::Safety(const Parts& parts, Quarantine policy)
    : impl_(std::make_unique<Impl>(parts, policy)) {
  if (policy == Quarantine::kOff) return;
  impl_->LoadUnsafe();
}

Safety::~Safety() { Stop(); }

Quarantine Safety::policy() const { return impl_->policy; }

std::vector<FileSafety> Safety::Find(std::span<const SafetyKey> keys, Detail detail) const {
  std::vector<FileSafety> found(keys.size());
  if (impl_->policy == Quarantine::kOff) return found;
  std::string sql = "SELECT state, pending, rules, scanned_at, " +
                    std::string(detail == Detail::kReports ? "report" : "''") +
                    " FROM safety_scans WHERE content = ? AND kind = ?";
  impl_->parts.db.Read([&](storage::Connection& c) {
    for (size_t i = 0; i < keys.size(); ++i) {
      c.Query(sql, {Blob(keys[i].content), keys[i].kind}, [&](const storage::Row& row) {
        FileSafety& file = found[i];
        file.state = static_cast<SafetyState>(row.Int(0));
        if (file.state == SafetyState::kUnknown && row.Int(1) != kNotPending)
          file.state = row.Int(1) == kRunning ? SafetyState::kScanning : SafetyState::kQueued;
        file.rules = static_cast<int>(row.Int(2));
        file.scanned_at = FromUnixMillis(row.Int(3));
        if (row.Text(4).empty()) return;
        file.report = Json::Parse(row.Text(4));
        file.error = file.report.StringField("error").value_or("");
      });
    }
  });
  return found;
}

bool Safety::IsListed(int64_t repo_id, const std::string& ref, const GitOid& commit) const {
  return impl_->parts.db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM safety_refs WHERE repo_id = ? AND ref = ? AND commit_oid = ?",
                  {repo_id, ref, commit.Hex()})
        .has_value();
  });
}

void Safety::Want(const RepoRecord& repo, std::span<const SafetyKey> keys) {
  if (impl_->policy != Quarantine::kOff) impl_->Insert(repo, keys);
}

bool Safety::Blocks(const GitOid& blob) const {
  if (impl_->policy != Quarantine::kBlock || impl_->unsafe_count == 0) return false;
  std::shared_lock lock(impl_->unsafe_mutex);
  return impl_->unsafe.contains(std::string(blob.raw()));
}

bool Safety::Blocks(const Sha256& oid) const {
  if (impl_->policy != Quarantine::kBlock || impl_->unsafe_count == 0) return false;
  std::shared_lock lock(impl_->unsafe_mutex);
  return impl_->unsafe.contains(std::string(oid.raw()));
}

std::vector<GitOid> Safety::BlockedBlobs() const {
  std::vector<GitOid> blobs;
  if (impl_->policy != Quarantine::kBlock || impl_->unsafe_count == 0) return blobs;
  std::shared_lock lock(impl_->unsafe_mutex);
  for (const std::string& content : impl_->unsafe) {
    if (content.size() == 20) blobs.emplace_back(content);
  }
  return blobs;
}

SafetyQueue Safety::Queue() const {
  SafetyQueue queue;
  impl_->parts.db.Read([&](storage::Connection& c) {
    c.Query("SELECT state, pending, COUNT(*) FROM safety_scans GROUP BY state, pending", {},
            [&](const storage::Row& row) {
              auto count = static_cast<uint64_t>(row.Int(2));
              if (row.Int(1) == kPending) queue.queued += count;
              if (row.Int(1) == kRunning) queue.scanning += count;
              switch (static_cast<SafetyState>(row.Int(0))) {
                case SafetyState::kSafe:
                  queue.safe += count;
                  break;
                case SafetyState::kCaution:
                  queue.caution += count;
                  break;
                case SafetyState::kSuspicious:
                  queue.suspicious += count;
                  break;
                case SafetyState::kUnsafe:
                  queue.unsafe += count;
                  break;
                case SafetyState::kError:
                  queue.error += count;
                  break;
                default:
                  break;
              }
            });
    if (auto oldest = c.QueryInt("SELECT MIN(queued_at) FROM safety_scans WHERE pending > 0"))
      if (*oldest > 0) queue.oldest_queued = FromUnixMillis(*oldest);
  });
  std::lock_guard lock(impl_->mutex);
  queue.refs_waiting = impl_->refs.size();
  return queue;
}

void Safety::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  if (after && after->head && (!before || before->head != after->head))
    impl_->Enqueue(after->id, std::string(kMain));
}

void Safety::OnRefChanged(const RepoPtr& repo, const std::string& ref,
                          const std::optional<GitOid>&) {
  impl_->Enqueue(repo->id, ref);
}

void Safety::Start() {
  if (impl_->policy == Quarantine::kOff || impl_->thread.joinable()) return;
  impl_->stopping = false;
  impl_->running = true;  // until its first look is done
  impl_->Recover();
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

void Safety::Stop() {
  if (!impl_->thread.joinable()) return;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
  impl_->stopping = false;
}

void Safety::ScanNow() {
  if (impl_->policy == Quarantine::kOff) return;
  impl_->Recover();
  impl_->EnqueueStale();
  impl_->Drain();
}

bool Safety::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(
      lock, timeout, [this] { return impl_->refs.empty() && !impl_->work && !impl_->running; });
}

}  // namespace hearth::hub
