#include "inference/internal/board.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::inference {
namespace {

using Time = std::chrono::steady_clock::time_point;

// Laying the files out counts as much as starting the worker.
constexpr double kLayoutShare = 0.5;

double Seconds(Time from, Time to) { return std::chrono::duration<double>(to - from).count(); }

ModelStatus Complete(const Notice& notice, Time now) {
  ModelStatus status = notice.status;
  if (notice.load) {
    status.progress = notice.load->Fraction(now);
    status.estimated_seconds = notice.load->SecondsLeft(now);
  }
  return status;
}

}  // namespace

double LoadProgress::Fraction(Time now) const {
  double laid_out = total_bytes == 0 ? 1
                                     : static_cast<double>(laid_out_bytes.load()) /
                                           static_cast<double>(total_bytes);
  double waited = Seconds(started, now) / std::max(expected_seconds, 0.1);
  return kLayoutShare * std::min(1.0, laid_out) + (0.99 - kLayoutShare) * std::min(1.0, waited);
}

// A load that takes longer than was thought will take some more.
double LoadProgress::SecondsLeft(Time now) const {
  double waited = Seconds(started, now);
  return std::max(expected_seconds - waited, std::max(0.2, waited * 0.2));
}

void Board::Post(int64_t repo_id, Notice notice) {
  std::lock_guard lock(mutex_);
  notices_[repo_id] = std::move(notice);
}

void Board::Remove(int64_t repo_id) {
  std::lock_guard lock(mutex_);
  notices_.erase(repo_id);
}

ModelStatus Board::StatusOf(int64_t repo_id) const {
  std::lock_guard lock(mutex_);
  auto found = notices_.find(repo_id);
  if (found == notices_.end()) return {};
  return Complete(found->second, std::chrono::steady_clock::now());
}

std::vector<std::pair<int64_t, ModelStatus>> Board::All() const {
  std::vector<std::pair<Time, std::pair<int64_t, ModelStatus>>> found;
  {
    std::lock_guard lock(mutex_);
    Time now = std::chrono::steady_clock::now();
    for (const auto& [id, notice] : notices_) {
      if (notice.status.state == ModelState::kCold && !notice.status.pinned) continue;
      found.push_back({notice.used, {id, Complete(notice, now)}});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::pair<int64_t, ModelStatus>> all;
  for (auto& [used, entry] : found) all.push_back(std::move(entry));
  return all;
}

void Board::CheckLocked(int64_t repo_id) const {
  auto found = under_way_.find(repo_id);
  size_t here = found == under_way_.end() ? 0 : found->second;
  if (here < max_per_model_ && under_way_in_all_ < max_in_all_) return;
  ++refused_;
  throw Error(Code::kTooManyRequests, here >= max_per_model_
                                          ? "Too many requests wait for this model; try again"
                                          : "Too many requests wait for models; try again")
      .With("error_type", "overloaded")
      .WithHeader("Retry-After", "1");
}

void Board::Check(int64_t repo_id) const {
  std::lock_guard lock(mutex_);
  CheckLocked(repo_id);
}

void Board::Enter(int64_t repo_id) {
  std::lock_guard lock(mutex_);
  CheckLocked(repo_id);
  ++under_way_[repo_id];
  ++under_way_in_all_;
  ++requests_;
}

void Board::Leave(int64_t repo_id) {
  std::lock_guard lock(mutex_);
  auto found = under_way_.find(repo_id);
  if (found == under_way_.end()) return;
  --under_way_in_all_;
  if (--found->second == 0) under_way_.erase(found);
}

SchedulerStats Board::Stats() const {
  SchedulerStats stats;
  stats.loads = loads;
  stats.load_failures = load_failures;
  stats.crashes = crashes;
  stats.evictions = evictions;
  std::lock_guard lock(mutex_);
  stats.requests = requests_;
  stats.refused = refused_;
  stats.active_requests = under_way_in_all_;
  for (const auto& [id, notice] : notices_) {
    if (notice.status.state == ModelState::kWarm) ++stats.models_warm;
    stats.memory_bytes += notice.status.state == ModelState::kWarm ? notice.status.memory_bytes : 0;
  }
  return stats;
}

}  // namespace hearth::inference
