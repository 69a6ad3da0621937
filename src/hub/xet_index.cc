#include "hub/xet_index.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <span>

#include "base/error.h"

namespace hearth::hub {
namespace {

using storage::XetHash;

constexpr size_t kTermsPerSegment = 1024;
constexpr size_t kTermBytes = 44;
// A lease that was renewed within this time is not written again; the grace of garbage collection
// is days longer than the time for which clients remember.
constexpr std::chrono::hours kLeaseStep{1};

storage::DbValue Key(const XetHash& hash) { return storage::BlobValue{std::string(hash.raw())}; }
storage::DbValue Key(const Sha256& oid) { return storage::BlobValue{std::string(oid.raw())}; }

uint64_t Prefix(std::string_view raw) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, raw.data(), std::min(raw.size(), sizeof(prefix)));
  return prefix;
}

std::string PackTerms(std::span<const storage::XetTerm> terms) {
  std::string packed;
  packed.reserve(terms.size() * kTermBytes);
  for (const storage::XetTerm& term : terms) {
    packed += term.xorb.raw();
    for (uint32_t field : {term.unpacked_bytes, term.chunk_start, term.chunk_end}) {
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
    std::memcpy(&term.chunk_end, packed.data() + 40, 4);
    packed.remove_prefix(kTermBytes);
  }
  return terms;
}

StoredXorb XorbRow(const storage::Row& row) {
  return {row.Int(0), XetHash::FromRaw(row.Text(1)), static_cast<uint64_t>(row.Int(2)),
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

std::optional<StoredXorb> XetIndex::FindXorb(const XetHash& hash) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT id, hash, body_bytes, unpacked_bytes FROM xorbs WHERE hash = ?",
                      {Key(hash)}, XorbRow);
  });
}

StoredXorb XetIndex::AddXorb(const storage::XorbIndex& index, int64_t user_id) {
  int64_t now = ToUnixMillis(clock_.Now());
  return db_.WriteValue([&](storage::Connection& c) {
    c.Exec(
        "INSERT INTO xorbs (hash, body_bytes, unpacked_bytes, created_at, leased_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET leased_at = excluded.leased_at",
        {Key(index.hash), static_cast<int64_t>(index.body_bytes),
         static_cast<int64_t>(index.unpacked_bytes), now, now});
    StoredXorb xorb =
        *c.QueryOne("SELECT id, hash, body_bytes, unpacked_bytes FROM xorbs WHERE hash = ?",
                    {Key(index.hash)}, XorbRow);
    // Bytes that scrub took away for rot are whole again.
    c.Exec("DELETE FROM quarantine WHERE kind = 1 AND hash = ?", {Key(index.hash)});
    if (user_id != 0) {
      c.Exec("INSERT INTO xorb_uploaders (xorb_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
             {xorb.id, user_id});
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

bool XetIndex::RenewLease(int64_t xorb_id) const {
  TimePoint now = clock_.Now();
  int64_t due = ToUnixMillis(now - kLeaseStep);
  std::optional<int64_t> leased = db_.ReadValue([&](storage::Connection& c) {
    return c.QueryInt("SELECT leased_at FROM xorbs WHERE id = ?", {xorb_id});
  });
  if (!leased) return false;
  if (*leased > due) return true;
  return db_.WriteValue([&](storage::Connection& c) {
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
  return found;
}

std::vector<StoredXorb> XetIndex::FindCompanions(int64_t xorb_id, size_t limit) const {
  // A client sends several xorbs at a time, so an earlier part of the file may have a later id.
  constexpr int64_t kSentTogether = 8;
  std::vector<StoredXorb> found;
  db_.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT x.id, x.hash, x.body_bytes, x.unpacked_bytes FROM xet_file_xorbs f "
        "JOIN xorbs x ON x.id = f.xorb_id WHERE f.file_id = "
        "(SELECT MAX(file_id) FROM xet_file_xorbs WHERE xorb_id = ?) "
        "AND f.xorb_id >= ? AND f.xorb_id <> ? ORDER BY f.xorb_id LIMIT ?",
        {xorb_id, xorb_id - kSentTogether, xorb_id, static_cast<int64_t>(limit)},
        [&](const storage::Row& row) { found.push_back(XorbRow(row)); });
  });
  return found;
}

// --- files

std::optional<XetFile> XetIndex::FindFile(const XetHash& hash) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT id, hash, size FROM xet_files WHERE hash = ?", {Key(hash)}, FileRow);
  });
}

std::optional<XetFile> XetIndex::FindFileById(int64_t id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne("SELECT id, hash, size FROM xet_files WHERE id = ?", {id}, FileRow);
  });
}

std::optional<XetFile> XetIndex::FileOf(const Sha256& oid) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c.QueryOne(
        "SELECT f.id, f.hash, f.size FROM object_files o JOIN xet_files f ON f.id = o.file_id "
        "WHERE o.sha256 = ? ORDER BY f.id LIMIT 1",
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

XetFile XetIndex::AddFile(storage::Connection& c, const NewFile& file) const {
  int64_t now = ToUnixMillis(clock_.Now());
  std::map<XetHash, int64_t> xorb_ids;
  auto xorb_id = [&](const XetHash& hash) {
    auto [at, is_new] = xorb_ids.try_emplace(hash, 0);
    if (is_new) {
      std::optional<int64_t> id = c.QueryInt("SELECT id FROM xorbs WHERE hash = ?", {Key(hash)});
      if (!id) throw Error(Code::kConflict, "the xorb " + hash.Text() + " is no longer stored");
      c.Exec("UPDATE xorbs SET leased_at = ? WHERE id = ?", {now, *id});
      at->second = *id;
    }
    return at->second;
  };
  std::optional<int64_t> known =
      c.QueryInt("SELECT id FROM xet_files WHERE hash = ?", {Key(file.hash)});
  int64_t id = 0;
  bool takes_terms = !known;
  if (known) {
    id = *known;
    c.Exec("UPDATE xet_files SET leased_at = ? WHERE id = ?", {now, id});
    takes_terms = !file.terms.empty() && IsRottenIn(c, id);
    if (takes_terms) {
      c.Exec("DELETE FROM xet_segments WHERE file_id = ?", {id});
      c.Exec("DELETE FROM xet_file_xorbs WHERE file_id = ?", {id});
    }
  } else {
    c.Exec("INSERT INTO xet_files (hash, size, created_at, leased_at) VALUES (?, ?, ?, ?)",
           {Key(file.hash), file.size_bytes, now, now});
    id = c.LastInsertId();
  }
  if (takes_terms) {
    InsertSegments(c, id, file);
    std::set<int64_t> used;
    for (const storage::XetTerm& term : file.terms) used.insert(xorb_id(term.xorb));
    for (int64_t xorb : used) {
      c.Exec("INSERT INTO xet_file_xorbs (file_id, xorb_id) VALUES (?, ?)", {id, xorb});
    }
    for (const auto& [chunk, xorb] : file.chunks) {
      c.Exec("INSERT INTO xet_chunks (hash, xorb_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
             {Key(chunk), xorb_id(xorb)});
    }
  }
  if (file.sha256) {
    c.Exec("INSERT INTO object_files (sha256, file_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
           {Key(*file.sha256), id});
  }
  return {id, file.hash, file.size_bytes};
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

bool XetIndex::IsShown(int64_t repo_id, int64_t file_id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM shown_files WHERE file_id = ? AND repo_id = ? LIMIT 1",
                  {file_id, repo_id})
        .has_value();
  });
}

void XetIndex::AddHolder(storage::Connection& c, XetHolder kind, int64_t holder_id, int64_t file_id,
                         int64_t user_id) const {
  c.Exec(
      "INSERT INTO xet_holders (kind, holder_id, file_id, user_id, created_at) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET created_at = excluded.created_at",
      {static_cast<int>(kind), holder_id, file_id, user_id, ToUnixMillis(clock_.Now())});
}

bool XetIndex::IsHeld(XetHolder kind, int64_t holder_id, int64_t file_id) const {
  return db_.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt("SELECT 1 FROM xet_holders WHERE kind = ? AND holder_id = ? AND file_id = ?",
                  {static_cast<int>(kind), holder_id, file_id})
        .has_value();
  });
}

std::shared_ptr<const storage::TermSource> XetIndex::TermsOf(const XetFile& file) const {
  return std::make_shared<DatabaseTerms>(db_, file);
}

storage::XetReader XetIndex::Read(const XetFile& file, uint64_t start, uint64_t end) const {
  return storage::XetReader(xorbs_, TermsOf(file), start, end);
}

storage::Reconstruction XetIndex::Plan(const XetFile& file, uint64_t start, uint64_t end) const {
  return storage::PlanReconstruction(*TermsOf(file), start, end, [this](const XetHash& hash) {
    storage::XorbIndexPtr index = xorbs_.FindIndex(hash);
    if (!index)
      throw Error(Code::kInternal, "the xorb " + hash.Text() + " is missing: run hearth fsck");
    return index;
  });
}

}  // namespace hearth::hub
