#include "net/internal/child_run.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/spawn_attributes.h"

namespace hearth::net {
namespace {

constexpr size_t kMaxErrorBytes = 16 << 10;
// The default of 64 KiB makes a fast child and the loop take turns; this is the unprivileged limit.
constexpr int kPipeBytes = 1 << 20;
constexpr auto kKillDelay = std::chrono::seconds(2);

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Only our end is non-blocking: the child expects ordinary descriptors.
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// Files and memory files instead of a pipe: nobody has to feed them while the child runs.
UniqueFd InputOf(const RequestBody& body) {
  UniqueFd input;
  if (body.spooled()) {
    input.Reset(::fcntl(body.fd(), F_DUPFD_CLOEXEC, 3));
  } else if (body.size_bytes() == 0) {
    input.Reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  } else {
    input.Reset(::memfd_create("request-body", MFD_CLOEXEC));
    if (input.valid()) WriteAll(input.get(), body.memory());
  }
  if (!input.valid()) ThrowErrno("standard input of a child");
  if (body.size_bytes() > 0) ::lseek(input.get(), 0, SEEK_SET);
  return input;
}

std::vector<std::string> Environment(const ProcessBody& process) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> env = {std::string("PATH=") + (path ? path : "/usr/bin:/bin"),
                                  "LANG=C.UTF-8"};
  env.insert(env.end(), process.env.begin(), process.env.end());
  return env;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

pid_t SpawnProcess(ProcessBody& process, int in, int out, int err) {
  std::vector<std::string> env = Environment(process);
  std::vector<char*> argv = Pointers(process.argv);
  std::vector<char*> envp = Pointers(env);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  const SpawnAttributes attributes;
  pid_t pid = -1;
  int error = ::posix_spawnp(&pid, argv[0], &actions, attributes.get(), argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw Error(Code::kInternal,
                "cannot start " + process.argv[0] + ": error " + std::to_string(error));
  }
  return pid;
}

}  // namespace

std::shared_ptr<ChildRun> ChildRun::Spawn(ProcessBody process) {
  if (process.argv.empty()) throw Error(Code::kInternal, "child process without a program");
  std::shared_ptr<ChildRun> run(new ChildRun);
  run->name_ = process.argv[0];
  for (size_t i = 1; i < process.argv.size() && i < 3; ++i) run->name_ += " " + process.argv[i];
  UniqueFd input = InputOf(process.input);
  Pipe output = MakePipe();
  Pipe errors = MakePipe();
  ::fcntl(output.read.get(), F_SETPIPE_SZ, kPipeBytes);
  run->pid_ = SpawnProcess(process, input.get(), output.write.get(), errors.write.get());
  run->on_exit_ = std::move(process.on_exit);
  run->output_fd_ = std::move(output.read);
  run->error_fd_ = std::move(errors.read);
  // Close-on-exec by definition.
  run->pid_fd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, run->pid_, 0)));
  if (!run->pid_fd_.valid()) ThrowErrno("pidfd_open");
  return run;
}

ChildRun::~ChildRun() { Finish(); }

void ChildRun::Attach(Loop& loop, WorkerPool& pool) {
  loop_ = &loop;
  pool_ = &pool;
  loop.Add(shared_from_this());
  output_.Start<&ChildRun::OnOutput>(loop, output_fd_.get(), EPOLLIN | EPOLLET, this);
  error_.Start<&ChildRun::OnErrors>(loop, error_fd_.get(), EPOLLIN, this);
  exit_.Start<&ChildRun::OnExit>(loop, pid_fd_.get(), EPOLLIN, this);
}

IoResult ChildRun::ReadOutput(char* out, size_t size) {
  while (true) {
    ssize_t got = ::read(output_fd_.get(), out, size);
    if (got > 0) return {IoStatus::kOk, static_cast<size_t>(got)};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return {IoStatus::kWantRead, 0};
    output_.Stop();
    return {IoStatus::kEnd, 0};
  }
}

void ChildRun::WaitOutput(std::function<void()> ready) { output_ready_ = std::move(ready); }

// Whoever waits has read up to EAGAIN, so an edge that finds nobody waiting is no loss.
void ChildRun::OnOutput(uint32_t) {
  if (output_ready_) std::exchange(output_ready_, nullptr)();
}

void ChildRun::OnErrors(uint32_t) {
  char buffer[4096];
  ssize_t got = ::read(error_fd_.get(), buffer, sizeof buffer);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return error_.Stop();
  if (got > 0 && errors_.size() < kMaxErrorBytes) errors_.append(buffer, static_cast<size_t>(got));
}

void ChildRun::OnExit(uint32_t) {
  exit_.Stop();
  if (pid_ < 0) return;
  Reap();
  // The last words are in the pipe by now. Bounded: somebody who left the group may still write.
  for (int i = 0; i < 32 && error_.active(); ++i) OnErrors(0);
  error_.Stop();
  if (kill_timer_) loop_->Cancel(*kill_timer_);
  LogExit();
  auto self = shared_from_this();
  pool_->Submit([self] {
    self->RunOnExit();
    self->loop_->Post([self] {
      self->finished_ = true;
      self->loop_->Remove(self);
      if (self->done_) std::exchange(self->done_, nullptr)(self->status_);
    });
  });
}

void ChildRun::WaitExit(std::function<void(int)> done) {
  if (finished_) {
    done(status_);
  } else {
    done_ = std::move(done);
  }
}

void ChildRun::Abort() {
  done_ = nullptr;
  output_ready_ = nullptr;
  output_.Stop();
  output_fd_.Reset();  // the child's next write ends it
  if (pid_ < 0) return;
  Signal(SIGTERM);
  if (!loop_) return;
  auto self = shared_from_this();
  kill_timer_ = loop_->RunAfter(kKillDelay, [self] {
    if (self->pid_ > 0) self->Signal(SIGKILL);
  });
}

void ChildRun::Finish() {
  done_ = nullptr;
  if (pid_ > 0) {
    Signal(SIGKILL);
    Reap();
  }
  RunOnExit();
  finished_ = true;
}

void ChildRun::Reap() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  // Helpers that it left behind in its group (git starts several) end with it. The dead leader
  // still holds the group's number, so it cannot have been given to someone else.
  Signal(SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  pid_ = -1;
}

void ChildRun::Signal(int signal) { ::kill(-pid_, signal); }

void ChildRun::LogExit() const {
  if (status_ == 0 && errors_.empty()) return;
  log::Write(status_ == 0 ? log::Level::kDebug : log::Level::kWarning, "child process ended",
             {{"program", name_}, {"status", std::to_string(status_)}, {"stderr", errors_}});
}

void ChildRun::RunOnExit() noexcept {
  if (!on_exit_) return;
  auto on_exit = std::exchange(on_exit_, nullptr);
  try {
    on_exit(status_);
  } catch (const std::exception& error) {
    log::LogError("on_exit of a child failed", {{"program", name_}, {"reason", error.what()}});
  }
}

}  // namespace hearth::net
