// What a confined process can no longer do, seen in a child of the test.
#include "base/confinement.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <thread>

namespace hearth {
namespace {

constexpr int kNotConfined = 77;

// Runs `checks` in a confined child; returns its exit status: 0 when they all held.
int InConfinedChild(const std::function<bool()>& checks) {
  pid_t child = ::fork();
  if (child == 0) {
    std::function<bool()> done = checks;
    if (auto reason = ConfineProcess()) {
      std::fprintf(stderr, "not confined: %s\n", reason->c_str());
      ::_exit(kNotConfined);
    }
    ::_exit(done() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Refused(long result) { return result == -1 && errno == EPERM; }

TEST(Confinement, NoProgramsNoSocketsNoTracing) {
  int status = InConfinedChild([] {
    char* argv[] = {nullptr};
    bool refused = Refused(::execve("/bin/true", argv, argv));
    refused = refused && Refused(::socket(AF_INET, SOCK_STREAM, 0));
    refused = refused && Refused(::socket(AF_UNIX, SOCK_STREAM, 0));
    refused = refused && Refused(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    refused =
        refused && Refused(::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0));
    refused = refused && Refused(::kill(::getppid(), 0));
    return refused && Refused(::fork());
  });
  if (status == kNotConfined) return;  // a kernel without it, which is told in the log
  EXPECT_EQ(status, 0);
}

TEST(Confinement, ThreadsFilesAndOpenConnectionsGoOn) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  int status = InConfinedChild([&] {
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    FILE* file = std::fopen("/proc/self/status", "r");
    bool reads = file != nullptr;
    if (reads) std::fclose(file);
    return ran && reads && ::send(ends[1], "x", 1, 0) == 1;
  });
  ::close(ends[1]);
  char byte = 0;
  bool received = ::recv(ends[0], &byte, 1, 0) == 1;
  ::close(ends[0]);
  if (status == kNotConfined) return;
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(received);
}

TEST(Confinement, HoldsForThreadsThatRunAlready) {
  int status = InConfinedChild([] { return true; });
  if (status == kNotConfined) return;
  pid_t child = ::fork();
  if (child == 0) {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(2);
    bool refused = false;
    std::thread early([&] {
      char byte;
      if (::read(ends[0], &byte, 1) == 1) refused = Refused(::socket(AF_INET, SOCK_STREAM, 0));
    });
    if (ConfineProcess()) ::_exit(3);
    if (::write(ends[1], "x", 1) != 1) ::_exit(4);
    early.join();
    ::_exit(refused ? 0 : 1);
  }
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace hearth
