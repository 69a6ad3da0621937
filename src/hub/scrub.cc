#include "hub/scrub.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;
using storage::XorbForm;

constexpr size_t kPieceBytes = 1 << 20;
constexpr int64_t kKeysPerLook = 64;

// Lets at most so many bytes through per second, evenly.
class Pace {
 public:
  Pace(uint64_t bytes_per_second, const GcHooks& hooks) : rate_(bytes_per_second), hooks_(hooks) {}
  void Spend(uint64_t bytes) {
    CheckStop();
    if (rate_ == 0) return;
    auto now = std::chrono::steady_clock::now();
    // What was not used in a pause is not made up for in a burst.
    due_ = std::max(due_, now) +
           std::chrono::nanoseconds(
               static_cast<int64_t>(1e9 * static_cast<double>(bytes) / static_cast<double>(rate_)));
    while (std::chrono::steady_clock::now() < due_) {
      auto left = due_ - std::chrono::steady_clock::now();
      std::this_thread::sleep_for(
          std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds(100)));
      CheckStop();
    }
  }

 private:
  void CheckStop() const {
    if (hooks_.stop != nullptr && hooks_.stop->load()) {
      throw Error(Code::kUnavailable, "the scrub was stopped; the next one goes on from here");
    }
  }
  const uint64_t rate_;
  const GcHooks& hooks_;
  std::chrono::steady_clock::time_point due_;
};

ino_t InodeOf(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) ThrowErrno("stat a stored file");
  return info.st_ino;
}

class Scrub {
 public:
  Scrub(Hub& hub, const ScrubOptions& options, const GcHooks& hooks)
      : hub_(hub), hooks_(hooks), pace_(options.bytes_per_second, hooks) {
    if (options.from_start) SaveCursor("");
  }

  ScrubReport Run() {
    std::string cursor = LoadCursor();
    std::string xorbs_from;
    if (cursor.starts_with("x:")) {
      xorbs_from = XorbForm::FromText(cursor.substr(2)).value_or(XorbForm()).Key();
    } else {
      Walk("objects", 'o', "SELECT sha256 FROM objects WHERE sha256 > ? ORDER BY sha256 LIMIT ?",
           cursor.starts_with("o:")
               ? std::string(Sha256::FromHex(cursor.substr(2)).value_or(Sha256()).raw())
               : "");
    }
    Walk("xorbs", 'x', "SELECT hash FROM xorbs WHERE hash > ? ORDER BY hash LIMIT ?", xorbs_from);
    SaveCursor("");
    if (!report_.findings.empty()) hub_.TellServer();
    return std::move(report_);
  }

 private:
  void Walk(std::string_view stage, char kind, std::string_view sql, std::string after) {
    for (;;) {
      std::vector<std::string> keys;
      hub_.db().Read([&](storage::Connection& c) {
        c.Query(sql, {RawKey(after), kKeysPerLook},
                [&](const storage::Row& row) { keys.push_back(row.Str(0)); });
      });
      if (keys.empty()) return;
      for (const std::string& key : keys) {
        if (hooks_.progress)
          hooks_.progress(stage, kind == 'o' ? report_.objects : report_.xorbs, 0);
        if (kind == 'o') {
          CheckObject(Sha256(key));
        } else {
          CheckXorb(XorbForm::FromKey(key));
        }
      }
      after = keys.back();
      SaveCursor(kind == 'o' ? "o:" + Sha256(after).Hex() : "x:" + XorbForm::FromKey(after).Text());
      if (hooks_.at_step) hooks_.at_step("cursor");
    }
  }

  std::string LoadCursor() {
    return hub_.db().ReadValue([](storage::Connection& c) {
      return c
          .QueryOne("SELECT value FROM meta WHERE key = 'scrub_cursor'", {},
                    [](const storage::Row& row) { return row.Str(0); })
          .value_or("");
    });
  }
  // Empty: a whole scrub ended, the next one begins at the front.
  void SaveCursor(const std::string& cursor) {
    int64_t now = ToUnixMillis(hub_.clock().Now());
    hub_.db().Write([&](storage::Connection& c) {
      auto set = [&](std::string_view key, const std::string& value) {
        c.Exec(
            "INSERT INTO meta (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            {key, value});
      };
      set("scrub_cursor", cursor);
      if (cursor.empty()) set("scrub_finished_at", std::to_string(now));
    });
  }

  template <typename F>
  void ReadPieces(int fd, uint64_t size_bytes, F each) {
    std::string buffer(kPieceBytes, '\0');
    for (uint64_t at = 0; at < size_bytes;) {
      size_t part = std::min<uint64_t>(buffer.size(), size_bytes - at);
      pace_.Spend(part);
      ReadExactAt(fd, at, buffer.data(), part);
      each(std::string_view(buffer).substr(0, part));
      report_.bytes += part;
      at += part;
    }
  }

  void CheckObject(const Sha256& oid) {
    ++report_.objects;
    std::shared_ptr<UniqueFd> fd;
    try {
      fd = hub_.blobs().Open(oid);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      if (hub_.objects().FindStored(oid) || !HasRow(oid)) return;  // a Xet file, or collected
      Report("object " + oid.Hex(), "its bytes are missing", {oid});
      return;
    }
    Sha256Hasher hasher;
    ReadPieces(fd->get(), FileSize(fd->get()),
               [&](std::string_view piece) { hasher.Update(piece); });
    if (hasher.Finish() == oid) return;
    fs::path target = Target(oid.Hex());
    SweepLock::Guard guard = hub_.sweep_lock().Alone();
    if (!SameFile(*fd, [&] { return hub_.blobs().Open(oid); })) return;
    Mark(0, oid.raw(), "its content does not have this SHA-256");
    hub_.blobs().MoveOut(oid, target);
    guard.Reset();
    Report("object " + oid.Hex(), "its content does not have this SHA-256", {oid});
  }

  void CheckXorb(const XorbForm& xorb) {
    ++report_.xorbs;
    std::shared_ptr<UniqueFd> fd;
    storage::XorbStore& xorbs = hub_.xet_index().xorbs();
    try {
      fd = xorbs.Open(xorb);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      return NoteMissing(xorb);
    }
    std::optional<std::string> fault = FaultOf(fd->get(), xorb);
    if (!fault) return;
    fs::path target = Target(xorb.Text());
    SweepLock::Guard guard = hub_.sweep_lock().Alone();
    if (!SameFile(*fd, [&] { return xorbs.Open(xorb); })) return;
    Mark(1, xorb.Key(), *fault);
    xorbs.MoveOut(xorb, target);
    guard.Reset();
    Report("xorb " + xorb.Text(), *fault, ObjectsOf(xorb), BucketsWith(xorb));
  }

  // Alone, so that neither an upload nor the collector is between its file and its row.
  void NoteMissing(const XorbForm& xorb) {
    constexpr std::string_view kReason = "its bytes are missing";
    SweepLock::Guard guard = hub_.sweep_lock().Alone();
    if (!hub_.xet_index().FindXorb(xorb) || hub_.xet_index().xorbs().FindIndex(xorb)) return;
    Mark(1, xorb.Key(), std::string(kReason));
    guard.Reset();
    Report("xorb " + xorb.Text(), std::string(kReason), ObjectsOf(xorb), BucketsWith(xorb));
  }

  std::optional<std::string> FaultOf(int fd, const XorbForm& xorb) {
    try {
      storage::XorbIndex index = storage::ReadXorbFooter(fd, xorb.Text());
      storage::XorbValidator validator;
      ReadPieces(fd, index.body_bytes, [&](std::string_view piece) { validator.Feed(piece); });
      storage::XorbIndex found = validator.Finish(xorb.hash);
      bool same = index.hash == xorb.hash && index.chunks.size() == found.chunks.size();
      for (size_t i = 0; same && i < found.chunks.size(); ++i) {
        same = index.chunks[i].hash == found.chunks[i].hash &&
               index.chunks[i].record_end == found.chunks[i].record_end &&
               index.chunks[i].unpacked_bytes == found.chunks[i].unpacked_bytes;
      }
      if (same) return std::nullopt;
      return "its footer does not describe its chunks";
    } catch (const Error& error) {
      if (error.code() == Code::kUnavailable) throw;
      return "its chunks are damaged: " + error.message();
    }
  }

  // Still the file that was read, and not one that an upload put there since.
  template <typename F>
  static bool SameFile(const UniqueFd& read, F open) {
    try {
      return InodeOf(read.get()) == InodeOf(open()->get());
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      return false;
    }
  }

  fs::path Target(const std::string& name) {
    fs::path folder = hub_.data() / "quarantine";
    fs::create_directories(folder);
    FsyncFolder(hub_.data());
    return folder / name;
  }

  bool HasRow(const Sha256& oid) {
    return hub_.db().ReadValue([&](storage::Connection& c) {
      return c.QueryInt("SELECT 1 FROM objects WHERE sha256 = ?", {RawKey(oid.raw())}).has_value();
    });
  }

  // Before the move: what is marked and whole is harmless, what is gone and not marked is not.
  void Mark(int kind, std::string_view raw, const std::string& reason) {
    hub_.db().Write([&](storage::Connection& c) {
      c.Exec(
          "INSERT INTO quarantine (kind, hash, found_at, reason) VALUES (?, ?, ?, ?) "
          "ON CONFLICT DO UPDATE SET found_at = excluded.found_at, reason = excluded.reason",
          {kind, RawKey(raw), ToUnixMillis(hub_.clock().Now()), reason});
    });
    if (hooks_.at_step) hooks_.at_step("marked");
  }

  void Report(const std::string& what, const std::string& reason, const std::set<Sha256>& oids,
              std::vector<std::string> affected = {}) {
    log::LogError("scrub found damage", {{"what", what}, {"reason", reason}});
    std::set<int64_t> holders = HoldersOf(oids);
    for (std::string& path : PathsOf(holders, oids)) affected.push_back(std::move(path));
    // Answers that are remembered would say that the content is there.
    for (int64_t id : holders) hub_.repos().Touch(id, [](RepoRecord&) {});
    report_.findings.push_back({what, reason, std::move(affected)});
  }

  std::set<Sha256> ObjectsOf(const XorbForm& xorb) {
    std::set<Sha256> oids;
    hub_.db().Read([&](storage::Connection& c) {
      c.Query(
          "SELECT p.sha256 FROM xorbs x JOIN xet_file_xorbs u ON u.xorb_id = x.id "
          "JOIN object_files p ON p.file_id = u.file_id WHERE x.hash = ?",
          {RawKey(xorb.Key())}, [&](const storage::Row& row) { oids.insert(Sha256(row.Text(0))); });
    });
    return oids;
  }

  std::vector<std::string> BucketsWith(const XorbForm& xorb) {
    std::vector<std::string> affected;
    hub_.db().Read([&](storage::Connection& c) {
      c.Query(
          "SELECT a.name || '/' || k.name, b.path FROM xorbs x "
          "JOIN xet_file_xorbs u ON u.xorb_id = x.id "
          "JOIN bucket_files b ON b.file_id = u.file_id JOIN buckets k ON k.id = b.bucket_id "
          "JOIN accounts a ON a.id = k.owner_id WHERE x.hash = ?",
          {RawKey(xorb.Key())}, [&](const storage::Row& row) {
            affected.push_back("bucket " + row.Str(0) + ": " + row.Str(1));
          });
    });
    return affected;
  }

  std::set<int64_t> HoldersOf(const std::set<Sha256>& oids) {
    std::set<int64_t> holders;
    hub_.db().Read([&](storage::Connection& c) {
      for (const Sha256& oid : oids) {
        c.Query("SELECT repo_id FROM repo_objects WHERE sha256 = ?", {RawKey(oid.raw())},
                [&](const storage::Row& row) { holders.insert(row.Int(0)); });
      }
    });
    return holders;
  }

  // Each holder with the files of main where one of the objects is shown.
  std::vector<std::string> PathsOf(const std::set<int64_t>& holders, const std::set<Sha256>& oids) {
    std::vector<std::string> affected;
    for (int64_t id : holders) {
      RepoPtr repo = hub_.repos().FindById(id);
      if (!repo) continue;
      std::string name = std::string(SingularName(repo->type)) + " " + repo->FullName();
      std::vector<std::string> paths = PathsIn(*repo, oids);
      if (paths.empty()) affected.push_back(name + ": not at main");
      for (const std::string& path : paths) affected.push_back(name + ": " + path);
    }
    return affected;
  }

  std::vector<std::string> PathsIn(const RepoRecord& repo, const std::set<Sha256>& oids) {
    std::vector<std::string> paths;
    try {
      storage::GitRepository git = storage::GitRepository::Open(hub_.repos().GitFolder(repo));
      std::optional<GitOid> head = git.FindRef("refs/heads/main");
      if (!head) return paths;
      storage::GitRepository::ListOptions everything;
      everything.recursive = true;
      for (const storage::TreeEntry& entry : git.ListTree(*head, "", everything)) {
        if (entry.size_bytes == 0 || entry.size_bytes > storage::kMaxPointerBytes) continue;
        auto pointer = storage::ParseLfsPointer(git.ReadBlob(entry.oid));
        if (pointer && oids.contains(pointer->oid)) paths.push_back(entry.path);
      }
    } catch (const Error& error) {
      paths.push_back("(git: " + error.message() + ")");
    }
    return paths;
  }

  Hub& hub_;
  const GcHooks& hooks_;
  Pace pace_;
  ScrubReport report_;
};

}  // namespace

Json ScrubReport::ToJson() const {
  Json list = Json::Arr();
  for (const ScrubFinding& finding : findings) {
    list.Push(Json::Obj({{"what", finding.what},
                         {"reason", finding.reason},
                         {"affected", Json(finding.affected)}}));
  }
  return Json::Obj(
      {{"objects", objects}, {"xorbs", xorbs}, {"bytes", bytes}, {"findings", std::move(list)}});
}

ScrubReport RunScrub(Hub& hub, const ScrubOptions& options, const GcHooks& hooks) {
  return Scrub(hub, options, hooks).Run();
}

}  // namespace hearth::hub
