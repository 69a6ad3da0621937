#include "hub/objects.h"

#include "base/bytes.h"
#include "base/error.h"
#include "hub/internal/object_source.h"
#include "hub/objects_multipart.h"

namespace hearth::hub {
namespace {

// Grants note their use no finer than this, so that most uses cost no write: a small part of the
// grace of garbage collection.
constexpr std::chrono::hours kUseStep{24};

storage::DbValue Key(const Sha256& oid) { return storage::BlobValue{std::string(oid.raw())}; }

}  // namespace

struct Objects::Impl {
  storage::Database& db;
  storage::BlobStore& blobs;
  const XetIndex& xet_index;
  const SweepLock& sweep_lock;
  Repos& repos;
  Clock& clock;
  PartFiles parts;

  Impl(const Parts& p, std::filesystem::path root)
      : db(p.db),
        blobs(p.blobs),
        xet_index(p.xet_index),
        sweep_lock(p.sweep_lock),
        repos(p.repos),
        clock(p.clock),
        parts(std::move(root)) {}

  void PutWhole(TempFile file, const Sha256& oid);
  void ForgetRot(const Sha256& oid);
  std::optional<MultipartUpload> LoadUpload(std::string_view id) const;
  void DropUpload(std::string_view id);
};

Objects::Objects(const Parts& parts, std::filesystem::path parts_root)
    : impl_(std::make_unique<Impl>(parts, std::move(parts_root))) {}
Objects::~Objects() = default;

namespace {

// What the database says of an object; the blob store is asked only when there is no Xet file.
struct ObjectRow {
  uint64_t size_bytes = 0;
  bool has_file = false;
};

// SQL: whether a Xet file gives the object of `o`. One with a xorb in quarantine does not, so that
// clients are asked for the content again.
std::string SoundFile() {
  return "EXISTS (SELECT 1 FROM object_files f WHERE f.sha256 = o.sha256 AND NOT EXISTS " +
         RottenFile("f.file_id") + ")";
}

ObjectRow ReadObjectRow(const storage::Row& row) {
  return {static_cast<uint64_t>(row.Int(0)), row.Int(1) != 0};
}

}  // namespace

std::optional<uint64_t> Objects::FindIn(const RepoRecord& repo, const Sha256& oid) const {
  std::optional<ObjectRow> row = impl_->db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT o.size, " + SoundFile() +
                          " FROM repo_objects r JOIN objects o ON o.sha256 = r.sha256 "
                          "WHERE r.repo_id = ? AND r.sha256 = ?",
                      {repo.id, Key(oid)}, ReadObjectRow);
  });
  if (!row) return std::nullopt;
  return row->has_file ? row->size_bytes : impl_->blobs.FindSize(oid);
}

std::optional<uint64_t> Objects::Claim(const RepoRecord& repo, const Sha256& oid) const {
  TimePoint now = impl_->clock.Now();
  int64_t due = ToUnixMillis(now - kUseStep);
  bool stale = impl_->db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt(
            "SELECT 1 FROM repo_objects WHERE repo_id = ? AND sha256 = ? AND created_at < ? "
            "AND used_at < ?",
            {repo.id, Key(oid), due, due})
        .has_value();
  });
  if (stale) {
    impl_->db.Write([&](storage::Connection& c) {
      c.Exec("UPDATE repo_objects SET used_at = ? WHERE repo_id = ? AND sha256 = ?",
             {ToUnixMillis(now), repo.id, Key(oid)});
    });
  }
  return FindIn(repo, oid);
}

std::optional<uint64_t> Objects::FindStored(const Sha256& oid) const {
  std::optional<ObjectRow> row = impl_->db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT o.size, " + SoundFile() + " FROM objects o WHERE o.sha256 = ?",
                      {Key(oid)}, ReadObjectRow);
  });
  return row && row->has_file ? row->size_bytes : impl_->blobs.FindSize(oid);
}

bool Objects::GrantFromReadable(const Actor& actor, const RepoHandle& repo, const Sha256& oid) {
  if (Claim(repo.record(), oid)) return true;
  // What is found must not be swept away before the grant protects it.
  SweepLock::Guard guard = impl_->sweep_lock.Shared();
  std::optional<uint64_t> size = FindStored(oid);
  if (!size) return false;
  // Those that show a Xet form come first: it is copied along.
  for (int64_t holder : impl_->db.ReadInts(
           "SELECT r.repo_id FROM repo_objects r WHERE r.sha256 = ? ORDER BY EXISTS (SELECT 1 FROM "
           "shown_files s WHERE s.repo_id = r.repo_id AND s.sha256 = r.sha256) DESC, r.repo_id",
           {Key(oid)})) {
    if (!impl_->repos.May(actor, holder, Right::kReadContent)) continue;
    impl_->db.Write([&](storage::Connection& c) {
      GrantIn(c, repo.record().id, actor.user_id, oid, *size);
      c.Exec(
          "UPDATE repo_objects SET origin = COALESCE((SELECT CASE h.origin WHEN 0 THEN h.repo_id "
          "ELSE h.origin END FROM repo_objects h WHERE h.repo_id = ? AND h.sha256 = ?), 0) "
          "WHERE repo_id = ? AND sha256 = ?",
          {holder, Key(oid), repo.record().id, Key(oid)});
      impl_->xet_index.ShowAsIn(c, repo.record().id, oid, holder);
    });
    return true;
  }
  return false;
}

void Objects::AddIn(storage::Connection& c, const Sha256& oid, uint64_t size_bytes) const {
  c.Exec("INSERT INTO objects (sha256, size, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
         {Key(oid), size_bytes, ToUnixMillis(impl_->clock.Now())});
}

void Objects::GrantIn(storage::Connection& c, int64_t repo_id, int64_t pusher_id, const Sha256& oid,
                      uint64_t size_bytes) const {
  int64_t now = ToUnixMillis(impl_->clock.Now());
  AddIn(c, oid, size_bytes);
  try {
    c.Exec(
        "INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at, used_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET used_at = excluded.used_at",
        {repo_id, Key(oid), pusher_id, now, now});
  } catch (const Error& error) {
    if (error.code() != Code::kConflict) throw;
    throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
  }
}

bool Objects::IsGrantedIn(storage::Connection& c, int64_t repo_id, const Sha256& oid) const {
  return c
      .QueryInt("SELECT 1 FROM repo_objects WHERE repo_id = ? AND sha256 = ?", {repo_id, Key(oid)})
      .has_value();
}

void Objects::Grant(int64_t repo_id, int64_t pusher_id, const Sha256& oid, uint64_t size_bytes) {
  impl_->db.Write([&](storage::Connection& c) { GrantIn(c, repo_id, pusher_id, oid, size_bytes); });
}

void Objects::Store(int64_t repo_id, int64_t pusher_id, const Sha256& expected,
                    uint64_t expected_size, TempFile file, const Sha256& actual) {
  if (file.size() != expected_size) {
    throw Error(Code::kUnprocessable, "The upload has " + std::to_string(file.size()) +
                                          " bytes, but " + std::to_string(expected_size) +
                                          " were announced");
  }
  if (actual != expected) {
    throw Error(Code::kUnprocessable, "The upload's SHA-256 is " + actual.Hex() + ", but " +
                                          expected.Hex() + " was announced");
  }
  SweepLock::Guard guard = impl_->sweep_lock.Shared();
  impl_->PutWhole(std::move(file), actual);
  Grant(repo_id, pusher_id, actual, expected_size);
  impl_->ForgetRot(actual);
}

// Bytes that scrub took away for rot are whole again; hardly ever any.
void Objects::Impl::ForgetRot(const Sha256& oid) {
  bool rotten = db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM quarantine WHERE (kind = 0 AND hash = ?) OR kind = 1 LIMIT 1",
                  {Key(oid)})
        .has_value();
  });
  if (!rotten) return;
  db.Write([&](storage::Connection& c) {
    c.Exec("DELETE FROM quarantine WHERE kind = 0 AND hash = ?", {Key(oid)});
    if (blobs.FindSize(oid)) xet_index.ForgetRottenFiles(c, oid);
  });
}

// Nothing is kept twice: what has a sound Xet file needs no second form. Under the sweep lock.
void Objects::Impl::PutWhole(TempFile file, const Sha256& oid) {
  std::optional<XetFile> stored = xet_index.FileOf(oid);
  if (!stored || xet_index.IsRotten(stored->id)) {
    blobs.Put(std::move(file), oid);
  } else {
    // Costs its sender what new content costs: who else has it is not told.
    FsyncFile(file.fd(), file.path().string());
  }
}

// --- reading

ObjectContent Objects::OpenContent(const Sha256& oid) const {
  ObjectContent content;
  if (std::optional<uint64_t> size = impl_->blobs.FindSize(oid)) {
    try {
      content.whole = impl_->blobs.Open(oid);
      content.size_bytes = *size;
      return content;
    } catch (const Error& error) {
      // It was converted in between.
      if (error.code() != Code::kNotFound) throw;
    }
  }
  content.file = impl_->xet_index.FileOf(oid);
  if (!content.file) throw Error(Code::kNotFound, "object " + oid.Hex() + " is missing");
  content.size_bytes = content.file->size_bytes;
  return content;
}

std::unique_ptr<ByteSource> Objects::OpenSource(const Sha256& oid) const {
  ObjectContent content = OpenContent(oid);
  if (content.whole) return std::make_unique<OwnedFdSource>(std::move(content.whole));
  return std::make_unique<XetSource>(impl_->xet_index, *content.file);
}

std::unordered_map<Sha256, storage::XetHash> Objects::XetHashesIn(
    const RepoRecord& repo, std::span<const Sha256> oids) const {
  // Below every limit of an engine on the number of arguments.
  constexpr size_t kMaxArguments = 500;
  std::unordered_map<Sha256, storage::XetHash> hashes;
  while (!oids.empty()) {
    std::span<const Sha256> part = oids.first(std::min(oids.size(), kMaxArguments));
    oids = oids.subspan(part.size());
    std::string marks;
    storage::DbArgs keys{repo.id};
    for (const Sha256& oid : part) {
      marks += marks.empty() ? "?" : ",?";
      keys.push_back(Key(oid));
    }
    // The oldest of several forms.
    std::string sql =
        "SELECT s.sha256, f.hash FROM shown_files s JOIN xet_files f ON f.id = s.file_id "
        "WHERE s.repo_id = ? AND s.sha256 IN (" +
        marks + ") ORDER BY f.id";
    impl_->db.Read([&](storage::Connection& c) {
      c.Query(sql, keys, [&](const storage::Row& row) {
        hashes.try_emplace(Sha256(row.Text(0)), storage::XetHash::FromRaw(row.Text(1)));
      });
    });
  }
  return hashes;
}

std::vector<HeldObject> Objects::List(const RepoRecord& repo, const std::optional<Sha256>& after,
                                      size_t limit) const {
  std::vector<HeldObject> held;
  impl_->db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT r.sha256, o.size, r.pusher_id, r.created_at FROM repo_objects r "
        "JOIN objects o ON o.sha256 = r.sha256 WHERE r.repo_id = ? AND r.sha256 > ? "
        "ORDER BY r.sha256 LIMIT ?",
        {repo.id, storage::BlobValue{after ? std::string(after->raw()) : ""},
         static_cast<int64_t>(limit)},
        [&](const storage::Row& row) {
          held.push_back({Sha256(row.Text(0)), static_cast<uint64_t>(row.Int(1)), row.Int(2),
                          FromUnixMillis(row.Int(3))});
        });
  });
  return held;
}

void Objects::Revoke(const RepoHandle& repo, const std::vector<Sha256>& oids) {
  repo.Require(Right::kWrite);
  impl_->db.Write([&](storage::Connection& c) {
    for (const Sha256& oid : oids) {
      c.Exec("DELETE FROM repo_objects WHERE repo_id = ? AND sha256 = ?",
             {repo.record().id, Key(oid)});
    }
  });
  // A new version of the record: nobody may go on from what was remembered of the old one.
  impl_->repos.Touch(repo.record().id, [](RepoRecord&) {});
}

// --- multipart

// The id is made from repository and object, so that a second Finish of the same upload, even after
// a restart, can be answered by looking whether the repository holds the object.
static std::string UploadId(int64_t repo_id, const Sha256& oid) {
  return std::to_string(repo_id) + "-" + oid.Hex();
}

static std::optional<std::pair<int64_t, Sha256>> ParseUploadId(std::string_view id) {
  size_t dash = id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::optional<int64_t> repo_id = ParseInt(id.substr(0, dash));
  std::optional<Sha256> oid = Sha256::FromHex(id.substr(dash + 1));
  if (!repo_id || !oid || *repo_id <= 0) return std::nullopt;
  return std::pair{*repo_id, *oid};
}

std::optional<MultipartUpload> Objects::Impl::LoadUpload(std::string_view id) const {
  std::optional<MultipartUpload> upload;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT repo_id, sha256, size, part_bytes FROM uploads WHERE id = ?", {id},
            [&](const storage::Row& row) {
              upload = MultipartUpload{};
              upload->id = std::string(id);
              upload->repo_id = row.Int(0);
              upload->oid = Sha256(row.Text(1));
              upload->size_bytes = static_cast<uint64_t>(row.Int(2));
              upload->part_bytes = static_cast<uint64_t>(row.Int(3));
            });
  });
  return upload;
}

void Objects::Impl::DropUpload(std::string_view id) {
  db.Write([&](storage::Connection& c) { c.Exec("DELETE FROM uploads WHERE id = ?", {id}); });
  parts.Remove(id);
}

MultipartUpload Objects::Begin(const RepoHandle& repo, int64_t pusher_id, const Sha256& oid,
                               uint64_t size_bytes, uint64_t part_bytes) {
  repo.Require(Right::kWrite);
  if (size_bytes == 0 || part_bytes == 0) {
    throw Error(Code::kInvalidArgument, "a multipart upload needs a size and a part size");
  }
  std::string id = UploadId(repo.record().id, oid);
  auto lock = impl_->parts.LockUpload(id);
  std::optional<MultipartUpload> known = impl_->LoadUpload(id);
  int64_t now = ToUnixMillis(impl_->clock.Now());
  if (known && known->size_bytes == size_bytes && known->part_bytes == part_bytes) {
    impl_->db.Write([&](storage::Connection& c) {
      c.Exec("UPDATE uploads SET created_at = ?, pusher_id = ? WHERE id = ?", {now, pusher_id, id});
    });
  } else {
    // Another size or part size: the stored parts do not fit any more.
    impl_->parts.Remove(id);
    impl_->db.Write([&](storage::Connection& c) {
      c.Exec("DELETE FROM uploads WHERE id = ?", {id});
      c.Exec(
          "INSERT INTO uploads (id, repo_id, pusher_id, sha256, size, part_bytes, created_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)",
          {id, repo.record().id, pusher_id, Key(oid), size_bytes, part_bytes, now});
    });
  }
  MultipartUpload upload;
  upload.id = id;
  upload.repo_id = repo.record().id;
  upload.oid = oid;
  upload.size_bytes = size_bytes;
  upload.part_bytes = part_bytes;
  for (const auto& [part, etag] : impl_->parts.Stored(id)) {
    upload.stored_parts.push_back(part);
    upload.etags.push_back(etag);
  }
  return upload;
}

std::optional<MultipartUpload> Objects::FindUpload(std::string_view id) const {
  std::optional<MultipartUpload> upload = impl_->LoadUpload(id);
  if (upload) {
    for (const auto& [part, etag] : impl_->parts.Stored(id)) {
      upload->stored_parts.push_back(part);
      upload->etags.push_back(etag);
    }
  }
  return upload;
}

std::string Objects::PutPart(std::string_view id, int part, TempFile file) {
  auto lock = impl_->parts.LockUploadShared(id);
  std::optional<MultipartUpload> upload = impl_->LoadUpload(id);
  if (!upload) throw Error(Code::kNotFound, "This upload is unknown, finished or expired");
  return impl_->parts.Put({std::string(id), upload->size_bytes, upload->part_bytes}, part, file);
}

void Objects::Finish(std::string_view id, const std::vector<std::pair<int, std::string>>& parts) {
  auto lock = impl_->parts.LockUpload(id);
  std::optional<MultipartUpload> upload = impl_->LoadUpload(id);
  if (!upload) {
    auto named = ParseUploadId(id);
    RepoPtr repo = named ? impl_->repos.FindById(named->first) : nullptr;
    if (repo && FindIn(*repo, named->second)) return;
    throw Error(Code::kNotFound, "This upload is unknown or expired");
  }
  int64_t pusher_id = impl_->db.ReadValue([&](storage::Connection& c) {
    return c.QueryInt("SELECT pusher_id FROM uploads WHERE id = ?", {id}).value_or(0);
  });
  PartFiles::Layout layout{upload->id, upload->size_bytes, upload->part_bytes};
  impl_->parts.CheckComplete(layout, parts);
  Sha256 actual = impl_->parts.Digest(layout);
  if (actual != upload->oid) {
    // Nobody can tell which part is wrong: start again.
    impl_->DropUpload(id);
    throw Error(Code::kUnprocessable, "The upload's SHA-256 is " + actual.Hex() + ", but " +
                                          upload->oid.Hex() + " was announced");
  }
  SweepLock::Guard guard = impl_->sweep_lock.Shared();
  impl_->PutWhole(impl_->parts.LinkWhole(layout, impl_->blobs.temp_folder()), actual);
  Grant(upload->repo_id, pusher_id, actual, upload->size_bytes);
  impl_->ForgetRot(actual);
  impl_->DropUpload(id);
}

void Objects::ExpireUploads(TimePoint older_than) {
  std::vector<std::string> expired;
  impl_->db.Read([&](storage::Connection& c) {
    c.Query("SELECT id FROM uploads WHERE created_at < ?", {ToUnixMillis(older_than)},
            [&](const storage::Row& row) { expired.push_back(row.Str(0)); });
  });
  for (const std::string& id : expired) {
    auto lock = impl_->parts.LockUpload(id);
    impl_->DropUpload(id);
  }
  // Folders whose row is gone: a crash after Finish, or a deleted repository.
  for (const std::string& id : impl_->parts.ListUploads()) {
    auto lock = impl_->parts.LockUpload(id);
    if (!impl_->LoadUpload(id)) impl_->parts.Remove(id);
  }
}

}  // namespace hearth::hub
