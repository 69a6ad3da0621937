#include "inference/scheduler.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "inference/internal/board.h"
#include "inference/internal/call.h"
#include "inference/internal/event_loop.h"
#include "inference/internal/faults.h"
#include "inference/internal/layout_threads.h"
#include "inference/internal/models.h"

namespace hearth::inference {
namespace {

namespace fs = std::filesystem;

// Room that sockaddr_un has for a path, less a name of ours.
constexpr size_t kMaxSocketFolder = 80;
constexpr size_t kMaxPlans = 4096;

// Of the machine, or of the control group that this process lives in.
uint64_t MachineMemoryBytes() {
  uint64_t bytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  try {
    auto limit = ParseUint(TrimAscii(ReadFile("/sys/fs/cgroup/memory.max", 100)));
    if (limit) bytes = std::min(bytes, *limit);
  } catch (const Error&) {
    // No control group says anything.
  }
  return bytes;
}

// Where the workers' sockets lie: beside the data, unless its path is too long for a socket.
fs::path MakeSocketFolder(const fs::path& folder) {
  fs::path usual = folder / "sockets";
  if (usual.string().size() <= kMaxSocketFolder) {
    fs::remove_all(usual);
    fs::create_directories(usual);
    return usual;
  }
  char made[] = "/tmp/hearth-XXXXXX";
  if (::mkdtemp(made) == nullptr) ThrowErrno("mkdtemp");
  return made;
}

std::string WireHead(const net::Request& request, const std::string& target) {
  // Nothing else of the caller's head is passed on: no credentials, no cookies, no addresses.
  // A HEAD is asked as GET: net leaves the body out.
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string head = std::string(method) + " " + target + " HTTP/1.1\r\nHost: worker\r\n";
  for (const char* name : {"Content-Type", "Accept"}) {
    const std::string* value = request.headers.Find(name);
    bool plain = value && value->find_first_of("\r\n") == std::string::npos;
    if (plain) head += std::string(name) + ": " + *value + "\r\n";
  }
  return head + "Content-Length: " + std::to_string(request.body.size_bytes()) +
         "\r\nAuthorization: Bearer ";
}

}  // namespace

uint64_t DefaultMemoryBytes() { return MachineMemoryBytes() / 2; }

std::string_view StateName(ModelState state) {
  switch (state) {
    case ModelState::kCold:
      return "cold";
    case ModelState::kLoading:
      return "loading";
    case ModelState::kWarm:
      return "warm";
    case ModelState::kFailed:
      return "failed";
  }
  return "";
}

// The loop and the board live as long as any response that a model gave.
struct Scheduler::Impl {
  hub::Hub& hub;
  SchedulerOptions options;
  uint64_t budget_bytes;
  fs::path sockets;
  std::shared_ptr<Board> board;
  std::shared_ptr<EventLoop> loop = std::make_shared<EventLoop>();
  LayoutThreads layouts;
  std::unique_ptr<Models> models;
  std::atomic<uint64_t> last_call{0};
  std::atomic<bool> stopped{false};
  std::mutex stop_mutex;
  std::mutex plans_mutex;
  std::unordered_map<int64_t, PlanPtr> plans;  // of the last head that was asked for

  Impl(hub::Hub& the_hub, SchedulerOptions the_options)
      : hub(the_hub), options(std::move(the_options)) {
    budget_bytes = options.memory_bytes > 0 ? options.memory_bytes : DefaultMemoryBytes();
    board = std::make_shared<Board>(options.max_queued_per_model, options.max_queued);
    fs::path snapshots = options.folder / "models";
    fs::create_directories(snapshots);
    fs::permissions(options.folder, fs::perms::owner_all);
    RemoveStaleSnapshots(hub, snapshots);
    sockets = MakeSocketFolder(options.folder);
    models = std::make_unique<Models>(
        Models::Parts{hub, *loop, *board, layouts, options, sockets, snapshots, budget_bytes});
    models->Start();
    loop->Start();
  }
  ~Impl() { Stop(); }

  void Stop() {
    std::lock_guard lock(stop_mutex);
    if (stopped.exchange(true)) return;
    loop->Stop();
    models->Abandon();
    layouts.Stop();
    std::error_code ignored;
    fs::remove_all(sockets, ignored);
  }

  PlanPtr PlanOf(const hub::RepoHandle& repo) {
    const hub::RepoRecord& record = repo.record();
    {
      std::lock_guard lock(plans_mutex);
      auto found = plans.find(record.id);
      if (found != plans.end() && record.head && found->second->commit == *record.head) {
        return found->second;
      }
    }
    auto plan = std::make_shared<const SnapshotPlan>(PlanSnapshot(hub, repo));
    std::lock_guard lock(plans_mutex);
    if (plans.size() >= kMaxPlans) plans.clear();
    plans[record.id] = plan;
    return plan;
  }

  // Of the plan, or what a scan has found since.
  std::string FaultOf(const SnapshotPlan& plan) const {
    return plan.fault.empty() ? BlockedFault(hub, plan) : plan.fault;
  }
  void RequireRunnable(const SnapshotPlan& plan) const {
    if (std::string fault = FaultOf(plan); !fault.empty()) throw Error(Code::kUnprocessable, fault);
  }

  void StartCall(Call::Request request, const std::weak_ptr<Caller>& caller,
                 const Call::Answer& answer) {
    FaultShape shape = request.options.shape;
    bool posted = loop->Post(
        [this, request = std::make_shared<Call::Request>(std::move(request)), caller, answer] {
          if (caller.expired()) return;  // left already
          models->Take(std::make_unique<Call>(
              std::move(*request), caller, answer,
              [this](Call& call, Call::End end) { models->OnOver(call, end); }));
        });
    if (!posted) answer(FaultAnswer(shape, 503, "The hub is shutting down", 1));
  }
};

Scheduler::Scheduler(hub::Hub& hub, SchedulerOptions options)
    : impl_(std::make_unique<Impl>(hub, std::move(options))) {}
Scheduler::~Scheduler() = default;

void Scheduler::Stop() { impl_->Stop(); }
uint64_t Scheduler::memory_budget_bytes() const { return impl_->budget_bytes; }
SchedulerStats Scheduler::stats() const { return impl_->board->Stats(); }

ModelStatus Scheduler::StatusOf(const hub::RepoRecord& repo) const {
  return impl_->board->StatusOf(repo.id);
}

std::vector<std::pair<int64_t, ModelStatus>> Scheduler::Loaded() const {
  return impl_->board->All();
}

void Scheduler::Warm(const hub::RepoHandle& repo) {
  Admit(repo.record());
  PlanPtr plan = impl_->PlanOf(repo);
  impl_->RequireRunnable(*plan);
  impl_->loop->Post([impl = impl_.get(), plan] { impl->models->Warm(plan); });
}

void Scheduler::Pin(const hub::RepoHandle& repo, bool pinned) {
  PlanPtr plan = impl_->PlanOf(repo);
  if (pinned) impl_->RequireRunnable(*plan);
  impl_->loop->Post([impl = impl_.get(), plan, pinned] { impl->models->Pin(plan, pinned); });
}

void Scheduler::Unload(const hub::RepoHandle& repo) {
  impl_->loop->Post([impl = impl_.get(), id = repo.record().id] { impl->models->Unload(id); });
}

void Scheduler::Admit(const hub::RepoRecord& repo) const {
  if (impl_->stopped) throw Error(Code::kUnavailable, "The hub is shutting down");
  impl_->board->Check(repo.id);
}

net::Response Scheduler::Forward(const hub::RepoHandle& repo, net::Request& request,
                                 std::string target, const ForwardOptions& options) {
  Impl* impl = impl_.get();
  if (impl->stopped) throw Error(Code::kUnavailable, "The hub is shutting down");
  PlanPtr plan = impl->PlanOf(repo);
  if (std::string fault = impl->FaultOf(*plan); !fault.empty())
    return FaultAnswer(options.shape, 422, fault);
  int64_t repo_id = plan->repo_id;
  impl->board->Enter(repo_id);
  uint64_t id = ++impl->last_call;
  auto caller = std::make_shared<Caller>(
      [impl, loop = std::weak_ptr(impl->loop), board = impl->board, repo_id, id] {
        board->Leave(repo_id);
        // After Stop this runs no more, so that `impl` is there when it does.
        if (auto still = loop.lock()) still->Post([impl, id] { impl->models->Drop(id); });
      });
  caller->pipe.set_on_drained([impl, loop = std::weak_ptr(impl->loop), id] {
    if (auto still = loop.lock()) still->Post([impl, id] { impl->models->Resume(id); });
  });
  auto call = std::make_shared<Call::Request>();
  call->id = id;
  call->plan = plan;
  call->options = options;
  call->bytes_before_token = WireHead(request, target);
  call->bytes_after_token = "\r\n\r\n" + request.body.ReadAll();
  net::Response response;
  response.body = net::LaterBody{[impl, call, caller](std::function<void(net::Response)> answer) {
    impl->StartCall(std::move(*call), caller, answer);
  }};
  return response;
}

}  // namespace hearth::inference
