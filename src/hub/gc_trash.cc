// The trash: a journal in the database and a folder beside each store (on its file system).
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;
using storage::XetHash;
using storage::XorbForm;

bool IsBlob(TrashKind kind) { return kind == TrashKind::kObject || kind == TrashKind::kStrayBlob; }

void MakeTrashFolder(const fs::path& folder) {
  if (fs::exists(folder)) return;
  fs::create_directories(folder);
  FsyncFolder(folder.parent_path());
  FsyncFolder(folder.parent_path().parent_path());
}

// True when the content was stored anew after its row was dropped: its file is in use again.
bool IsStoredAnew(storage::Connection& c, const TrashEntry& entry) {
  if (IsBlob(entry.kind)) {
    return c
        .QueryInt("SELECT 1 FROM objects WHERE sha256 = ?",
                  {RawKey(Sha256::FromHex(entry.key)->raw())})
        .has_value();
  }
  return c
      .QueryInt("SELECT 1 FROM xorbs WHERE hash = ?",
                {RawKey(XorbForm::FromText(entry.key)->Key())})
      .has_value();
}

struct Pending {
  int64_t run_id = 0;
  TrashEntry entry;
};

uint64_t RemoveFolder(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    bytes += entry.file_size(error);
  }
  fs::remove_all(folder, error);
  if (error) ThrowErrno("empty " + folder.string(), error.value());
  return bytes;
}

}  // namespace

std::string FileName(std::string_view key) {
  std::string name = XetHash::FromRaw(key).Text();
  if (key.size() > XetHash::kBytes) name += "." + HexEncode(key.substr(XetHash::kBytes));
  return name;
}

std::string FileKey(std::string_view name) {
  size_t dot = std::min(name.find('.'), name.size());
  std::string key(XetHash::FromText(name.substr(0, dot))->raw());
  if (dot < name.size()) key += HexDecode(name.substr(dot + 1)).value_or("");
  return key;
}

bool HasFile(TrashKind kind) { return kind != TrashKind::kFile && kind != TrashKind::kGrant; }

fs::path TrashFolder(const Hub& hub, TrashKind kind, int64_t run_id) {
  return hub.data() / (IsBlob(kind) ? "blobs" : "xet") / "trash" / std::to_string(run_id);
}

fs::path TrashFile(const Hub& hub, const TrashEntry& entry, int64_t run_id) {
  return TrashFolder(hub, entry.kind, run_id) / entry.key;
}

void AddToTrash(storage::Connection& c, int64_t run_id, const TrashEntry& entry,
                bool pending_move) {
  c.Exec(
      "INSERT INTO gc_trash (run_id, kind, key, bytes, payload, moved) VALUES (?, ?, ?, ?, ?, ?)",
      {run_id, static_cast<int>(entry.kind), entry.key, entry.bytes, entry.payload.Dump(),
       !pending_move});
}

void MoveToTrash(GcState& gc, int64_t run_id, const std::vector<TrashEntry>& entries) {
  if (gc.dry_run() || entries.empty()) return;
  for (const TrashEntry& entry : entries) {
    MakeTrashFolder(TrashFolder(gc.hub, entry.kind, run_id));
    fs::path target = TrashFile(gc.hub, entry, run_id);
    if (IsBlob(entry.kind)) {
      gc.hub.blobs().MoveOut(*Sha256::FromHex(entry.key), target);
    } else {
      gc.hub.xet_index().xorbs().MoveOut(*XorbForm::FromText(entry.key), target);
    }
    gc.Step("moved");
  }
  gc.db.Write([&](storage::Connection& c) {
    for (const TrashEntry& entry : entries) {
      c.Exec("UPDATE gc_trash SET moved = 1 WHERE run_id = ? AND kind = ? AND key = ?",
             {run_id, static_cast<int>(entry.kind), entry.key});
    }
  });
}

void FinishMoves(GcState& gc) {
  std::vector<Pending> pending;
  gc.db.Read([&](storage::Connection& c) {
    c.Query("SELECT run_id, kind, key, bytes FROM gc_trash WHERE moved = 0", {},
            [&](const storage::Row& row) {
              pending.push_back({row.Int(0),
                                 {static_cast<TrashKind>(row.Int(1)), row.Str(2),
                                  static_cast<uint64_t>(row.Int(3)), Json()}});
            });
  });
  for (const auto& [run_id, entry] : pending) {
    SweepLock::Guard guard = gc.hub.sweep_lock().Alone();
    bool anew = gc.db.ReadValue([&](storage::Connection& c) { return IsStoredAnew(c, entry); });
    if (!anew) {
      MoveToTrash(gc, run_id, {entry});
      continue;
    }
    gc.db.Write([&](storage::Connection& c) {
      c.Exec("DELETE FROM gc_trash WHERE run_id = ? AND kind = ? AND key = ?",
             {run_id, static_cast<int>(entry.kind), entry.key});
    });
  }
}

void EmptyOldTrash(GcState& gc) {
  int64_t due = ToUnixMillis(gc.hub.clock().Now()) - gc.options.trash_time.count();
  for (int64_t run :
       gc.db.ReadInts("SELECT id FROM gc_runs WHERE state = 'emptying' OR "
                      "(state IN ('done', 'stopped') AND finished_at <= ?) ORDER BY id",
                      {due})) {
    // From here on nobody may undo it.
    gc.db.Write([&](storage::Connection& c) {
      c.Exec("UPDATE gc_runs SET state = 'emptying' WHERE id = ?", {run});
    });
    gc.Step("emptying");
    for (TrashKind kind : {TrashKind::kXorb, TrashKind::kObject}) {
      gc.report.emptied_bytes += RemoveFolder(TrashFolder(gc.hub, kind, run));
    }
    gc.db.Write([&](storage::Connection& c) {
      c.Exec("DELETE FROM gc_trash WHERE run_id = ?", {run});
      c.Exec("UPDATE gc_runs SET state = 'emptied' WHERE id = ?", {run});
    });
    ++gc.report.emptied_runs;
    gc.Step("emptied");
  }
}

}  // namespace hearth::hub
