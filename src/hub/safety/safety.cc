#include "hub/safety/safety.h"

#include <algorithm>

#include "base/bytes.h"
#include "hub/safety/safety_impl.h"

namespace hearth::hub {
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

Safety::Safety(const Parts& parts, Quarantine policy)
    : impl_(std::make_unique<Impl>(parts, policy)) {
  if (policy == Quarantine::kOff) return;
  impl_->LoadUnsafe();
  impl_->LoadUncertain();
}

Safety::~Safety() { Stop(); }

Quarantine Safety::policy() const { return impl_->policy; }

std::vector<FileSafety> Safety::Find(const RepoRecord& repo, std::span<const SafetyKey> keys,
                                     Detail detail) const {
  std::vector<FileSafety> found(keys.size());
  if (impl_->policy == Quarantine::kOff) return found;
  std::string sql = "SELECT state, pending, rules, scanned_at, " +
                    std::string(detail == Detail::kReports ? "report" : "''") +
                    " FROM safety_scans WHERE content = ? AND kind IN (?, ?) ORDER BY kind";
  impl_->parts.db.Read([&](storage::Connection& c) {
    for (size_t i = 0; i < keys.size(); ++i) {
      // Its own row comes last, and counts: who has one could not know of the other.
      std::string own = OwnKind(keys[i].kind, repo.id);
      c.Query(
          sql, {ContentValue(keys[i].content), keys[i].kind, own}, [&](const storage::Row& row) {
            FileSafety& file = found[i] = {};
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

bool Safety::BlocksXetFile(int64_t file_id) const {
  if (impl_->policy != Quarantine::kBlock || impl_->unsafe_count == 0) return false;
  bool blocked = false;
  impl_->parts.db.Read([&](storage::Connection& c) {
    c.Query("SELECT sha256 FROM object_files WHERE file_id = ?", {file_id},
            [&](const storage::Row& row) { blocked = blocked || Blocks(Sha256(row.Text(0))); });
  });
  return blocked;
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
  {
    // Before the table: what is no longer counted here is in it by then.
    std::lock_guard lock(impl_->mutex);
    queue.refs_waiting = impl_->refs.size() + impl_->listing;
  }
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
  return queue;
}

void Safety::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  if (after && after->head && (!before || before->head != after->head))
    impl_->Enqueue(after->id, std::string(kMainRef));
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
  impl_->CatchUp();
  impl_->Drain();
}

bool Safety::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(
      lock, timeout, [this] { return impl_->refs.empty() && !impl_->work && !impl_->running; });
}

}  // namespace hearth::hub
