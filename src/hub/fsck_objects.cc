// Large objects: every row has its bytes, whole or as a Xet file, and bytes without a row are
// named.
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "hub/internal/fsck_parts.h"
#include "storage/git/git_repository.h"

namespace hearth::hub {
namespace {

storage::DbValue Key(const Sha256& oid) { return storage::BlobValue{std::string(oid.raw())}; }

Sha256 HashFile(int fd, uint64_t size_bytes) {
  Sha256Hasher hasher;
  std::string buffer(1 << 20, '\0');
  for (uint64_t at = 0; at < size_bytes;) {
    size_t part = std::min<uint64_t>(buffer.size(), size_bytes - at);
    ReadExactAt(fd, at, buffer.data(), part);
    hasher.Update(std::string_view(buffer).substr(0, part));
    at += part;
  }
  return hasher.Finish();
}

Sha256 HashXetFile(const XetIndex& index, const XetFile& file) {
  storage::XetReader reader = index.Read(file, 0, file.size_bytes);
  Sha256Hasher hasher;
  std::string piece;
  bool more = true;
  while (more) {
    piece.clear();
    more = reader.Next(&piece);
    hasher.Update(piece);
  }
  return hasher.Finish();
}

// Without its row a client is asked for the bytes again, with it the hub promises what it lacks.
void DropObject(Hub& hub, const Sha256& oid) {
  hub.db().Write([&](storage::Connection& c) {
    c.Exec("DELETE FROM repo_objects WHERE sha256 = ?", {Key(oid)});
    c.Exec("DELETE FROM objects WHERE sha256 = ?", {Key(oid)});
  });
}

// The terms themselves are CheckXetStore's.
void CheckXetForm(FsckRun& run, const std::string& where, const XetFile& file,
                  const storage::LfsPointer& object) {
  if (file.size_bytes != object.size_bytes) {
    run.Fault(where, "its Xet file has " + std::to_string(file.size_bytes) + " bytes instead of " +
                         std::to_string(object.size_bytes));
    return;
  }
  if (!run.options.deep) return;
  try {
    if (HashXetFile(run.hub.xet_index(), file) == object.oid) return;
    run.Fault(where, "its Xet file does not have this SHA-256 (restore it from a backup)");
  } catch (const Error& error) {
    run.Fault(where, "its Xet file cannot be rebuilt: " + error.message());
  }
}

}  // namespace

void GrantForRepair(Hub& hub, int64_t repo_id, const Sha256& oid, uint64_t size_bytes) {
  int64_t now = ToUnixMillis(hub.clock().Now());
  hub.db().Write([&](storage::Connection& c) {
    c.Exec("INSERT INTO objects (sha256, size, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
           {Key(oid), size_bytes, now});
    c.Exec(
        "INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at) VALUES (?, ?, 0, ?) "
        "ON CONFLICT DO NOTHING",
        {repo_id, Key(oid), now});
  });
}

void CheckStoredObjects(FsckRun& run) {
  std::unordered_map<Sha256, uint64_t> rows;
  run.hub.db().Read([&](storage::Connection& c) {
    c.Query("SELECT sha256, size FROM objects", {}, [&](const storage::Row& row) {
      rows[Sha256(row.Text(0))] = static_cast<uint64_t>(row.Int(1));
    });
  });
  size_t done = 0;
  for (const auto& [oid, size_bytes] : rows) {
    run.progress("objects", done++, rows.size());
    std::string where = "object " + oid.Hex();
    std::optional<uint64_t> whole = run.hub.blobs().FindSize(oid);
    std::optional<XetFile> file = run.hub.xet_index().FileOf(oid);
    if (!whole && !file) {
      run.Fault(where, "its bytes are missing", [&run, oid = oid] { DropObject(run.hub, oid); });
      continue;
    }
    if (whole && *whole != size_bytes) {
      run.Fault(where, "has " + std::to_string(*whole) + " bytes instead of " +
                           std::to_string(size_bytes));
    } else if (whole && run.options.deep &&
               HashFile(run.hub.blobs().Open(oid)->get(), size_bytes) != oid) {
      run.Fault(where, "its content does not have this SHA-256 (restore it from a backup)");
    }
    if (file) CheckXetForm(run, where, *file, {oid, size_bytes});
  }
  run.report.objects = rows.size();
  size_t orphans = 0;
  uint64_t orphan_bytes = 0;
  run.hub.blobs().ForEach([&](const Sha256& oid, uint64_t size_bytes) {
    if (rows.contains(oid)) return;
    ++orphans;
    orphan_bytes += size_bytes;
  });
  if (orphans > 0) {
    run.Note("objects", std::to_string(orphans) + " stored objects (" +
                            std::to_string(orphan_bytes) + " bytes) belong to no repository");
  }
}

}  // namespace hearth::hub
