#include "hub/repos.h"

#include "base/file.h"
#include "hub/internal/repos_impl.h"
#include "hub/internal/scratch_hub_test.h"

namespace hearth::hub {
namespace {

class Recorder : public RepoObserver {
 public:
  void OnRepoChanged(const RepoPtr& before, const RepoPtr& after) override {
    changes.push_back((before ? before->FullName() : "-") + " > " +
                      (after ? after->FullName() : "-"));
  }
  void OnRefChanged(const RepoPtr&, const std::string& ref,
                    const std::optional<GitOid>& now) override {
    refs.push_back(ref + (now ? "" : " deleted"));
  }
  std::vector<std::string> changes, refs;
};

class ReposTest : public ScratchHubTest {};

TEST_F(ReposTest, ANewRepositoryHasOneCommitWithItsAttributes) {
  RepoHandle repo = MakeRepo(alice_, "Bert");
  EXPECT_EQ(repo.record().FullName(), "Alice/Bert");
  storage::GitRepository git = Git(repo);
  std::optional<GitOid> head = git.FindRef("refs/heads/main");
  ASSERT_TRUE(head);
  EXPECT_EQ(repo.record().head, head);
  EXPECT_EQ(git.CountCommits(*head), 1u);
  EXPECT_EQ(git.ReadCommit(*head).Title(), "initial commit");
  EXPECT_EQ(TextAt(repo, "main", ".gitattributes"), DefaultGitAttributes(RepoType::kModel));
  EXPECT_EQ(git.ListTree(*head, "", {}).size(), 1u);
}

TEST_F(ReposTest, ALicenceOrASpaceStartsWithACard) {
  NewRepo model;
  model.name = "m";
  model.license = "apache-2.0";
  EXPECT_EQ(TextAt(repos().Create(alice_, model), "main", "README.md"),
            "---\nlicense: apache-2.0\n---\n");
  NewRepo space;
  space.type = RepoType::kSpace;
  space.name = "s";
  space.space = Json::Obj({{"sdk", "gradio"}});
  std::string card = TextAt(repos().Create(alice_, space), "main", "README.md");
  EXPECT_NE(card.find("sdk: gradio"), std::string::npos) << card;
}

TEST_F(ReposTest, FilesOfTheFirstCommitFollowTheRulesOfEveryCommit) {
  NewRepo repo;
  repo.name = "m";
  repo.files = {{"../up", "x"}};
  EXPECT_EQ(ErrorOf([&] { repos().Create(alice_, repo); }).code(), Code::kInvalidArgument);
  repo.files = {{"raw.dat", std::string("\0\1", 2)}};
  EXPECT_NE(ErrorOf([&] { repos().Create(alice_, repo); }).message().find("binary files"),
            std::string::npos);
  EXPECT_EQ(repos().Find(RepoType::kModel, "alice", "m"), nullptr);
  repo.files = {{"a/b.txt", "hello"}};
  EXPECT_EQ(TextAt(repos().Create(alice_, repo), "main", "a/b.txt"), "hello");
}

TEST_F(ReposTest, NamesCompareWithoutCaseAndTypesAreApart) {
  MakeRepo(alice_, "Bert");
  Error error = ErrorOf([&] { MakeRepo(alice_, "bERT"); });
  EXPECT_EQ(error.code(), Code::kConflict);
  ASSERT_EQ(error.details().size(), 1u);
  EXPECT_EQ(error.details()[0].second, "Alice/Bert");
  MakeRepo(alice_, "bert", false, RepoType::kDataset);
  EXPECT_EQ(repos().Open(alice_, RepoType::kModel, "aLICE/bErT", Right::kAdmin).record().name,
            "Bert");
}

TEST_F(ReposTest, ForeignNamespacesAndBadNamesAreRefused) {
  NewRepo repo;
  repo.owner = "bob";
  repo.name = "x";
  EXPECT_EQ(ErrorOf([&] { repos().Create(alice_, repo); }).code(), Code::kForbidden);
  repo.owner = "nobody";
  EXPECT_EQ(ErrorOf([&] { repos().Create(alice_, repo); }).code(), Code::kForbidden);
  repo.owner = "";
  for (const char* name : {"", "a--b", ".a", "a/b", "a.git", "\xC3\xA4"}) {
    repo.name = name;
    EXPECT_EQ(ErrorOf([&] { repos().Create(alice_, repo); }).code(), Code::kInvalidArgument)
        << name;
  }
  repo.name = "x";
  EXPECT_EQ(ErrorOf([&] { repos().Create(MakeUser("Alice", TokenRole::kRead), repo); }).code(),
            Code::kForbidden);
}

TEST_F(ReposTest, MissingAndHiddenAnswerAlike) {
  MakeRepo(alice_, "secret", /*is_private=*/true);
  for (const char* id : {"alice/secret", "alice/nothing", "nobody/x", "one-part", "a/b/c"}) {
    Error anonymous = ErrorOf([&] { repos().Open({}, RepoType::kModel, id, Right::kReadInfo); });
    EXPECT_EQ(anonymous.code(), Code::kUnauthenticated) << id;
    EXPECT_EQ(anonymous.wire_code(), "RepoNotFound") << id;
    EXPECT_EQ(anonymous.message(), "Repository not found") << id;
    Error stranger = ErrorOf([&] { repos().Open(bob_, RepoType::kModel, id, Right::kAdmin); });
    EXPECT_EQ(stranger.code(), Code::kNotFound) << id;
    EXPECT_EQ(stranger.wire_code(), "RepoNotFound") << id;
  }
  repos().Open(alice_, RepoType::kModel, "alice/secret", Right::kAdmin);
}

TEST_F(ReposTest, TooSmallARightOnAKnownRepositoryIsForbidden) {
  MakeRepo(alice_, "open");
  Error error = ErrorOf([&] { repos().Open(bob_, RepoType::kModel, "alice/open", Right::kWrite); });
  EXPECT_EQ(error.code(), Code::kForbidden);
  EXPECT_EQ(error.wire_code(), "");
  EXPECT_NE(error.message().find("write"), std::string::npos);
  error = ErrorOf([&] { repos().Open({}, RepoType::kModel, "alice/open", Right::kWrite); });
  EXPECT_EQ(error.code(), Code::kUnauthenticated);
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "alice/open", Right::kReadContent).right(),
            Right::kReadContent);
}

TEST_F(ReposTest, AGateLetsInfoThroughAndAsksForTheRest) {
  RepoHandle repo = MakeRepo(alice_, "gated");
  RepoSettings settings;
  settings.gated = Gated::kManual;
  repos().UpdateSettings(repo, settings);
  auto open = [&](const Actor& actor, Right right) {
    return repos().Open(actor, RepoType::kModel, "alice/gated", right);
  };
  open({}, Right::kReadInfo);
  Error anonymous = ErrorOf([&] { open({}, Right::kReadContent); });
  EXPECT_EQ(anonymous.code(), Code::kUnauthenticated);
  EXPECT_EQ(anonymous.wire_code(), "GatedRepo");
  EXPECT_EQ(anonymous.message(),
            "Access to model Alice/gated is restricted. You must have access to it and be "
            "authenticated to access it. Please log in.");
  Error stranger = ErrorOf([&] { open(bob_, Right::kReadContent); });
  EXPECT_EQ(stranger.code(), Code::kForbidden);
  EXPECT_EQ(stranger.wire_code(), "GatedRepo");
  EXPECT_NE(stranger.message().find("is restricted and you are not in the authorized list. Visit "),
            std::string::npos);
  // To write is not a matter of the gate.
  EXPECT_EQ(ErrorOf([&] { open(bob_, Right::kWrite); }).wire_code(), "");
  auto set_status = [&](const char* status) {
    hub_->db().Write([&](storage::Connection& c) {
      c.Exec("DELETE FROM gate_requests");
      c.Exec("INSERT INTO gate_requests VALUES (?, ?, ?, 0)",
             {repo.record().id, bob_.user_id, status});
    });
  };
  set_status("pending");
  EXPECT_NE(ErrorOf([&] { open(bob_, Right::kReadContent); }).message().find("awaiting a review"),
            std::string::npos);
  repos().SetGatePass(repo, bob_.user_id, GatePass::kGranted);
  EXPECT_EQ(open(bob_, Right::kReadContent).right(), Right::kReadContent);
  repos().SetGatePass(repo, bob_.user_id, GatePass::kNone);
  EXPECT_EQ(ErrorOf([&] { open(bob_, Right::kReadContent); }).wire_code(), "GatedRepo");
}

TEST_F(ReposTest, ADisabledRepositoryIsClosedToItsOwnerToo) {
  RepoHandle repo = MakeRepo(alice_, "bad");
  repos().Touch(repo.record().id, [](RepoRecord& record) { record.disabled = true; });
  Error error =
      ErrorOf([&] { repos().Open(alice_, RepoType::kModel, "alice/bad", Right::kReadInfo); });
  EXPECT_EQ(error.code(), Code::kForbidden);
  EXPECT_EQ(error.message(), "Access to this resource is disabled.");
  EXPECT_EQ(error.wire_code(), "");
}

TEST_F(ReposTest, FormerNamesLeadToTheCurrentOneForThoseWhoMaySeeIt) {
  RepoHandle repo = MakeRepo(alice_, "a", /*is_private=*/true);
  repos().Move(alice_, repo, "alice/b");
  repos().Move(alice_, repos().Open(alice_, RepoType::kModel, "alice/b", Right::kAdmin), "Alice/c");
  for (bool reopened : {false, true}) {
    if (reopened) Reopen();
    for (const char* id : {"alice/a", "alice/b"}) {
      Error error = ErrorOf([&] { repos().Open(alice_, RepoType::kModel, id, Right::kReadInfo); });
      EXPECT_EQ(error.code(), Code::kMoved) << id;
      ASSERT_EQ(error.details().size(), 1u);
      EXPECT_EQ(error.details()[0], std::make_pair(std::string("to"), std::string("Alice/c")));
      EXPECT_EQ(ErrorOf([&] { repos().Open(bob_, RepoType::kModel, id, Right::kReadInfo); }).code(),
                Code::kNotFound);
    }
  }
}

TEST_F(ReposTest, AFormerNameCanBeUsedAgain) {
  RepoHandle first = MakeRepo(alice_, "a");
  repos().Move(alice_, first, "alice/b");
  RepoHandle second = MakeRepo(alice_, "a");
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "alice/a", Right::kReadInfo).record().id,
            second.record().id);
  EXPECT_EQ(ErrorOf([&] { repos().Move(alice_, first, "alice/a"); }).code(), Code::kConflict);
  repos().Delete(second);
  repos().Move(alice_, first, "alice/a");  // and back again
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "alice/a", Right::kReadInfo).record().id,
            first.record().id);
  EXPECT_EQ(
      ErrorOf([&] { repos().Open(bob_, RepoType::kModel, "alice/b", Right::kReadInfo); }).code(),
      Code::kMoved);
  Reopen();
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "alice/a", Right::kReadInfo).record().id,
            first.record().id);
}

TEST_F(ReposTest, ChangingOnlyTheCaseOfANameIsNoConflict) {
  RepoHandle repo = MakeRepo(alice_, "bert");
  repos().Move(alice_, repo, "alice/BERT");
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "alice/bert", Right::kReadInfo).record().name,
            "BERT");
}

TEST_F(ReposTest, ADeletedRepositoryIsGoneFromDiskAndFromTheNextStart) {
  RepoHandle repo = MakeRepo(alice_, "gone");
  repos().SetAlias(RepoType::kModel, "gone", repo.record().id);
  std::filesystem::path folder = repo.git_folder();
  ASSERT_TRUE(std::filesystem::exists(folder));
  repos().Delete(repo);
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(repos().FindAlias(RepoType::kModel, "gone"));
  EXPECT_EQ(repos().FindById(repo.record().id), nullptr);
  EXPECT_EQ(ErrorOf([&] {
              CommitFiles(alice_, repo, {CommitFile{"a", "b", {}, 0, {}}});
            }).wire_code(),
            "RepoNotFound");
  Reopen();
  EXPECT_EQ(repos().Find(RepoType::kModel, "Alice", "gone"), nullptr);
  MakeRepo(alice_, "gone");
}

TEST_F(ReposTest, AliasesStandForARepository) {
  RepoHandle repo = MakeRepo(alice_, "gpt2");
  repos().SetAlias(RepoType::kModel, "GPT2", repo.record().id);
  EXPECT_EQ(repos().FindAlias(RepoType::kModel, "gpt2"), "Alice/gpt2");
  EXPECT_EQ(repos().Open({}, RepoType::kModel, "Gpt2", Right::kReadInfo).record().id,
            repo.record().id);
  EXPECT_FALSE(repos().FindAlias(RepoType::kDataset, "gpt2"));
  Reopen();
  EXPECT_EQ(repos().FindAlias(RepoType::kModel, "gpt2"), "Alice/gpt2");
}

TEST_F(ReposTest, ADuplicateHasHistoryAndObjectsOfItsOwn) {
  RepoHandle source = MakeRepo(alice_, "src");
  Sha256 oid = StoreObject(source, alice_, "large bytes");
  CommitFiles(alice_, source, {CommitLfsFile{"w.bin", oid, {}}});
  hub_->commits().CreateBranch(alice_, source, "dev", {}, false, false);
  NewRepo target;
  target.owner = "bob";
  target.name = "copy";
  target.is_private = true;
  RepoHandle copy = repos().Duplicate(
      bob_, repos().Open(bob_, RepoType::kModel, "alice/src", Right::kReadContent), target);
  EXPECT_EQ(copy.record().FullName(), "bob/copy");
  EXPECT_TRUE(copy.record().is_private);
  EXPECT_EQ(copy.record().head, Git(source).FindRef("refs/heads/main"));
  EXPECT_TRUE(Git(copy).FindRef("refs/heads/dev"));
  EXPECT_EQ(hub_->objects().FindIn(copy.record(), oid), 11u);
  EXPECT_EQ(ErrorOf([&] { repos().Duplicate(bob_, source, target); }).code(), Code::kConflict);
  repos().Delete(source);
  EXPECT_NE(TextAt(copy, "main", "w.bin"), "(missing)");
  EXPECT_EQ(hub_->objects().FindIn(copy.record(), oid), 11u);
}

TEST_F(ReposTest, SettingsAndNamesReachTheFileInTheGitFolder) {
  RepoHandle repo = MakeRepo(alice_, "a");
  RepoSettings settings;
  settings.is_private = true;
  repos().UpdateSettings(repo, settings);
  repos().Move(alice_, repo, "alice/b");
  Json file = Json::Parse(ReadFile(repo.git_folder() / kRepoFile));
  EXPECT_EQ(file.RequireString("name"), "b");
  EXPECT_EQ(file.BoolField("private"), true);
  EXPECT_EQ(file.RequireString("oid"), repo.record().oid);
  Reopen();
  EXPECT_TRUE(repos().Find(RepoType::kModel, "alice", "b")->is_private);
}

TEST_F(ReposTest, ObserversHearOfEveryChangeOnce) {
  Recorder recorder;
  repos().AddObserver(&recorder);
  RepoHandle repo = MakeRepo(alice_, "a");
  EXPECT_EQ(recorder.changes, (std::vector<std::string>{"- > Alice/a"}));
  CommitFiles(alice_, repo, {CommitFile{"x.txt", "1", {}, 0, {}}});
  hub_->commits().CreateBranch(alice_, repo, "dev", {}, false, false);
  hub_->commits().DeleteBranch(repo, "dev");
  EXPECT_EQ(recorder.refs, (std::vector<std::string>{"refs/heads/main", "refs/heads/main",
                                                     "refs/heads/dev", "refs/heads/dev deleted"}));
  recorder.changes.clear();
  repos().Move(alice_, repo, "alice/b");
  repos().Delete(repo);
  EXPECT_EQ(recorder.changes, (std::vector<std::string>{"Alice/a > Alice/b", "Alice/b > -"}));
}

TEST_F(ReposTest, VersionsGrowAndSurviveARestart) {
  RepoHandle repo = MakeRepo(alice_, "a");
  uint64_t first = repo.record().version;
  clock_.Advance(std::chrono::milliseconds(5000));
  CommitResult commit = CommitFiles(alice_, repo, {CommitFile{"x.txt", "1", {}, 0, {}}});
  RepoPtr now = repos().FindById(repo.record().id);
  EXPECT_GT(now->version, first);
  EXPECT_EQ(now->head, commit.oid);
  EXPECT_EQ(now->modified_at, clock_.Now());
  repos().CountDownload(now->id);
  repos().CountDownload(now->id);
  repos().FlushCounters();
  RepoPtr counted = repos().FindById(now->id);
  EXPECT_EQ(counted->downloads, 2);
  EXPECT_GT(counted->version, now->version);
  Reopen();
  RepoPtr loaded = repos().FindById(now->id);
  EXPECT_EQ(loaded->version, counted->version);
  EXPECT_EQ(loaded->downloads_all, 2);
  EXPECT_EQ(loaded->head, commit.oid);
}

TEST_F(ReposTest, ARefThatMovedBehindTheHubsBackIsSeenAtTheNextStart) {
  RepoHandle repo = MakeRepo(alice_, "a");
  repos().MarkIndexStale(repo);
  storage::GitRepository git = Git(repo);
  storage::NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.expected_head = repo.record().head;
  commit.changes = {storage::PutFile{"x", "pushed"}};
  commit.message = "push";
  commit.author = {"git", "git@localhost", clock_.Now()};
  GitOid pushed = git.Commit(commit);
  EXPECT_NE(repos().FindById(repo.record().id)->head, pushed);
  Reopen();  // the process died before AfterRefsChanged
  EXPECT_EQ(repos().Find(RepoType::kModel, "alice", "a")->head, pushed);
}

TEST_F(ReposTest, AMarkIsTakenBackOnceItsWritersAreDone) {
  RepoHandle repo = MakeRepo(alice_, "a");
  auto stale = [&] {
    return hub_->db().ReadValue([](storage::Connection& c) {
      return c.QueryInt("SELECT index_stale FROM repos").value_or(-1);
    });
  };
  EXPECT_EQ(stale(), 0);
  repos().MarkIndexStale(repo);  // a push under way
  CommitFiles(alice_, repo, {CommitFile{"x.txt", "1", {}, 0, {}}});
  repos().FlushCounters();
  EXPECT_EQ(stale(), 1);
  repos().AfterRefsChanged(repo, Git(repo).ListRefs());  // the push has ended
  repos().FlushCounters();
  EXPECT_EQ(stale(), 0);
}

TEST_F(ReposTest, ReloadSeesWhatAnotherProcessWrote) {
  RepoHandle kept = MakeRepo(alice_, "kept");
  RepoHandle gone = MakeRepo(alice_, "gone");
  Recorder recorder;
  repos().AddObserver(&recorder);
  hub_->db().Write([&](storage::Connection& c) {
    c.Exec("UPDATE repos SET private = 1, version = version + 1 WHERE id = ?", {kept.record().id});
    c.Exec("DELETE FROM repos WHERE id = ?", {gone.record().id});
  });
  repos().Reload();
  EXPECT_TRUE(repos().FindById(kept.record().id)->is_private);
  EXPECT_EQ(repos().FindById(gone.record().id), nullptr);
  EXPECT_EQ(recorder.changes.size(), 2u);
}

TEST_F(ReposTest, ManyCreationsAtOnceGiveEachNameToOne) {
  std::atomic<int> made{0}, refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        try {
          MakeRepo(alice_, "r" + std::to_string(i));
          ++made;
        } catch (const Error& error) {
          if (error.code() == Code::kConflict) ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 5);
  EXPECT_EQ(refused, 15);
  EXPECT_EQ(repos().OwnedBy(alice_.user_id).size(), 5u);
}

TEST_F(ReposTest, CountsOfAnOwnerFollowEveryChangeAndHideWhatIsPrivate) {
  auto models = [&](const Actor& actor, const Actor& owner) {
    return repos().CountOwned(actor, owner.user_id).of[static_cast<int>(RepoType::kModel)];
  };
  RepoHandle open = MakeRepo(alice_, "open");
  RepoHandle hidden = MakeRepo(alice_, "hidden", true);
  EXPECT_EQ(models(alice_, alice_), 2);
  EXPECT_EQ(models(bob_, alice_), 1);
  EXPECT_EQ(models(Actor{}, alice_), 1);
  EXPECT_EQ(models(Actor::System(), alice_), 2);

  repos().UpdateSettings(open, {.is_private = true});
  EXPECT_EQ(models(bob_, alice_), 0);
  EXPECT_EQ(models(alice_, alice_), 2);
  repos().UpdateSettings(open, {.is_private = false});
  repos().UpdateSettings(hidden, {.is_private = false});
  EXPECT_EQ(models(bob_, alice_), 2);
  repos().UpdateSettings(hidden, {.is_private = true});

  repos().Move(alice_, open, "Alice/renamed");
  EXPECT_EQ(models(bob_, alice_), 1);
  repos().Move(Actor::System(),
               repos().Open(alice_, RepoType::kModel, "Alice/hidden", Right::kAdmin), "Bob/hidden");
  EXPECT_EQ(models(alice_, alice_), 1);
  EXPECT_EQ(models(bob_, bob_), 1);
  EXPECT_EQ(models(alice_, bob_), 0);

  repos().Delete(repos().Open(alice_, RepoType::kModel, "Alice/renamed", Right::kAdmin));
  EXPECT_EQ(repos().CountOwned(alice_, alice_.user_id).all(), 0);
}

TEST_F(ReposTest, ATokenForOnePrivateRepositoryCountsThatOne) {
  MakeRepo(alice_, "open");
  MakeRepo(alice_, "one", true);
  MakeRepo(alice_, "other", true);
  Actor token = alice_;
  token.via = Actor::Via::kToken;
  token.token_role = TokenRole::kFineGrained;
  token.scopes = {{"model", "Alice/one", {"repo.content.read"}},
                  {"model", "alice/ONE", {"repo.content.read"}},
                  {"dataset", "Alice/other", {"repo.content.read"}}};
  EXPECT_EQ(repos().CountOwned(token, alice_.user_id).all(), 2);
  EXPECT_EQ(repos().CountOwned(alice_, alice_.user_id).all(), 3);
}

TEST_F(ReposTest, CountsOfAnOwnerAreThereAfterTheHubIsOpenedAgain) {
  MakeRepo(alice_, "open");
  MakeRepo(alice_, "hidden", true);
  Reopen();
  EXPECT_EQ(repos().CountOwned(Actor{}, alice_.user_id).all(), 1);
  EXPECT_EQ(repos().CountOwned(alice_, alice_.user_id).all(), 2);
}

}  // namespace
}  // namespace hearth::hub
