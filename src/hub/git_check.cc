#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "hub/internal/git_check.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxWords = 2000;  // of git's report; the first lines say what is wrong

// Reads until the writers are gone; what is beyond the limit is dropped.
std::string ReadPipe(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMaxWords) text.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

std::optional<std::string> FindGitFault(const std::filesystem::path& folder, bool hash_objects) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);

  std::string git_dir = "--git-dir=" + folder.string();
  std::vector<const char*> argv = {"git", git_dir.c_str(), "fsck", "--no-dangling",
                                   "--no-progress"};
  if (!hash_objects) argv.push_back("--connectivity-only");
  argv.push_back(nullptr);
  // Neither the machine's nor a user's configuration decides what counts as a fault.
  const char* path = std::getenv("PATH");
  std::string path_variable = "PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin");
  const char* environment[] = {path_variable.c_str(),
                               "GIT_CONFIG_NOSYSTEM=1",
                               "GIT_CONFIG_GLOBAL=/dev/null",
                               "GIT_CONFIG_COUNT=1",
                               "GIT_CONFIG_KEY_0=safe.directory",
                               "GIT_CONFIG_VALUE_0=*",
                               "LC_ALL=C",
                               nullptr};
  pid_t child = 0;
  int error =
      ::posix_spawnp(&child, "git", &actions, nullptr, const_cast<char* const*>(argv.data()),
                     const_cast<char* const*>(environment));
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) ThrowErrno("run git fsck", error);
  write_end.Reset();
  std::string words = ReadPipe(read_end.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  words = std::string(TrimAscii(std::string_view(words).substr(0, kMaxWords)));
  return words.empty() ? "git fsck ended with status " + std::to_string(status) : words;
}

}  // namespace hearth::hub
