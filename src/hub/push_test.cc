#include "hub/push.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/bytes.h"
#include "base/random.h"
#include "hub/accounts.h"
#include "hub/schema.h"

namespace hearth::hub {
namespace {

const std::string kZero(40, '0');

class PushTest : public ::testing::Test {
 protected:
  PushTest()
      : root_(std::filesystem::temp_directory_path() /
              ("hearth-push-" + HexEncode(RandomBytes(8)))) {
    for (const char* folder : {"git", "blobs", "tmp/uploads"}) {
      std::filesystem::create_directories(root_ / folder);
    }
    db_ = storage::Database::OpenSqlite(root_ / "hearth.db");
    db_->Migrate(Migrations());
    blobs_ = storage::BlobStore::OpenLocal(root_ / "blobs");
    Clock& clock = Clock::System();
    accounts_ = std::make_unique<Accounts>(*db_, clock);
    repos_ = std::make_unique<Repos>(*db_, *accounts_, clock, root_ / "git");
    xorbs_ = storage::XorbStore::OpenLocal(root_ / "xorbs");
    xet_index_ = std::make_unique<XetIndex>(*db_, *xorbs_, clock);
    sweep_lock_ = std::make_unique<SweepLock>(root_ / "sweep.lock");
    objects_ = std::make_unique<Objects>(
        Objects::Parts{*db_, *blobs_, *xet_index_, *sweep_lock_, *repos_, clock},
        root_ / "tmp" / "uploads");
    commits_ = std::make_unique<Commits>(*repos_, *objects_, *accounts_, clock);
    AccountPtr user = accounts_->CreateUser("alice", "correct horse battery", "", false);
    NewToken token;
    token.name = "t";
    token.role = TokenRole::kWrite;
    actor_ = accounts_->AuthenticateToken(accounts_->CreateToken(user->id, token).second);
    NewRepo repo;
    repo.name = "m";
    repo_ = repos_->Create(actor_, repo);
    gate_ = std::make_unique<PushGate>(*commits_);
  }
  ~PushTest() override {
    gate_.reset();
    std::filesystem::remove_all(root_);
  }

  std::string Head() {
    return storage::GitRepository::Open(repo_->git_folder()).FindRef("refs/heads/main")->Hex();
  }

  // A commit that no ref names, as a push brings it.
  std::string CommitWith(const std::string& path, const std::string& content) {
    storage::GitRepository git = storage::GitRepository::Open(repo_->git_folder());
    storage::NewCommit commit;
    commit.ref = "refs/heads/scratch";
    git.UpdateRef(commit.ref, std::nullopt, GitOid::FromHex(Head()));
    commit.expected_head = GitOid::FromHex(Head());
    commit.changes = {storage::PutFile{path, content}};
    commit.message = "change";
    commit.author = {"A", "a@example.com", Clock::System().Now()};
    GitOid oid = git.Commit(commit);
    git.UpdateRef(commit.ref, oid, std::nullopt);
    return oid.Hex();
  }

  PushEnvironment EnvironmentOf(const PushGate::Ticket& ticket) {
    PushEnvironment environment;
    environment.data = root_;
    for (const std::string& variable : ticket.Environment()) {
      std::string value = variable.substr(variable.find('=') + 1);
      (variable.starts_with("HEARTH_PUSH_SOCKET=") ? environment.socket : environment.ticket) =
          value;
    }
    return environment;
  }

  // What the pusher sees; "" = accepted.
  std::string Push(const std::string& updates) {
    auto ticket = gate_->Admit(actor_, *repo_);
    return Run(updates, EnvironmentOf(*ticket));
  }
  static std::string Run(const std::string& updates, const PushEnvironment& environment) {
    std::istringstream in(updates);
    std::ostringstream err;
    int status = RunPreReceive(in, err, environment);
    EXPECT_EQ(status == 0, err.str().empty()) << err.str();
    return err.str();
  }

  std::filesystem::path root_;
  std::unique_ptr<storage::Database> db_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Repos> repos_;
  std::unique_ptr<storage::XorbStore> xorbs_;
  std::unique_ptr<XetIndex> xet_index_;
  std::unique_ptr<SweepLock> sweep_lock_;
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<Commits> commits_;
  std::unique_ptr<PushGate> gate_;
  Actor actor_;
  std::optional<RepoHandle> repo_;
};

TEST_F(PushTest, AnOrdinaryPushIsAccepted) {
  std::string oid = CommitWith("a.txt", "text\n");
  EXPECT_EQ(Push(Head() + " " + oid + " refs/heads/main\n"), "");
  EXPECT_EQ(Push(kZero + " " + oid + " refs/heads/new\n" + kZero + " " + oid + " refs/tags/v1\n"),
            "");
}

TEST_F(PushTest, MainCannotBeDeletedButOtherBranchesCan) {
  EXPECT_EQ(Push(Head() + " " + kZero + " refs/heads/main\n"), "Cannot delete refs/heads/main\n");
  EXPECT_EQ(Push(Head() + " " + kZero + " refs/heads/side\n"), "");
}

TEST_F(PushTest, TheHubsOwnRefsAreNotForPushes) {
  std::string oid = Head();
  for (const char* ref : {"refs/pr/1", "refs/convert/parquet", "refs/internal/x", "HEAD"}) {
    EXPECT_EQ(Push(kZero + " " + oid + " " + ref + "\n"),
              std::string("Cannot push to ") + ref + ": only branches and tags may be pushed\n");
    EXPECT_EQ(Push(oid + " " + kZero + " " + ref + "\n"),
              std::string("Cannot delete ") + ref + ": only branches and tags may be pushed\n");
  }
}

TEST_F(PushTest, OneBadRefRefusesTheWholePush) {
  std::string oid = CommitWith("x.dat", std::string("a\0b", 3));
  std::string text = Push(kZero + " " + Head() + " refs/heads/fine\n" + kZero + " " + oid +
                          " refs/heads/binary\n");
  EXPECT_NE(text.find("Your push was rejected because it contains binary files."),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" - x.dat (ref: refs/heads/binary)"), std::string::npos) << text;
}

TEST_F(PushTest, ATicketIsGoodOnlyWhileItsPushRuns) {
  PushEnvironment old = EnvironmentOf(*gate_->Admit(actor_, *repo_));
  EXPECT_EQ(Run(Head() + " " + Head() + " refs/heads/main\n", old),
            "This push is not known to the hub any more. Try again.\n");
  EXPECT_NE(Run("", PushEnvironment{}), "");
}

TEST_F(PushTest, WithoutTheHubNothingIsAccepted) {
  auto ticket = gate_->Admit(actor_, *repo_);
  PushEnvironment environment = EnvironmentOf(*ticket);
  ticket.reset();
  gate_.reset();
  EXPECT_NE(Run(Head() + " " + Head() + " refs/heads/main\n", environment), "");
}

TEST_F(PushTest, GarbageInsteadOfUpdatesIsRefused) {
  for (const char* garbage : {"x\n", "a b c\n", "\xff\xfe\n", "0 0 refs/heads/main\n"}) {
    EXPECT_NE(Push(garbage), "") << garbage;
  }
}

TEST_F(PushTest, TheHookCallsTheProgramWhateverItsName) {
  std::filesystem::path odd = root_ / "a 'quoted' $name";
  std::filesystem::create_directories(odd);
  std::filesystem::path program = odd / "hearth";
  WriteFileDurably(program, "#!/bin/sh\nprintf '%s|' \"$@\" > \"$(dirname \"$0\")/called\"\n",
                   0755);
  InstallHooks(odd, program.string());
  setenv("HOOK", (odd / "hooks" / "pre-receive").c_str(), 1);
  ASSERT_EQ(std::system("\"$HOOK\""), 0);
  EXPECT_EQ(ReadFile(odd / "called"), "git-hook|pre-receive|--data|" + odd.string() + "|");
}

}  // namespace
}  // namespace hearth::hub
