#include "hub/commits.h"

#include <thread>

#include "hub/internal/scratch_hub_test.h"

namespace hearth::hub {
namespace {

using storage::GitRepository;

CommitFile Put(std::string path, std::string content) {
  CommitFile file;
  file.path = std::move(path);
  file.content = std::move(content);
  return file;
}

constexpr auto kFile = CommitDelete::Kind::kFile;
constexpr auto kFolder = CommitDelete::Kind::kFolder;
constexpr auto kEither = CommitDelete::Kind::kEither;

class CommitsTest : public ScratchHubTest {
 protected:
  CommitsTest() : repo_(MakeRepo(alice_, "repo")) {}
  Commits& commits() { return hub_->commits(); }
  GitOid Head(const std::string& ref = "refs/heads/main") { return *Git(repo_).FindRef(ref); }
  bool Exists(const std::string& path, const std::string& revision = "main") {
    GitRepository git = Git(repo_);
    return git.FindEntry(*git.FindCommit(revision), path).has_value();
  }
  // What a push would have made: a commit that only its tests know, on a scratch ref outside the
  // hub's own.
  GitOid Pushed(std::vector<storage::TreeChange> changes, std::optional<GitOid> parent) {
    GitRepository git = Git(repo_);
    storage::NewCommit commit;
    commit.ref = "refs/quarantine/" + std::to_string(++pushes_);
    if (parent) git.UpdateRef(commit.ref, std::nullopt, parent);
    commit.expected_head = parent;
    commit.changes = std::move(changes);
    commit.message = "pushed";
    commit.author = {"git", "git@localhost", clock_.Now()};
    return git.Commit(commit);
  }
  Error PushError(const GitOid& tip, std::string_view ref = "refs/heads/main") {
    return ErrorOf([&] { Push(tip, ref); });
  }
  void Push(const GitOid& tip, std::string_view ref = "refs/heads/main") {
    commits().CheckIncoming(repo_, alice_, Git(repo_), Git(repo_).FindRef(ref), tip, ref);
  }

  RepoHandle repo_;
  int pushes_ = 0;
};

TEST_F(CommitsTest, FilesFoldersAndDeletionsBecomeOneCommit) {
  CommitFiles(alice_, repo_,
              {Put("a.txt", "1"), Put("d/b.txt", "2"), Put("d/c.txt", "3"), Put("e/f.txt", "4")});
  CommitRequest request;
  request.revision = "main";
  request.summary = "title";
  request.description = "body\nmore";
  request.operations = {Put("a.txt", "new"), CommitDelete{"d", kFolder},
                        CommitDelete{"e/f.txt", kFile}};
  GitOid before = Head();
  CommitResult result = commits().Apply(alice_, repo_, request);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(Head(), result.oid);
  storage::CommitInfo info = Git(repo_).ReadCommit(result.oid);
  EXPECT_EQ(info.Title(), "title");
  EXPECT_EQ(info.Description(), "body\nmore");
  EXPECT_EQ(info.author.name, "Alice");
  EXPECT_EQ(info.parents, std::vector<GitOid>{before});
  EXPECT_EQ(TextAt(repo_, "main", "a.txt"), "new");
  EXPECT_FALSE(Exists("d"));
  EXPECT_FALSE(Exists("e"));
  EXPECT_EQ(repos().FindById(repo_.record().id)->head, result.oid);
}

TEST_F(CommitsTest, AnEntryIsDeletedWhicheverKindItIs) {
  CommitFiles(alice_, repo_, {Put("file", "1"), Put("folder/x", "2")});
  CommitFiles(alice_, repo_, {CommitDelete{"file", kEither}, CommitDelete{"folder", kEither}});
  EXPECT_FALSE(Exists("file"));
  EXPECT_FALSE(Exists("folder"));
}

TEST_F(CommitsTest, DeletingWhatIsNotThereIsEntryNotFoundAndChangesNothing) {
  GitOid before = Head();
  for (auto kind : {kFile, kFolder, kEither}) {
    Error error = ErrorOf([&] {
      CommitFiles(alice_, repo_, {Put("new", "1"), CommitDelete{"none", kind}});
    });
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(error.wire_code(), "EntryNotFound");
    EXPECT_EQ(error.message(), "A file with this name doesn't exist");
  }
  EXPECT_EQ(Head(), before);
}

TEST_F(CommitsTest, NothingNewIsNoCommit) {
  CommitFiles(alice_, repo_, {Put("a", "1")});
  GitOid before = Head();
  CommitResult result = CommitFiles(alice_, repo_, {Put("a", "1")});
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.oid, before);
  EXPECT_EQ(CommitFiles(alice_, repo_, {}).oid, before);
}

TEST_F(CommitsTest, TheParentMustBeTheHead) {
  CommitRequest request;
  request.revision = "main";
  request.summary = "s";
  request.operations = {Put("a", "1")};
  request.parent_commit = Head().Hex().substr(0, 7);
  commits().Apply(alice_, repo_, request);
  request.operations = {Put("a", "2")};
  Error error = ErrorOf([&] { commits().Apply(alice_, repo_, request); });
  EXPECT_EQ(error.code(), Code::kPreconditionFailed);
  EXPECT_EQ(error.message(),
            "The branch was updated since you opened this page. Please refresh and try again.");
  EXPECT_EQ(error.wire_code(), "");
  EXPECT_EQ(TextAt(repo_, "main", "a"), "1");
  request.parent_commit = "not hex";
  EXPECT_EQ(ErrorOf([&] { commits().Apply(alice_, repo_, request); }).code(),
            Code::kInvalidArgument);
}

TEST_F(CommitsTest, OnlyBranchesTakeCommits) {
  commits().CreateTag(alice_, repo_, "v1", "main", "");
  for (std::string revision :
       {std::string("nowhere"), Head().Hex(), std::string("v1"), std::string("refs/pr/1"),
        std::string("refs/tags/v1"), std::string("")}) {
    Error error = ErrorOf([&] { CommitFiles(alice_, repo_, {Put("a", "1")}, revision); });
    EXPECT_EQ(error.wire_code(), "RevisionNotFound") << revision;
    EXPECT_EQ(error.message(), "Invalid rev id: " + revision);
  }
  CommitFiles(alice_, repo_, {Put("a", "1")}, "HEAD");
  CommitFiles(alice_, repo_, {Put("b", "1")}, "refs/heads/main");
  EXPECT_TRUE(Exists("a"));
  EXPECT_TRUE(Exists("b"));
}

TEST_F(CommitsTest, LargeFilesBecomePointersAndAreCoveredByAttributes) {
  Sha256 oid = StoreObject(repo_, alice_, "weights");
  CommitFiles(alice_, repo_,
              {CommitLfsFile{"model.safetensors", oid, 7}, CommitLfsFile{"odd name.dat", oid, {}}});
  EXPECT_EQ(TextAt(repo_, "main", "model.safetensors"), storage::MakeLfsPointer({oid, 7}));
  std::string text = TextAt(repo_, "main", ".gitattributes");
  EXPECT_EQ(text, std::string(DefaultGitAttributes(RepoType::kModel)) +
                      "\"odd name.dat\" filter=lfs diff=lfs merge=lfs -text\n");
  // Once covered, no second line.
  Sha256 other = StoreObject(repo_, alice_, "weights 2");
  CommitFiles(alice_, repo_, {CommitLfsFile{"odd name.dat", other, {}}});
  EXPECT_EQ(TextAt(repo_, "main", ".gitattributes"), text);
}

TEST_F(CommitsTest, AttributesOfTheSameCommitCount) {
  Sha256 oid = StoreObject(repo_, alice_, "weights");
  CommitFiles(alice_, repo_,
              {Put(".gitattributes", "*.dat filter=lfs diff=lfs merge=lfs -text"),
               CommitLfsFile{"a.dat", oid, {}}, CommitLfsFile{"b.png", oid, {}}});
  EXPECT_EQ(TextAt(repo_, "main", ".gitattributes"),
            "*.dat filter=lfs diff=lfs merge=lfs -text\n"
            "b.png filter=lfs diff=lfs merge=lfs -text\n");
}

TEST_F(CommitsTest, AnObjectThatTheRepositoryLacksIsRefusedByName) {
  Sha256 oid = Sha256Of("never uploaded");
  Error error = ErrorOf([&] { CommitFiles(alice_, repo_, {CommitLfsFile{"w.bin", oid, {}}}); });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_NE(error.message().find(oid.Hex()), std::string::npos);
  // Nor does a pointer as a regular file help.
  error = ErrorOf([&] {
    CommitFiles(alice_, repo_, {Put("w.bin", storage::MakeLfsPointer({oid, 14}))});
  });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_NE(error.message().find(oid.Hex()), std::string::npos);
  Sha256 stored = StoreObject(repo_, alice_, "stored");
  error = ErrorOf([&] { CommitFiles(alice_, repo_, {CommitLfsFile{"w.bin", stored, 99}}); });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
}

TEST_F(CommitsTest, ObjectsOfReadableRepositoriesMayBeCopiedHiddenOnesNot) {
  RepoHandle open = MakeRepo(bob_, "open");
  RepoHandle hidden = MakeRepo(bob_, "hidden", /*is_private=*/true);
  Sha256 open_oid = StoreObject(open, bob_, "open bytes");
  Sha256 hidden_oid = StoreObject(hidden, bob_, "hidden bytes");
  CommitFiles(alice_, repo_, {CommitLfsFile{"copy.bin", open_oid, {}}});
  EXPECT_EQ(hub_->objects().FindIn(repo_.record(), open_oid), 10u);
  EXPECT_EQ(ErrorOf([&] {
              CommitFiles(alice_, repo_, {CommitLfsFile{"steal.bin", hidden_oid, {}}});
            }).code(),
            Code::kInvalidArgument);
}

TEST_F(CommitsTest, LargeAndBinaryFilesGetTheTextsOfThePushHook) {
  Error large = ErrorOf([&] {
    CommitFiles(alice_, repo_, {Put("big.txt", std::string(kMaxRegularFileBytes + 1, 'a'))});
  });
  EXPECT_EQ(large.code(), Code::kInvalidArgument);
  EXPECT_EQ(large.message(),
            "Your push was rejected because it contains files larger than 10 MiB. Please use "
            "https://git-lfs.github.com/ to store large files.\nOffending files:\n - big.txt (ref: "
            "refs/heads/main)");
  Error binary =
      ErrorOf([&] { CommitFiles(alice_, repo_, {Put("x.dat", std::string("a\0b", 3))}); });
  EXPECT_EQ(binary.code(), Code::kInvalidArgument);
  EXPECT_TRUE(
      binary.message().starts_with("Your push was rejected because it contains binary files."));
  EXPECT_TRUE(binary.message().ends_with("Offending files:\n - x.dat (ref: refs/heads/main)"));
  // An owner may say that a small binary file belongs into git.
  CommitFiles(alice_, repo_,
              {Put(".gitattributes", "x.dat -filter\n"), Put("x.dat", std::string("a\0b", 3)),
               Put("edge.txt", std::string(kMaxRegularFileBytes, 'a'))});
  EXPECT_TRUE(Exists("x.dat"));
}

TEST_F(CommitsTest, ABrokenCardIsRefused) {
  Error error =
      ErrorOf([&] { CommitFiles(alice_, repo_, {Put("README.md", "---\nlicense: [mit\n---\n")}); });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_NE(error.message().find("README.md"), std::string::npos);
  CommitFiles(alice_, repo_,
              {Put("README.md", "---\nlicense: mit\n---\n# Hi\n"),
               Put("docs/README.md", "---\nbroken: [\n---\n")});
}

TEST_F(CommitsTest, IllegalPathsAreRefused) {
  for (const char* path : {"../a", "a/../b", "/a", ".git/config", "a//b", "", "a/.GIT/x"}) {
    EXPECT_EQ(ErrorOf([&] { CommitFiles(alice_, repo_, {Put(path, "1")}); }).code(),
              Code::kInvalidArgument)
        << path;
  }
  EXPECT_EQ(ErrorOf([&] {
              CommitFiles(alice_, repo_, {Put("a", "1"), Put("a/b", "2")});
            }).code(),
            Code::kInvalidArgument);
  CommitFiles(alice_, repo_, {Put("Case.txt", "1"), Put("case.txt", "2")});
  EXPECT_EQ(TextAt(repo_, "main", "Case.txt"), "1");
}

TEST_F(CommitsTest, ContentsThatDoNotFitIntoMemoryAreLoadedWhenNeeded) {
  int loads = 0;
  std::vector<CommitOperation> operations;
  for (int i = 0; i < 40; ++i) {
    CommitFile file;
    file.path = "f" + std::to_string(i);
    std::string content = "content " + std::to_string(i);
    file.size_bytes = content.size();
    file.sample = content;
    file.load = [&loads, content] {
      ++loads;
      return content;
    };
    operations.push_back(std::move(file));
  }
  CommitFiles(alice_, repo_, std::move(operations));
  EXPECT_EQ(loads, 40);
  EXPECT_EQ(TextAt(repo_, "main", "f0"), "content 0");
  EXPECT_EQ(TextAt(repo_, "main", "f39"), "content 39");
}

TEST_F(CommitsTest, TenThousandFilesAreOneCommit) {
  std::vector<CommitOperation> operations;
  for (int i = 0; i < 10000; ++i) {
    operations.push_back(Put("d" + std::to_string(i % 100) + "/f" + std::to_string(i),
                             "line " + std::to_string(i) + "\n"));
  }
  CommitResult result = CommitFiles(alice_, repo_, std::move(operations));
  GitRepository::ListOptions everything;
  everything.recursive = true;
  EXPECT_EQ(Git(repo_).ListTree(result.oid, "", everything).size(), 10000u + 100 + 1);
  EXPECT_EQ(Git(repo_).CountCommits(result.oid), 2u);
}

TEST_F(CommitsTest, WritersAtOnceAllSucceedWithoutAParent) {
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        CommitFiles(alice_, repo_, {Put("w" + std::to_string(t) + "-" + std::to_string(i), "x")});
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Git(repo_).CountCommits(Head()), 21u);
  for (int t = 0; t < 4; ++t) EXPECT_TRUE(Exists("w" + std::to_string(t) + "-4"));
  EXPECT_EQ(repos().FindById(repo_.record().id)->head, Head());
}

TEST_F(CommitsTest, OfWritersWithTheSameParentOneWins) {
  std::string parent = Head().Hex();
  std::atomic<int> won{0}, late{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&, t] {
      CommitRequest request;
      request.revision = "main";
      request.summary = "s";
      request.parent_commit = parent;
      request.operations = {Put("w" + std::to_string(t), "x")};
      try {
        commits().Apply(alice_, repo_, request);
        ++won;
      } catch (const Error& error) {
        if (error.code() == Code::kPreconditionFailed) ++late;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(late, 3);
}

TEST_F(CommitsTest, CommitsGoOnWhilePushesMoveTheBranch) {
  std::atomic<bool> done{false};
  // What git receive-pack does: no lock of the hub, compare-and-swap on the ref.
  std::jthread pusher([&] {
    for (int i = 0; i < 20; ++i) {
      GitRepository git = Git(repo_);
      storage::NewCommit commit;
      commit.ref = "refs/heads/main";
      commit.expected_head = git.FindRef(commit.ref);
      commit.changes = {storage::PutFile{"pushed" + std::to_string(i), "x"}};
      commit.message = "push";
      commit.author = {"git", "git@localhost", clock_.Now()};
      try {
        git.Commit(commit);
      } catch (const Error& error) {
        if (error.code() == Code::kPreconditionFailed) --i;
      }
    }
    done = true;
  });
  int made = 0;
  while (!done || made < 5) {
    CommitFiles(alice_, repo_, {Put("api" + std::to_string(made++), "x")});
  }
  pusher.join();
  EXPECT_EQ(Git(repo_).CountCommits(Head()), 1u + 20 + static_cast<size_t>(made));
}

TEST_F(CommitsTest, PreuploadFollowsAttributesThenSizeThenBytes) {
  CommitFiles(alice_, repo_,
              {Put(".gitattributes", "*.bin filter=lfs\nkeep.bin -filter\n"),
               Put(".gitignore", "*.log\n"), Put("a.txt", "hello")});
  Sha256 oid = StoreObject(repo_, alice_, "weights");
  CommitFiles(alice_, repo_, {CommitLfsFile{"w.bin", oid, {}}});
  std::string binary("\0\1", 2);
  auto answers = commits().Preupload(repo_, "main",
                                     {{"x.bin", 1, "a"},
                                      {"keep.bin", 2, binary},
                                      {"keep.bin", kMaxRegularFileBytes + 1, binary},
                                      {"big.txt", kMaxRegularFileBytes + 1, "a"},
                                      {"edge.txt", kMaxRegularFileBytes, "a"},
                                      {"odd.dat", 2, binary},
                                      {"a.txt", 5, "hello"},
                                      {"w.bin", 7, "weights"},
                                      {"x.log", 1, "a"},
                                      {"x.tmp", 1, "a"}},
                                     std::nullopt, "*.tmp\n");
  std::vector<bool> lfs, ignored;
  for (const PreuploadAnswer& answer : answers) {
    lfs.push_back(answer.lfs);
    ignored.push_back(answer.ignored);
  }
  EXPECT_EQ(lfs,
            (std::vector<bool>{true, false, true, true, false, true, false, true, false, false}));
  EXPECT_EQ(ignored, (std::vector<bool>{false, false, false, false, false, false, false, false,
                                        true, true}));
  EXPECT_FALSE(answers[0].oid);
  EXPECT_EQ(answers[6].oid, GitBlobOid("hello").Hex());
  EXPECT_EQ(answers[7].oid, oid.Hex());
  EXPECT_EQ(ErrorOf([&] { commits().Preupload(repo_, "nowhere", {}, {}, {}); }).wire_code(),
            "RevisionNotFound");
  EXPECT_EQ(ErrorOf([&] {
              commits().Preupload(repo_, "main", {{"../x", 1, ""}}, {}, {});
            }).code(),
            Code::kInvalidArgument);
}

TEST_F(CommitsTest, BranchesFollowTheTexts) {
  commits().CreateBranch(alice_, repo_, "feature/x", {}, false, false);
  EXPECT_EQ(Head("refs/heads/feature/x"), Head());
  Error exists =
      ErrorOf([&] { commits().CreateBranch(alice_, repo_, "feature/x", {}, false, false); });
  EXPECT_EQ(exists.code(), Code::kConflict);
  EXPECT_EQ(exists.message(), "Reference refs/heads/feature/x already exists");
  EXPECT_EQ(ErrorOf([&] {
              commits().CreateBranch(alice_, repo_, "b", "none", false, false);
            }).wire_code(),
            "RevisionNotFound");
  for (const char* name : {"a..b", "-a", "a b", "", "x.lock"}) {
    EXPECT_EQ(
        ErrorOf([&] { commits().CreateBranch(alice_, repo_, name, {}, false, false); }).code(),
        Code::kInvalidArgument)
        << name;
  }
  CommitFiles(alice_, repo_, {Put("a", "1")}, "feature/x");
  EXPECT_NE(Head("refs/heads/feature/x"), Head());
  commits().CreateBranch(alice_, repo_, "feature/x", "main", false, /*overwrite=*/true);
  EXPECT_EQ(Head("refs/heads/feature/x"), Head());
  commits().DeleteBranch(repo_, "feature/x");
  EXPECT_EQ(ErrorOf([&] { commits().DeleteBranch(repo_, "feature/x"); }).wire_code(),
            "RevisionNotFound");
  for (const char* main : {"main", "HEAD", "refs/heads/main"}) {
    Error error = ErrorOf([&] { commits().DeleteBranch(repo_, main); });
    EXPECT_EQ(error.code(), Code::kForbidden);
    EXPECT_EQ(error.message(), "Cannot delete refs/heads/main");
  }
}

TEST_F(CommitsTest, AnEmptyBranchStartsAnew) {
  CommitFiles(alice_, repo_, {Put("a", "1")});
  for (bool overwrite : {false, true}) {
    commits().CreateBranch(alice_, repo_, "empty", {}, /*empty=*/true, overwrite);
    GitOid head = Head("refs/heads/empty");
    EXPECT_TRUE(Git(repo_).ReadCommit(head).parents.empty());
    EXPECT_FALSE(Exists("a", "empty"));
    CommitFiles(alice_, repo_, {Put("b", "1")}, "empty");
  }
  for (const storage::RefInfo& ref : Git(repo_).ListRefs()) {
    EXPECT_TRUE(ref.name.starts_with("refs/heads/")) << ref.name;
  }
}

TEST_F(CommitsTest, TagsFollowTheTexts) {
  commits().CreateTag(alice_, repo_, "v1", "main", "first");
  EXPECT_EQ(Git(repo_).FindCommit("v1"), Head());
  EXPECT_EQ(ErrorOf([&] { commits().CreateTag(alice_, repo_, "v1", "main", ""); }).code(),
            Code::kConflict);
  EXPECT_EQ(ErrorOf([&] { commits().CreateTag(alice_, repo_, "v2", "none", ""); }).wire_code(),
            "RevisionNotFound");
  commits().DeleteTag(repo_, "v1");
  EXPECT_EQ(ErrorOf([&] { commits().DeleteTag(repo_, "v1"); }).wire_code(), "RevisionNotFound");
}

TEST_F(CommitsTest, SquashingKeepsTheTreeAndDropsTheHistory) {
  CommitFiles(alice_, repo_, {Put("a", "1")});
  CommitFiles(alice_, repo_, {Put("b", "2")});
  GitOid tree = Git(repo_).ReadCommit(Head()).tree;
  GitOid squashed = commits().SuperSquash(alice_, repo_, "main", "one");
  EXPECT_EQ(Head(), squashed);
  EXPECT_EQ(Git(repo_).CountCommits(squashed), 1u);
  EXPECT_EQ(Git(repo_).ReadCommit(squashed).tree, tree);
  EXPECT_EQ(Git(repo_).ReadCommit(squashed).Title(), "one");
  EXPECT_EQ(repos().FindById(repo_.record().id)->head, squashed);
  EXPECT_EQ(ErrorOf([&] { commits().SuperSquash(alice_, repo_, "none", ""); }).wire_code(),
            "RevisionNotFound");
}

TEST_F(CommitsTest, APushOfTextIsAccepted) {
  GitOid tip = Pushed({storage::PutFile{"a.txt", "hello"}}, Head());
  Push(tip);
  Push(tip, "refs/heads/new");
  Push(tip, "refs/tags/v1");
  Push(Head());
}

TEST_F(CommitsTest, APushIsCheckedBelowItsTipToo) {
  GitOid bad = Pushed({storage::PutFile{"x.dat", std::string("a\0b", 3)},
                       storage::PutFile{"big.txt", std::string(kMaxRegularFileBytes + 1, 'a')}},
                      Head());
  GitOid tip = Pushed({storage::DeleteFile{"x.dat"}, storage::DeleteFile{"big.txt"}}, bad);
  Error error = PushError(tip);
  EXPECT_EQ(error.message(),
            "Your push was rejected because it contains files larger than 10 MiB. Please use "
            "https://git-lfs.github.com/ to store large files.\nOffending files:\n - big.txt (ref: "
            "refs/heads/main)");
  // What the branch has already is not judged again.
  Git(repo_).UpdateRef("refs/heads/main", Head(), bad);
  Push(tip);
}

TEST_F(CommitsTest, APushWithPointersNeedsTheirObjects) {
  Sha256 oid = Sha256Of("weights");
  GitOid tip = Pushed({storage::PutFile{"w.bin", storage::MakeLfsPointer({oid, 7})}}, Head());
  Error error = PushError(tip);
  EXPECT_NE(error.message().find("LFS object missing"), std::string::npos);
  EXPECT_NE(error.message().find("w.bin: " + oid.Hex()), std::string::npos);
  StoreObject(repo_, alice_, "weights");
  Push(tip);
  GitOid lying = Pushed({storage::PutFile{"v.bin", storage::MakeLfsPointer({oid, 8})}}, Head());
  EXPECT_NE(PushError(lying).message().find(oid.Hex()), std::string::npos);
}

TEST_F(CommitsTest, APushedCardIsJudgedAtTheTip) {
  GitOid broken = Pushed({storage::PutFile{"README.md", "---\nlicense: [mit\n---\n"}}, Head());
  EXPECT_NE(PushError(broken).message().find("README.md"), std::string::npos);
  Push(broken, "refs/tags/any");
  GitOid mended = Pushed({storage::PutFile{"README.md", "---\nlicense: mit\n---\n"}}, broken);
  Push(mended);
}

TEST_F(CommitsTest, OnlyBranchesAndTagsTakePushes) {
  GitOid tip = Pushed({storage::PutFile{"a.txt", "hello"}}, Head());
  for (const char* ref :
       {"refs/pr/1", "refs/convert/parquet", "refs/notes/commits", "HEAD", "refs/heads/a..b"}) {
    EXPECT_EQ(PushError(tip, ref).code(), Code::kInvalidArgument) << ref;
  }
}

TEST_F(CommitsTest, AMergeBringsBothSides) {
  GitOid left = Pushed({storage::PutFile{"left.txt", "l"}}, Head());
  GitOid right = Pushed({storage::PutFile{"right.dat", std::string("a\0b", 3)}}, Head());
  GitRepository git = Git(repo_);
  // The second side comes in by its own ref, as in a push of two branches.
  EXPECT_NE(PushError(right, "refs/heads/right").message().find("right.dat"), std::string::npos);
  Push(left, "refs/heads/left");
}

}  // namespace
}  // namespace hearth::hub
