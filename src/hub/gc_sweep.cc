// From the objects that no repository holds down to files that no row knows. Every level is judged
// inside the transaction that drops it; where a file belongs to the row, the sweep lock keeps those
// away who would take the file for granted meanwhile. It is held for a small batch at a time.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "codec/base64.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

using storage::Connection;
using storage::XetHash;
using storage::XorbForm;

// Uploads wait while a batch is dropped and moved.
constexpr std::chrono::milliseconds kLongBatch{100}, kShortBatch{25};
constexpr int64_t kMaxBatch = 256;
constexpr int64_t kUploadsBatch = 10'000;  // xorbs

struct Key {
  int64_t id = 0;
  std::string raw;  // hash
};

struct Level {
  std::string_view stage;
  std::string_view keys;   // SELECT id, hash ... with arguments: after, cutoff (repeated), limit
  int cutoffs = 1;         // how often
  bool by_id = true;       // order of the keys
  bool with_files = true;  // take the sweep lock
};

using Drop = std::function<std::optional<TrashEntry>(Connection&, const Key&)>;

// Judges and drops one batch; what was dropped is in the trash when it returns.
std::vector<TrashEntry> DropBatch(GcState& gc, const Level& level, const std::vector<Key>& keys,
                                  const Drop& drop) {
  std::vector<TrashEntry> dropped;
  SweepLock::Guard guard;
  if (level.with_files && !gc.dry_run()) guard = gc.hub.sweep_lock().Alone();
  gc.db.Write([&](Connection& c) {
    dropped.clear();
    for (const Key& key : keys) {
      std::optional<TrashEntry> entry = drop(c, key);
      if (!entry) continue;
      AddToTrash(c, gc.report.run_id, *entry, HasFile(entry->kind));
      dropped.push_back(std::move(*entry));
    }
  });
  gc.Step("dropped");
  if (level.with_files) MoveToTrash(gc, gc.report.run_id, dropped);
  return dropped;
}

void Sweep(GcState& gc, const Level& level, const Drop& drop) {
  int64_t limit = 8;
  Key after;
  size_t done = 0;
  for (;;) {
    gc.Progress(level.stage, done, 0);
    storage::DbArgs args;
    args.push_back(level.by_id ? storage::DbValue(after.id) : RawKey(after.raw));
    for (int i = 0; i < level.cutoffs; ++i) args.emplace_back(gc.cutoff);
    args.emplace_back(limit);
    std::vector<Key> keys;
    gc.db.Read([&](Connection& c) {
      c.Query(level.keys, args, [&](const storage::Row& row) {
        keys.push_back({row.Int(0), row.Str(1)});
      });
    });
    if (keys.empty()) return;
    auto start = std::chrono::steady_clock::now();
    DropBatch(gc, level, keys, drop);
    auto elapsed = std::chrono::steady_clock::now() - start;
    if (elapsed < kShortBatch) limit = std::min(limit * 2, kMaxBatch);
    if (elapsed > kLongBatch) limit = std::max<int64_t>(limit / 2, 1);
    done += keys.size();
    after = keys.back();
    gc.Step(level.stage);
  }
}

// A Xet file that something else than an object needs, or that somebody was told of lately.
#define HEARTH_FILE_NEEDED                                                               \
  "(f.leased_at > ? OR EXISTS (SELECT 1 FROM bucket_files b WHERE b.file_id = f.id) OR " \
  "EXISTS (SELECT 1 FROM xet_holders h WHERE h.file_id = f.id AND h.created_at > ?))"
#define HEARTH_DEAD_OBJECT                                                                     \
  "o.created_at <= ? AND NOT EXISTS (SELECT 1 FROM repo_objects r WHERE r.sha256 = o.sha256) " \
  "AND NOT EXISTS (SELECT 1 FROM object_files p JOIN xet_files f ON f.id = p.file_id "         \
  "WHERE p.sha256 = o.sha256 AND " HEARTH_FILE_NEEDED ")"
// An object has a file for each sender who knew of no other: of those that no repository shows one
// is kept, unless a repository shows another.
#define HEARTH_SHOWN(p)                                      \
  "EXISTS (SELECT 1 FROM shown_files s WHERE s.file_id = " p \
  ".file_id AND "                                            \
  "s.sha256 = " p ".sha256)"
#define HEARTH_SPARE_FILE \
  "(NOT " HEARTH_SHOWN("p") " AND EXISTS (SELECT 1 FROM object_files q WHERE q.sha256 = "     \
  "p.sha256 AND q.file_id <> p.file_id AND (q.file_id < p.file_id OR " HEARTH_SHOWN("q") ") " \
  "AND NOT EXISTS (SELECT 1 FROM quarantine r CROSS JOIN xorbs x CROSS JOIN xet_file_xorbs u " \
  "WHERE r.kind = 1 AND x.hash = r.hash AND u.xorb_id = x.id AND u.file_id = q.file_id)))"
#define HEARTH_DEAD_FILE                                                      \
  "f.id > 0 AND NOT " HEARTH_FILE_NEEDED                                      \
  " AND NOT EXISTS (SELECT 1 FROM object_files p WHERE p.file_id = f.id AND " \
  "NOT " HEARTH_SPARE_FILE ")"
#define HEARTH_DEAD_XORB \
  "x.leased_at <= ? AND NOT EXISTS (SELECT 1 FROM xet_file_xorbs u WHERE u.xorb_id = x.id)"

std::optional<TrashEntry> DropObject(GcState& gc, Connection& c, const Key& key) {
  Sha256 oid(key.raw);
  storage::DbValue sha = RawKey(key.raw);
  std::optional<Json> payload = c.QueryOne(
      "SELECT o.size, o.created_at FROM objects o WHERE o.sha256 = ? AND " HEARTH_DEAD_OBJECT,
      {sha, gc.cutoff, gc.cutoff, gc.cutoff}, [](const storage::Row& row) {
        return Json::Obj({{"size", row.Int(0)}, {"created", row.Int(1)}});
      });
  if (!payload) return std::nullopt;
  auto owner = gc.object_repo.find(key.raw);
  Json files = Json::Arr();
  c.Query(
      "SELECT f.id, f.hash FROM object_files p JOIN xet_files f ON f.id = p.file_id "
      "WHERE p.sha256 = ?",
      {sha}, [&](const storage::Row& row) {
        files.Push(FileName(row.Text(1)));
        if (owner != gc.object_repo.end()) gc.file_repo[row.Int(0)] = owner->second;
      });
  std::optional<uint64_t> stored = gc.hub.blobs().FindSize(oid);
  payload->Set("files", std::move(files));
  payload->Set("stored", stored.has_value());
  c.Exec("DELETE FROM objects WHERE sha256 = ?", {sha});
  return TrashEntry{TrashKind::kObject, oid.Hex(), stored.value_or(0), std::move(*payload)};
}

std::optional<TrashEntry> DropFile(GcState& gc, Connection& c, const Key& key) {
  std::optional<Json> payload = c.QueryOne(
      "SELECT f.size, f.created_at FROM xet_files f WHERE f.id = ? AND " HEARTH_DEAD_FILE,
      {key.id, gc.cutoff, gc.cutoff}, [](const storage::Row& row) {
        return Json::Obj({{"size", row.Int(0)}, {"created", row.Int(1)}});
      });
  if (!payload) return std::nullopt;
  Json segments = Json::Arr(), xorbs = Json::Arr(), holders = Json::Arr(), objects = Json::Arr();
  c.Query("SELECT start, terms FROM xet_segments WHERE file_id = ? ORDER BY start", {key.id},
          [&](const storage::Row& row) {
            segments.Push(Json::Arr({row.Int(0), Base64Encode(row.Text(1))}));
          });
  int64_t owner = gc.RepoOf(gc.file_repo, key.id);
  c.Query("SELECT sha256 FROM object_files WHERE file_id = ?", {key.id},
          [&](const storage::Row& row) {
            objects.Push(Sha256(row.Text(0)).Hex());
            auto revoked = gc.object_repo.find(row.Str(0));
            if (owner == 0 && revoked != gc.object_repo.end()) owner = revoked->second;
          });
  c.Query(
      "SELECT x.id, x.hash FROM xet_file_xorbs u JOIN xorbs x ON x.id = u.xorb_id "
      "WHERE u.file_id = ?",
      {key.id}, [&](const storage::Row& row) {
        xorbs.Push(XorbForm::FromKey(row.Text(1)).Text());
        if (owner != 0) gc.xorb_repo[row.Int(0)] = owner;
      });
  c.Query("SELECT kind, holder_id, user_id, created_at FROM xet_holders WHERE file_id = ?",
          {key.id}, [&](const storage::Row& row) {
            holders.Push(Json::Arr({row.Int(0), row.Int(1), row.Int(2), row.Int(3)}));
          });
  payload->Set("segments", std::move(segments)).Set("xorbs", std::move(xorbs));
  payload->Set("holders", std::move(holders)).Set("objects", std::move(objects));
  c.Exec("DELETE FROM xet_holders WHERE file_id = ?", {key.id});
  c.Exec("DELETE FROM object_files WHERE file_id = ?", {key.id});
  c.Exec("DELETE FROM xet_files WHERE id = ?", {key.id});
  return TrashEntry{TrashKind::kFile, FileName(key.raw), 0, std::move(*payload)};
}

std::optional<TrashEntry> DropXorb(GcState& gc, Connection& c, const Key& key) {
  uint64_t body_bytes = 0;
  std::optional<Json> payload = c.QueryOne(
      "SELECT x.body_bytes, x.unpacked_bytes, x.created_at FROM xorbs x WHERE x.id = ? "
      "AND " HEARTH_DEAD_XORB,
      {key.id, gc.cutoff}, [&](const storage::Row& row) {
        body_bytes = static_cast<uint64_t>(row.Int(0));
        return Json::Obj({{"body", row.Int(0)}, {"unpacked", row.Int(1)}, {"created", row.Int(2)}});
      });
  if (!payload) return std::nullopt;
  Json uploaders = Json::Arr(), chunks = Json::Arr();
  c.Query("SELECT user_id FROM xorb_uploaders WHERE xorb_id = ?", {key.id},
          [&](const storage::Row& row) { uploaders.Push(row.Int(0)); });
  c.Query("SELECT hash FROM xet_chunks WHERE xorb_id = ?", {key.id},
          [&](const storage::Row& row) { chunks.Push(XetHash::FromRaw(row.Text(0)).Text()); });
  payload->Set("uploaders", std::move(uploaders)).Set("chunks", std::move(chunks));
  c.Exec("DELETE FROM xorbs WHERE id = ?", {key.id});
  return TrashEntry{TrashKind::kXorb, XorbForm::FromKey(key.raw).Text(), body_bytes,
                    std::move(*payload)};
}

void CountFreed(GcState& gc, int64_t repo, uint64_t bytes) {
  gc.report.freed_bytes += bytes;
  gc.repos[repo].freed_bytes += bytes;
}

}  // namespace

void SweepObjects(GcState& gc) {
  Level level{"objects",
              "SELECT 0, o.sha256 FROM objects o WHERE o.sha256 > ? AND " HEARTH_DEAD_OBJECT
              " ORDER BY o.sha256 LIMIT ?",
              3, false, true};
  Sweep(gc, level, [&](Connection& c, const Key& key) {
    std::optional<TrashEntry> entry = DropObject(gc, c, key);
    if (entry) {
      auto owner = gc.object_repo.find(key.raw);
      CountFreed(gc, owner == gc.object_repo.end() ? 0 : owner->second, entry->bytes);
      ++gc.report.objects;
    }
    return entry;
  });
}

void SweepFiles(GcState& gc) {
  Level level{"files",
              "SELECT f.id, f.hash FROM xet_files f WHERE f.id > ? AND " HEARTH_DEAD_FILE
              " ORDER BY f.id LIMIT ?",
              2, true, false};
  Sweep(gc, level, [&](Connection& c, const Key& key) {
    std::optional<TrashEntry> entry = DropFile(gc, c, key);
    if (entry) ++gc.report.files;
    return entry;
  });
}

// Also of xorbs that others need: see XetIndex::HasUploaded. In ranges, since writers wait.
void ForgetUploads(GcState& gc) {
  int64_t last = gc.db.ReadValue([](Connection& c) {
    return c.QueryInt("SELECT COALESCE(MAX(xorb_id), 0) FROM xorb_uploaders", {}).value_or(0);
  });
  for (int64_t from = 0; from <= last; from += kUploadsBatch) {
    gc.db.Write([&](Connection& c) {
      c.Exec("DELETE FROM xorb_uploaders WHERE xorb_id >= ? AND xorb_id < ? AND told_at <= ?",
             {from, from + kUploadsBatch, gc.cutoff});
    });
    gc.Step("uploaders");
  }
}

void SweepXorbs(GcState& gc) {
  ForgetUploads(gc);
  Level level{"xorbs",
              "SELECT x.id, x.hash FROM xorbs x WHERE x.id > ? AND " HEARTH_DEAD_XORB
              " ORDER BY x.id LIMIT ?",
              1, true, true};
  Sweep(gc, level, [&](Connection& c, const Key& key) {
    std::optional<TrashEntry> entry = DropXorb(gc, c, key);
    if (entry) {
      CountFreed(gc, gc.RepoOf(gc.xorb_repo, key.id), entry->bytes);
      ++gc.report.xorbs;
    }
    return entry;
  });
}

}  // namespace hearth::hub
