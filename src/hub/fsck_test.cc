#include "hub/fsck.h"

#include <fstream>

#include "base/file.h"
#include "hub/internal/repos_impl.h"
#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_fixture.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;

class FsckTest : public ScratchHubTest {
 protected:
  FsckReport Run(bool repair, bool deep = false) {
    return RunFsck(*hub_, {repair, deep}, [](std::string_view, size_t, size_t) {});
  }
  static std::string Text(const FsckReport& report) {
    std::string text;
    for (const FsckFinding& finding : report.findings) {
      text += (finding.serious ? "fault " : "note ") + finding.where + ": " + finding.what + "\n";
    }
    return text;
  }
  // A healthy repository with one large object, its facts computed.
  RepoHandle Healthy(const std::string& name) {
    RepoHandle repo = MakeRepo(alice_, name);
    oid_ = StoreObject(repo, alice_, "weights");
    CommitFile file;
    file.path = "a.txt";
    file.content = "hello";
    CommitFiles(alice_, repo, {file, CommitLfsFile{"w.bin", oid_, {}}});
    hub_->catalog().IndexNow(repos().FindById(repo.record().id));
    repos().FlushCounters();  // as at a clean shutdown
    return repo;
  }
  // After --repair a second run must find nothing serious.
  void ExpectRepaired() {
    FsckReport repaired = Run(/*repair=*/true);
    EXPECT_EQ(repaired.CountFaults(), 0u) << Text(repaired);
    EXPECT_GE(repaired.CountRepaired(), 1u);
    FsckReport again = Run(/*repair=*/false);
    EXPECT_EQ(again.CountFaults(), 0u) << Text(again);
  }
  Sha256 oid_;
};

TEST_F(FsckTest, AHealthyHubIsClean) {
  Healthy("a");
  FsckReport report = Run(false, /*deep=*/true);
  EXPECT_TRUE(report.findings.empty()) << Text(report);
  EXPECT_EQ(report.repositories, 1u);
  EXPECT_EQ(report.objects, 1u);
}

TEST_F(FsckTest, AHeadThatMovedIsPutRight) {
  RepoHandle repo = Healthy("a");
  storage::GitRepository git = Git(repo);
  storage::NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.expected_head = git.FindRef("refs/heads/main");
  commit.changes = {storage::PutFile{"x", "pushed"}};
  commit.message = "push";
  commit.author = {"git", "git@localhost", clock_.Now()};
  GitOid pushed = git.Commit(commit);
  EXPECT_EQ(Run(false).CountFaults(), 1u);
  ExpectRepaired();
  EXPECT_EQ(repos().FindById(repo.record().id)->head, pushed);
}

TEST_F(FsckTest, ALostRowIsTakenUpAgainWithItsObjects) {
  RepoHandle repo = Healthy("a");
  RepoSettings settings;
  settings.is_private = true;
  repos().UpdateSettings(repo, settings);
  GitOid head = *repos().FindById(repo.record().id)->head;
  hub_->db().Write([&](storage::Connection& c) { c.Exec("DELETE FROM repos"); });
  Reopen();
  FsckReport report = Run(false);
  EXPECT_EQ(report.CountFaults(), 1u) << Text(report);
  ExpectRepaired();
  RepoPtr adopted = repos().Find(RepoType::kModel, "alice", "a");
  ASSERT_TRUE(adopted);
  EXPECT_TRUE(adopted->is_private);
  EXPECT_EQ(adopted->head, head);
  EXPECT_EQ(adopted->oid, repo.record().oid);
  EXPECT_EQ(hub_->objects().FindIn(*adopted, oid_), 7u);
}

TEST_F(FsckTest, WhatIsLeftOfADeletionIsNeverTakenUpAgain) {
  RepoHandle repo = Healthy("a");
  // Killed between the row and the folder.
  WriteFileDurably(repo.git_folder() / kDeletedFile, "");
  hub_->db().Write([&](storage::Connection& c) { c.Exec("DELETE FROM repos"); });
  Reopen();
  FsckReport report = Run(false);
  EXPECT_EQ(report.CountFaults(), 0u) << Text(report);
  ExpectRepaired();
  EXPECT_EQ(repos().Find(RepoType::kModel, "alice", "a"), nullptr);
  EXPECT_FALSE(fs::exists(repo.git_folder()));
}

TEST_F(FsckTest, ADeletionThatDidNotHappenIsForgotten) {
  RepoHandle repo = Healthy("a");
  WriteFileDurably(repo.git_folder() / kDeletedFile, "");
  EXPECT_EQ(Run(false).CountFaults(), 0u);
  ExpectRepaired();
  EXPECT_FALSE(fs::exists(repo.git_folder() / kDeletedFile));
  EXPECT_TRUE(repos().Find(RepoType::kModel, "alice", "a"));
}

TEST_F(FsckTest, WhatIsLeftOfACreationIsRemoved) {
  fs::path folder = root_ / "git" / "ab" / "0123456789abcdef012345ab.git";
  fs::create_directories(folder.parent_path());
  storage::GitRepository::Create(folder);
  EXPECT_EQ(Run(false).CountNotes(), 1u);
  EXPECT_TRUE(fs::exists(folder));
  ExpectRepaired();
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(FsckTest, MissingBytesAreNamedAndAskedForAgain) {
  RepoHandle repo = Healthy("a");
  hub_->blobs().Delete(oid_);
  FsckReport report = Run(false);
  EXPECT_NE(Text(report).find("object " + oid_.Hex()), std::string::npos);
  EXPECT_NE(Text(report).find("w.bin points to the object"), std::string::npos);
  FsckReport repaired = Run(true);
  EXPECT_EQ(repaired.CountRepaired(), 1u) << Text(repaired);
  EXPECT_EQ(repaired.CountFaults(), 1u);  // only an upload can bring the bytes back
  StoreObject(repo, alice_, "weights");
  EXPECT_EQ(Run(false).CountFaults(), 0u);
}

TEST_F(FsckTest, ALostGrantIsGivenAgain) {
  RepoHandle repo = Healthy("a");
  hub_->db().Write([&](storage::Connection& c) { c.Exec("DELETE FROM repo_objects"); });
  EXPECT_EQ(Run(false).CountFaults(), 1u);
  ExpectRepaired();
  EXPECT_EQ(hub_->objects().FindIn(repo.record(), oid_), 7u);
}

TEST_F(FsckTest, ChangedBytesAreFoundByTheDeepCheck) {
  Healthy("a");
  std::string hex = oid_.Hex();
  fs::path file = root_ / "blobs" / hex.substr(0, 2) / hex.substr(2, 2) / hex;
  fs::permissions(file, fs::perms::owner_all);
  std::ofstream(file, std::ios::in | std::ios::out) << "W";
  EXPECT_EQ(Run(false).CountFaults(), 0u);
  EXPECT_EQ(Run(false, /*deep=*/true).CountFaults(), 1u);
}

TEST_F(FsckTest, ADamagedOrMissingGitFolderIsNamed) {
  RepoHandle broken = Healthy("broken");
  RepoHandle missing = Healthy("missing");
  GitOid tree = Git(broken).ReadCommit(*Git(broken).FindRef("refs/heads/main")).tree;
  std::string hex = tree.Hex();
  fs::remove(broken.git_folder() / "objects" / hex.substr(0, 2) / hex.substr(2));
  fs::remove_all(missing.git_folder());
  FsckReport report = Run(true);
  EXPECT_GE(report.CountFaults(), 2u) << Text(report);
  EXPECT_NE(Text(report).find("model Alice/broken: git fsck"), std::string::npos) << Text(report);
  EXPECT_NE(Text(report).find("model Alice/missing: its git folder"), std::string::npos);
  // A repository whose files are lost can still be deleted.
  repos().Delete(repos().Open(alice_, RepoType::kModel, "alice/missing", Right::kAdmin));
}

TEST_F(FsckTest, ContentByXetIsWholeWithoutAWholeObject) {
  RepoHandle repo = Healthy("a");
  std::string bytes = NoiseBytes(400'000);
  StoreByXet(*hub_, repo.record().id, alice_.user_id, bytes);
  CommitFiles(alice_, repo, {CommitLfsFile{"x.bin", Sha256Of(bytes), {}}});
  hub_->catalog().IndexNow(repos().FindById(repo.record().id));
  repos().FlushCounters();
  FsckReport report = Run(false, /*deep=*/true);
  EXPECT_TRUE(report.findings.empty()) << Text(report);
  EXPECT_EQ(report.objects, 2u);
}

TEST_F(FsckTest, AXorbThatIsGoneOrDamagedIsAFault) {
  RepoHandle repo = Healthy("a");
  std::string bytes = NoiseBytes(900'000);
  XetFile file = StoreByXet(*hub_, repo.record().id, alice_.user_id, bytes);
  auto plan = hub_->xet_index().Plan(file, 0, file.size_bytes);
  ASSERT_GE(plan.xorbs.size(), 2u);
  auto path = [&](const storage::XorbForm& xorb) {
    std::string text = xorb.Text();
    return root_ / "xet" / "xorbs" / text.substr(0, 2) / text.substr(2, 2) / text;
  };
  fs::path damaged = path(plan.xorbs.begin()->first);
  fs::permissions(damaged, fs::perms::owner_read | fs::perms::owner_write);
  {
    std::fstream out(damaged, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(1000);
    out.put('\x55').put('\x66').put('\x77');
  }
  Reopen();
  EXPECT_EQ(Run(false).CountFaults(), 0u);  // only a deep run reads the bytes
  FsckReport deep = Run(false, /*deep=*/true);
  EXPECT_EQ(deep.CountFaults(), 2u) << Text(deep);  // the xorb and the object
  fs::remove(damaged);
  Reopen();
  FsckReport gone = Run(false);
  EXPECT_EQ(gone.CountFaults(), 2u) << Text(gone);  // the xorb and the Xet file
}

TEST_F(FsckTest, AXorbWithoutARowIsEnteredAgain) {
  Healthy("a");
  storage::XorbBuilder builder;
  std::string chunk = NoiseBytes(20'000);
  builder.Add(storage::HashChunk(chunk), chunk);
  storage::XorbBuilder::Built built = builder.Finish();
  hub_->xet_index().xorbs().PutBuilt(built);
  EXPECT_EQ(Run(false).CountNotes(), 1u);
  EXPECT_EQ(Run(/*repair=*/true).CountRepaired(), 1u);
  EXPECT_TRUE(hub_->xet_index().FindXorb(built.index.hash));
  EXPECT_TRUE(Run(false).findings.empty());
}

}  // namespace
}  // namespace hearth::hub
