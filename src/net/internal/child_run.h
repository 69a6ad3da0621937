// A child process whose output becomes a response: spawned on a worker, then owned by a loop, which
// reads its output, drains its standard error and reaps it. Whatever happens, the child is reaped
// and on_exit runs once.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "net/http.h"
#include "net/internal/loop.h"
#include "net/internal/stream.h"
#include "net/internal/watch.h"
#include "net/internal/worker_pool.h"

namespace hearth::net {

class ChildRun : public std::enable_shared_from_this<ChildRun> {
 public:
  // Starts argv in its own process group with the body as standard input. Blocking; throws
  // Error{kInternal}.
  static std::shared_ptr<ChildRun> Spawn(ProcessBody process);
  ~ChildRun();

  // The rest is for the loop's thread.
  void Attach(Loop& loop, WorkerPool& pool);
  IoResult ReadOutput(char* out, size_t size);  // kOk, kWantRead, kEnd
  void WaitOutput(std::function<void()> ready);
  // `done` runs on the loop after the child was reaped and on_exit has run.
  void WaitExit(std::function<void(int status)> done);
  // The client left: asks the group to end, insists two seconds later. on_exit still runs.
  void Abort();
  // Server shutdown: kills and reaps now, and runs on_exit here.
  void Finish();
  bool attached() const { return loop_ != nullptr; }
  // The process is gone and on_exit has run.
  bool finished() const { return finished_; }

 private:
  ChildRun() = default;
  void OnOutput(uint32_t events);
  void OnErrors(uint32_t events);
  void OnExit(uint32_t events);
  void Reap();
  void Signal(int signal);
  void LogExit() const;
  void RunOnExit() noexcept;

  pid_t pid_ = -1;  // -1 once reaped
  int status_ = 0;  // exit code, or 128 + signal
  bool finished_ = false;
  std::string name_;
  std::string errors_;
  std::function<void(int)> on_exit_;
  std::function<void(int)> done_;
  std::function<void()> output_ready_;
  UniqueFd output_fd_, error_fd_, pid_fd_;
  Loop* loop_ = nullptr;
  WorkerPool* pool_ = nullptr;
  Watch output_, error_, exit_;
  std::optional<Loop::TimerId> kill_timer_;
};

}  // namespace hearth::net
