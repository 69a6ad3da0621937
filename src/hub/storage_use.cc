#include "hub/storage_use.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"

namespace hearth::hub {
namespace {

// Pieces of stored content with everybody who needs them. Holders: repositories by their id,
// buckets by their negative id. UNION drops the repetitions. What a repository does not show as a
// Xet file yet is read from the oldest that there is.
constexpr std::string_view kPieces = R"sql(
SELECT 0, r.sha256, o.size, r.repo_id FROM repo_objects r JOIN objects o ON o.sha256 = r.sha256
  WHERE NOT EXISTS (SELECT 1 FROM object_files p WHERE p.sha256 = r.sha256)
UNION
SELECT 1, x.hash, x.body_bytes, r.repo_id FROM repo_objects r
  JOIN shown_files p ON p.repo_id = r.repo_id AND p.sha256 = r.sha256
  JOIN xet_file_xorbs u ON u.file_id = p.file_id JOIN xorbs x ON x.id = u.xorb_id
UNION
SELECT 1, x.hash, x.body_bytes, r.repo_id FROM repo_objects r
  JOIN object_files p ON p.sha256 = r.sha256 JOIN xet_file_xorbs u ON u.file_id = p.file_id
  JOIN xorbs x ON x.id = u.xorb_id WHERE NOT EXISTS
  (SELECT 1 FROM shown_files s WHERE s.repo_id = r.repo_id AND s.sha256 = r.sha256) AND p.file_id =
  (SELECT MIN(q.file_id) FROM object_files q WHERE q.sha256 = r.sha256)
UNION
SELECT 1, x.hash, x.body_bytes, -b.bucket_id FROM bucket_files b
  JOIN xet_file_xorbs u ON u.file_id = b.file_id JOIN xorbs x ON x.id = u.xorb_id
ORDER BY 1, 2
)sql";

class Counting {
 public:
  explicit Counting(Hub& hub) {
    hub.repos().ForEach([&](const RepoPtr& repo) {
      owners_[repo->id] = repo->owner_id;
      report_.repos[repo->id];
    });
    hub.db().Read([&](storage::Connection& c) {
      c.Query("SELECT id, owner_id FROM buckets", {}, [&](const storage::Row& row) {
        owners_[-row.Int(0)] = row.Int(1);
        report_.buckets[row.Int(0)];
      });
      CountNominal(c);
      c.Query(kPieces, {}, [&](const storage::Row& row) {
        std::pair<int64_t, std::string> piece{row.Int(0), row.Str(1)};
        if (piece != piece_) FinishPiece();
        piece_ = std::move(piece);
        piece_bytes_ = static_cast<uint64_t>(row.Int(2));
        holders_.push_back(row.Int(3));
      });
    });
    FinishPiece();
  }

  StorageReport Take() { return std::move(report_); }

 private:
  StorageUse& UseOf(int64_t holder) {
    return holder > 0 ? report_.repos[holder] : report_.buckets[-holder];
  }

  void CountNominal(storage::Connection& c) {
    auto add = [&](int64_t holder, int64_t bytes) {
      auto count = static_cast<uint64_t>(bytes);
      UseOf(holder).nominal_bytes += count;
      report_.owners[owners_[holder]].nominal_bytes += count;
      report_.total.nominal_bytes += count;
    };
    c.Query(
        "SELECT r.repo_id, SUM(o.size) FROM repo_objects r JOIN objects o "
        "ON o.sha256 = r.sha256 GROUP BY r.repo_id",
        {}, [&](const storage::Row& row) { add(row.Int(0), row.Int(1)); });
    c.Query(
        "SELECT b.bucket_id, SUM(f.size) FROM bucket_files b JOIN xet_files f "
        "ON f.id = b.file_id GROUP BY b.bucket_id",
        {}, [&](const storage::Row& row) { add(-row.Int(0), row.Int(1)); });
  }

  void FinishPiece() {
    if (holders_.empty()) return;
    std::set<int64_t> owners;
    for (int64_t holder : holders_) {
      owners.insert(owners_[holder]);
      StorageUse& use = UseOf(holder);
      use.stored_bytes += piece_bytes_;
      if (holders_.size() > 1) use.shared_bytes += piece_bytes_;
    }
    for (int64_t owner : owners) {
      StorageUse& use = report_.owners[owner];
      use.stored_bytes += piece_bytes_;
      if (owners.size() > 1) use.shared_bytes += piece_bytes_;
    }
    report_.total.stored_bytes += piece_bytes_;
    if (holders_.size() > 1) report_.total.shared_bytes += piece_bytes_;
    holders_.clear();
  }

  StorageReport report_;
  std::map<int64_t, int64_t> owners_;
  std::pair<int64_t, std::string> piece_;
  uint64_t piece_bytes_ = 0;
  std::vector<int64_t> holders_;  // of piece_
};

// The largest by what is stored for them; those that hold nothing are left out.
std::vector<StorageCounter::Row> Largest(const std::map<int64_t, StorageUse>& uses) {
  std::vector<StorageCounter::Row> rows;
  for (const auto& row : uses) {
    if (row.second.nominal_bytes > 0) rows.push_back(row);
  }
  size_t shown = std::min(rows.size(), StorageCounter::kLargest);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(shown), rows.end(),
                    [](const auto& a, const auto& b) {
                      return std::pair(a.second.stored_bytes, a.second.nominal_bytes) >
                             std::pair(b.second.stored_bytes, b.second.nominal_bytes);
                    });
  rows.resize(shown);
  return rows;
}

}  // namespace

StorageCounter::~StorageCounter() { WaitIdle(); }

void StorageCounter::WaitIdle() {
  std::thread last;
  {
    std::lock_guard lock(mutex_);
    last = std::move(counting_);
  }
  if (last.joinable()) last.join();
}

std::shared_ptr<const StorageCounter::Short> StorageCounter::CountNow() const {
  auto result = std::make_shared<Short>();
  result->counted_at = hub_.clock().Now();
  StorageReport report = ReadStorageUse(hub_);
  result->total = report.total;
  result->repos = Largest(report.repos);
  result->owners = Largest(report.owners);
  return result;
}

void StorageCounter::StartCounting() {
  if (busy_) return;
  if (counting_.joinable()) counting_.join();  // it has ended
  busy_ = true;
  counting_ = std::thread([this] {
    std::shared_ptr<const Short> fresh;
    try {
      fresh = CountNow();
    } catch (const std::exception& fault) {
      log::Warning("what the store holds cannot be counted", {{"reason", fault.what()}});
    }
    std::lock_guard done(mutex_);
    if (fresh) latest_ = std::move(fresh);
    busy_ = false;
    counted_.notify_all();
  });
}

std::shared_ptr<const StorageCounter::Short> StorageCounter::Latest(
    std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!latest_ || hub_.clock().Now() - latest_->counted_at > kFresh) StartCounting();
  if (!latest_) counted_.wait_for(lock, patience, [this] { return !busy_; });
  return latest_;
}

StorageReport ReadStorageUse(Hub& hub) { return Counting(hub).Take(); }

uint64_t UsedStorage(storage::Database& db, int64_t repo_id, uint64_t main_bytes) {
  int64_t held = db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt(
            "SELECT SUM(o.size) FROM repo_objects r JOIN objects o ON o.sha256 = r.sha256 "
            "WHERE r.repo_id = ?",
            {repo_id})
        .value_or(0);
  });
  return std::max(static_cast<uint64_t>(held), main_bytes);
}

std::unordered_map<int64_t, uint64_t> HeldByReposOf(storage::Database& db, int64_t owner_id) {
  std::unordered_map<int64_t, uint64_t> held;
  db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT r.repo_id, SUM(o.size) FROM repos p JOIN repo_objects r ON r.repo_id = p.id "
        "JOIN objects o ON o.sha256 = r.sha256 WHERE p.owner_id = ? GROUP BY r.repo_id",
        {owner_id},
        [&](const storage::Row& row) { held[row.Int(0)] = static_cast<uint64_t>(row.Int(1)); });
  });
  return held;
}

}  // namespace hearth::hub
