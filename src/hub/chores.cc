#include "hub/chores.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "hub/scrub.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxKept = 50;

Json DryRun(Hub& hub, int64_t, const GcHooks& hooks) {
  GcOptions options;
  options.dry_run = true;
  return RunGc(hub, options, hooks).ToJson();
}

Json Collect(Hub& hub, int64_t, const GcHooks& hooks) { return RunGc(hub, {}, hooks).ToJson(); }

Json Undo(Hub& hub, int64_t gc_run, const GcHooks& hooks) {
  GcUndoReport report = UndoGc(hub, gc_run, hooks);
  return Json::Obj({{"run", gc_run},
                    {"restored", report.restored},
                    {"superseded", report.superseded},
                    {"lost", report.lost}});
}

Json Scrub(Hub& hub, int64_t, const GcHooks& hooks) { return RunScrub(hub, {}, hooks).ToJson(); }

bool IsOver(const Chore& chore) {
  return chore.state != Chore::State::kWaiting && chore.state != Chore::State::kRunning;
}

}  // namespace

const std::vector<ChoreKind>& ChoreKinds() {
  static const std::vector<ChoreKind> kinds = {
      {"gc-dry-run", "Look for garbage",
       "Tells what nothing needs any more, repository by repository. Changes nothing.", false,
       DryRun},
      {"gc", "Collect garbage",
       "Moves what nothing needs any more to the trash. It can be undone for seven days.", false,
       Collect},
      {"gc-undo", "Undo a collection", "Takes back what a collection has moved to the trash.", true,
       Undo},
      {"scrub", "Scrub the store",
       "Reads everything stored and compares it with its hashes, gently, in the background.", false,
       Scrub},
  };
  return kinds;
}

std::string_view StateName(Chore::State state) {
  static constexpr std::string_view kNames[] = {"waiting", "running", "done", "failed", "stopped"};
  return kNames[static_cast<int>(state)];
}

int64_t Chores::Ask(std::string_view kind, int64_t gc_run, std::string_view asked_by) {
  const auto& kinds = ChoreKinds();
  auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const ChoreKind& k) { return k.id == kind; });
  if (found == kinds.end()) throw Error(Code::kNotFound, "There is no such job");
  if (found->needs_run && gc_run <= 0) {
    throw Error(Code::kInvalidArgument, "Say which collection is to be undone");
  }
  std::lock_guard lock(mutex_);
  if (stopping_) throw Error(Code::kUnavailable, "The hub is shutting down");
  for (const EntryPtr& entry : entries_) {
    if (IsOver(entry->chore) || entry->chore.kind != &*found) continue;
    throw Error(Code::kConflict, "This job is waiting or running already");
  }
  auto entry = std::make_shared<Entry>();
  entry->chore.id = ++last_id_;
  entry->chore.kind = &*found;
  entry->chore.gc_run = gc_run;
  entry->chore.asked_by = asked_by;
  entry->chore.asked_at = hub_.clock().Now();
  entries_.push_front(std::move(entry));
  while (entries_.size() > kMaxKept && IsOver(entries_.back()->chore)) entries_.pop_back();
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  changed_.notify_all();
  return last_id_;
}

void Chores::Cancel(int64_t id) {
  std::lock_guard lock(mutex_);
  for (const EntryPtr& entry : entries_) {
    if (entry->chore.id != id) continue;
    if (IsOver(entry->chore)) throw Error(Code::kConflict, "This job is over");
    entry->stop = true;
    if (entry->chore.state == Chore::State::kWaiting) {
      entry->chore.state = Chore::State::kStopped;
      entry->chore.finished_at = hub_.clock().Now();
    }
    changed_.notify_all();
    return;
  }
  throw Error(Code::kNotFound, "There is no such job");
}

std::vector<Chore> Chores::List() const {
  std::lock_guard lock(mutex_);
  std::vector<Chore> list;
  for (const EntryPtr& entry : entries_) list.push_back(entry->chore);
  return list;
}

std::optional<Chore> Chores::Find(int64_t id) const {
  std::lock_guard lock(mutex_);
  for (const EntryPtr& entry : entries_) {
    if (entry->chore.id == id) return entry->chore;
  }
  return std::nullopt;
}

bool Chores::Busy() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const EntryPtr& entry) { return !IsOver(entry->chore); });
}

bool Chores::WaitIdle(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return !Busy(); });
}

void Chores::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const EntryPtr& entry : entries_) entry->stop = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Chores::EntryPtr Chores::NextWaiting() const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if ((*entry)->chore.state == Chore::State::kWaiting) return *entry;
  }
  return nullptr;
}

void Chores::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || NextWaiting() != nullptr; });
    if (stopping_) return;
    EntryPtr entry = NextWaiting();
    entry->chore.state = Chore::State::kRunning;
    entry->chore.started_at = hub_.clock().Now();
    lock.unlock();
    Do(entry);
    lock.lock();
    entry->chore.finished_at = hub_.clock().Now();
    changed_.notify_all();
  }
}

void Chores::Do(const EntryPtr& entry) {
  GcHooks hooks;
  hooks.stop = &entry->stop;
  hooks.progress = [&](std::string_view stage, size_t done, size_t total) {
    std::lock_guard lock(mutex_);
    entry->chore.stage = stage;
    entry->chore.done = done;
    entry->chore.total = total;
  };
  try {
    Json report = entry->chore.kind->work(hub_, entry->chore.gc_run, hooks);
    std::lock_guard lock(mutex_);
    entry->chore.report = std::move(report);
    entry->chore.state = Chore::State::kDone;
  } catch (const std::exception& fault) {
    std::lock_guard lock(mutex_);
    bool stopped = entry->stop;
    entry->chore.state = stopped ? Chore::State::kStopped : Chore::State::kFailed;
    if (!stopped) {
      entry->chore.problem = fault.what();
      log::Warning("a job failed",
                   {{"job", std::string(entry->chore.kind->id)}, {"reason", fault.what()}});
    }
  }
}

}  // namespace hearth::hub
