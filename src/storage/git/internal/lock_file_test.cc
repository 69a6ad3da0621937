#include "storage/git/internal/lock_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/random.h"

namespace hearth::storage::internal {
namespace {

// A process may be killed at any moment: a lock that can be seen must already be known as ours.
TEST(LockFile, IsNeverSeenWithoutItsMarker) {
  auto folder = std::filesystem::temp_directory_path() / ("hearth-lock-" + RandomAlphanumeric(10));
  std::filesystem::create_directories(folder);
  std::filesystem::path target = folder / "main";
  std::string lock = target.string() + ".lock";
  std::atomic<bool> done{false};
  std::atomic<int> seen{0}, unmarked{0};
  std::thread watcher([&] {
    while (!done) {
      UniqueFd fd(::open(lock.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd.valid()) continue;
      char byte;
      ++seen;
      if (::pread(fd.get(), &byte, 1, 0) != 1) ++unmarked;
    }
  });
  for (int i = 0; i < 20000 || seen < 100; ++i) {
    auto held = LockFile::Acquire(target, std::chrono::seconds(5), [] {});
    ASSERT_TRUE(held);
  }
  done = true;
  watcher.join();
  EXPECT_EQ(unmarked, 0) << "of " << seen;
  EXPECT_FALSE(std::filesystem::exists(lock));
  std::filesystem::remove_all(folder);
}

TEST(LockFile, OfADeadHolderIsTakenOver) {
  auto folder = std::filesystem::temp_directory_path() / ("hearth-lock-" + RandomAlphanumeric(10));
  std::filesystem::create_directories(folder);
  pid_t child = ::fork();
  if (child == 0) {
    auto held = LockFile::Acquire(folder / "main", std::chrono::seconds(5), [] {});
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(std::filesystem::exists(folder / "main.lock"));
  EXPECT_TRUE(LockFile::Acquire(folder / "main", std::chrono::seconds(0), [] {}));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hearth::storage::internal
