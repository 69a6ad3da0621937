#include "hub/xet_index.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/random.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

constexpr size_t kTermsPerSegment = 1024;
constexpr size_t kTermBytes = 44;
// Behind the hash in the key of a file's row.
constexpr size_t kFileSuffixBytes = 4;
// A lease that was renewed within this time is not written again; the grace of garbage collection
// is days longer than the time for which clients remember.
constexpr std::chrono::hours kLeaseStep{1};

storage::DbValue Key(const XetHash& hash) { return storage::BlobValue{std::string(hash.raw())}; }
storage::DbValue Key(const storage::XorbForm& xorb) { return storage::BlobValue{xorb.Key()}; }
storage::DbValue Key(const Sha256& oid) { return storage::BlobValue{std::string(oid.raw())}; }

// SQL: keys that begin with a hash, by KeysOf.
constexpr std::string_view kHasHash = "hash BETWEEN ? AND ? ";

// The hash alone, and behind everything that has it with something more.
storage::DbArgs KeysOf(const XetHash& hash) {
  return {Key(hash),
          storage::BlobValue{std::string(hash.raw()) + std::string(kFileSuffixBytes + 1, '\xff')}};
}

uint64_t Prefix(std::string_view raw) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, raw.data(), std::min(raw.size(), sizeof(prefix)));
  return prefix;
}

// A xorb has 8192 chunks at most: the number of its form has room above the first of them.
constexpr int kFormShift = 16;

std::string PackTerms(std::span<const storage::XetTerm> terms) {
  std::string packed;
  packed.reserve(terms.size() * kTermBytes);
  for (const storage::XetTerm& term : terms) {
    packed += term.xorb.raw();
    uint32_t start = term.chunk_start | uint32_t{term.form} << kFormShift;
    for (uint32_t field : {term.unpacked_bytes, start, term.chunk_end}) {
      packed.append(reinterpret_cast<const char*>(&field), sizeof(field));
    }
  }
  return packed;
}

std::vector<storage::XetTerm> UnpackTerms(std::string_view packed) {
  if (packed.empty() || packed.size() % kTermBytes != 0) {
    throw Error(Code::kInternal, "a row of xet_segments is damaged: run hearth fsck");
  }
  std::vector<storage::XetTerm> terms(packed.size() / kTermBytes);
  for (storage::XetTerm& term : terms) {
    term.xorb = XetHash::FromRaw(packed.substr(0, XetHash::kBytes));
    std::memcpy(&term.unpacked_bytes, packed.data() + 32, 4);
    std::memcpy(&term.chunk_start, packed.data() + 36, 4);
    term.form = static_cast<uint16_t>(term.chunk_start >> kFormShift);
    term.chunk_start &= (1u << kFormShift) - 1;
    std::memcpy(&term.chunk_end, packed.data() + 40, 4);
    packed.remove_prefix(kTermBytes);
  }
  return terms;
}

StoredXorb XorbRow(const storage::Row& row) {
  storage::XorbForm xorb = storage::XorbForm::FromKey(row.Text(1));
  return {row.Int(0), xorb.hash, xorb.number, static_cast<uint64_t>(row.Int(2)),
          static_cast<uint64_t>(row.Int(3))};
}

XetFile FileRow(const storage::Row& row) {
  return {row.Int(0), XetHash::FromRaw(row.Text(1)), static_cast<uint64_t>(row.Int(2))};
}

// Reads segments from the database as they are needed; remembers the last one.
class DatabaseTerms : public storage::TermSource {
 public:
  DatabaseTerms(storage::Database& db, const XetFile& file) : db_(db), file_(file) {}

  uint64_t size_bytes() const override { return file_.size_bytes; }

  std::shared_ptr<const Segment> SegmentAt(uint64_t offset) const override {
    std::lock_guard lock(mutex_);
    if (last_ && offset >= last_->offset && offset < last_->EndOffset()) return last_;
    auto segment = std::make_shared<Segment>();
    db_.Read([&](storage::Connection& c) {
      c.Query(
          "SELECT start, terms FROM xet_segments WHERE file_id = ? AND start <= ? "
          "ORDER BY start DESC LIMIT 1",
          {file_.id, offset}, [&](const storage::Row& row) {
            segment->offset = static_cast<uint64_t>(row.Int(0));
            segment->terms = UnpackTerms(row.Text(1));
          });
    });
    if (segment->terms.empty() || offset >= segment->EndOffset()) {
      throw Error(Code::kInternal, "the Xet file " + file_.hash.Text() + " lacks its terms");
    }
    last_ = segment;
    return segment;
  }

 private:
  storage::Database& db_;
  XetFile file_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Segment> last_;
};

bool IsRottenIn(storage::Connection& c, int64_t file_id) {
  return c.QueryInt("SELECT 1 WHERE EXISTS " + RottenFile("?"), {file_id}).has_value();
}

void InsertSegments(storage::Connection& c, int64_t id, const XetIndex::NewFile& file) {
  uint64_t start = 0;
  std::span<const storage::XetTerm> left = file.terms;
  while (!left.empty()) {
    std::span<const storage::XetTerm> part = left.first(std::min(left.size(), kTermsPerSegment));
    c.Exec("INSERT INTO xet_segments (file_id, start, terms) VALUES (?, ?, ?)",
           {id, start, storage::BlobValue{PackTerms(part)}});
    for (const storage::XetTerm& term : part) start += term.unpacked_bytes;
    left = left.subspan(part.size());
  }
}

}  // namespace

std::string RottenFile(std::string_view file_id) {
  // From the quarantine on, which is nearly always empty.
  return "(SELECT 1 FROM quarantine q CROSS JOIN xorbs x CROSS JOIN xet_file_xorbs u "
         "WHERE q.kind = 1 AND x.hash = q.hash AND u.xorb_id = x.id AND u.file_id = " +
         std::string(file_id) + ")";
}

XetIndex::XetIndex(storage::Database& db, storage::XorbStore& xorbs, Clock& clock)
    : db_(db), xorbs_(xorbs), clock_(clock) {
  db_.Read([&](storage::Connection& c) {
    c.Query("SELECT hash FROM xet_chunks", {},
            [&](const storage::Row& row) { chunk_prefixes_.insert(Prefix(row.Text(0))); });
  });
}

// --- xorbs

std::optional<StoredXorb> XetIndex::FindXorb(const storage::XorbForm& xorb) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT id, hash, body_bytes, unpacked_bytes FROM xorbs WHERE hash = ?",
                      {Key(xorb)}, XorbRow);
  });
}

std::vector<StoredXorb> XetIndex::FindXorbs(const XetHash& hash) const {
  std::vector<StoredXorb> found;
  std::string sql = "SELECT id, hash, body_bytes, unpacked_bytes FROM xorbs WHERE " +
                    std::string(kHasHash) + "ORDER BY body_bytes, hash";
  db_.Read([&](storage::Connection& c) {
    c.Query(sql, KeysOf(hash), [&](const storage::Row& row) { found.push_back(XorbRow(row)); });
  });
  return found;
}

StoredXorb XetIndex::AddXorb(const storage::XorbIndex& index, int64_t user_id, uint16_t form) {
  int64_t now = ToUnixMillis(clock_.Now());
  storage::DbValue key = Key(storage::XorbForm(index.hash, form));
  return db_.WriteValue([&](storage::Connection& c) {
    // One that was lost and has been sent again may be compressed otherwise.
    c.Exec(
        "INSERT INTO xorbs (hash, body_bytes, unpacked_bytes, created_at, leased_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET leased_at = excluded.leased_at, "
        "body_bytes = excluded.body_bytes",
        {key, static_cast<int64_t>(index.body_bytes), static_cast<int64_t>(index.unpacked_bytes),
         now, now});
    StoredXorb xorb = *c.QueryOne(
        "SELECT id, hash, body_bytes, unpacked_bytes FROM xorbs WHERE hash = ?", {key}, XorbRow);
    // Bytes that scrub took away for rot are whole again.
    c.Exec("DELETE FROM quarantine WHERE kind = 1 AND hash = ?", {key});
    if (user_id != 0) {
      c.Exec(
          "INSERT INTO xorb_uploaders (xorb_id, user_id, told_at) VALUES (?, ?, ?) "
          "ON CONFLICT DO UPDATE SET told_at = excluded.told_at",
          {xorb.id, user_id, now});
    }
    return xorb;
  });
}

bool XetIndex::HasUploaded(int64_t xorb_id, int64_t user_id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM xorb_uploaders WHERE xorb_id = ? AND user_id = ?",
                  {xorb_id, user_id})
        .has_value();
  });
}

bool XetIndex::RenewLease(int64_t xorb_id, int64_t user_id) const {
  TimePoint now = clock_.Now();
  int64_t due = ToUnixMillis(now - kLeaseStep);
  std::optional<int64_t> renewed = db_.ReadValue([&](storage::Connection& c) {
    return c.QueryInt(
        "SELECT MIN(x.leased_at, COALESCE(u.told_at, x.leased_at)) FROM xorbs x "
        "LEFT JOIN xorb_uploaders u ON u.xorb_id = x.id AND u.user_id = ? WHERE x.id = ?",
        {user_id, xorb_id});
  });
  if (!renewed) return false;
  if (*renewed > due) return true;
  return db_.WriteValue([&](storage::Connection& c) {
    c.Exec("UPDATE xorb_uploaders SET told_at = ? WHERE xorb_id = ? AND user_id = ?",
           {ToUnixMillis(now), xorb_id, user_id});
    return c.Exec("UPDATE xorbs SET leased_at = ? WHERE id = ?", {ToUnixMillis(now), xorb_id}) > 0;
  });
}

bool XetIndex::MayHaveChunk(const XetHash& chunk) const {
  std::shared_lock lock(chunk_mutex_);
  return chunk_prefixes_.contains(Prefix(chunk.raw()));
}

std::vector<StoredXorb> XetIndex::FindChunk(const XetHash& chunk, size_t limit) const {
  std::vector<StoredXorb> found;
  if (!MayHaveChunk(chunk)) return found;
  db_.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT x.id, x.hash, x.body_bytes, x.unpacked_bytes FROM xet_chunks k "
        "JOIN xorbs x ON x.id = k.xorb_id WHERE k.hash = ? ORDER BY x.id LIMIT ?",
        {Key(chunk), static_cast<int64_t>(limit)},
        [&](const storage::Row& row) { found.push_back(XorbRow(row)); });
  });
  // The oldest, whom nobody can push out by sending others; in an order that says nothing of when
  // each came.
  std::sort(found.begin(), found.end(), [](const StoredXorb& a, const StoredXorb& b) {
    return std::pair(a.hash, a.body_bytes) < std::pair(b.hash, b.body_bytes);
  });
  return found;
}

// --- files

std::optional<XetFile> XetIndex::FindFile(const XetHash& hash) const {
  std::string sql =
      "SELECT id, hash, size FROM xet_files WHERE " + std::string(kHasHash) + "ORDER BY id LIMIT 1";
  return db_.ReadValue(
      [&](storage::Connection& c) { return c.QueryOne(sql, KeysOf(hash), FileRow); });
}

// SQL: the repository or bucket `?` shows the file f.
static std::string ShownBy(XetHolder kind) {
  return kind == XetHolder::kRepo
             ? "EXISTS (SELECT 1 FROM shown_files s WHERE s.file_id = f.id AND s.repo_id = ?)"
             : "EXISTS (SELECT 1 FROM bucket_files b WHERE b.file_id = f.id AND b.bucket_id = ?)";
}

static std::optional<XetFile> FindWhere(storage::Connection& c, const XetHash& hash,
                                        const std::string& condition, storage::DbArgs more) {
  storage::DbArgs args = KeysOf(hash);
  args.insert(args.end(), more.begin(), more.end());
  return c.QueryOne("SELECT f.id, f.hash, f.size FROM xet_files f WHERE f." +
                        std::string(kHasHash) + "AND (" + condition + ") ORDER BY EXISTS " +
                        RottenFile("f.id") + ", f.id LIMIT 1",
                    args, FileRow);
}

std::optional<XetFile> XetIndex::FindShown(XetHolder kind, int64_t holder_id,
                                           const XetHash& hash) const {
  return db_.ReadValue(
      [&](storage::Connection& c) { return FindWhere(c, hash, ShownBy(kind), {holder_id}); });
}

std::optional<XetFile> XetIndex::FindFileOf(storage::Connection& c, XetHolder kind,
                                            int64_t holder_id, const XetHash& hash) const {
  return FindWhere(c, hash,
                   ShownBy(kind) +
                       " OR EXISTS (SELECT 1 FROM xet_holders h WHERE h.file_id = f.id AND "
                       "h.kind = ? AND h.holder_id = ?)",
                   {holder_id, static_cast<int>(kind), holder_id});
}

std::optional<XetFile> XetIndex::FindFileOf(XetHolder kind, int64_t holder_id,
                                            const XetHash& hash) const {
  return db_.ReadValue(
      [&](storage::Connection& c) { return FindFileOf(c, kind, holder_id, hash); });
}

std::optional<XetFile> XetIndex::FindFileById(int64_t id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT id, hash, size FROM xet_files WHERE id = ?", {id}, FileRow);
  });
}

std::vector<XetIndex::Place> XetIndex::FindPlaces(const XetHash& hash) const {
  std::vector<Place> places;
  std::string files = "FROM xet_files f JOIN ";
  std::string where = ".file_id = f.id WHERE f." + std::string(kHasHash);
  std::string sql = "SELECT f.id, f.hash, f.size, 0, s.repo_id " + files + "shown_files s ON s" +
                    where + "UNION ALL SELECT f.id, f.hash, f.size, 1, b.bucket_id " + files +
                    "bucket_files b ON b" + where + "ORDER BY 1";
  storage::DbArgs args = KeysOf(hash);
  args.push_back(args[0]);
  args.push_back(args[1]);
  db_.Read([&](storage::Connection& c) {
    c.Query(sql, args, [&](const storage::Row& row) {
      places.push_back({FileRow(row), static_cast<XetHolder>(row.Int(3)), row.Int(4)});
    });
  });
  return places;
}

std::optional<XetFile> XetIndex::FileOf(const Sha256& oid) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne(
        "SELECT f.id, f.hash, f.size FROM object_files o JOIN xet_files f ON f.id = o.file_id "
        "WHERE o.sha256 = ? ORDER BY EXISTS " +
            RottenFile("f.id") +
            ", NOT EXISTS (SELECT 1 FROM shown_files s WHERE s.file_id = f.id AND "
            "s.sha256 = o.sha256), f.id LIMIT 1",
        {Key(oid)}, FileRow);
  });
}

bool XetIndex::IsProved(int64_t file_id, const Sha256& oid) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM object_files WHERE sha256 = ? AND file_id = ?",
                  {Key(oid), file_id})
        .has_value();
  });
}

std::optional<Sha256> XetIndex::Sha256Of(int64_t file_id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT sha256 FROM object_files WHERE file_id = ? LIMIT 1", {file_id},
                      [](const storage::Row& row) { return Sha256(row.Text(0)); });
  });
}

bool XetIndex::IsRotten(int64_t file_id) const {
  return db_.ReadValue([&](storage::Connection& c) { return IsRottenIn(c, file_id); });
}

void XetIndex::ForgetRottenFiles(storage::Connection& c, const Sha256& oid) const {
  c.Exec(
      "DELETE FROM object_files WHERE sha256 = ? AND EXISTS " + RottenFile("object_files.file_id"),
      {Key(oid)});
}

// The row to go on with; nullopt: a new one is needed.
static std::optional<int64_t> FindRow(storage::Connection& c, const XetIndex::NewFile& file,
                                      const std::optional<XetFile>& known) {
  if (known) return c.QueryInt("SELECT id FROM xet_files WHERE id = ?", {known->id});
  if (file.size_bytes > 0) return std::nullopt;
  // There is one way to make nothing.
  return c.QueryInt("SELECT id FROM xet_files WHERE " + std::string(kHasHash) + "LIMIT 1",
                    KeysOf(file.hash));
}

XetFile XetIndex::AddFile(storage::Connection& c, const NewFile& file,
                          const std::optional<XetFile>& known) const {
  int64_t now = ToUnixMillis(clock_.Now());
  std::map<storage::XorbForm, int64_t> xorb_ids;
  auto xorb_id = [&](const storage::XorbForm& xorb) {
    auto [at, is_new] = xorb_ids.try_emplace(xorb, 0);
    if (is_new) {
      std::optional<int64_t> id = c.QueryInt("SELECT id FROM xorbs WHERE hash = ?", {Key(xorb)});
      if (!id) {
        throw Error(Code::kConflict, "the xorb " + xorb.hash.Text() + " is no longer stored");
      }
      c.Exec("UPDATE xorbs SET leased_at = ? WHERE id = ?", {now, *id});
      at->second = *id;
    }
    return at->second;
  };
  std::optional<int64_t> row = FindRow(c, file, known);
  int64_t id = row.value_or(0);
  bool takes_terms = !row;
  if (row) {
    c.Exec("UPDATE xet_files SET leased_at = ? WHERE id = ?", {now, id});
    takes_terms = !file.terms.empty() && IsRottenIn(c, id);
    if (takes_terms) {
      c.Exec("DELETE FROM xet_segments WHERE file_id = ?", {id});
      c.Exec("DELETE FROM xet_file_xorbs WHERE file_id = ?", {id});
    }
  } else {
    // Never used again, so that the trash can name the row.
    std::string key = std::string(file.hash.raw()) + RandomBytes(kFileSuffixBytes);
    c.Exec("INSERT INTO xet_files (hash, size, created_at, leased_at) VALUES (?, ?, ?, ?)",
           {storage::BlobValue{std::move(key)}, file.size_bytes, now, now});
    id = c.LastInsertId();
  }
  if (takes_terms) {
    InsertSegments(c, id, file);
    std::set<int64_t> used;
    for (const storage::XetTerm& term : file.terms) used.insert(xorb_id(term.Form()));
    for (int64_t xorb : used) {
      c.Exec("INSERT INTO xet_file_xorbs (file_id, xorb_id) VALUES (?, ?)", {id, xorb});
    }
    for (const auto& [chunk, xorb] : file.chunks) {
      c.Exec("INSERT INTO xet_chunks (hash, xorb_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
             {Key(chunk), xorb_id(xorb)});
    }
  }
  if (file.sha256) Prove(c, id, *file.sha256);
  return {id, file.hash, file.size_bytes};
}

void XetIndex::Prove(storage::Connection& c, int64_t file_id, const Sha256& oid) const {
  c.Exec("INSERT INTO object_files (sha256, file_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
         {Key(oid), file_id});
}

void XetIndex::RememberChunks(const NewFile& file) {
  std::lock_guard lock(chunk_mutex_);
  for (const auto& [chunk, xorb] : file.chunks) chunk_prefixes_.insert(Prefix(chunk.raw()));
}

bool XetIndex::Show(storage::Connection& c, int64_t repo_id, const Sha256& oid,
                    int64_t file_id) const {
  return c.Exec(
             "INSERT INTO shown_files (repo_id, sha256, file_id) VALUES (?, ?, ?) "
             "ON CONFLICT DO NOTHING",
             {repo_id, Key(oid), file_id}) > 0;
}

void XetIndex::ShowAsIn(storage::Connection& c, int64_t repo_id, const Sha256& oid,
                        int64_t other_repo_id) const {
  c.Exec(
      "INSERT INTO shown_files (repo_id, sha256, file_id) "
      "SELECT ?, sha256, file_id FROM shown_files WHERE repo_id = ? AND sha256 = ? "
      "ON CONFLICT DO NOTHING",
      {repo_id, other_repo_id, Key(oid)});
}

void XetIndex::AddHolder(storage::Connection& c, XetHolder kind, int64_t holder_id, int64_t file_id,
                         int64_t user_id) const {
  c.Exec(
      "INSERT INTO xet_holders (kind, holder_id, file_id, user_id, created_at) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET created_at = excluded.created_at",
      {static_cast<int>(kind), holder_id, file_id, user_id, ToUnixMillis(clock_.Now())});
}

std::shared_ptr<const storage::TermSource> XetIndex::TermsOf(const XetFile& file) const {
  return std::make_shared<DatabaseTerms>(db_, file);
}

storage::XetReader XetIndex::Read(const XetFile& file, uint64_t start, uint64_t end) const {
  return storage::XetReader(xorbs_, TermsOf(file), start, end);
}

storage::Reconstruction XetIndex::Plan(const XetFile& file, uint64_t start, uint64_t end) const {
  return storage::PlanReconstruction(
      *TermsOf(file), start, end, [this](const storage::XorbForm& xorb) {
        storage::XorbIndexPtr index = xorbs_.FindIndex(xorb);
        if (!index)
          throw Error(Code::kInternal, "the xorb " + xorb.Text() + " is missing: run hearth fsck");
        return index;
      });
}

}  // namespace hearth::hub
