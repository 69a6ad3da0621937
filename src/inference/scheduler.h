// Runs the models of the hub: one worker process a model (`hearth worker`), started by the first
// request, kept while it is used, ended when its memory is needed. A crash of a model's code ends
// its worker, never the hub.
//
// Knows nothing of access: whoever calls has opened the repository for reading its content.
// Thread-safe; nothing here blocks for a load or an answer of a worker.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/hub.h"
#include "net/http.h"

namespace hearth::inference {

enum class ModelState : uint8_t {
  kCold,     // a request would load it
  kLoading,  // its files are being laid out, or its worker starts
  kWarm,     // answers
  kFailed,   // could not be loaded; tried again when the repository changes or some time has passed
};
std::string_view StateName(ModelState state);  // "cold", "loading", "warm", "failed"

struct ModelStatus {
  ModelState state = ModelState::kCold;
  double progress = 0;           // 0..1 while loading
  double estimated_seconds = 0;  // left, while cold or loading; from sizes and earlier loads
  std::string reason;            // of kFailed: a sentence for a person
  uint64_t memory_bytes = 0;     // of its worker: resident when warm, else estimated
  size_t active_requests = 0, queued_requests = 0;
  bool pinned = false;
};

struct SchedulerOptions {
  std::string program;           // `hearth` itself
  std::filesystem::path folder;  // sockets and snapshots; its own, cleaned at start
  uint64_t memory_bytes = 0;     // of all workers together; 0 = half of the machine's
  int threads = 0;               // of each worker; 0 = its own choice
  std::string executor = "cpu";  // of each worker
  std::chrono::seconds idle_after = std::chrono::minutes(15);
  std::chrono::seconds load_limit = std::chrono::minutes(10);
  std::chrono::seconds retry_failed_after = std::chrono::minutes(5);
  size_t max_queued_per_model = 64;  // requests that a model has not answered yet
  size_t max_queued = 256;           // of all models
};

// Half of the machine's, or of the control group's that this process lives in.
uint64_t DefaultMemoryBytes();

// In whose words a fault that is found here is said.
enum class FaultShape : uint8_t { kInference, kOpenAi };

struct ForwardOptions {
  FaultShape shape = FaultShape::kInference;
  // How long a request for a model that is not warm is held; 0 = 503 with the time to wait.
  std::chrono::seconds hold{0};
  // Told, from any thread and perhaps after the caller has left, how long the model's worker was
  // busy with the request; never called when none was asked.
  std::function<void(double seconds)> on_computed = {};
};

// For /metrics; counts since start but for the last three.
struct SchedulerStats {
  uint64_t requests = 0, refused = 0, loads = 0, load_failures = 0, crashes = 0, evictions = 0;
  uint64_t models_warm = 0, memory_bytes = 0, active_requests = 0;
};

class Scheduler {
 public:
  Scheduler(hub::Hub& hub, SchedulerOptions options);
  // Ends all workers; requests that are waiting get 503.
  ~Scheduler();

  // Of the main revision.
  ModelStatus StatusOf(const hub::RepoRecord& repo) const;
  // Database ids of repositories whose model is not cold, or pinned; the most recently used first.
  std::vector<std::pair<int64_t, ModelStatus>> Loaded() const;
  uint64_t memory_budget_bytes() const;
  SchedulerStats stats() const;

  // Starts loading. Throws as Admit does.
  void Warm(const hub::RepoHandle& repo);
  // A pinned model is not unloaded for being idle or for others, and loaded when the hub starts.
  void Pin(const hub::RepoHandle& repo, bool pinned);
  // Running requests finish first.
  void Unload(const hub::RepoHandle& repo);

  // Before a body is read: throws kTooManyRequests when too many wait already.
  void Admit(const hub::RepoRecord& repo) const;
  // Has the model's worker answer the request at `target` ("/v1/embeddings", "/"): method, body and
  // content type are passed on, nothing else. The response comes as the worker makes it; when the
  // client leaves, the worker is told.
  net::Response Forward(const hub::RepoHandle& repo, net::Request& request, std::string target,
                        const ForwardOptions& options);

  // Ends all workers. Idempotent; afterwards everything answers 503.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::inference
