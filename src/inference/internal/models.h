// The life of every model of the hub: cold, loading, warm, failed; and which request goes where.
//
// A *generation* is one worker for one set of files. A model has at most one that takes requests;
// others of it are retiring: they finish what they have. All of this belongs to the event loop;
// only laying files out happens elsewhere (LayoutThreads).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/hub.h"
#include "inference/internal/board.h"
#include "inference/internal/call.h"
#include "inference/internal/event_loop.h"
#include "inference/internal/layout_threads.h"
#include "inference/internal/upstream.h"
#include "inference/internal/worker_process.h"
#include "inference/scheduler.h"

namespace hearth::inference {

class Models {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Parts {
    hub::Hub& hub;
    EventLoop& loop;
    Board& board;
    LayoutThreads& layouts;
    const SchedulerOptions& options;
    std::filesystem::path sockets, snapshots;
    uint64_t budget_bytes;
  };
  explicit Models(const Parts& parts);
  ~Models();

  void Start();  // the ticking
  void Take(std::unique_ptr<Call> call);
  void Drop(uint64_t call);  // its client has left
  void Resume(uint64_t call);
  void Warm(const PlanPtr& plan);
  void Pin(const PlanPtr& plan, bool pinned);
  void Unload(int64_t repo_id);
  void OnOver(Call& call, Call::End end);
  // After the loop has ended: refuses what waits and kills all workers.
  void Abandon();

 private:
  enum class Phase { kWaiting, kLayingOut, kStarting, kReady };
  struct Generation {
    uint64_t number = 0;
    int64_t repo_id = 0;
    PlanPtr plan;
    Phase phase = Phase::kWaiting;
    bool retiring = false;
    bool told_to_end = false;
    bool holds_memory = false;
    uint64_t memory_bytes = 0;  // estimated until it is ready
    size_t active = 0;
    Time begun;
    std::shared_ptr<LoadProgress> progress;
    std::string token, socket;
    std::filesystem::path folder;
    std::unique_ptr<WorkerProcess> process;
    std::unique_ptr<Upstream> upstream;
  };
  struct Failure {
    std::string key;  // of the plan that failed
    std::string reason;
    int status = 422;
    Time until;
  };
  struct Model {
    int64_t repo_id = 0;
    std::string name;
    uint64_t current = 0;  // generation; 0 = none
    std::deque<uint64_t> waiting;
    std::optional<Failure> failure;
    std::vector<Time> crashes;
    Time not_before{};  // of the next start
    Time used{};
    bool pinned = false;
    double load_seconds = 0;  // of the last one
  };

  // models.cc: requests and decisions
  Model& ModelOf(const SnapshotPlan& plan);
  Generation* Current(const Model& model);
  Generation* Find(uint64_t generation);
  // The generation that takes requests for these files, loading or warm; null when it has failed.
  Generation* Ensure(Model& model, const PlanPtr& plan);
  void Send(Call& call, Generation& generation);
  void Hold(Model& model, Call& call, std::chrono::milliseconds limit);
  void SendAgain(uint64_t call);
  void SendWaiting(Model& model);
  void RefuseWaiting(Model& model);
  net::Response FailureAnswer(const Model& model, FaultShape shape) const;
  void Fail(Generation& generation, int status, const std::string& reason);
  void NoteCrash(Model& model, Generation& generation);
  void Publish(const Model& model);
  void Tick();
  void Forget(Model& model);

  // model_loading.cc: from nothing to a worker that answers, and back
  void Advance(uint64_t generation);
  void AdvanceWaiting();
  bool MakeRoom(Generation& generation);
  void LayOut(Generation& generation);
  void StartWorker(uint64_t generation, const std::filesystem::path& folder);
  void Probe(uint64_t generation);
  void OnReady(Generation& generation);
  void OnExit(uint64_t generation);
  void Retire(Generation& generation);
  void EraseIfOver(uint64_t generation);
  uint64_t UsedBytes() const;
  uint64_t LeavingBytes() const;
  bool EvictOne(uint64_t for_generation);
  void RemoveIfReplaced(int64_t repo_id, const std::filesystem::path& folder);
  double ExpectedSeconds(const Model& model, const SnapshotPlan& plan) const;

  Parts parts_;
  std::unordered_map<int64_t, Model> models_;
  std::unordered_map<uint64_t, std::unique_ptr<Generation>> generations_;
  std::unordered_map<uint64_t, std::unique_ptr<Call>> calls_;
  uint64_t last_generation_ = 0;
  int ticks_ = 0;
};

}  // namespace hearth::inference
