// For tests: a temporary repository, commits in one line, and the stock git program beside us.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "storage/git/git_repository.h"

namespace hearth::storage {

class GitTest : public testing::Test {
 protected:
  GitTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-git-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    folder_ = root_ / "repo.git";
    GitRepository::Create(folder_);
  }
  ~GitTest() override { std::filesystem::remove_all(root_); }

  GitRepository Open() const { return GitRepository::Open(folder_); }

  struct ShellResult {
    int status;
    std::string output;
  };
  // Runs a shell command in `where` with a fixed identity and no settings of the machine.
  static ShellResult Shell(const std::filesystem::path& where, const std::string& command) {
    std::string whole = "cd '" + where.string() +
                        "' && export GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent GIT_AUTHOR_NAME=Ann"
                        " GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME=Ann"
                        " GIT_COMMITTER_EMAIL=ann@example.com GIT_TERMINAL_PROMPT=0; { " +
                        command + "\n} 2>&1";
    FILE* pipe = ::popen(whole.c_str(), "r");
    std::string output;
    char buffer[4096];
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      output.append(buffer, got);
    }
    return {::pclose(pipe), output};
  }
  // Output of a git command in the repository; a failure of the command fails the test.
  std::string Git(const std::string& arguments) const {
    ShellResult result = Shell(folder_, "git " + arguments);
    EXPECT_EQ(result.status, 0) << "git " << arguments << "\n" << result.output;
    return result.output;
  }
  void ExpectSound() const {
    ShellResult result = Shell(folder_, "git fsck --strict --full --no-progress --no-dangling");
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output, "");
  }

  static Signature Ann(int64_t seconds = 1'700'000'000) {
    return {"Ann", "ann@example.com", FromUnixMillis(seconds * 1000)};
  }
  // Commits on main, on top of whatever it is at.
  static GitOid CommitOnMain(GitRepository& repository, std::vector<TreeChange> changes,
                             std::string message = "change") {
    NewCommit commit;
    commit.ref = "refs/heads/main";
    commit.expected_head = repository.FindRef(commit.ref);
    commit.changes = std::move(changes);
    commit.message = std::move(message);
    commit.author = Ann();
    return repository.Commit(commit);
  }
  static std::string Paths(const std::vector<TreeEntry>& entries) {
    std::string out;
    for (const TreeEntry& entry : entries) out += (out.empty() ? "" : " ") + entry.path;
    return out;
  }
  static std::string AllPaths(const GitRepository& repository, const GitOid& commit) {
    GitRepository::ListOptions options;
    options.recursive = true;
    return Paths(repository.ListTree(commit, "", options));
  }
  template <typename F>
  static Code CodeOf(F action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kUnimplemented;  // nothing here throws it
  }

  std::filesystem::path root_, folder_;
};

}  // namespace hearth::storage
