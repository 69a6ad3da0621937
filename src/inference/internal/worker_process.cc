#include "inference/internal/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/spawn_attributes.h"

namespace hearth::inference {
namespace {

constexpr size_t kMaxLineBytes = 2000;

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

// What a posix_spawn needs, freed at the end.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  SpawnAttributes attributes;

  explicit SpawnPlan(int errors) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, errors, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  }
  ~SpawnPlan() { posix_spawn_file_actions_destroy(&actions); }
};

void Limit(pid_t pid, __rlimit_resource resource, uint64_t value) {
  rlimit limit{value, value};
  if (::prlimit(pid, resource, &limit, nullptr) != 0) {
    log::Warning("a worker could not be limited", {{"error", errno}});
  }
}

}  // namespace

WorkerProcess::WorkerProcess(EventLoop& loop, const WorkerLaunch& launch,
                             std::function<void()> exited)
    : loop_(loop), name_(launch.name), exited_(std::move(exited)) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  errors_.Reset(ends[0]);
  UniqueFd theirs(ends[1]);
  ::fcntl(errors_.get(), F_SETFL, O_NONBLOCK);
  const char* path = std::getenv("PATH");
  std::vector<std::string> env = {std::string("PATH=") + (path ? path : "/usr/bin:/bin"),
                                  "LANG=C.UTF-8", "HEARTH_WORKER_TOKEN=" + launch.token};
  for (const std::string& name : launch.passed_on) {
    if (const char* value = std::getenv(name.c_str())) env.push_back(name + "=" + value);
  }
  std::vector<std::string> arguments = launch.argv;
  std::vector<char*> argv = Pointers(arguments), envp = Pointers(env);
  SpawnPlan plan(theirs.get());
  int error =
      ::posix_spawn(&pid_, argv[0], &plan.actions, plan.attributes.get(), argv.data(), envp.data());
  if (error != 0) {
    pid_ = -1;
    ThrowErrno("start " + launch.argv[0], error);
  }
  Limit(pid_, RLIMIT_CORE, 0);
  if (launch.data_limit_bytes > 0) Limit(pid_, RLIMIT_DATA, launch.data_limit_bytes);
  pid_fd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));  // close-on-exec
  if (!pid_fd_.valid()) {
    int reason = errno;
    ::kill(-pid_, SIGKILL);
    Reap();
    ThrowErrno("pidfd_open", reason);
  }
  errors_watch_ = loop_.Watch(errors_.get(), EPOLLIN, [this](uint32_t e) { OnErrors(e); });
  exit_watch_ = loop_.Watch(pid_fd_.get(), EPOLLIN, [this](uint32_t e) { OnExit(e); });
}

WorkerProcess::~WorkerProcess() {
  loop_.Unwatch(errors_watch_);
  loop_.Unwatch(exit_watch_);
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    Reap();
  }
}

void WorkerProcess::Terminate(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return;
  ::kill(pid_, patience.count() > 0 ? SIGTERM : SIGKILL);
  if (patience.count() == 0) return;
  // A descriptor of the process cannot mean another one, as its number could.
  int copy = ::fcntl(pid_fd_.get(), F_DUPFD_CLOEXEC, 3);
  auto kept = std::make_shared<UniqueFd>(copy);
  loop_.After(patience,
              [kept] { ::syscall(SYS_pidfd_send_signal, kept->get(), SIGKILL, nullptr, 0); });
}

uint64_t WorkerProcess::ResidentBytes() const {
  if (pid_ <= 0) return 0;
  try {
    std::string text = ReadFile("/proc/" + std::to_string(pid_) + "/statm", 4096);
    std::vector<std::string_view> fields = Split(TrimAscii(text), ' ');
    std::optional<uint64_t> pages = fields.size() > 1 ? ParseUint(fields[1]) : std::nullopt;
    return pages.value_or(0) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  } catch (const Error&) {
    return 0;
  }
}

std::string WorkerProcess::EndText() const {
  if (signal_ > 0) return "killed by signal " + std::to_string(signal_);
  return "exit status " + std::to_string(exit_status_);
}

void WorkerProcess::OnErrors(uint32_t) {
  char buffer[4096];
  ssize_t got = ::read(errors_.get(), buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return loop_.Unwatch(std::exchange(errors_watch_, 0));
  partial_.append(buffer, static_cast<size_t>(got));
  size_t end;
  while ((end = partial_.find('\n')) != std::string::npos) {
    TakeLine(std::string_view(partial_).substr(0, end));
    partial_.erase(0, end + 1);
  }
  if (partial_.size() > kMaxLineBytes) partial_.resize(kMaxLineBytes);
}

void WorkerProcess::TakeLine(std::string_view line) {
  line = TrimAscii(line.substr(0, kMaxLineBytes));
  if (line.empty()) return;
  last_line_ = line;
  log::Info("worker", {{"model", name_}, {"pid", static_cast<int>(pid_)}, {"says", last_line_}});
}

void WorkerProcess::OnExit(uint32_t) {
  loop_.Unwatch(std::exchange(exit_watch_, 0));
  Reap();
  // Its last words are in the pipe by now.
  for (int i = 0; i < 64 && errors_watch_ != 0; ++i) {
    size_t before = partial_.size() + last_line_.size();
    OnErrors(0);
    if (partial_.size() + last_line_.size() == before) break;
  }
  TakeLine(partial_);
  auto exited = std::move(exited_);
  exited();
}

void WorkerProcess::Reap() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  // What it may have started goes with it; its number is not given away before it is reaped.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    signal_ = WTERMSIG(status);
  } else {
    exit_status_ = WEXITSTATUS(status);
  }
  pid_ = -1;
}

}  // namespace hearth::inference
