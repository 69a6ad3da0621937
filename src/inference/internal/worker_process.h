// One `hearth worker` as a child: its own process group, an environment without the hub's secrets,
// a clean table of descriptors, its words in the hub's log.
//
// Belongs to the event loop's thread, and must be started by it: the kernel ends a worker when the
// thread that made it ends, which is how none outlives a hub that was killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "inference/internal/event_loop.h"

namespace hearth::inference {

struct WorkerLaunch {
  std::vector<std::string> argv;
  std::string name;                    // in the log
  std::vector<std::string> passed_on;  // variables of this process's environment
  std::string token;                   // requests need it
  // No private memory above it; 0 = no limit.
  uint64_t data_limit_bytes = 0;
};

class WorkerProcess {
 public:
  // `exited` is called once, in the loop, when the process is gone; it may destroy this object.
  // Throws Error when the program cannot be started.
  WorkerProcess(EventLoop& loop, const WorkerLaunch& launch, std::function<void()> exited);
  // Kills and reaps what still runs.
  ~WorkerProcess();

  // Asks it to end; insists after `patience`.
  void Terminate(std::chrono::milliseconds patience);
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  // Resident bytes; 0 when it is gone.
  uint64_t ResidentBytes() const;
  // The last line it wrote to its standard error.
  const std::string& last_line() const { return last_line_; }
  // For a person: "exit status 1", "killed by signal 9".
  std::string EndText() const;
  // It ended by itself with a status: it could say why. A signal is a crash.
  bool ended_by_exit() const { return exit_status_ >= 0; }

 private:
  void OnErrors(uint32_t events);
  void OnExit(uint32_t events);
  void TakeLine(std::string_view line);
  void Reap();

  EventLoop& loop_;
  std::string name_;
  std::function<void()> exited_;
  pid_t pid_ = -1;
  int exit_status_ = -1, signal_ = 0;
  UniqueFd errors_, pid_fd_;
  EventLoop::WatchId errors_watch_ = 0, exit_watch_ = 0;
  std::string partial_, last_line_;
};

}  // namespace hearth::inference
