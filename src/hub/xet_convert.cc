#include "hub/xet_convert.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "hub/internal/disk_reserve.h"
#include "hub/internal/xet_coverage.h"
#include "hub/internal/xet_packer.h"

namespace hearth::hub {
namespace {

// So many objects are looked up at once; small ones of a group share a xorb.
constexpr size_t kBatch = 500;
constexpr size_t kReadBytes = 1 << 20;
// Files of this size have xorbs to themselves, so that how one is packed depends on its content and
// not on what lies beside it: then a second conversion stores no bytes. For one xorb more, not
// full.
constexpr uint64_t kAloneBytes = 16 << 20;
// That are looked at for what a group may know of one xorb; more cost only deduplication.
constexpr size_t kMaxKnownFiles = 1024;
constexpr std::chrono::seconds kMaxPause{60};
// Objects that got a Xet file otherwise (a client uploaded what LFS had stored), or grants that
// came back with an old date, are looked for this often.
constexpr std::chrono::hours kFullLook{6};

storage::DbValue Key(const Sha256& oid) { return storage::BlobValue{std::string(oid.raw())}; }

// Thrown inside a conversion when the server stops.
struct Stopped {};

}  // namespace

XetConverter::XetConverter(const Parts& parts, std::chrono::seconds after)
    : parts_(parts), after_(after) {}

XetConverter::~XetConverter() { Stop(); }

XetConverter::Stats XetConverter::stats() const {
  return {waiting_, converted_, failed_, read_bytes_, stored_bytes_};
}

// --- the thread

void XetConverter::Start() {
  thread_ = std::thread([this] { Run(); });
}

void XetConverter::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  stopping_ = false;
}

void XetConverter::Run() {
  // Of this thread only: requests go first.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  std::chrono::seconds pause = std::clamp(after_ / 4, std::chrono::seconds(1), kMaxPause);
  std::optional<std::chrono::steady_clock::time_point> full_look;
  while (!stopping_) {
    try {
      auto now = std::chrono::steady_clock::now();
      if (!full_look || now - *full_look > kFullLook) {
        full_look = now;
        looked_until_ = 0;
        DropLeftovers();
      }
      ConvertDue();
    } catch (const std::exception& fault) {
      // A full disk, for one: nothing is lost, and later it may work.
      log::Warning("conversion to Xet was interrupted", {{"reason", fault.what()}});
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause, [this] { return stopping_.load(); });
  }
}

// --- what is due

// SQL: grants that are due, as h, and their objects, as o; from and until.
#define HEARTH_DUE_GRANTS                                                        \
  "FROM repo_objects h JOIN objects o ON o.sha256 = h.sha256 "                   \
  "WHERE h.created_at >= ? AND h.created_at <= ? AND o.size > 0 AND NOT EXISTS " \
  "(SELECT 1 FROM shown_files s WHERE s.repo_id = h.repo_id AND s.sha256 = h.sha256) "

// SQL: a repository r whose readers are everybody.
#define HEARTH_PUBLIC "(r.private = 0 AND r.gated = '')"

void XetConverter::CountDue() {
  waiting_ = static_cast<uint64_t>(parts_.db.ReadValue([&](storage::Connection& c) {
    return c.QueryInt("SELECT COUNT(*) " HEARTH_DUE_GRANTS, {looked_until_, due_until_})
        .value_or(0);
  }));
}

// Who reads a file by Xet sees the hashes of the xorbs that it is made of and may use them for
// deduplication. So only objects with the same readers share xorbs: public ones, and those that one
// private repository holds. Public ones come first, since others may take their files over, and
// copies last.
std::vector<XetConverter::Candidate> XetConverter::FindDue() const {
  std::map<std::pair<int64_t, Sha256>, Candidate> due;
  parts_.db.Read([&](storage::Connection& c) {
    int64_t seen = 0;
    auto take = [&](const storage::Row& row) {
      ++seen;
      Candidate object;
      object.oid = Sha256(row.Text(0));
      object.size_bytes = static_cast<uint64_t>(row.Int(1));
      object.repo_id = row.Int(2);
      object.granted_at = row.Int(3);
      if (object.repo_id != 0) {
        object.origin = row.Int(4);
        object.pusher_id = row.Int(5);
      }
      if (!given_up_.contains(object.oid)) due[{object.repo_id, object.oid}] = object;
    };
    // Any number of repositories may hold what was given up.
    for (int64_t offset = 0; due.empty(); offset += static_cast<int64_t>(kBatch)) {
      seen = 0;
      c.Query("SELECT d.sha256, d.size, CASE WHEN " HEARTH_PUBLIC
              " THEN 0 ELSE r.id END, d.created_at, "
              "d.origin, d.pusher_id "
              "FROM (SELECT h.sha256, o.size, h.repo_id, h.created_at, h.origin, "
              "h.pusher_id " HEARTH_DUE_GRANTS
              "ORDER BY h.created_at, h.repo_id, h.sha256 LIMIT ? OFFSET ?) d "
              "JOIN repos r ON r.id = d.repo_id ORDER BY d.created_at",
              {looked_until_, due_until_, static_cast<int64_t>(kBatch), offset}, take);
      if (seen == 0) break;
    }
  });
  std::vector<Candidate> sorted;
  for (const auto& [key, object] : due) sorted.push_back(object);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.origin != 0, a.repo_id, a.granted_at) <
           std::tuple(b.origin != 0, b.repo_id, b.granted_at);
  });
  return sorted;
}

// Of files that everybody may read, or that the group's repository shows.
XetCoverage XetConverter::KnownOf(int64_t group, const StoredXorb& xorb, size_t chunks) const {
  std::vector<int64_t> ids = parts_.db.ReadInts(
      "SELECT DISTINCT x.file_id FROM xet_file_xorbs x JOIN shown_files s ON s.file_id = x.file_id "
      "JOIN repos r ON r.id = s.repo_id WHERE x.xorb_id = ? AND (" HEARTH_PUBLIC
      " OR r.id = ?) ORDER BY x.file_id LIMIT ?",
      {xorb.id, group, static_cast<int64_t>(kMaxKnownFiles)});
  std::vector<XetFile> files;
  for (int64_t id : ids) {
    if (std::optional<XetFile> file = parts_.index.FindFileById(id)) files.push_back(*file);
  }
  try {
    return CoverageOf(parts_.index, files, xorb, chunks);
  } catch (const Error&) {
    // The collector took one of them in between.
    return {std::vector<bool>(chunks), {}};
  }
}

// --- conversion

size_t XetConverter::ConvertDue() {
  size_t converted = 0;
  due_until_ = ToUnixMillis(parts_.clock.Now() - after_);
  CountDue();
  try {
    while (true) {
      std::vector<Candidate> due = FindDue();
      for (size_t begin = 0; begin < due.size();) {
        size_t end = begin + 1;
        while (end < due.size() && due[end].repo_id == due[begin].repo_id) ++end;
        converted += ConvertGroup(&due[begin], due.data() + end);
        begin = end;
      }
      if (due.empty()) {
        looked_until_ = due_until_;
        return converted;
      }
      // The oldest came first: whatever is older than the newest of them has been dealt with.
      for (const Candidate& object : due) {
        looked_until_ = std::max(looked_until_, object.granted_at);
      }
    }
  } catch (const Stopped&) {
    return converted;
  }
}

size_t XetConverter::ConvertGroup(const Candidate* begin, const Candidate* end) {
  int64_t group = begin->repo_id;
  XetPacker packer(parts_.index, parts_.sweep_lock,
                   [this, group](const StoredXorb& xorb, const storage::XorbIndex& index) {
                     return KnownOf(group, xorb, index.chunks.size());
                   });
  size_t converted = 0;
  bool has_room = true;
  for (const Candidate* object = begin; object != end; ++object) {
    // By another group of this batch.
    if (given_up_.contains(object->oid)) continue;
    try {
      if (ShowCopied(*object) || (MayKnow(object->oid) && ShowKnown(*object))) {
        ++converted;
        continue;
      }
      // Nothing goes away in exchange.
      if (!parts_.blobs.FindSize(object->oid) &&
          !HasRoom(parts_.index.xorbs().temp_folder(), parts_.reserve_bytes)) {
        has_room = false;
        break;
      }
      Pack(*object, packer);
    } catch (const Error& error) {
      packer.Abandon();
      if (error.code() == Code::kInsufficientStorage) throw;
      GiveUp(object->oid, error.message());
      continue;
    }
    converted += Publish(group, packer);
  }
  packer.Flush();
  converted += Publish(group, packer);
  stored_bytes_ += packer.stored_bytes();
  if (!has_room) {
    throw Error(Code::kInsufficientStorage, "the disk is nearly full: more forms must wait");
  }
  return converted;
}

// In whichever form it is stored.
template <typename Take>
void XetConverter::ReadContent(const Candidate& object, Take take) const {
  std::string buffer;
  if (!parts_.blobs.FindSize(object.oid)) {
    std::optional<XetFile> known;
    std::optional<storage::XetReader> reader;
    uint64_t at = 0;
    for (bool more = true; more;) {
      if (stopping_) throw Stopped();
      if (!known) known = parts_.index.FileOf(object.oid);
      if (!known) throw Error(Code::kNotFound, "its bytes are missing");
      buffer.clear();
      try {
        if (!reader) reader.emplace(parts_.index.Read(*known, at, known->size_bytes));
        more = reader->Next(&buffer);
      } catch (const Error&) {
        if (parts_.index.FindFileById(known->id)) throw;
        // The collector takes what nobody shows when another file has the same content: go on
        // there.
        reader.reset();
        known.reset();
        continue;
      }
      at += buffer.size();
      take(buffer);
    }
    return;
  }
  std::shared_ptr<UniqueFd> file = parts_.blobs.Open(object.oid);
  if (FileSize(file->get()) != object.size_bytes) {
    throw Error(Code::kInternal, "the object does not have its size: run hearth fsck");
  }
  for (uint64_t at = 0; at < object.size_bytes; at += buffer.size()) {
    if (stopping_) throw Stopped();
    buffer.resize(std::min<uint64_t>(kReadBytes, object.size_bytes - at));
    ReadExactAt(file->get(), at, buffer.data(), buffer.size());
    take(buffer);
  }
}

// Copies of one original, that the one who copied may read. The origin matters: what else they may
// read decides nothing, since they may have copied with a token that reads less.
std::optional<int64_t> XetConverter::FindCopied(const Candidate& object) const {
  if (object.origin == 0) return std::nullopt;
  std::optional<Actor> pusher = parts_.accounts.ActorOf(object.pusher_id);
  if (!pusher) return std::nullopt;
  std::vector<std::pair<int64_t, int64_t>> copies;  // file, repository
  parts_.db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT s.file_id, s.repo_id FROM repo_objects h JOIN shown_files s "
        "ON s.repo_id = h.repo_id AND s.sha256 = h.sha256 "
        "WHERE h.sha256 = ? AND (h.repo_id = ? OR h.origin = ?) ORDER BY 1",
        {Key(object.oid), object.origin, object.origin},
        [&](const storage::Row& row) { copies.emplace_back(row.Int(0), row.Int(1)); });
  });
  for (const auto& [file_id, repo_id] : copies) {
    if (parts_.repos.May(*pusher, repo_id, Right::kReadContent) &&
        !parts_.index.IsRotten(file_id)) {
      return file_id;
    }
  }
  return std::nullopt;
}

bool XetConverter::ShowCopied(const Candidate& object) {
  std::optional<int64_t> file_id = FindCopied(object);
  return file_id && ShowFile(object, *file_id);
}

// A public repository shows a file of it.
bool XetConverter::MayKnow(const Sha256& oid) const {
  return parts_.db.ReadValue([&](storage::Connection& c) {
    return c
        .QueryInt(
            "SELECT 1 FROM shown_files s JOIN object_files f ON f.sha256 = s.sha256 AND "
            "f.file_id = s.file_id JOIN repos r ON r.id = s.repo_id WHERE f.sha256 = ? "
            "AND " HEARTH_PUBLIC " LIMIT 1",
            {Key(oid)})
        .has_value();
  });
}

// The readers of the group may know a Xet file of the object: is it the one that would be made now?
// Then nothing is stored.
bool XetConverter::ShowKnown(const Candidate& object) {
  storage::Chunker chunker;
  storage::MerkleAggregator merkle;
  auto add = [&](std::string_view chunk) { merkle.Add(storage::HashChunk(chunk), chunk.size()); };
  ReadContent(object, [&](std::string_view bytes) { chunker.Feed(bytes, add); });
  chunker.Finish(add);
  std::optional<XetFile> known = FindKnown(object, merkle.FinishFile());
  return known && !parts_.index.IsRotten(known->id) && ShowFile(object, known->id);
}

// False when the file is gone, or has not been proved to have this content.
bool XetConverter::ShowFile(const Candidate& object, int64_t file_id) {
  bool shown = false;
  parts_.db.Write([&](storage::Connection& c) {
    shown = c.QueryInt("SELECT 1 FROM object_files WHERE sha256 = ? AND file_id = ?",
                       {Key(object.oid), file_id})
                .has_value();
    if (shown) Show(c, object, file_id);
  });
  if (shown) {
    if (waiting_ > 0) --waiting_;
    if (object.repo_id == 0) {
      Touch({object.oid});
    } else {
      parts_.repos.Touch(object.repo_id, [](RepoRecord&) {});
    }
  }
  return shown;
}

std::optional<XetFile> XetConverter::FindKnown(const Candidate& object,
                                               const storage::XetHash& hash) const {
  std::vector<XetIndex::Place> places = parts_.index.FindPlaces(hash);
  auto known = std::find_if(places.begin(), places.end(), [&](const XetIndex::Place& place) {
    if (place.kind != XetHolder::kRepo) return false;
    if (place.holder_id == object.repo_id) return true;
    RepoPtr repo = parts_.repos.FindById(place.holder_id);
    return repo && !repo->is_private && repo->gated == Gated::kOff;
  });
  return known == places.end() ? std::nullopt : std::optional(known->file);
}

// By the repositories of the group whose grants are due.
void XetConverter::Show(storage::Connection& c, const Candidate& object, int64_t file_id) const {
  c.Exec(
      "INSERT INTO shown_files (repo_id, sha256, file_id) SELECT h.repo_id, h.sha256, ? "
      "FROM repo_objects h JOIN repos r ON r.id = h.repo_id "
      "WHERE h.sha256 = ? AND h.created_at <= ? AND (CASE WHEN " HEARTH_PUBLIC
      " THEN 0 ELSE r.id END) = ? AND NOT EXISTS "
      "(SELECT 1 FROM shown_files s WHERE s.repo_id = h.repo_id AND s.sha256 = h.sha256)",
      {file_id, Key(object.oid), due_until_, object.repo_id});
}

void XetConverter::Pack(const Candidate& object, XetPacker& packer) {
  bool alone = object.size_bytes >= kAloneBytes;
  if (alone) packer.Flush();
  ReadContent(object, [&](std::string_view bytes) { packer.Feed(bytes); });
  packer.End(object.oid);
  if (alone) packer.Flush();
}

size_t XetConverter::Publish(int64_t group, XetPacker& packer) {
  std::vector<Sha256> done;
  for (const XetIndex::NewFile& file : packer.TakeComplete()) {
    if (stopping_) break;
    try {
      if (!PublishOne(group, file)) continue;
      done.push_back(*file.sha256);
      ++converted_;
      read_bytes_ += file.size_bytes;
      if (waiting_ > 0) --waiting_;
    } catch (const Error& error) {
      if (error.code() == Code::kInsufficientStorage) throw;
      GiveUp(*file.sha256, error.message());
    }
  }
  Touch(done);
  if (stopping_) throw Stopped();
  return done.size();
}

bool XetConverter::PublishOne(int64_t group, const XetIndex::NewFile& file) {
  const Sha256& oid = *file.sha256;
  if (Rebuild(file) != oid) {
    throw Error(Code::kInternal, "its content does not have its SHA-256: run hearth fsck --deep");
  }
  bool present = false;
  parts_.db.Write([&](storage::Connection& c) {
    present = c.QueryInt("SELECT 1 FROM objects WHERE sha256 = ?", {Key(oid)}).has_value();
    Candidate object;
    object.oid = oid;
    object.repo_id = group;
    if (present) Show(c, object, parts_.index.AddFile(c, file).id);
  });
  if (!present) return false;  // the collector took it meanwhile
  parts_.index.RememberChunks(file);
  DropWhole(oid);
  return true;
}

// As readers will see it.
Sha256 XetConverter::Rebuild(const XetIndex::NewFile& file) const {
  storage::XetReader reader(parts_.index.xorbs(), storage::MakeTermSource(file.terms), 0,
                            file.size_bytes);
  Sha256Hasher hasher;
  std::string piece;
  bool more = true;
  while (more) {
    if (stopping_) throw Stopped();
    piece.clear();
    more = reader.Next(&piece);
    hasher.Update(piece);
  }
  return hasher.Finish();
}

void XetConverter::DropWhole(const Sha256& oid) {
  // An upload of the same content holds the lock from its look for a Xet file to its grant.
  SweepLock::Guard guard = parts_.sweep_lock.Alone();
  std::optional<XetFile> file = parts_.index.FileOf(oid);
  if (file && !parts_.index.IsRotten(file->id)) parts_.blobs.Delete(oid);
}

// Whole objects that have a Xet file: a crash came before their removal, or a client uploaded by
// Xet what was stored already.
void XetConverter::DropLeftovers() {
  std::vector<Sha256> dropped;
  parts_.blobs.ForEach([&](const Sha256& oid, uint64_t) {
    if (stopping_ || !parts_.index.FileOf(oid)) return;
    DropWhole(oid);
    dropped.push_back(oid);
  });
  Touch(dropped);
}

// Remembered answers about these objects do not know of the Xet file.
void XetConverter::Touch(const std::vector<Sha256>& oids) {
  std::set<int64_t> repos;
  parts_.db.Read([&](storage::Connection& c) {
    for (const Sha256& oid : oids) {
      c.Query("SELECT repo_id FROM repo_objects WHERE sha256 = ?", {Key(oid)},
              [&](const storage::Row& row) { repos.insert(row.Int(0)); });
    }
  });
  for (int64_t id : repos) parts_.repos.Touch(id, [](RepoRecord&) {});
}

void XetConverter::GiveUp(const Sha256& oid, std::string_view reason) {
  ++failed_;
  if (waiting_ > 0) --waiting_;
  given_up_.insert(oid);
  log::Warning("an object could not be converted to Xet and stays whole",
               {{"object", oid.Hex()}, {"reason", std::string(reason)}});
}

}  // namespace hearth::hub
