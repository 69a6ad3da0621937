#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

using testing::HasSubstr;
using GitRefsTest = GitTest;

std::string Names(const std::vector<RefInfo>& refs) {
  std::string out;
  for (const RefInfo& ref : refs) out += (out.empty() ? "" : " ") + ref.name;
  return out;
}

TEST_F(GitRefsTest, CreateRefusesAnExistingFolderAndOpenAMissingOne) {
  EXPECT_EQ(CodeOf([&] { GitRepository::Create(folder_); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { GitRepository::Open(root_ / "none.git"); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { GitRepository::Open(root_); }), Code::kNotFound);
  GitRepository::Create(root_ / "ab" / "cd" / "deep.git");
  EXPECT_EQ(GitRepository::Open(root_ / "ab" / "cd" / "deep.git").ListRefs().size(), 0u);
}

TEST_F(GitRefsTest, RevisionsAreFoundByEveryKindOfName) {
  GitRepository repository = Open();
  GitOid first = CommitOnMain(repository, {PutFile{"a", "1"}});
  GitOid second = CommitOnMain(repository, {PutFile{"a", "2"}});
  repository.UpdateRef("refs/pr/1", std::nullopt, first);
  repository.CreateTag("light", first, "", Ann());
  repository.CreateTag("v1.0", first, "the first", Ann());
  Git("tag -a -m nested nested v1.0");
  Git("symbolic-ref refs/heads/alias refs/heads/main");
  std::string hex = second.Hex(), upper = hex;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& name :
       {std::string("main"), std::string("refs/heads/main"), std::string("HEAD"),
        std::string("alias"), hex, upper, hex.substr(0, 7), hex.substr(0, 12)}) {
    EXPECT_EQ(repository.FindCommit(name), second) << name;
  }
  for (const char* name : {"refs/pr/1", "light", "v1.0", "nested", "refs/tags/v1.0"}) {
    EXPECT_EQ(repository.FindCommit(name), first) << name;
  }
}

TEST_F(GitRefsTest, NothingElseIsARevision) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a", "1"}});
  GitOid head = CommitOnMain(repository, {PutFile{"a", "2"}});
  Git("update-ref refs/heads/feature/x main");
  std::string hex = head.Hex();
  GitOid blob = repository.FindEntry(head, "a")->oid;
  for (const std::string& name : {std::string(),
                                  std::string("main~1"),
                                  std::string("main^"),
                                  std::string("main^{}"),
                                  std::string("main@{0}"),
                                  std::string("@"),
                                  std::string("@{-1}"),
                                  std::string(":a"),
                                  std::string("main:a"),
                                  std::string(":/change"),
                                  std::string("../main"),
                                  std::string("refs/heads/../heads/main"),
                                  std::string("refs/../HEAD"),
                                  std::string("config"),
                                  std::string("refs"),
                                  std::string("refs/heads"),
                                  std::string("feature"),
                                  std::string("heads/main"),
                                  std::string("main\0x", 6),
                                  std::string("ma*"),
                                  std::string("/etc/passwd"),
                                  std::string(5000, 'a'),
                                  hex.substr(0, 6),
                                  hex + "0",
                                  std::string(40, '0'),
                                  blob.Hex(),
                                  blob.Hex().substr(0, 10),
                                  repository.ReadCommit(head).tree.Hex()}) {
    EXPECT_EQ(repository.FindCommit(name), std::nullopt) << name;
  }
}

TEST_F(GitRefsTest, ABranchNamedLikeAShortIdWins) {
  GitRepository repository = Open();
  GitOid first = CommitOnMain(repository, {PutFile{"a", "1"}});
  GitOid second = CommitOnMain(repository, {PutFile{"a", "2"}});
  std::string name = first.Hex().substr(0, 8);
  EXPECT_EQ(repository.FindCommit(name), first);
  repository.UpdateRef("refs/heads/" + name, std::nullopt, second);
  EXPECT_EQ(repository.FindCommit(name), second);
}

TEST_F(GitRefsTest, AnUnbornHeadIsNoRevision) {
  GitRepository repository = Open();
  EXPECT_EQ(repository.FindCommit("HEAD"), std::nullopt);
  EXPECT_EQ(repository.FindRef("HEAD"), std::nullopt);
}

TEST_F(GitRefsTest, ListsPublicRefsSortedAndPeeled) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  repository.CreateTag("v1", head, "note", Ann());
  for (const char* ref :
       {"refs/pr/10", "refs/pr/2", "refs/heads/b/c", "refs/convert/parquet", "refs/hidden/x"}) {
    repository.UpdateRef(ref, std::nullopt, head);
  }
  Git("pack-refs --all");
  repository.UpdateRef("refs/heads/later", std::nullopt, head);
  std::vector<RefInfo> refs = repository.ListRefs();
  EXPECT_EQ(Names(refs),
            "refs/convert/parquet refs/heads/b/c refs/heads/later refs/heads/main refs/pr/10 "
            "refs/pr/2 refs/tags/v1");
  for (const RefInfo& ref : refs) EXPECT_EQ(ref.target, head) << ref.name;
  ExpectSound();
}

TEST_F(GitRefsTest, AHeldRefMovesForItsHolderOnly) {
  GitRepository holder = Open(), other = Open();
  GitOid one = CommitOnMain(holder, {PutFile{"a", "1"}});
  ASSERT_TRUE(holder.HoldRef("refs/heads/main"));
  EXPECT_FALSE(other.HoldRef("refs/heads/main"));
  EXPECT_TRUE(other.HoldRef("refs/heads/side"));
  EXPECT_NE(Shell(folder_, "git update-ref refs/heads/main " + one.Hex()).status, 0);
  EXPECT_EQ(CodeOf([&] { other.UpdateRef("refs/heads/main", one, std::nullopt); }),
            Code::kPreconditionFailed);
  GitOid two = CommitOnMain(holder, {PutFile{"a", "2"}});
  GitOid three = CommitOnMain(holder, {PutFile{"a", "3"}});
  EXPECT_EQ(other.FindRef("refs/heads/main"), three);
  ASSERT_TRUE(holder.HoldRef("refs/heads/side2"));
  other.UpdateRef("refs/heads/main", three, two);
  EXPECT_EQ(holder.FindRef("refs/heads/main"), two);
  ExpectSound();
}

TEST_F(GitRefsTest, UpdatesCompareAndSwapLooseAndPackedRefs) {
  GitRepository repository = Open();
  GitOid one = CommitOnMain(repository, {PutFile{"a", "1"}});
  GitOid two = CommitOnMain(repository, {PutFile{"a", "2"}});
  for (bool packed : {false, true}) {
    repository.UpdateRef("refs/heads/x", std::nullopt, one);
    if (packed) Git("pack-refs --all --prune");
    EXPECT_EQ(CodeOf([&] { repository.UpdateRef("refs/heads/x", std::nullopt, two); }),
              Code::kPreconditionFailed);
    EXPECT_EQ(CodeOf([&] { repository.UpdateRef("refs/heads/x", two, one); }),
              Code::kPreconditionFailed);
    EXPECT_EQ(CodeOf([&] { repository.UpdateRef("refs/heads/x", two, std::nullopt); }),
              Code::kPreconditionFailed);
    repository.UpdateRef("refs/heads/x", one, two);
    EXPECT_EQ(Git("rev-parse x"), two.Hex() + "\n");
    repository.UpdateRef("refs/heads/x", two, std::nullopt);
    EXPECT_EQ(repository.FindCommit("x"), std::nullopt);
    EXPECT_THAT(Git("for-each-ref"), testing::Not(HasSubstr("refs/heads/x")));
    EXPECT_EQ(CodeOf([&] { repository.UpdateRef("refs/heads/x", two, one); }),
              Code::kPreconditionFailed);
  }
  for (const char* name : {"HEAD", "main", "refs/heads/../../config", "refs/heads/a b", "config"}) {
    EXPECT_EQ(CodeOf([&] { repository.UpdateRef(name, std::nullopt, one); }),
              Code::kInvalidArgument);
  }
  EXPECT_EQ(
      CodeOf([&] { repository.UpdateRef("refs/heads/y", std::nullopt, GitBlobOid("not there")); }),
      Code::kNotFound);
}

TEST_F(GitRefsTest, DeletingKeepsTheOtherPackedRefs) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  for (const char* tag : {"a", "b", "c"}) repository.CreateTag(tag, head, "annotated", Ann());
  Git("pack-refs --all");
  std::string before = Git("show-ref -d");
  repository.UpdateRef("refs/tags/b", head, std::nullopt);
  std::string after = Git("show-ref -d");
  EXPECT_THAT(after,
              testing::AllOf(HasSubstr("refs/tags/a^{}"), HasSubstr("refs/tags/c^{}"),
                             HasSubstr("refs/heads/main"), testing::Not(HasSubstr("refs/tags/b"))));
  ExpectSound();
}

TEST_F(GitRefsTest, NamesAndFoldersOfNamesExcludeEachOther) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  auto create = [&](const char* name) {
    return CodeOf([&] { repository.UpdateRef(name, std::nullopt, head); });
  };
  for (bool packed : {false, true}) {
    repository.UpdateRef("refs/heads/f/x", std::nullopt, head);
    if (packed) Git("pack-refs --all --prune");
    EXPECT_EQ(create("refs/heads/f"), Code::kConflict);
    EXPECT_EQ(create("refs/heads/f/x/y"), Code::kConflict);
    repository.UpdateRef("refs/heads/f/x", head, std::nullopt);
    EXPECT_EQ(create("refs/heads/f"), Code::kUnimplemented) << "free again";
    repository.UpdateRef("refs/heads/f", head, std::nullopt);
  }
}

TEST_F(GitRefsTest, TagsAreCreatedOnceAndOnlyOnCommits) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  repository.CreateTag("v1", head, "line one\nline two", Ann());
  EXPECT_EQ(Git("cat-file -t v1"), "tag\n");
  EXPECT_EQ(Git("tag -l --format='%(taggername) %(contents:body)' v1"), "Ann \n");
  EXPECT_EQ(CodeOf([&] { repository.CreateTag("v1", head, "", Ann()); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { repository.CreateTag("a..b", head, "", Ann()); }), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { repository.CreateTag("v2", GitBlobOid("x"), "", Ann()); }),
            Code::kNotFound);
  ExpectSound();
}

TEST_F(GitRefsTest, OfManyWritersOnOneHeadExactlyOneWinsEachRound) {
  {
    GitRepository repository = Open();
    CommitOnMain(repository, {PutFile{"a", "0"}});
  }
  constexpr int kThreads = 4, kRounds = 15;
  std::atomic<int> wins{0}, losses{0}, others{0};
  for (int round = 0; round < kRounds; ++round) {
    GitOid head = *Open().FindCommit("main");
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        GitRepository repository = Open();
        NewCommit commit;
        commit.ref = "refs/heads/main";
        commit.expected_head = head;
        commit.author = Ann();
        commit.changes = {PutFile{"f" + std::to_string(t), std::to_string(round)}};
        try {
          repository.Commit(commit);
          ++wins;
        } catch (const Error& error) {
          ++(error.code() == Code::kPreconditionFailed ? losses : others);
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(wins, kRounds);
  EXPECT_EQ(losses, kRounds * (kThreads - 1));
  EXPECT_EQ(others, 0);
  EXPECT_EQ(Open().CountCommits(*Open().FindCommit("main")), kRounds + 1u);
  ExpectSound();
}

TEST_F(GitRefsTest, CommitsAndStockPushesNeverOverwriteEachOther) {
  {
    GitRepository repository = Open();
    CommitOnMain(repository, {PutFile{"a", "0"}});
  }
  ASSERT_EQ(Shell(root_, "git clone -q repo.git work").status, 0);
  std::atomic<bool> done{false};
  std::atomic<int> committed{0};
  std::thread committer([&] {
    while (!done) {
      GitRepository repository = Open();
      try {
        CommitOnMain(repository, {PutFile{"api", std::to_string(committed)}}, "api");
        ++committed;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kPreconditionFailed) << error.what();
      }
    }
  });
  int pushed = 0;
  for (int i = 0; i < 15; ++i) {
    // On top of what is there now: accepted only when nobody was faster.
    auto result = Shell(root_ / "work", "git fetch -q && git reset -q --hard origin/main && echo " +
                                            std::to_string(i) +
                                            " > pushed && git add -A && git commit -qm pushed && "
                                            "git push -q origin HEAD:main");
    pushed += result.status == 0;
  }
  done = true;
  committer.join();
  GitRepository repository = Open();
  EXPECT_EQ(repository.CountCommits(*repository.FindCommit("main")), 1u + pushed + committed);
  ExpectSound();
}

TEST_F(GitRefsTest, ALiveLockMakesTheUpdateFail) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  auto lock = folder_ / "refs/heads/main.lock";
  std::ofstream(lock) << "";  // as git leaves it while it works
  EXPECT_EQ(CodeOf([&] {
              CommitOnMain(repository, {PutFile{"a", "2"}});
            }),
            Code::kPreconditionFailed);
  EXPECT_TRUE(std::filesystem::exists(lock));
  std::filesystem::remove(lock);
  EXPECT_NE(CommitOnMain(repository, {PutFile{"a", "2"}}), head);
}

TEST_F(GitRefsTest, LocksOfDeadProcessesAreRemoved) {
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"a", "1"}});
  auto lock = folder_ / "refs/heads/main.lock";
  std::ofstream(lock) << "hearth\n";  // ours, and nobody holds its flock
  CommitOnMain(repository, {PutFile{"a", "2"}});
  std::ofstream(lock) << "";
  ASSERT_EQ(Shell(folder_, "touch -d '2 minutes ago' refs/heads/main.lock").status, 0);
  CommitOnMain(repository, {PutFile{"a", "3"}});
  EXPECT_FALSE(std::filesystem::exists(lock));

  // The stock programs cannot do this themselves, so a server does it before it starts them.
  std::ofstream(lock) << "hearth\n";
  std::ofstream(folder_ / "packed-refs.lock") << "hearth\n";
  std::ofstream(folder_ / "refs/heads/other.lock") << "";
  EXPECT_EQ(repository.RemoveStaleLocks(), 2u);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "refs/heads/other.lock")) << "young and foreign";
}

TEST_F(GitRefsTest, AcknowledgedCommitsSurviveKill) {
  for (int round = 0; round < 6; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
      GitRepository repository = Open();
      for (int i = 0;; ++i) {
        std::vector<TreeChange> changes;
        // Every third commit is large enough for a pack.
        for (int file = 0; file < (i % 3 == 2 ? 60 : 1); ++file) {
          changes.push_back(PutFile{"d" + std::to_string(file % 7) + "/f" + std::to_string(file),
                                    std::to_string(round * 100000 + i * 100 + file)});
        }
        GitOid oid = CommitOnMain(repository, std::move(changes));
        if (::write(pipe_ends[1], oid.data(), GitOid::kBytes) != GitOid::kBytes) ::_exit(0);
      }
    }
    ::close(pipe_ends[1]);
    std::vector<GitOid> acknowledged;
    char raw[GitOid::kBytes];
    auto take = [&] {
      bool got = ::read(pipe_ends[0], raw, sizeof raw) == static_cast<ssize_t>(sizeof raw);
      if (got) acknowledged.emplace_back(std::string_view(raw, sizeof raw));
      return got;
    };
    while (acknowledged.size() < 5u + static_cast<size_t>(round) * 3 && take()) continue;
    ::kill(child, SIGKILL);
    while (take()) continue;
    ::close(pipe_ends[0]);
    ::waitpid(child, nullptr, 0);
    ASSERT_FALSE(acknowledged.empty());
    ExpectSound();
    std::string log = Git("log --format=%H main");
    for (const GitOid& oid : acknowledged) EXPECT_THAT(log, HasSubstr(oid.Hex()));
  }
  // The retry of a client after the crash.
  GitRepository repository = Open();
  CommitOnMain(repository, {PutFile{"after", "x"}});
  ExpectSound();
}

TEST_F(GitRefsTest, ACloneHasEveryRefAndLivesOnAlone) {
  {
    GitRepository repository = Open();
    GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
    repository.CreateTag("v1", head, "annotated", Ann());
    repository.UpdateRef("refs/pr/1", std::nullopt, head);
    std::vector<TreeChange> changes;
    for (int i = 0; i < 100; ++i) changes.push_back(PutFile{std::to_string(i), std::to_string(i)});
    CommitOnMain(repository, changes);
  }
  std::string refs = Git("show-ref -d");
  auto target = root_ / "xy" / "copy.git";
  GitRepository::CloneInto(folder_, target);
  EXPECT_EQ(CodeOf([&] { GitRepository::CloneInto(folder_, target); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { GitRepository::CloneInto(root_ / "none", root_ / "n"); }),
            Code::kNotFound);
  std::filesystem::remove_all(folder_);
  folder_ = target;
  EXPECT_EQ(Git("show-ref -d"), refs);
  ExpectSound();
  GitRepository copy = Open();
  CommitOnMain(copy, {PutFile{"b", "2"}});
  ExpectSound();
}

}  // namespace
}  // namespace hearth::storage
