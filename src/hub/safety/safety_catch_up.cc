// What is to be done at start: refs that moved while nobody looked, and answers about contents that
// are no longer here.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "hub/safety/safety_impl.h"

namespace hearth::hub {
namespace {

constexpr int64_t kStaleRows = 500;
constexpr size_t kAnswersPerWrite = 1000;
constexpr size_t kMostUnheld = 200'000;  // some 20 MB; the next collection goes on
// Stands for all refs of a repository in the table of refs: its "commit" is the time of the last
// change of any ref whose files are all in the table of contents.
constexpr std::string_view kAllRefs = "";

std::string Stamp(const RepoRecord& repo) { return std::to_string(ToUnixMillis(repo.modified_at)); }

}  // namespace

// A crash between the move of a ref and its record leaves a mark, which a running hub takes back.
void Safety::Impl::LoadUncertain() {
  for (int64_t id : parts.db.ReadInts("SELECT id FROM repos WHERE index_stale <> 0")) {
    uncertain.insert(id);
  }
}

// Refs that moved while nobody looked: a crash between the move and its listing, or a hub that was
// not scanned before. Some at a time, because that may be all of a large hub. False when that was
// all.
bool Safety::Impl::EnqueueStaleMains(int64_t* after) {
  std::vector<int64_t> ids = parts.db.ReadInts(
      "SELECT r.id FROM repos r LEFT JOIN safety_refs s ON s.repo_id = r.id AND s.ref = ? WHERE "
      "r.id > ? AND r.head IS NOT NULL AND (s.commit_oid IS NULL OR s.commit_oid <> r.head) "
      "ORDER BY r.id LIMIT ?",
      {kMainRef, *after, kStaleRows});
  for (int64_t id : ids) Enqueue(id, std::string(kMainRef));
  if (ids.empty()) return false;
  *after = ids.back();
  return true;
}

// The next repositories some ref of which may have moved since all were listed, by their records:
// none of the others is opened.
std::vector<int64_t> Safety::Impl::TakeUnsure(int64_t* after) {
  std::vector<int64_t> ids = parts.db.ReadInts(
      "SELECT r.id FROM repos r LEFT JOIN safety_refs s ON s.repo_id = r.id AND s.ref = ? WHERE "
      "r.id > ? AND (s.commit_oid IS NULL OR s.commit_oid <> CAST(r.modified_at AS TEXT)) ORDER "
      "BY r.id LIMIT ?",
      {kAllRefs, *after, kStaleRows});
  if (!ids.empty()) *after = ids.back();
  return ids;
}

size_t Safety::Impl::EnqueueStaleRefs(const RepoRecord& repo) {
  std::unordered_map<std::string, std::string> known;
  parts.db.Read([&](storage::Connection& c) {
    c.Query("SELECT ref, commit_oid FROM safety_refs WHERE repo_id = ? AND ref <> ?",
            {repo.id, kAllRefs}, [&](const storage::Row& row) { known[row.Str(0)] = row.Str(1); });
  });
  size_t stale = 0;
  auto enqueue = [&](const std::string& ref) {
    Enqueue(repo.id, ref);
    ++stale;
  };
  for (const storage::RefInfo& ref :
       storage::GitRepository::Open(parts.repos.GitFolder(repo)).ListRefs()) {
    auto found = known.find(ref.name);
    if (found == known.end() || found->second != ref.target.Hex()) enqueue(ref.name);
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [ref, commit] : known) enqueue(ref);  // is gone
  return stale;
}

// Compares all refs with the table and notes that they agree, once they do. The record is read
// before the refs: a ref that moves meanwhile makes it newer than the note.
void Safety::Impl::CatchUpRepo(int64_t repo_id) {
  for (int look = 0; look < 2 && !stopping; ++look) {
    RepoPtr repo = parts.repos.FindById(repo_id);
    if (!repo) return;
    try {
      if (EnqueueStaleRefs(*repo) == 0) {
        parts.db.Write([&](storage::Connection& c) {
          if (!c.QueryInt("SELECT 1 FROM repos WHERE id = ?", {repo_id})) return;
          c.Exec(
              "INSERT INTO safety_refs (repo_id, ref, commit_oid) VALUES (?, ?, ?) ON CONFLICT "
              "(repo_id, ref) DO UPDATE SET commit_oid = excluded.commit_oid",
              {repo_id, kAllRefs, Stamp(*repo)});
        });
        uncertain.erase(repo_id);
        return;
      }
    } catch (const Error&) {
      return;  // a repository that fsck will speak of
    }
    Drain();
  }
}

void Safety::Impl::CatchUp() {
  DropForgotten();
  int64_t after = 0;
  while (!stopping && EnqueueStaleMains(&after)) Drain();
  std::vector<int64_t> ids(uncertain.begin(), uncertain.end());
  after = 0;
  while (!stopping && !(ids.empty() && (ids = TakeUnsure(&after)).empty())) {
    for (int64_t id : ids) {
      if (stopping) return;
      CatchUpRepo(id);
    }
    ids.clear();
  }
  Drain();
}

// What is judged unsafe must stay so if it comes back: such answers stay. Those about blobs of git
// go with the repositories that hold them (DropUnheld).
void Safety::Impl::DropForgotten() {
  parts.db.Write([](storage::Connection& c) {
    c.Exec(
        "DELETE FROM safety_scans WHERE length(content) = 32 AND state <> ? AND NOT EXISTS (SELECT "
        "1 FROM objects WHERE objects.sha256 = safety_scans.content)",
        {static_cast<int64_t>(SafetyState::kUnsafe)});
    c.Exec(
        "DELETE FROM safety_scans WHERE instr(kind, '@') > 0 AND state <> ? AND NOT EXISTS (SELECT "
        "1 FROM repos WHERE repos.id = safety_scans.repo_id)",
        {static_cast<int64_t>(SafetyState::kUnsafe)});
  });
}

// A hub never takes objects out of a git repository, and what lies in one can be asked for by its
// commit: a blob is gone when every repository that held it is. Its row names one of them.
size_t Safety::DropUnheld(const std::function<bool()>& stop) {
  UnheldAnswers unheld;
  if (policy() == Quarantine::kOff) return 0;
  impl_->parts.db.Read([&](storage::Connection& c) {
    c.Query(
        "SELECT id, content FROM safety_scans WHERE length(content) = 20 AND state <> ? AND "
        "instr(kind, '@') = 0 AND NOT EXISTS (SELECT 1 FROM repos WHERE repos.id = "
        "safety_scans.repo_id) LIMIT ?",
        {static_cast<int64_t>(SafetyState::kUnsafe), static_cast<int64_t>(kMostUnheld)},
        [&](const storage::Row& row) { unheld[row.Str(1)].ids.push_back(row.Int(0)); });
  });
  if (unheld.empty()) return 0;
  std::vector<RepoPtr> all;
  impl_->parts.repos.ForEach([&](const RepoPtr& repo) { all.push_back(repo); });
  for (const RepoPtr& repo : all) {
    if (stop && stop()) return 0;
    try {
      storage::GitRepository git =
          storage::GitRepository::Open(impl_->parts.repos.GitFolder(*repo));
      for (auto& [content, row] : unheld) {
        if (row.holder == 0 && git.HasObject(GitOid(content))) row.holder = repo->id;
      }
    } catch (const Error&) {
      // What cannot be read keeps everything: it may be mended.
      if (impl_->parts.repos.FindById(repo->id)) return 0;
    }
  }
  return impl_->Settle(unheld);
}

size_t Safety::Impl::Settle(const UnheldAnswers& answers) {
  // A push since they were read has named itself as the holder (Insert): such rows are passed over.
  constexpr std::string_view kStillUnheld =
      " WHERE id = ? AND NOT EXISTS (SELECT 1 FROM repos WHERE repos.id = safety_scans.repo_id)";
  size_t dropped = 0;
  for (auto next = answers.begin(); next != answers.end();) {
    auto begin = next;
    size_t before = dropped;
    parts.db.Write([&](storage::Connection& c) {
      dropped = before;
      next = begin;
      for (size_t i = 0; i < kAnswersPerWrite && next != answers.end(); ++i, ++next) {
        const UnheldAnswer& answer = next->second;
        for (int64_t id : answer.ids) {
          if (answer.holder != 0) {
            c.Exec("UPDATE safety_scans SET repo_id = ?" + std::string(kStillUnheld),
                   {answer.holder, id});
          } else {
            c.Exec("DELETE FROM safety_scans" + std::string(kStillUnheld), {id});
            ++dropped;
          }
        }
      }
    });
  }
  return dropped;
}

}  // namespace hearth::hub
