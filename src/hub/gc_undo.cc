// Takes a run back, content first and what refers to it after. Everything restored counts as used
// just now, or the next run would take it again.
#include "base/error.h"
#include "codec/base64.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;
using storage::Connection;
using storage::XetHash;
using storage::XorbForm;

int64_t Number(const Json& payload, std::string_view key) {
  return payload.IntField(key).value_or(0);
}
int64_t At(const Json& row, size_t index) { return (*row.AsArray())[index].AsInt().value_or(0); }
const Json::Array& Items(const Json& payload, std::string_view key) {
  return payload.RequireArray(key);
}
storage::DbValue XetKey(const Json& text) {
  return RawKey(XetHash::FromText(*text.AsString())->raw());
}

storage::DbValue XorbKey(const Json& text) {
  return RawKey(XorbForm::FromText(*text.AsString())->Key());
}
storage::DbValue FileKeyOf(const Json& text) { return RawKey(FileKey(*text.AsString())); }

class Undo {
 public:
  Undo(Hub& hub, int64_t run_id, const GcHooks& hooks)
      : hub_(hub), run_id_(run_id), hooks_(hooks), now_(ToUnixMillis(hub.clock().Now())) {}

  GcUndoReport Run() {
    size_t total = Count();
    size_t done = 0;
    while (std::optional<TrashEntry> entry = Next()) {
      if (hooks_.progress) hooks_.progress("entries", done++, total);
      if (hooks_.at_step) hooks_.at_step("undo");
      Restore(*entry);
    }
    for (TrashKind kind : {TrashKind::kXorb, TrashKind::kObject}) {
      fs::remove_all(TrashFolder(hub_, kind, run_id_));
    }
    hub_.db().Write([&](Connection& c) {
      c.Exec("UPDATE gc_runs SET state = 'undone' WHERE id = ?", {run_id_});
    });
    return report_;
  }

 private:
  enum class Outcome { kRestored, kSuperseded, kLost };

  size_t Count() {
    return static_cast<size_t>(hub_.db().ReadValue([&](Connection& c) {
      return c.QueryInt("SELECT COUNT(*) FROM gc_trash WHERE run_id = ?", {run_id_}).value_or(0);
    }));
  }
  // One by one: an interrupted undo goes on with what is left.
  std::optional<TrashEntry> Next() {
    return hub_.db().ReadValue([&](Connection& c) {
      return c.QueryOne(
          "SELECT kind, key, bytes, payload FROM gc_trash WHERE run_id = ? ORDER BY kind, key "
          "LIMIT 1",
          {run_id_}, [](const storage::Row& row) {
            return TrashEntry{static_cast<TrashKind>(row.Int(0)), row.Str(1),
                              static_cast<uint64_t>(row.Int(2)), Json::Parse(row.Text(3))};
          });
    });
  }

  void Restore(const TrashEntry& entry) {
    SweepLock::Guard guard = hub_.sweep_lock().Shared();
    Outcome outcome = RestoreFile(entry);
    hub_.db().Write([&](Connection& c) {
      if (outcome == Outcome::kRestored) outcome = RestoreRows(c, entry);
      c.Exec("DELETE FROM gc_trash WHERE run_id = ? AND kind = ? AND key = ?",
             {run_id_, static_cast<int>(entry.kind), entry.key});
    });
    if (outcome == Outcome::kRestored) ++report_.restored;
    if (outcome == Outcome::kSuperseded) ++report_.superseded;
    if (outcome == Outcome::kLost) ++report_.lost;
  }

  Outcome RestoreFile(const TrashEntry& entry) {
    if (!HasFile(entry.kind)) return Outcome::kRestored;
    fs::path file = TrashFile(hub_, entry, run_id_);
    bool in_trash = fs::exists(file);
    if (entry.kind == TrashKind::kObject || entry.kind == TrashKind::kStrayBlob) {
      if (entry.kind == TrashKind::kObject && !entry.payload.BoolField("stored").value_or(false)) {
        return Outcome::kRestored;  // its content is a Xet file
      }
      Sha256 oid = *Sha256::FromHex(entry.key);
      // Put leaves what is there and drops the second copy.
      if (in_trash) hub_.blobs().Put(TempFile::Adopt(file), oid);
      return hub_.blobs().FindSize(oid) ? Outcome::kRestored : Outcome::kLost;
    }
    XorbForm xorb = *XorbForm::FromText(entry.key);
    storage::XorbStore& xorbs = hub_.xet_index().xorbs();
    // Whatever its body is: files go by chunks.
    if (xorbs.FindIndex(xorb) != nullptr) return Outcome::kRestored;
    if (!in_trash) return Outcome::kLost;
    try {
      xorbs.MoveIn(file, xorb);
      return Outcome::kRestored;
    } catch (const Error& error) {
      if (error.code() != Code::kInternal) throw;
      return Outcome::kLost;
    }
  }

  Outcome RestoreRows(Connection& c, const TrashEntry& entry) {
    switch (entry.kind) {
      case TrashKind::kXorb:
        return RestoreXorb(c, entry);
      case TrashKind::kFile:
        return RestoreXetFile(c, entry);
      case TrashKind::kObject:
        return RestoreObject(c, entry);
      case TrashKind::kGrant:
        return RestoreGrant(c, entry);
      case TrashKind::kStrayXorb:
      case TrashKind::kStrayBlob:
        break;
    }
    return Outcome::kRestored;
  }

  Outcome RestoreXorb(Connection& c, const TrashEntry& entry) {
    XorbForm xorb = *XorbForm::FromText(entry.key);
    storage::DbValue hash = RawKey(xorb.Key());
    if (c.QueryInt("SELECT 1 FROM xorbs WHERE hash = ?", {hash})) return Outcome::kSuperseded;
    storage::XorbIndexPtr index = hub_.xet_index().xorbs().FindIndex(xorb);
    if (!index) return Outcome::kLost;
    c.Exec(
        "INSERT INTO xorbs (hash, body_bytes, unpacked_bytes, created_at, leased_at) "
        "VALUES (?, ?, ?, ?, ?)",
        {hash, static_cast<int64_t>(index->body_bytes), Number(entry.payload, "unpacked"),
         Number(entry.payload, "created"), now_});
    int64_t id = c.LastInsertId();
    for (const Json& user : Items(entry.payload, "uploaders")) {
      c.Exec("INSERT INTO xorb_uploaders (xorb_id, user_id, told_at) VALUES (?, ?, ?)",
             {id, user.AsInt().value_or(0), now_});
    }
    for (const Json& chunk : Items(entry.payload, "chunks")) {
      c.Exec("INSERT INTO xet_chunks (hash, xorb_id) VALUES (?, ?)", {XetKey(chunk), id});
    }
    return Outcome::kRestored;
  }

  Outcome RestoreXetFile(Connection& c, const TrashEntry& entry) {
    storage::DbValue hash = RawKey(FileKey(entry.key));
    if (c.QueryInt("SELECT 1 FROM xet_files WHERE hash = ?", {hash})) return Outcome::kSuperseded;
    std::vector<int64_t> xorbs;
    for (const Json& xorb : Items(entry.payload, "xorbs")) {
      auto id = c.QueryInt("SELECT id FROM xorbs WHERE hash = ?", {XorbKey(xorb)});
      if (!id) return Outcome::kLost;
      xorbs.push_back(*id);
    }
    c.Exec("INSERT INTO xet_files (hash, size, created_at, leased_at) VALUES (?, ?, ?, ?)",
           {hash, Number(entry.payload, "size"), Number(entry.payload, "created"), now_});
    int64_t id = c.LastInsertId();
    for (const Json& segment : Items(entry.payload, "segments")) {
      c.Exec("INSERT INTO xet_segments (file_id, start, terms) VALUES (?, ?, ?)",
             {id, At(segment, 0), RawKey(*Base64Decode(*(*segment.AsArray())[1].AsString()))});
    }
    for (int64_t xorb : xorbs) {
      c.Exec("INSERT INTO xet_file_xorbs (file_id, xorb_id) VALUES (?, ?)", {id, xorb});
    }
    for (const Json& holder : Items(entry.payload, "holders")) {
      c.Exec(
          "INSERT INTO xet_holders (kind, holder_id, file_id, user_id, created_at) "
          "VALUES (?, ?, ?, ?, ?)",
          {At(holder, 0), At(holder, 1), id, At(holder, 2), At(holder, 3)});
    }
    // Of one that the object could spare; older runs know of none.
    if (entry.payload.Find("objects") != nullptr) {
      for (const Json& oid : Items(entry.payload, "objects")) {
        c.Exec(
            "INSERT INTO object_files (sha256, file_id) SELECT sha256, ? FROM objects "
            "WHERE sha256 = ?",
            {id, RawKey(Sha256::FromHex(*oid.AsString())->raw())});
      }
    }
    return Outcome::kRestored;
  }

  Outcome RestoreObject(Connection& c, const TrashEntry& entry) {
    storage::DbValue sha = RawKey(Sha256::FromHex(entry.key)->raw());
    bool anew = c.Exec(
                    "INSERT INTO objects (sha256, size, created_at) VALUES (?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    {sha, Number(entry.payload, "size"), now_}) == 0;
    for (const Json& file : Items(entry.payload, "files")) {
      c.Exec(
          "INSERT INTO object_files (sha256, file_id) SELECT ?, id FROM xet_files WHERE hash = ? "
          "ON CONFLICT DO NOTHING",
          {sha, FileKeyOf(file)});
    }
    return anew ? Outcome::kSuperseded : Outcome::kRestored;
  }

  Outcome RestoreGrant(Connection& c, const TrashEntry& entry) {
    size_t colon = entry.key.find(':');
    int64_t repo = ParseInt(entry.key.substr(0, colon)).value_or(0);
    storage::DbValue sha = RawKey(Sha256::FromHex(entry.key.substr(colon + 1))->raw());
    if (!c.QueryInt("SELECT 1 FROM repos WHERE id = ?", {repo})) return Outcome::kSuperseded;
    if (!c.QueryInt("SELECT 1 FROM objects WHERE sha256 = ?", {sha})) return Outcome::kLost;
    int64_t inserted = c.Exec(
        "INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at, used_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        {repo, sha, Number(entry.payload, "pusher"), Number(entry.payload, "created"), now_});
    // Of older runs it is not known: the conversion shows it anew.
    if (entry.payload.Find("shown") != nullptr) {
      for (const Json& file : Items(entry.payload, "shown")) {
        c.Exec(
            "INSERT INTO shown_files (repo_id, sha256, file_id) "
            "SELECT ?, p.sha256, p.file_id FROM object_files p JOIN xet_files f ON f.id = "
            "p.file_id "
            "WHERE p.sha256 = ? AND f.hash = ? ON CONFLICT DO NOTHING",
            {repo, sha, FileKeyOf(file)});
      }
    }
    return inserted == 0 ? Outcome::kSuperseded : Outcome::kRestored;
  }

  Hub& hub_;
  const int64_t run_id_;
  const GcHooks& hooks_;
  const int64_t now_;
  GcUndoReport report_;
};

}  // namespace

void FinishUndos(GcState& gc) {
  for (int64_t run : gc.db.ReadInts("SELECT id FROM gc_runs WHERE state = 'undoing'")) {
    Undo(gc.hub, run, gc.hooks).Run();
  }
}

GcUndoReport UndoGc(Hub& hub, int64_t run_id, const GcHooks& hooks) {
  UniqueFd lock = LockGc(hub.data());
  GcOptions options;
  GcState gc{hub, hub.db(), options, hooks, 0, {}, {}, {}, {}, {}};
  FinishMoves(gc);
  hub.db().Write([&](Connection& c) {
    auto state = c.QueryOne("SELECT state FROM gc_runs WHERE id = ?", {run_id},
                            [](const storage::Row& row) { return row.Str(0); });
    if (!state) {
      throw Error(Code::kNotFound, "there is no garbage collection " + std::to_string(run_id));
    }
    if (*state == "emptying" || *state == "emptied" || *state == "undone") {
      throw Error(Code::kConflict, "garbage collection " + std::to_string(run_id) +
                                       " cannot be undone: its trash is " +
                                       (*state == "undone" ? "restored" : "emptied") + " already");
    }
    c.Exec(
        "UPDATE gc_runs SET state = 'undoing', finished_at = COALESCE(finished_at, ?) "
        "WHERE id = ?",
        {ToUnixMillis(hub.clock().Now()), run_id});
  });
  return Undo(hub, run_id, hooks).Run();
}

}  // namespace hearth::hub
