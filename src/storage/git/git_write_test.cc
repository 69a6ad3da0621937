#include <gmock/gmock.h>

#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

using GitWriteTest = GitTest;

TEST_F(GitWriteTest, TheFirstCommitMakesTheBranch) {
  GitRepository repository = Open();
  EXPECT_EQ(repository.FindCommit("main"), std::nullopt);
  GitOid head = CommitOnMain(repository, {PutFile{"README.md", "hello\n"}}, "first\n\nmore text");
  EXPECT_EQ(repository.FindCommit("main"), head);
  EXPECT_EQ(Git("rev-parse main"), head.Hex() + "\n");
  EXPECT_EQ(Git("show main:README.md"), "hello\n");
  CommitInfo info = repository.ReadCommit(head);
  EXPECT_EQ(info.message, "first\n\nmore text");
  EXPECT_EQ(info.Title(), "first");
  EXPECT_EQ(info.Description(), "more text");
  EXPECT_EQ(info.author.email, "ann@example.com");
  EXPECT_TRUE(info.parents.empty());
  ExpectSound();
}

TEST_F(GitWriteTest, ChangesKeepTheRestOfTheTree) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a.txt", "1"}, PutFile{"d/x/one", "1"}, PutFile{"d/y", "2"},
                            PutFile{"d.txt", "3"}, PutFile{"d-e", "4"}});
  GitOid head = CommitOnMain(repository, {PutFile{"d/x/two", "2"}, DeleteFile{"d/y"},
                                          PutFile{"run.sh", "#!", EntryKind::kExecutable},
                                          PutFile{"link", "a.txt", EntryKind::kSymlink}});
  EXPECT_EQ(Git("ls-tree -r --format='%(objectmode) %(path)' main"),
            "100644 a.txt\n100644 d-e\n100644 d.txt\n100644 d/x/one\n100644 d/x/two\n"
            "120000 link\n100755 run.sh\n");
  EXPECT_EQ(AllPaths(repository, head), "a.txt d-e d.txt d d/x d/x/one d/x/two link run.sh");
  ExpectSound();
}

TEST_F(GitWriteTest, DeletingTheLastFileRemovesItsFolders) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"keep", ""}, PutFile{"a/b/c", "1"}});
  GitOid head = CommitOnMain(repository, {DeleteFile{"a/b/c"}});
  EXPECT_EQ(AllPaths(repository, head), "keep");
  GitOid empty = CommitOnMain(repository, {DeleteFile{"keep"}});
  EXPECT_EQ(AllPaths(repository, empty), "");
  EXPECT_EQ(Git("ls-tree main"), "");
  ExpectSound();
}

TEST_F(GitWriteTest, FoldersAreDeletedWithAndWithoutASlash) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a/1", ""}, PutFile{"b/2/3", ""}, PutFile{"c", ""}});
  CommitOnMain(repository, {DeleteFolder{"a/"}});
  GitOid head = CommitOnMain(repository, {DeleteFolder{"b"}});
  EXPECT_EQ(AllPaths(repository, head), "c");
  ExpectSound();
}

TEST_F(GitWriteTest, AFileBecomesAFolderAndBack) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a", "file"}, PutFile{"a.b", ""}, PutFile{"a0", ""}});
  GitOid as_folder = CommitOnMain(repository, {DeleteFile{"a"}, PutFile{"a/b", "x"}});
  EXPECT_EQ(AllPaths(repository, as_folder), "a.b a a/b a0");
  ExpectSound();
  GitOid as_file = CommitOnMain(repository, {PutFile{"a", "again"}, DeleteFolder{"a"}});
  EXPECT_EQ(AllPaths(repository, as_file), "a a.b a0");
  ExpectSound();
}

TEST_F(GitWriteTest, AFileAndAFolderOfOneNameClash) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"file", "1"}, PutFile{"folder/x", "1"},
                            PutFile{"link", "folder", EntryKind::kSymlink}});
  GitOid head = *repository.FindCommit("main");
  const std::vector<std::vector<TreeChange>> clashes = {
      {PutFile{"file/x", ""}},
      {PutFile{"folder", ""}},
      {PutFile{"link/x", ""}},  // symlinks are not followed
      {PutFile{"new", ""}, PutFile{"new/x", ""}},
  };
  for (const auto& changes : clashes) {
    EXPECT_EQ(CodeOf([&] { CommitOnMain(repository, changes); }), Code::kInvalidArgument);
  }
  EXPECT_EQ(repository.FindCommit("main"), head);
}

TEST_F(GitWriteTest, LaterChangesOfAPathWin) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(
      repository, {PutFile{"a", "1"}, PutFile{"a", "2"}, PutFile{"b", "1"}, DeleteFile{"b"},
                   PutFile{"c/1", ""}, DeleteFolder{"c"}, PutFile{"c/2", ""}});
  EXPECT_EQ(AllPaths(repository, head), "a c c/2");
  EXPECT_EQ(Git("show main:a"), "2");
}

TEST_F(GitWriteTest, DeletingWhatIsNotThereNamesThePath) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a", "1"}, PutFile{"d/x", "1"}});
  for (const TreeChange& change :
       {TreeChange(DeleteFile{"gone"}), TreeChange(DeleteFile{"d"}), TreeChange(DeleteFolder{"a"}),
        TreeChange(DeleteFolder{"e/"}), TreeChange(DeleteFile{"a/b"})}) {
    try {
      CommitOnMain(repository, {change});
      ADD_FAILURE() << "nothing thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kNotFound);
      EXPECT_EQ(error.wire_code(), "EntryNotFound");
    }
  }
}

TEST_F(GitWriteTest, ABlobOfTheRepositoryCanBePutElsewhere) {
  GitRepository repository = Open();
  GitOid first = CommitOnMain(repository, {PutFile{"a", "content"}});
  GitOid blob = repository.FindEntry(first, "a")->oid;
  GitOid head = CommitOnMain(repository, {PutFile{"copy", blob}});
  EXPECT_EQ(Git("show main:copy"), "content");
  GitOid tree = repository.ReadCommit(head).tree;
  for (const GitOid& wrong : {GitBlobOid("never stored"), tree, head}) {
    EXPECT_EQ(CodeOf([&] {
                CommitOnMain(repository, {PutFile{"b", wrong}});
              }),
              Code::kInvalidArgument);
  }
}

TEST_F(GitWriteTest, IllegalPathsAndKindsAreRefused) {
  GitRepository repository = Open();
  for (const char* path : {"", "/a", "a//b", "../x", "a/.git/config", ".GIT", "a\\b", "a\nb"}) {
    EXPECT_EQ(CodeOf([&] {
                CommitOnMain(repository, {PutFile{path, "x"}});
              }),
              Code::kInvalidArgument)
        << path;
  }
  EXPECT_EQ(CodeOf([&] {
              CommitOnMain(repository, {PutFile{"d", "x", EntryKind::kFolder}});
            }),
            Code::kInvalidArgument);
}

TEST_F(GitWriteTest, ACommitOnAnOldHeadIsRefused) {
  GitRepository repository = Open();
  NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.author = Ann();
  commit.changes = {PutFile{"a", "1"}};
  GitOid first = repository.Commit(commit);
  EXPECT_EQ(CodeOf([&] { repository.Commit(commit); }), Code::kPreconditionFailed);
  commit.expected_head = first;
  commit.changes = {PutFile{"a", "2"}};
  GitOid second = repository.Commit(commit);
  commit.changes = {PutFile{"a", "3"}};
  EXPECT_EQ(CodeOf([&] { repository.Commit(commit); }), Code::kPreconditionFailed);
  EXPECT_EQ(repository.FindCommit("main"), second);
  commit.ref = "refs/heads/other";
  EXPECT_EQ(CodeOf([&] { repository.Commit(commit); }), Code::kPreconditionFailed);
  commit.ref = "main";
  EXPECT_EQ(CodeOf([&] { repository.Commit(commit); }), Code::kInvalidArgument);
}

TEST_F(GitWriteTest, AnUnchangedTreeMakesNoCommitWhenAsked) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.expected_head = head;
  commit.author = Ann();
  commit.changes = {PutFile{"a", "1"}};
  commit.allow_empty = false;
  EXPECT_EQ(repository.Commit(commit), head);
  commit.allow_empty = true;
  EXPECT_NE(repository.Commit(commit), head);
}

TEST_F(GitWriteTest, OddSignaturesAndMessagesStillMakeSoundCommits) {
  GitRepository repository = Open();
  int round = 0;
  for (const Signature& author : {Signature{"", "", FromUnixMillis(0)},
                                  Signature{"A <b>\nc", "x>\n<y", FromUnixMillis(-5000)},
                                  Signature{" .,;", "\xFF", FromUnixMillis(1)}}) {
    NewCommit commit;
    commit.ref = round++ == 0 ? "refs/heads/main" : "refs/heads/b" + std::to_string(round);
    commit.author = author;
    commit.message = std::string("nul \0 inside", 12);
    GitOid oid = repository.Commit(commit);
    EXPECT_EQ(repository.ReadCommit(oid).message, "nul  inside");
  }
  ExpectSound();
}

TEST_F(GitWriteTest, ALargeCommitIsOnePackAndEqualToGits) {
  GitRepository repository = Open();
  auto work = root_ / "work";
  std::filesystem::create_directories(work);
  std::vector<TreeChange> changes;
  for (int i = 0; i < 1000; ++i) {
    changes.push_back(PutFile{"d" + std::to_string(i % 30) + "/f" + std::to_string(i),
                              std::string(static_cast<size_t>(i), 'a' + i % 26)});
  }
  std::string big(3'000'000, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 2654435761u >> 13);
  changes.push_back(PutFile{"big", big});
  GitOid head = CommitOnMain(repository, changes);
  EXPECT_EQ(repository.ReadBlob(repository.FindEntry(head, "big")->oid), big);
  ExpectSound();
  EXPECT_THAT(Git("count-objects -v"),
              testing::AllOf(testing::HasSubstr("count: 0\n"), testing::HasSubstr("packs: 1\n")));
  // Checked out and added again by git, the tree has the same id.
  Shell(root_, "git clone -q repo.git copy && cd copy && rm .git/index && git add -A");
  EXPECT_EQ(Shell(root_ / "copy", "git write-tree").output,
            repository.ReadCommit(head).tree.Hex() + "\n");
}

TEST_F(GitWriteTest, ObjectsThatExistAreNotWrittenTwice) {
  GitRepository repository = Open();
  std::vector<TreeChange> changes;
  for (int i = 0; i < 100; ++i) changes.push_back(PutFile{std::to_string(i), std::to_string(i)});
  CommitOnMain(repository, changes);
  changes.push_back(PutFile{"new", "new"});
  CommitOnMain(repository, changes);
  EXPECT_THAT(Git("count-objects -v"), testing::HasSubstr("count: 3\n")) << "blob, tree, commit";
}

TEST_F(GitWriteTest, SquashingKeepsTheTreeAndDropsTheHistory) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a", "1"}});
  GitOid head = CommitOnMain(repository, {PutFile{"b", "2"}});
  GitOid squashed = repository.MakeSquashed(head, "all in one", Ann());
  EXPECT_EQ(repository.FindCommit("main"), head);
  repository.UpdateRef("refs/heads/main", head, squashed);
  EXPECT_EQ(repository.CountCommits(squashed), 1u);
  EXPECT_EQ(AllPaths(repository, squashed), "a b");
  ExpectSound();
}

TEST_F(GitWriteTest, ARandomSeriesOfChangesGivesTheTreesOfGit) {
  GitRepository repository = Open();
  auto work = root_ / "work";
  Shell(root_, "git init -q -b main work");
  unsigned state = 12345;
  auto random = [&](unsigned below) {
    state = state * 1103515245 + 12345;
    return state / 65536 % below;
  };
  const char* names[] = {"a", "a.b", "a-b", "a0", "ab", "B", "z"};
  for (int round = 0; round < 25; ++round) {
    std::vector<TreeChange> changes;
    for (unsigned n = random(6) + 1; n > 0; --n) {
      std::string path = names[random(7)];
      for (unsigned depth = random(3); depth > 0; --depth)
        path += std::string("/") + names[random(7)];
      std::string content = std::to_string(random(1000));
      // What git's work tree does on such a write: whatever is in the way goes.
      std::string way;
      for (size_t slash = path.find('/'); slash != std::string::npos;
           slash = path.find('/', slash + 1)) {
        way = path.substr(0, slash);
        if (std::filesystem::is_regular_file(work / way)) {
          std::filesystem::remove(work / way);
          changes.push_back(DeleteFile{way});
        }
      }
      if (std::filesystem::is_directory(work / path)) {
        std::filesystem::remove_all(work / path);
        changes.push_back(DeleteFolder{path});
      }
      std::filesystem::create_directories((work / path).parent_path());
      std::FILE* file = std::fopen((work / path).c_str(), "w");
      std::fputs(content.c_str(), file);
      std::fclose(file);
      changes.push_back(PutFile{path, content});
    }
    GitOid head = CommitOnMain(repository, changes);
    std::string expected = Shell(work, "git add -A && git write-tree").output;
    ASSERT_EQ(repository.ReadCommit(head).tree.Hex() + "\n", expected) << "round " << round;
  }
  ExpectSound();
}

}  // namespace
}  // namespace hearth::storage
