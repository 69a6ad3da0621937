#include "inference/internal/models.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "inference/internal/faults.h"

namespace hearth::inference {
namespace {

constexpr auto kTick = std::chrono::milliseconds(1000);
constexpr int kForgetTicks = 60;
// This many crashes within the window, and the model is left alone for a while.
constexpr size_t kMaxCrashes = 3;
constexpr auto kCrashWindow = std::chrono::minutes(5);
constexpr auto kCrashPause = std::chrono::seconds(1);
// A connection breaks shortly before its process is known to have ended.
constexpr auto kSettle = std::chrono::milliseconds(100);
// For the worker that replaces one that crashed. Its files are laid out and in the page cache.
constexpr auto kHoldAgain = std::chrono::seconds(60);

int SecondsUntil(Models::Time until) {
  std::chrono::duration<double> left = until - std::chrono::steady_clock::now();
  return std::max(1, static_cast<int>(std::ceil(left.count())));
}

}  // namespace

Models::Models(const Parts& parts) : parts_(parts) {}
Models::~Models() = default;

void Models::Start() {
  parts_.loop.After(kTick, [this] { Tick(); });
}

Models::Model& Models::ModelOf(const SnapshotPlan& plan) {
  Model& model = models_[plan.repo_id];
  model.repo_id = plan.repo_id;
  model.name = plan.model;
  return model;
}

Models::Generation* Models::Find(uint64_t generation) {
  auto found = generations_.find(generation);
  return found == generations_.end() ? nullptr : found->second.get();
}

Models::Generation* Models::Current(const Model& model) { return Find(model.current); }

Models::Generation* Models::Ensure(Model& model, const PlanPtr& plan) {
  Time now = std::chrono::steady_clock::now();
  Generation* current = Current(model);
  if (current != nullptr && current->plan->key == plan->key) return current;
  if (current != nullptr) {
    // A request that looked just before a commit is answered by what came with it.
    hub::RepoPtr repo = parts_.hub.repos().FindById(model.repo_id);
    if (repo && repo->head == current->plan->commit) return current;
    Retire(*current);
  }
  if (model.failure) {
    if (model.failure->key == plan->key && now < model.failure->until) return nullptr;
    if (model.failure->key != plan->key) model.crashes.clear();
    model.failure.reset();
  }
  auto made = std::make_unique<Generation>();
  Generation& generation = *made;
  generation.number = ++last_generation_;
  generation.repo_id = model.repo_id;
  generation.plan = plan;
  generation.begun = now;
  generation.progress = std::make_shared<LoadProgress>();
  generation.progress->started = now;
  generation.progress->expected_seconds = ExpectedSeconds(model, *plan);
  generation.progress->total_bytes = plan->total_bytes;
  generations_[generation.number] = std::move(made);
  model.current = generation.number;
  ++parts_.board.loads;
  log::Info("loading a model", {{"model", model.name}, {"commit", plan->commit.Hex()}});
  // Not from here: whoever asked still works with the generation.
  uint64_t number = generation.number;
  auto pause = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(Time::duration{}, model.not_before - now));
  parts_.loop.After(pause, [this, number] { Advance(number); });
  Publish(model);
  return &generation;
}

void Models::Take(std::unique_ptr<Call> taken) {
  uint64_t id = taken->request().id;
  Call& call = *(calls_[id] = std::move(taken));
  const Call::Request& request = call.request();
  Model& model = ModelOf(*request.plan);
  model.used = std::chrono::steady_clock::now();
  Generation* generation = Ensure(model, request.plan);
  if (generation == nullptr) {
    call.Refuse(FailureAnswer(model, request.options.shape));
    calls_.erase(id);
  } else if (generation->phase == Phase::kReady) {
    Send(call, *generation);
  } else if (request.options.hold.count() == 0) {
    call.Refuse(LoadingAnswer(request.options.shape, model.name,
                              generation->progress->SecondsLeft(model.used)));
    calls_.erase(id);
  } else {
    Hold(model, call, request.options.hold);
  }
  Publish(model);
}

// Until a worker is ready, or this long.
void Models::Hold(Model& model, Call& call, std::chrono::milliseconds limit) {
  uint64_t id = call.request().id;
  model.waiting.push_back(id);
  call.hold_timer = parts_.loop.After(limit, [this, id] {
    auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& late = *found->second;
    late.hold_timer.reset();
    late.Refuse(LoadingAnswer(late.request().options.shape, late.request().plan->model, 1));
    Drop(id);
  });
}

// What a broken connection left behind: to the worker that there is now, or will be.
void Models::SendAgain(uint64_t id) {
  auto found = calls_.find(id);
  if (found == calls_.end() || found->second->worker != 0) return;
  Call& call = *found->second;
  Model& model = ModelOf(*call.request().plan);
  Generation* generation = Ensure(model, call.request().plan);
  if (generation != nullptr && generation->phase != Phase::kReady) return;  // it waits
  std::erase(model.waiting, id);
  if (generation != nullptr) {
    Send(call, *generation);
  } else {
    call.Refuse(FailureAnswer(model, call.request().options.shape));
    if (call.hold_timer) parts_.loop.Cancel(*call.hold_timer);
    calls_.erase(found);
  }
  Publish(model);
}

void Models::Send(Call& call, Generation& generation) {
  if (call.hold_timer) parts_.loop.Cancel(*std::exchange(call.hold_timer, std::nullopt));
  call.worker = generation.number;
  ++generation.active;
  call.SendTo(*generation.upstream, generation.token);
}

void Models::OnOver(Call& call, Call::End end) {
  uint64_t id = call.request().id;
  uint64_t worker = std::exchange(call.worker, 0);
  Generation* generation = Find(worker);
  if (generation != nullptr) --generation->active;
  Model& model = ModelOf(*call.request().plan);
  model.used = std::chrono::steady_clock::now();
  if (end == Call::End::kUnreachable) {
    // Its end is not known yet, but nobody will answer there.
    if (generation != nullptr && !generation->retiring) {
      NoteCrash(model, *generation);
      Retire(*generation);
    }
    Generation* next = Ensure(model, call.request().plan);
    if (next != nullptr && next->phase != Phase::kReady) {
      Hold(model, call,
           std::max<std::chrono::milliseconds>(call.request().options.hold, kHoldAgain));
    } else {
      call.Refuse(next == nullptr ? FailureAnswer(model, call.request().options.shape)
                                  : FaultAnswer(call.request().options.shape, 503,
                                                "The model's worker ended", 1));
      calls_.erase(id);
    }
  } else if (end == Call::End::kBroken) {
    Hold(model, call, std::max<std::chrono::milliseconds>(call.request().options.hold, kHoldAgain));
    parts_.loop.After(kSettle, [this, id] { SendAgain(id); });
  } else {
    calls_.erase(id);
  }
  EraseIfOver(worker);
  Publish(model);
}

void Models::Drop(uint64_t id) {
  auto found = calls_.find(id);
  if (found == calls_.end()) return;
  uint64_t worker = found->second->worker;
  Model& model = ModelOf(*found->second->request().plan);
  std::erase(model.waiting, id);
  // Closes its connection: the worker stops working for nobody.
  calls_.erase(found);
  if (Generation* generation = Find(worker)) {
    --generation->active;
    model.used = std::chrono::steady_clock::now();
  }
  EraseIfOver(worker);
  Publish(model);
}

void Models::Resume(uint64_t id) {
  auto found = calls_.find(id);
  if (found != calls_.end()) found->second->Resume();
}

void Models::SendWaiting(Model& model) {
  Generation* generation = Current(model);
  for (uint64_t id : std::exchange(model.waiting, {})) {
    auto found = calls_.find(id);
    if (found != calls_.end()) Send(*found->second, *generation);
  }
}

void Models::RefuseWaiting(Model& model) {
  for (uint64_t id : std::exchange(model.waiting, {})) {
    auto found = calls_.find(id);
    if (found == calls_.end()) continue;
    found->second->Refuse(FailureAnswer(model, found->second->request().options.shape));
    calls_.erase(found);
  }
}

net::Response Models::FailureAnswer(const Model& model, FaultShape shape) const {
  const Failure& failure = *model.failure;
  std::string message = "Model " + model.name + " cannot be run: " + failure.reason;
  return FaultAnswer(shape, failure.status, message,
                     failure.status == 503 ? SecondsUntil(failure.until) : 0);
}

void Models::Fail(Generation& generation, int status, const std::string& reason) {
  Model& model = models_[generation.repo_id];
  ++parts_.board.load_failures;
  log::Warning("a model failed", {{"model", model.name}, {"reason", reason}});
  model.failure = Failure{generation.plan->key, reason, status,
                          std::chrono::steady_clock::now() + parts_.options.retry_failed_after};
  Retire(generation);
  RefuseWaiting(model);
  Publish(model);
}

void Models::NoteCrash(Model& model, Generation& generation) {
  Time now = std::chrono::steady_clock::now();
  ++parts_.board.crashes;
  std::erase_if(model.crashes, [&](Time at) { return now - at > kCrashWindow; });
  model.crashes.push_back(now);
  if (model.crashes.size() < kMaxCrashes) {
    // The first one may be bad luck.
    model.not_before = now + kCrashPause * (model.crashes.size() - 1);
    return;
  }
  std::string how = generation.process && !generation.process->running()
                        ? generation.process->EndText()
                        : "it does not listen";
  model.crashes.clear();
  Fail(
      generation, 503,
      "its worker crashed " + std::to_string(kMaxCrashes) + " times in a short time (" + how + ")");
}

void Models::Warm(const PlanPtr& plan) {
  Model& model = ModelOf(*plan);
  model.used = std::chrono::steady_clock::now();
  Ensure(model, plan);
}

void Models::Pin(const PlanPtr& plan, bool pinned) {
  Model& model = ModelOf(*plan);
  model.pinned = pinned;
  Publish(model);
  AdvanceWaiting();
}

void Models::Unload(int64_t repo_id) {
  auto found = models_.find(repo_id);
  if (found == models_.end()) return;
  Model& model = found->second;
  model.failure.reset();
  model.crashes.clear();
  if (Generation* current = Current(model)) Retire(*current);
  for (uint64_t id : std::exchange(model.waiting, {})) {
    auto waiting = calls_.find(id);
    if (waiting == calls_.end()) continue;
    waiting->second->Refuse(FaultAnswer(waiting->second->request().options.shape, 503,
                                        "Model " + model.name + " was unloaded", 1));
    calls_.erase(waiting);
  }
  Publish(model);
}

void Models::Publish(const Model& model) {
  Notice notice;
  notice.used = model.used;
  ModelStatus& status = notice.status;
  status.pinned = model.pinned;
  status.queued_requests = model.waiting.size();
  auto found = generations_.find(model.current);
  if (found != generations_.end()) {
    const Generation& generation = *found->second;
    bool ready = generation.phase == Phase::kReady;
    status.state = ready ? ModelState::kWarm : ModelState::kLoading;
    status.active_requests = generation.active;
    status.memory_bytes = generation.memory_bytes;
    if (ready) {
      status.progress = 1;
    } else {
      notice.load = generation.progress;
    }
  } else if (model.failure && std::chrono::steady_clock::now() < model.failure->until) {
    status.state = ModelState::kFailed;
    status.reason = model.failure->reason;
  } else {
    status.estimated_seconds = model.load_seconds;
  }
  parts_.board.Post(model.repo_id, std::move(notice));
}

void Models::Tick() {
  parts_.loop.After(kTick, [this] { Tick(); });
  Time now = std::chrono::steady_clock::now();
  std::vector<uint64_t> idle, late;
  for (auto& [number, generation] : generations_) {
    Model& model = models_[generation->repo_id];
    if (generation->phase == Phase::kReady) {
      if (uint64_t resident = generation->process->ResidentBytes()) {
        generation->memory_bytes = resident;
      }
      bool unused =
          generation->active == 0 && !model.pinned && now - model.used >= parts_.options.idle_after;
      if (unused && !generation->retiring) idle.push_back(number);
    } else if (!generation->retiring && now - generation->begun > parts_.options.load_limit) {
      late.push_back(number);
    }
  }
  for (uint64_t number : idle) {
    log::Info("unloading an idle model", {{"model", Find(number)->plan->model}});
    Retire(*Find(number));
  }
  for (uint64_t number : late) {
    Generation* generation = Find(number);
    if (generation == nullptr) continue;
    bool room = generation->holds_memory;
    Fail(*generation, 503, room ? "it did not load in time" : "no memory became free for it");
  }
  // Caches of keys and values grow with use.
  while (UsedBytes() - LeavingBytes() > parts_.budget_bytes && generations_.size() > 1 &&
         EvictOne(0)) {
  }
  AdvanceWaiting();
  if (++ticks_ % kForgetTicks == 0) {
    std::vector<int64_t> gone;
    for (auto& [id, model] : models_) {
      if (!parts_.hub.repos().FindById(id)) gone.push_back(id);
    }
    for (int64_t id : gone) {
      if (Generation* current = Current(models_[id])) {
        Retire(*current);  // and forgotten the next time
      } else {
        Forget(models_[id]);
      }
    }
  }
  for (auto& [id, model] : models_) Publish(model);
}

// Of a repository that was deleted.
void Models::Forget(Model& model) {
  int64_t id = model.repo_id;
  parts_.board.Remove(id);
  models_.erase(id);
  parts_.layouts.Submit([root = parts_.snapshots, id] { RemoveSnapshots(root, id); });
}

void Models::Abandon() {
  for (auto& [id, call] : calls_) {
    if (call->worker != 0) continue;
    call->Refuse(FaultAnswer(call->request().options.shape, 503, "The hub is shutting down", 1));
  }
  for (auto& [number, generation] : generations_) generation->progress->cancelled = true;
  calls_.clear();
  generations_.clear();  // kills and reaps
}

}  // namespace hearth::inference
