#include "storage/git/blame.h"

#include <gmock/gmock.h>

#include <random>
#include <sstream>

#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

using testing::ElementsAre;

class BlameTest : public GitTest {
 protected:
  static std::string Text(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  static GitOid Put(GitRepository& repository, const std::string& text) {
    return CommitOnMain(repository, {PutFile{"f.txt", text}});
  }
  // The commit of each line, as git says.
  std::vector<std::string> BlameOfGit() const {
    std::istringstream rows(Git("blame -l -s --root --first-parent main -- f.txt"));
    std::vector<std::string> commits;
    for (std::string row; std::getline(rows, row);) commits.push_back(row.substr(0, 40));
    return commits;
  }
  static std::vector<std::string> Commits(const Blame& blame) {
    std::vector<std::string> commits;
    for (size_t place : blame.lines)
      commits.push_back(place == Blame::kOlder ? "older" : blame.commits[place].oid.Hex());
    return commits;
  }
};

TEST_F(BlameTest, EachLineIsOfTheCommitThatGitNames) {
  std::mt19937 random(11);
  GitRepository repository = Open();
  std::vector<std::string> lines;
  int made = 0;
  GitOid head;
  for (int round = 0; round < 40; ++round) {
    for (uint32_t edit = 1 + random() % 4; edit > 0; --edit) {
      size_t at = random() % (lines.size() + 1);
      size_t count = std::min<size_t>(random() % 3, lines.size() - at);
      auto from = lines.begin() + static_cast<ptrdiff_t>(at);
      lines.erase(from, from + static_cast<ptrdiff_t>(count));
      for (uint32_t fresh = random() % 4; fresh > 0; --fresh)
        lines.insert(lines.begin() + static_cast<ptrdiff_t>(at), "line " + std::to_string(++made));
    }
    head = Put(repository, Text(lines));
    CommitOnMain(repository, {PutFile{"other.txt", std::to_string(round)}});
  }
  ASSERT_GT(lines.size(), 10u);
  EXPECT_EQ(Commits(FindBlame(repository, *repository.FindRef("refs/heads/main"), "f.txt")),
            BlameOfGit());
}

TEST_F(BlameTest, ATextWithoutALastLineEndAndAnEmptyOneAreToldApart) {
  GitRepository repository = Open();
  std::string first = Put(repository, "a\nb").Hex();
  GitOid second = Put(repository, "a\nb\nc");
  Blame blame = FindBlame(repository, second, "f.txt");
  // The line b was given an end.
  EXPECT_THAT(Commits(blame), ElementsAre(first, second.Hex(), second.Hex()));
  EXPECT_TRUE(FindBlame(repository, Put(repository, ""), "f.txt").lines.empty());
}

TEST_F(BlameTest, WhatTheLimitsLeaveOutIsOlder) {
  GitRepository repository = Open();
  Put(repository, "a\n");
  std::string second = Put(repository, "a\nb\n").Hex();
  GitOid third = Put(repository, "a\nb\nc\n");
  EXPECT_THAT(Commits(FindBlame(repository, third, "f.txt", {.max_changes = 1})),
              ElementsAre("older", "older", third.Hex()));
  EXPECT_THAT(Commits(FindBlame(repository, third, "f.txt", {.max_steps = 2})),
              ElementsAre("older", second, third.Hex()));
  std::string large(5000, 'x');
  Put(repository, large + "\na\n");
  GitOid last = Put(repository, "a\nz\n");
  EXPECT_THAT(Commits(FindBlame(repository, last, "f.txt", {.max_file_bytes = 1000})),
              ElementsAre("older", "older"));
}

TEST_F(BlameTest, AFileThatIsNotThereIsSaid) {
  GitRepository repository = Open();
  GitOid head = Put(repository, "a\n");
  EXPECT_EQ(CodeOf([&] { FindBlame(repository, head, "g.txt"); }), Code::kNotFound);
}

}  // namespace
}  // namespace hearth::storage
