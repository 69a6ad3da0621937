#include "hub/tensor_index.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "hub/inspector/weights/weight_sets.h"
#include "hub/internal/tensor_keys.h"
#include "hub/repo_view.h"

namespace hearth::hub {
namespace {

using inspector::kTensorScanVersion;

// What no repository has held for so long is forgotten.
constexpr std::chrono::hours kKept{24 * 30};

}  // namespace

TensorIndex::TensorIndex(const Parts& parts) : parts_(parts) {}

// --- queue

void TensorIndex::OnRepoChanged(const RepoPtr& before, const RepoPtr& after) {
  if (after && after->head && (!before || before->head != after->head)) Enqueue(after->id);
}

void TensorIndex::OnRefChanged(const RepoPtr& repo, const std::string& ref,
                               const std::optional<GitOid>& now) {
  if (ref == "refs/heads/main" && now) Enqueue(repo->id);
}

void TensorIndex::Enqueue(int64_t repo_id) {
  std::lock_guard lock(mutex_);
  if (queued_.insert(repo_id).second) queue_.push_back(repo_id);
  changed_.notify_all();
}

void TensorIndex::Start() {
  Stop();
  stopping_ = false;
  std::vector<int64_t> stale = parts_.db.ReadInts(
      "SELECT r.id FROM repos r LEFT JOIN repo_tensor_state s ON s.repo_id = r.id "
      "WHERE r.head IS NOT NULL AND (s.commit_oid IS NULL OR s.commit_oid != r.head OR s.rule != "
      "?) ORDER BY r.id",
      {kTensorScanVersion});
  for (int64_t id : stale) Enqueue(id);
  thread_ = std::thread([this] { Run(); });
}

void TensorIndex::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TensorIndex::Run() {
  // Requests come first.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  try {
    DropForgotten();
  } catch (const std::exception& fault) {
    log::Warning("old records of tensors stay", {{"reason", fault.what()}});
  }
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    int64_t id = queue_.front();
    queue_.pop_front();
    queued_.erase(id);
    ++running_;
    lock.unlock();
    try {
      if (RepoPtr repo = parts_.repos.FindById(id)) IndexNow(repo);
    } catch (const std::exception& fault) {
      if (!stopping_) {
        log::Warning("the tensors of a repository could not be indexed",
                     {{"repo_id", std::to_string(id)}, {"reason", fault.what()}});
      }
    }
    lock.lock();
    --running_;
    changed_.notify_all();
  }
}

bool TensorIndex::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return queue_.empty() && running_ == 0; });
}

size_t TensorIndex::Waiting() const {
  std::lock_guard lock(mutex_);
  return queue_.size() + running_;
}

TensorIndex::Stats TensorIndex::stats() const {
  return {scanned_files_, scanned_bytes_, reused_files_};
}

// --- indexing

void TensorIndex::IndexNow(const RepoPtr& given) {
  RepoPtr repo = parts_.repos.FindById(given->id);
  if (!repo || !repo->head) return;
  std::unique_ptr<inspector::RepoView> view =
      OpenRepoView(parts_.repos.OpenAsSystem(repo), parts_.objects, *repo->head);
  std::vector<File> files;
  for (const inspector::WeightSet& set : inspector::FindWeightSets(*view)) {
    for (const std::string& path : set.files) {
      int64_t id = IndexFile(*repo, *view, *view->Find(path));
      if (id != 0) files.push_back({path, id});
    }
  }
  StoreRepo(*repo, *repo->head, files);
}

int64_t TensorIndex::IndexFile(const RepoRecord& repo, const inspector::RepoView& view,
                               const inspector::RepoFile& file) {
  std::string content = ContentKey(file);
  std::unique_ptr<ByteSource> source;
  try {
    // Also the proof that the repository holds the object that its pointer names.
    source = view.Open(file.path);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return 0;
  }
  if (std::optional<int64_t> known = FindReusable(repo, content)) {
    ++reused_files_;
    return *known;
  }
  inspector::ScanHooks hooks;
  hooks.stop = &stopping_;
  hooks.progress = [this](uint64_t bytes) { scanned_bytes_ += bytes; };
  inspector::FileRecords records = inspector::ScanTensors(std::move(source), file.path, hooks);
  ++scanned_files_;
  return StoreFile(content, records);
}

// Known from this repository, another one of its owner, or a public one.
std::optional<int64_t> TensorIndex::FindReusable(const RepoRecord& repo,
                                                 const std::string& content) const {
  std::optional<int64_t> found;
  parts_.db.Read([&](storage::Connection& c) {
    found = c.QueryInt(
        "SELECT f.id FROM tensor_files f JOIN repo_tensor_files r ON r.file_id = f.id JOIN repos p "
        "ON p.id = r.repo_id WHERE f.content = ? AND f.rule = ? AND (p.owner_id = ? OR (p.private "
        "= 0 AND p.gated = '' AND p.disabled = 0)) LIMIT 1",
        {storage::BlobValue{content}, kTensorScanVersion, repo.owner_id});
  });
  return found;
}

int64_t TensorIndex::StoreFile(const std::string& content, const inspector::FileRecords& records) {
  std::unordered_set<std::string> hashes;
  for (const inspector::TensorRecord& record : records.tensors)
    if (record.IsTelling()) hashes.insert(JoinKey(record.hash));
  std::string packed = inspector::PackRecords(records);
  return parts_.db.WriteValue([&](storage::Connection& c) {
    c.Exec(
        "INSERT INTO tensor_files (content, rule, records, indexed_at) VALUES (?, ?, ?, ?) ON "
        "CONFLICT (content) DO UPDATE SET rule = excluded.rule, records = excluded.records, "
        "indexed_at = excluded.indexed_at",
        {storage::BlobValue{content}, kTensorScanVersion, storage::BlobValue{packed},
         ToUnixMillis(parts_.clock.Now())});
    int64_t id =
        *c.QueryInt("SELECT id FROM tensor_files WHERE content = ?", {storage::BlobValue{content}});
    c.Exec("DELETE FROM tensor_hashes WHERE file_id = ?", {id});
    for (const std::string& hash : hashes) {
      c.Exec("INSERT INTO tensor_hashes (hash, file_id) VALUES (?, ?)",
             {storage::BlobValue{hash}, id});
    }
    return id;
  });
}

bool TensorIndex::StoreRepo(const RepoRecord& repo, const GitOid& commit,
                            const std::vector<File>& files) {
  return parts_.db.WriteValue([&](storage::Connection& c) {
    // It may be gone by now, or have moved on: then its next turn is queued.
    if (!c.QueryInt("SELECT id FROM repos WHERE id = ? AND head = ?", {repo.id, commit.Hex()}))
      return false;
    c.Exec("UPDATE repo_tensor_files SET current = 0 WHERE repo_id = ? AND current = 1", {repo.id});
    for (const File& file : files) {
      c.Exec(
          "INSERT INTO repo_tensor_files (repo_id, file_id, path, current) VALUES (?, ?, ?, 1) ON "
          "CONFLICT (repo_id, file_id, path) DO UPDATE SET current = 1",
          {repo.id, file.id, file.path});
    }
    c.Exec(
        "INSERT INTO repo_tensor_state (repo_id, commit_oid, rule) VALUES (?, ?, ?) ON CONFLICT "
        "(repo_id) DO UPDATE SET commit_oid = excluded.commit_oid, rule = excluded.rule",
        {repo.id, commit.Hex(), kTensorScanVersion});
    return true;
  });
}

void TensorIndex::DropForgotten() {
  int64_t until = ToUnixMillis(parts_.clock.Now() - kKept);
  parts_.db.Write([&](storage::Connection& c) {
    c.Exec(
        "DELETE FROM tensor_files WHERE indexed_at < ? AND NOT EXISTS (SELECT 1 FROM "
        "repo_tensor_files r WHERE r.file_id = tensor_files.id)",
        {until});
  });
}

}  // namespace hearth::hub
