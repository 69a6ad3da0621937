// The rows of contents: put in, taken for scanning, answered.
#include "hub/safety/safety_impl.h"

namespace hearth::hub {
namespace {

// Rows of one look at the table, and bytes of one batch of scans: what a crash repeats.
constexpr int64_t kBatchRows = 32;
constexpr uint64_t kBatchBytes = 64ull << 20;
constexpr size_t kRowsPerWrite = 1000;
constexpr int64_t kMaxTries = 3;

}  // namespace

void Safety::Impl::LoadUnsafe() {
  parts.db.Read([&](storage::Connection& c) {
    c.Query("SELECT DISTINCT content FROM safety_scans WHERE state = ?",
            {static_cast<int>(SafetyState::kUnsafe)},
            [&](const storage::Row& row) { unsafe.insert(row.Str(0)); });
  });
  unsafe_count = unsafe.size();
}

// After a crash, and after a change of the rules.
void Safety::Impl::Recover() {
  parts.db.Write([&](storage::Connection& c) {
    c.Exec("UPDATE safety_scans SET pending = ? WHERE pending = ? AND tries < ?",
           {kPending, kRunning, kMaxTries});
    c.Exec(
        "UPDATE safety_scans SET pending = ?, state = ?, rules = ?, report = ? WHERE pending = ?",
        {kNotPending, static_cast<int>(SafetyState::kError), kSafetyRules,
         Json::Obj({{"error", "Scanning it ended the scanner three times."}}).Dump(), kRunning});
    c.Exec("UPDATE safety_scans SET pending = ?, tries = 0 WHERE pending = ? AND rules < ?",
           {kPending, kNotPending, kSafetyRules});
  });
}

void Safety::Impl::Insert(const RepoRecord& repo, std::span<const SafetyKey> keys) {
  int64_t now = ToUnixMillis(parts.clock.Now());
  bool is_open = !repo.is_private && repo.gated == Gated::kOff;
  for (size_t at = 0; at < keys.size(); at += kRowsPerWrite) {
    std::span<const SafetyKey> some = keys.subspan(at, std::min(kRowsPerWrite, keys.size() - at));
    parts.db.Write([&](storage::Connection& c) {
      for (const SafetyKey& key : some) {
        // What a public repository has brought is judged for all.
        if (!is_open &&
            c.QueryInt("SELECT 1 FROM safety_scans WHERE content = ? AND kind = ? AND (pending > 0 "
                       "OR (state <> ? AND rules >= ?))",
                       {ContentValue(key.content), key.kind, static_cast<int>(SafetyState::kError),
                        kSafetyRules})) {
          continue;
        }
        // What could not be read before may be there now, and what a deleted repository held has
        // a new holder.
        c.Exec(
            "INSERT INTO safety_scans (content, kind, size, pending, repo_id, queued_at) VALUES "
            "(?, ?, ?, ?, ?, ?) ON CONFLICT (content, kind) DO UPDATE SET pending = "
            "excluded.pending, repo_id = excluded.repo_id, queued_at = excluded.queued_at, tries "
            "= 0 WHERE pending = 0 AND (state = ? OR rules < ? OR NOT EXISTS (SELECT 1 FROM repos "
            "WHERE repos.id = safety_scans.repo_id))",
            {ContentValue(key.content), is_open ? key.kind : OwnKind(key.kind, repo.id),
             key.size_bytes, kPending, repo.id, now, static_cast<int>(SafetyState::kError),
             kSafetyRules});
      }
    });
  }
  if (keys.empty()) return;
  std::lock_guard lock(mutex);
  work = true;
  changed.notify_all();
}

// The newest first: what was just pushed does not wait for all that a first start or new rules put
// into the table. One that was taken before is scanned alone: if it ends the process again, nothing
// else suffers.
std::vector<WaitingScan> Safety::Impl::TakeBatch() {
  std::vector<WaitingScan> batch;
  bool any = parts.db.ReadValue([](storage::Connection& c) {
    return c.QueryInt("SELECT 1 FROM safety_scans WHERE pending = ? LIMIT 1", {kPending})
        .has_value();
  });
  if (!any) return batch;
  parts.db.Write([&](storage::Connection& c) {
    batch.clear();
    uint64_t bytes = 0;
    bool full = false;
    c.Query(
        "SELECT id, content, kind, repo_id, state, size, tries FROM safety_scans WHERE pending = ? "
        "ORDER BY id DESC LIMIT ?",
        {kPending, kBatchRows}, [&](const storage::Row& row) {
          auto size = static_cast<uint64_t>(row.Int(5));
          bool again = row.Int(6) > 0;
          full = full || (!batch.empty() && (again || bytes + size > kBatchBytes));
          if (full) return;
          bytes += size;
          full = again;
          batch.push_back({row.Int(0), row.Str(1), KindOf(row.Text(2)), row.Int(3),
                           static_cast<SafetyState>(row.Int(4))});
        });
    for (const WaitingScan& row : batch) {
      c.Exec("UPDATE safety_scans SET pending = ?, tries = tries + 1 WHERE id = ?",
             {kRunning, row.id});
    }
  });
  return batch;
}

std::vector<FlaggedContent> Safety::Flagged(size_t limit) const {
  std::vector<FlaggedContent> flagged;
  if (impl_->policy == Quarantine::kOff) return flagged;
  impl_->parts.db.Read([&](storage::Connection& c) {
    for (SafetyState state :
         {SafetyState::kUnsafe, SafetyState::kError, SafetyState::kSuspicious}) {
      c.Query(
          "SELECT content, kind, size, repo_id, rules, scanned_at, report FROM safety_scans WHERE "
          "state = ? ORDER BY scanned_at DESC LIMIT ?",
          {static_cast<int>(state), static_cast<int64_t>(limit - flagged.size())},
          [&](const storage::Row& row) {
            FlaggedContent& one = flagged.emplace_back();
            one.content = row.Str(0);
            one.kind = KindOf(row.Text(1));
            one.size_bytes = static_cast<uint64_t>(row.Int(2));
            one.repo_id = row.Int(3);
            one.safety.state = state;
            one.safety.rules = static_cast<int>(row.Int(4));
            one.safety.scanned_at = FromUnixMillis(row.Int(5));
            if (row.Text(6).empty()) return;
            one.safety.report = Json::Parse(row.Text(6));
            one.safety.error = one.safety.report.StringField("error").value_or("");
          });
    }
  });
  return flagged;
}

void Safety::ScanFailedAgain() {
  if (impl_->policy == Quarantine::kOff) return;
  impl_->parts.db.Write([&](storage::Connection& c) {
    c.Exec("UPDATE safety_scans SET pending = ?, tries = 0 WHERE pending = ? AND state = ?",
           {kPending, kNotPending, static_cast<int>(SafetyState::kError)});
  });
  std::lock_guard lock(impl_->mutex);
  impl_->work = true;
  impl_->changed.notify_all();
}

void Safety::Impl::Save(const std::vector<ScanOutcome>& done) {
  int64_t now = ToUnixMillis(parts.clock.Now());
  parts.db.Write([&](storage::Connection& c) {
    for (const ScanOutcome& row : done) {
      Json report = row.report;
      if (!row.error.empty()) report = Json::Obj({{"error", row.error}});
      c.Exec(
          "UPDATE safety_scans SET state = ?, pending = ?, rules = ?, tries = 0, scanned_at = ?, "
          "report = ? WHERE id = ?",
          {static_cast<int>(row.state), kNotPending, kSafetyRules, now, report.Dump(), row.id});
    }
  });
  for (const ScanOutcome& row : done) {
    bool bad = row.state == SafetyState::kUnsafe;
    if (!bad && unsafe_count == 0) continue;
    // Under another name the same content may still be unsafe.
    if (!bad) {
      bad = parts.db.ReadValue([&](storage::Connection& c) {
        return c
            .QueryInt("SELECT 1 FROM safety_scans WHERE content = ? AND state = ?",
                      {ContentValue(row.content), static_cast<int>(SafetyState::kUnsafe)})
            .has_value();
      });
    }
    std::unique_lock lock(unsafe_mutex);
    if (bad) {
      unsafe.insert(row.content);
    } else {
      unsafe.erase(row.content);
    }
    unsafe_count = unsafe.size();
  }
}

}  // namespace hearth::hub
