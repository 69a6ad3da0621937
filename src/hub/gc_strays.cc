// Files of the stores that no row knows: what an upload left that died between its file and its
// row. And temporary files that nobody has written to for a day.
#include <sys/stat.h>

#include <chrono>

#include "base/error.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

using storage::XorbForm;

constexpr size_t kStraysPerLook = 1000;
constexpr size_t kStraysPerLock = 16;
// Uploads write all the time; a temporary file that stood still for so long has no owner.
constexpr std::chrono::hours kTempLifetime{24};

struct StoredFile {
  std::string raw;   // hash, with the form behind it for xorbs
  std::string text;  // the same as a key
  uint64_t bytes = 0;
};

int64_t ModifiedAt(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) ThrowErrno("stat a stored file");
  return int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
}

class StraySearch {
 public:
  StraySearch(GcState& gc, TrashKind kind) : gc_(gc), kind_(kind) {}

  void Run() {
    if (kind_ == TrashKind::kStrayBlob) {
      gc_.hub.blobs().ForEach([&](const Sha256& oid, uint64_t bytes) {
        Add({std::string(oid.raw()), oid.Hex(), bytes});
      });
    } else {
      gc_.hub.xet_index().xorbs().ForEach([&](const XorbForm& xorb, uint64_t bytes) {
        Add({xorb.Key(), xorb.Text(), bytes});
      });
    }
    Look();
  }

 private:
  void Add(StoredFile file) {
    looked_at_.push_back(std::move(file));
    if (looked_at_.size() >= kStraysPerLook) Look();
  }

  bool HasRow(storage::Connection& c, const StoredFile& file) const {
    bool blob = kind_ == TrashKind::kStrayBlob;
    if (c.QueryInt(
            blob ? "SELECT 1 FROM objects WHERE sha256 = ?" : "SELECT 1 FROM xorbs WHERE hash = ?",
            {RawKey(file.raw)})) {
      return true;
    }
    // A dry run drops rows of its copy and leaves the files.
    TrashKind dropped = blob ? TrashKind::kObject : TrashKind::kXorb;
    return gc_.dry_run() &&
           c.QueryInt("SELECT 1 FROM gc_trash WHERE run_id = ? AND kind = ? AND key = ?",
                      {gc_.report.run_id, static_cast<int>(dropped), file.text});
  }

  bool IsOld(const StoredFile& file) const {
    try {
      auto fd = kind_ == TrashKind::kStrayBlob
                    ? gc_.hub.blobs().Open(Sha256(file.raw))
                    : gc_.hub.xet_index().xorbs().Open(XorbForm::FromKey(file.raw));
      return ModifiedAt(fd->get()) <= gc_.cutoff;
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      return false;  // went away meanwhile
    }
  }

  void Look() {
    gc_.Progress(kind_ == TrashKind::kStrayBlob ? "stored objects" : "stored xorbs",
                 seen_ += looked_at_.size(), 0);
    gc_.Step("looking for strays");
    std::vector<StoredFile> strays;
    gc_.db.Read([&](storage::Connection& c) {
      for (const StoredFile& file : looked_at_) {
        if (!HasRow(c, file)) strays.push_back(file);
      }
    });
    looked_at_.clear();
    std::erase_if(strays, [&](const StoredFile& file) { return !IsOld(file); });
    for (size_t i = 0; i < strays.size(); i += kStraysPerLock) {
      Take({strays.begin() + static_cast<ptrdiff_t>(i),
            strays.begin() + static_cast<ptrdiff_t>(std::min(i + kStraysPerLock, strays.size()))});
    }
  }

  void Take(const std::vector<StoredFile>& strays) {
    std::vector<TrashEntry> entries;
    SweepLock::Guard guard;
    if (!gc_.dry_run()) guard = gc_.hub.sweep_lock().Alone();
    gc_.db.Write([&](storage::Connection& c) {
      entries.clear();
      for (const StoredFile& file : strays) {
        // An upload of the same content may have ended between the look and the lock.
        if (HasRow(c, file) || !IsOld(file)) continue;
        entries.push_back({kind_, file.text, file.bytes, Json::Obj()});
        AddToTrash(c, gc_.report.run_id, entries.back(), /*pending_move=*/true);
      }
    });
    gc_.Step("stray found");
    MoveToTrash(gc_, gc_.report.run_id, entries);
    for (const TrashEntry& entry : entries) {
      ++gc_.report.strays;
      gc_.report.freed_bytes += entry.bytes;
      gc_.repos[0].freed_bytes += entry.bytes;
    }
  }

  GcState& gc_;
  const TrashKind kind_;
  std::vector<StoredFile> looked_at_;
  size_t seen_ = 0;
};

void RemoveOldTemporaries(const std::filesystem::path& folder, TimePoint now) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    TimePoint modified = FromUnixMillis(int64_t{info.st_mtim.tv_sec} * 1000);
    if (modified < now - kTempLifetime) std::filesystem::remove(entry.path(), error);
  }
}

}  // namespace

void SweepStrays(GcState& gc) {
  StraySearch(gc, TrashKind::kStrayBlob).Run();
  StraySearch(gc, TrashKind::kStrayXorb).Run();
  if (gc.dry_run()) return;
  RemoveOldTemporaries(gc.hub.blobs().temp_folder(), gc.hub.clock().Now());
  RemoveOldTemporaries(gc.hub.xet_index().xorbs().temp_folder(), gc.hub.clock().Now());
}

}  // namespace hearth::hub
