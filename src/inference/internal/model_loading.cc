// From the files of a repository to a worker that answers, and the end of workers.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "inference/internal/models.h"

namespace hearth::inference {
namespace {

constexpr auto kProbeEvery = std::chrono::milliseconds(10);
constexpr auto kPatience = std::chrono::milliseconds(10'000);
// Beside its weights: the program, tokenizer, buffers of one batch.
constexpr uint64_t kBaseBytes = 64ull << 20;
constexpr uint64_t kMinKvMegabytes = 16, kMaxKvMegabytes = 1024;
// Address space that a worker sets aside and hardly touches: stacks of its threads.
constexpr uint64_t kReservedBytes = 3ull << 30;
constexpr double kBytesPerSecond = 300e6;

std::string Megabytes(uint64_t bytes) { return std::to_string((bytes + 500'000) / 1'000'000); }

uint64_t EstimatedBytes(const SnapshotPlan& plan) {
  return plan.weight_bytes + plan.weight_bytes / 4 + kBaseBytes;
}

}  // namespace

double Models::ExpectedSeconds(const Model& model, const SnapshotPlan& plan) const {
  if (model.load_seconds > 0) return model.load_seconds;
  return 0.5 + static_cast<double>(plan.total_bytes) / kBytesPerSecond;
}

uint64_t Models::UsedBytes() const {
  uint64_t used = 0;
  for (const auto& [number, generation] : generations_) {
    if (generation->holds_memory) used += generation->memory_bytes;
  }
  return used;
}

uint64_t Models::LeavingBytes() const {
  uint64_t leaving = 0;
  for (const auto& [number, generation] : generations_) {
    bool leaves = generation->retiring && generation->active == 0;
    if (leaves && generation->holds_memory) leaving += generation->memory_bytes;
  }
  return leaving;
}

// The next step of a generation that waits for its time or for memory.
void Models::Advance(uint64_t number) {
  Generation* generation = Find(number);
  if (generation == nullptr || generation->retiring || generation->phase != Phase::kWaiting) return;
  Model& model = models_[generation->repo_id];
  if (std::chrono::steady_clock::now() < model.not_before) return;  // a timer comes
  if (MakeRoom(*generation)) LayOut(*generation);
}

// Something has ended: there may be room now. Soon, not from here.
void Models::AdvanceWaiting() {
  for (const auto& [number, generation] : generations_) {
    if (generation->phase != Phase::kWaiting || generation->retiring) continue;
    parts_.loop.Post([this, waits = number] { Advance(waits); });
  }
}

bool Models::MakeRoom(Generation& generation) {
  uint64_t need = EstimatedBytes(*generation.plan);
  if (need > parts_.budget_bytes) {
    Fail(generation, 422,
         "it needs about " + Megabytes(need) + " MB of memory, and models may use " +
             Megabytes(parts_.budget_bytes) + " MB on this hub");
    return false;
  }
  generation.memory_bytes = need;
  while (UsedBytes() - LeavingBytes() + need > parts_.budget_bytes) {
    if (!EvictOne(generation.number)) return false;  // tried again when something ends
  }
  // Whoever was asked to go has its memory until it is gone.
  if (UsedBytes() + need > parts_.budget_bytes) return false;
  generation.holds_memory = true;
  return true;
}

// The one that was used longest ago, of those that nobody uses now.
bool Models::EvictOne(uint64_t for_generation) {
  Generation* oldest = nullptr;
  for (auto& [number, generation] : generations_) {
    const Model& model = models_[generation->repo_id];
    bool free = generation->phase == Phase::kReady && !generation->retiring &&
                generation->active == 0 && !model.pinned && number != for_generation;
    if (!free) continue;
    if (oldest == nullptr || model.used < models_[oldest->repo_id].used) oldest = generation.get();
  }
  if (oldest == nullptr) return false;
  ++parts_.board.evictions;
  log::Info("unloading a model for its memory",
            {{"model", oldest->plan->model}, {"megabytes", Megabytes(oldest->memory_bytes)}});
  Retire(*oldest);
  return true;
}

void Models::LayOut(Generation& generation) {
  generation.phase = Phase::kLayingOut;
  uint64_t number = generation.number;
  parts_.layouts.Submit([this, number, plan = generation.plan, progress = generation.progress,
                         hub = &parts_.hub, root = parts_.snapshots, loop = &parts_.loop] {
    std::filesystem::path folder;
    std::string fault;
    try {
      folder = MakeSnapshot(*hub, *plan, root, [&](uint64_t bytes) {
        progress->laid_out_bytes = bytes;
        if (progress->cancelled)
          throw Error(Code::kUnavailable, "the model is not wanted any more");
      });
    } catch (const std::exception& error) {
      fault = error.what();
    }
    loop->Post([this, number, folder, fault] {
      Generation* laid_out = Find(number);
      if (laid_out == nullptr) return;
      if (laid_out->retiring) {
        laid_out->phase = Phase::kWaiting;
        return EraseIfOver(number);
      }
      if (!fault.empty()) return Fail(*laid_out, 503, fault);
      StartWorker(number, folder);
    });
  });
}

void Models::StartWorker(uint64_t number, const std::filesystem::path& folder) {
  Generation& generation = *Find(number);
  const SchedulerOptions& options = parts_.options;
  generation.phase = Phase::kStarting;
  generation.folder = folder;
  generation.token = RandomAlphanumeric(40);
  generation.socket = (parts_.sockets / (std::to_string(number) + ".sock")).string();
  uint64_t kv = std::clamp(parts_.budget_bytes / 4 >> 20, kMinKvMegabytes, kMaxKvMegabytes);
  WorkerLaunch launch;
  launch.argv = {options.program,
                 "worker",
                 folder.string(),
                 "--listen",
                 "unix:" + generation.socket,
                 "--id",
                 generation.plan->model,
                 "--executor",
                 options.executor,
                 "--threads",
                 std::to_string(options.threads),
                 "--kv-mb",
                 std::to_string(kv),
                 "--drain-seconds",
                 "5",
                 "--cache-folder",
                 (options.folder / "cache").string(),
                 "--parent",
                 std::to_string(::getpid())};
  // Where libtorch and its plugin are, and what they run on.
  if (options.executor == "torch") {
    launch.passed_on = {"HEARTH_TORCH_PLUGIN", "HEARTH_TORCH_DEVICE", "CUDA_VISIBLE_DEVICES",
                        "LD_LIBRARY_PATH"};
  }
  launch.name = generation.plan->model;
  launch.token = generation.token;
  if (options.memory_bytes > 0) launch.data_limit_bytes = parts_.budget_bytes + kReservedBytes;
  generation.upstream = std::make_unique<Upstream>(parts_.loop, generation.socket);
  try {
    generation.process =
        std::make_unique<WorkerProcess>(parts_.loop, launch, [this, number] { OnExit(number); });
  } catch (const Error& error) {
    return Fail(generation, 503, error.message());
  }
  parts_.loop.After(kProbeEvery, [this, number] { Probe(number); });
}

// A worker listens when its model is loaded, and not before.
void Models::Probe(uint64_t number) {
  Generation* generation = Find(number);
  if (generation == nullptr || generation->retiring || generation->phase != Phase::kStarting)
    return;
  if (ConnectUnix(generation->socket).valid()) return OnReady(*generation);
  parts_.loop.After(kProbeEvery, [this, number] { Probe(number); });
}

void Models::OnReady(Generation& generation) {
  Model& model = models_[generation.repo_id];
  Time now = std::chrono::steady_clock::now();
  generation.phase = Phase::kReady;
  if (uint64_t resident = generation.process->ResidentBytes()) generation.memory_bytes = resident;
  model.load_seconds = std::chrono::duration<double>(now - generation.begun).count();
  model.used = now;
  log::Info("a model is warm", {{"model", model.name},
                                {"pid", static_cast<int>(generation.process->pid())},
                                {"seconds", model.load_seconds},
                                {"megabytes", Megabytes(generation.memory_bytes)}});
  SendWaiting(model);
  AdvanceWaiting();  // it needs less than was thought, perhaps
  Publish(model);
}

void Models::OnExit(uint64_t number) {
  Generation* generation = Find(number);
  if (generation == nullptr) return;
  Model& model = models_[generation->repo_id];
  const WorkerProcess& process = *generation->process;
  generation->holds_memory = false;
  ::unlink(generation->socket.c_str());
  if (!generation->retiring) {
    log::Warning("a worker ended", {{"model", model.name}, {"how", process.EndText()}});
    if (generation->phase == Phase::kStarting && process.ended_by_exit()) {
      std::string said = process.last_line();
      Fail(*generation, 422, said.empty() ? "its worker ended, " + process.EndText() : said);
    } else {
      PlanPtr plan = generation->plan;
      NoteCrash(model, *generation);
      if (!generation->retiring) Retire(*generation);
      if (!model.waiting.empty()) Ensure(model, plan);
    }
  }
  Publish(model);
  EraseIfOver(number);
  AdvanceWaiting();
}

// Takes no requests any more; ends when it has finished those that it has.
void Models::Retire(Generation& generation) {
  if (generation.retiring) return;
  generation.retiring = true;
  generation.progress->cancelled = true;
  Model& model = models_[generation.repo_id];
  if (model.current == generation.number) model.current = 0;
  Publish(model);
  uint64_t number = generation.number;
  parts_.loop.Post([this, number] { EraseIfOver(number); });
}

// The last step of a retiring generation, as far as it can be done now.
void Models::EraseIfOver(uint64_t number) {
  Generation* generation = Find(number);
  if (generation == nullptr || generation->active > 0) return;
  if (!generation->retiring) {
    return AdvanceWaiting();  // it may go for another one
  }
  if (generation->phase == Phase::kLayingOut) return;  // a thread still works for it
  if (generation->process && generation->process->running()) {
    if (std::exchange(generation->told_to_end, true)) return;
    // One that never got ready has nothing to finish.
    bool ready = generation->phase == Phase::kReady;
    generation->upstream->Close();
    generation->process->Terminate(ready ? kPatience : std::chrono::milliseconds(0));
    return;
  }
  std::filesystem::path folder = SnapshotFolder(parts_.snapshots, *generation->plan);
  int64_t repo_id = generation->repo_id;
  generations_.erase(number);
  RemoveIfReplaced(repo_id, folder);
}

// The files of a commit that is served no more. Those of a model that was only unloaded stay.
void Models::RemoveIfReplaced(int64_t repo_id, const std::filesystem::path& folder) {
  bool replaced = false;
  for (const auto& [number, generation] : generations_) {
    if (generation->repo_id != repo_id) continue;
    if (SnapshotFolder(parts_.snapshots, *generation->plan) == folder) return;
    replaced = true;
  }
  if (!replaced) return;
  parts_.layouts.Submit([folder] {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  });
}

}  // namespace hearth::inference
