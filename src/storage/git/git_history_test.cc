#include <gmock/gmock.h>

#include <map>

#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

using testing::HasSubstr;

class GitHistoryTest : public GitTest {
 protected:
  // A history with branches and merges, made by git.
  GitOid PushMergedHistory() {
    auto result = Shell(
        root_,
        "git init -q -b main work && cd work && t=1700000000 && "
        "c() { t=$((t+60)); GIT_AUTHOR_DATE=\"$t +0200\" GIT_COMMITTER_DATE=\"$t +0200\" git "
        "\"$@\"; }"
        " && for i in 1 2 3; do echo $i > f$i; git add -A; c commit -qm \"main $i\"; done && "
        "git checkout -qb side && mkdir d && for i in 4 5; do echo $i > d/f$i; git add -A; c "
        "commit "
        "-qm \"side $i\"; done && git checkout -q main && echo 6 > f1 && git add -A && c commit "
        "-qm "
        "'main 6' && c merge -q --no-ff -m merge side && echo 7 > d/f4 && git add -A && c commit "
        "-qm 'main 7' && git push -q ../repo.git main");
    EXPECT_EQ(result.status, 0) << result.output;
    return *Open().FindCommit("main");
  }
  static std::string Text(const std::vector<GitRepository::DiffEntry>& entries) {
    std::string out;
    for (const auto& entry : entries) {
      out += "AMD"[static_cast<int>(entry.kind)] + std::string("\t") + entry.path + "\n";
    }
    return out;
  }
};

TEST_F(GitHistoryTest, LogEqualsGitLog) {
  GitOid head = PushMergedHistory();
  GitRepository repository = Open();
  std::string log;
  for (const CommitInfo& commit : repository.Log(head, 0, 100)) {
    std::string parents;
    for (const GitOid& parent : commit.parents) {
      parents += (parents.empty() ? "" : " ") + parent.Hex();
    }
    log += commit.oid.Hex() + "|" + commit.tree.Hex() + "|" + parents + "|" + commit.Title() + "|" +
           commit.author.name + "|" + commit.committer.email + "|" +
           std::to_string(ToUnixMillis(commit.author.time) / 1000) + "\n";
  }
  EXPECT_EQ(log, Git("log --format='%H|%T|%P|%s|%an|%ce|%at' main"));
  EXPECT_EQ(repository.CountCommits(head), 8u);
  std::vector<CommitInfo> all = repository.Log(head, 0, 100), some = repository.Log(head, 2, 3);
  ASSERT_EQ(some.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(some[i].oid, all[i + 2].oid);
  EXPECT_TRUE(repository.Log(head, 8, 3).empty());
  EXPECT_EQ(CodeOf([&] { repository.Log(GitBlobOid("x"), 0, 1); }), Code::kNotFound);
}

TEST_F(GitHistoryTest, LastCommitsFollowTheFirstParent) {
  GitOid head = PushMergedHistory();
  GitRepository repository = Open();
  std::vector<std::string> paths = {"f1",   "f2",   "f3",   "d", "d/f4",
                                    "d/f5", "none", "f1/x", "",  "d/"};
  std::map<std::string, std::string> found;
  for (const auto& [path, commit] : repository.LastCommits(head, paths)) {
    found[path] = commit.oid.Hex() + "\n";
  }
  EXPECT_EQ(found.size(), 8u);
  for (const char* path : {"f1", "f2", "f3", "d", "d/f4", "d/f5"}) {
    EXPECT_EQ(found[path], Git(std::string("log -1 --first-parent -m --format=%H main -- ") + path))
        << path;
  }
  EXPECT_EQ(found[""], head.Hex() + "\n");
  EXPECT_EQ(found["d/"], found["d"]);
  EXPECT_EQ(repository.LastCommits(head, {"d/f4", "f2"}, 1).size(), 1u) << "the walk is bounded";
}

TEST_F(GitHistoryTest, DiffsEqualGits) {
  GitRepository repository = Open();
  GitOid first = CommitOnMain(
      repository, {PutFile{"a", "1"}, PutFile{"b/x", "1"}, PutFile{"b/y", "1"}, PutFile{"c", "1"}});
  GitOid second = CommitOnMain(
      repository, {PutFile{"a", "22"}, DeleteFile{"b/x"}, DeleteFile{"c"}, PutFile{"c/d", "1"},
                   PutFile{"b/y", "1", EntryKind::kExecutable}, PutFile{"e", "new"}});
  std::vector<GitRepository::DiffEntry> diff = repository.Diff(first, second);
  EXPECT_EQ(Text(diff), Git("diff --no-renames --name-status " + first.Hex() + " " + second.Hex()));
  EXPECT_EQ(diff[0].old_size, 1u);
  EXPECT_EQ(diff[0].new_size, 2u);
  EXPECT_EQ(diff[0].new_oid, GitBlobOid("22"));
  EXPECT_EQ(Text(repository.Diff(std::nullopt, first)), "A\ta\nA\tb/x\nA\tb/y\nA\tc\n");
  EXPECT_TRUE(repository.Diff(first, first).empty());
  EXPECT_EQ(CodeOf([&] { repository.Diff(GitBlobOid("x"), first); }), Code::kNotFound);
}

TEST_F(GitHistoryTest, UnifiedDiffIsTextThatGitApplies) {
  GitRepository repository = Open();
  GitOid first = CommitOnMain(repository, {PutFile{"a", "one\ntwo\nthree\n"}, PutFile{"b", "x"}});
  GitOid second = CommitOnMain(
      repository, {PutFile{"a", "one\n2\nthree\n"}, PutFile{"b", "y"}, PutFile{"new", "n\n"}});
  std::string patch = repository.UnifiedDiff(first, second, 1 << 20);
  EXPECT_THAT(patch, testing::AllOf(HasSubstr("--- a/a\n+++ b/a\n"), HasSubstr("\n-two\n+2\n"),
                                    HasSubstr("\\ No newline at end of file")));
  std::FILE* file = std::fopen((root_ / "patch").c_str(), "w");
  std::fputs(patch.c_str(), file);
  std::fclose(file);
  auto applied = Shell(root_, "git clone -q repo.git w && cd w && git reset -q --hard " +
                                  first.Hex() + " && git apply --index ../patch && git write-tree");
  EXPECT_EQ(applied.output, repository.ReadCommit(second).tree.Hex() + "\n");
  EXPECT_THAT(repository.UnifiedDiff(std::nullopt, first, 1 << 20), HasSubstr("+three\n"));
}

TEST_F(GitHistoryTest, UnifiedDiffNamesBinariesAndStopsAtItsLimit) {
  GitRepository repository = Open();
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "line " + std::to_string(i) + "\n";
  GitOid head =
      CommitOnMain(repository, {PutFile{"bin", std::string("\0\1\2", 3)}, PutFile{"t", lines}});
  std::string patch = repository.UnifiedDiff(std::nullopt, head, 500);
  EXPECT_THAT(patch, HasSubstr("Binary files /dev/null and b/bin differ\n"));
  EXPECT_LT(patch.size(), 600u);
  EXPECT_THAT(patch, testing::EndsWith("... cut at 500 bytes\n"));
}

TEST_F(GitHistoryTest, TextThatIsNotUtf8IsReadLossily) {
  auto result =
      Shell(folder_,
            "tree=$(git mktree < /dev/null); printf 'tree %s\\nauthor J\\351 <j@x> 1700000000 "
            "+0000\\ncommitter J <j@x> 1700000000 +0000\\n\\ncaf\\351\\n' $tree | "
            "git hash-object -t commit -w --stdin");
  ASSERT_EQ(result.status, 0) << result.output;
  GitOid oid = *GitOid::FromHex(result.output.substr(0, 40));
  CommitInfo info = Open().ReadCommit(oid);
  EXPECT_EQ(info.Title(), "caf\xEF\xBF\xBD");
  EXPECT_EQ(info.author.name, "J\xEF\xBF\xBD");
}

}  // namespace
}  // namespace hearth::storage
