#include "hub/gc.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {
namespace {

// Removes the copy of a dry run however that ends.
struct ScratchFolder {
  explicit ScratchFolder(std::filesystem::path p) : path(std::move(p)) {
    std::filesystem::create_directories(path);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

int64_t BeginRun(storage::Database& db, int64_t now) {
  return db.WriteValue([&](storage::Connection& c) {
    c.Exec("UPDATE gc_runs SET state = 'stopped', finished_at = ? WHERE state = 'running'", {now});
    c.Exec("INSERT INTO gc_runs (state, started_at) VALUES ('running', ?)", {now});
    return c.LastInsertId();
  });
}

void EndRun(GcState& gc, int64_t now) {
  gc.db.Write([&](storage::Connection& c) {
    c.Exec(
        "UPDATE gc_runs SET state = 'done', finished_at = ?, freed_bytes = ?, summary = ? "
        "WHERE id = ?",
        {now, gc.report.freed_bytes, gc.report.ToJson().Dump(), gc.report.run_id});
  });
}

void NameRepositories(GcState& gc) {
  for (auto& [id, repo] : gc.repos) {
    RepoPtr record = id != 0 ? gc.hub.repos().FindById(id) : nullptr;
    if (record) {
      repo.repo = std::string(SingularName(record->type)) + " " + record->FullName();
    }
    if (repo.objects > 0 || repo.freed_bytes > 0 || !repo.problem.empty()) {
      gc.report.repos.push_back(std::move(repo));
    }
  }
}

void Collect(GcState& gc) {
  RevokeUnusedGrants(gc);
  SweepObjects(gc);
  SweepFiles(gc);
  SweepXorbs(gc);
  SweepStrays(gc);
  if (!gc.dry_run()) {
    gc.report.answers = gc.hub.safety().DropUnheld(
        [&gc] { return gc.hooks.stop != nullptr && gc.hooks.stop->load(); });
  }
  NameRepositories(gc);
}

GcReport DryRun(Hub& hub, const GcOptions& options, const GcHooks& hooks, int64_t now) {
  ScratchFolder scratch(hub.temp_folder() / ("gc-" + RandomAlphanumeric(12)));
  hub.db().BackupTo(scratch.path / "copy.db");
  std::unique_ptr<storage::Database> copy = storage::Database::OpenSqlite(scratch.path / "copy.db");
  GcState gc{hub, *copy, options, hooks, now - options.grace.count(), {}, {}, {}, {}, {}};
  gc.report.run_id = BeginRun(*copy, now);
  Collect(gc);
  gc.report.run_id = 0;
  return std::move(gc.report);
}

}  // namespace

UniqueFd LockGc(const std::filesystem::path& data) {
  std::filesystem::path file = data / "gc.lock";
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) ThrowErrno("open " + file.string());
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) ThrowErrno("lock " + file.string());
    throw Error(Code::kConflict,
                "another garbage collection, or fsck --repair, of this data folder is running; try "
                "again when it has ended");
  }
  return fd;
}

void GcState::Step(std::string_view step) const {
  if (hooks.at_step) hooks.at_step(step);
  if (hooks.stop != nullptr && hooks.stop->load()) {
    throw Error(Code::kUnavailable, "the garbage collection was stopped; the next one goes on");
  }
}

void GcState::Progress(std::string_view stage, size_t done, size_t total) const {
  if (hooks.progress) hooks.progress(stage, done, total);
}

int64_t GcState::RepoOf(const std::unordered_map<int64_t, int64_t>& owners, int64_t id) const {
  auto found = owners.find(id);
  return found == owners.end() ? 0 : found->second;
}

Json GcReport::ToJson() const {
  Json list = Json::Arr();
  for (const GcRepoReport& repo : repos) {
    Json row = Json::Obj({{"repository", repo.repo.empty() ? Json() : Json(repo.repo)},
                          {"objects", repo.objects},
                          {"nominalBytes", repo.nominal_bytes},
                          {"freedBytes", repo.freed_bytes}});
    if (!repo.problem.empty()) row.Set("problem", repo.problem);
    list.Push(std::move(row));
  }
  return Json::Obj({{"run", run_id == 0 ? Json() : Json(run_id)},
                    {"grants", grants},
                    {"objects", objects},
                    {"xetFiles", files},
                    {"xorbs", xorbs},
                    {"strayFiles", strays},
                    {"scanAnswers", answers},
                    {"freedBytes", freed_bytes},
                    {"emptiedRuns", emptied_runs},
                    {"emptiedBytes", emptied_bytes},
                    {"repositories", std::move(list)}});
}

GcReport RunGc(Hub& hub, const GcOptions& options, const GcHooks& hooks) {
  int64_t now = ToUnixMillis(hub.clock().Now());
  if (options.dry_run) return DryRun(hub, options, hooks, now);
  UniqueFd lock = LockGc(hub.data());
  GcState gc{hub, hub.db(), options, hooks, now - options.grace.count(), {}, {}, {}, {}, {}};
  FinishMoves(gc);
  FinishUndos(gc);
  EmptyOldTrash(gc);
  gc.report.run_id = BeginRun(hub.db(), now);
  gc.Step("begun");
  Collect(gc);
  EndRun(gc, ToUnixMillis(hub.clock().Now()));
  gc.Step("ended");
  EmptyOldTrash(gc);
  return std::move(gc.report);
}

std::vector<GcRun> ListGcRuns(Hub& hub) {
  std::vector<GcRun> runs;
  hub.db().Read([&](storage::Connection& c) {
    c.Query(
        "SELECT r.id, r.state, r.started_at, r.finished_at, "
        "(SELECT COUNT(*) FROM gc_trash t WHERE t.run_id = r.id), "
        "(SELECT COALESCE(SUM(t.bytes), 0) FROM gc_trash t WHERE t.run_id = r.id) "
        "FROM gc_runs r ORDER BY r.id DESC",
        {}, [&](const storage::Row& row) {
          GcRun run;
          run.id = row.Int(0);
          run.state = row.Str(1);
          run.started_at = FromUnixMillis(row.Int(2));
          if (!row.IsNull(3)) run.finished_at = FromUnixMillis(row.Int(3));
          run.entries = static_cast<size_t>(row.Int(4));
          run.bytes = static_cast<uint64_t>(row.Int(5));
          runs.push_back(std::move(run));
        });
  });
  return runs;
}

}  // namespace hearth::hub
