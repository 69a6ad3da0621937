#include "inference/snapshot.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "base/error.h"
#include "hub/hub_fixture.h"

namespace hearth::inference {
namespace {

namespace fs = std::filesystem;

class SnapshotTest : public hub::HubFixture {
 protected:
  SnapshotTest() : root_(folder_ / "models") { fs::create_directories(root_); }
  hub::RepoHandle Model() { return MakeRepo(ada_, hub::RepoType::kModel, "model"); }
  fs::path Make(const SnapshotPlan& plan) {
    return MakeSnapshot(*hub_, plan, root_, [this](uint64_t bytes) { seen_ = bytes; });
  }
  // Written past the hub's own checks, as an old history may hold it.
  void CommitRaw(const hub::RepoHandle& repo, std::vector<storage::TreeChange> changes) {
    auto git = storage::GitRepository::Open(repo.git_folder());
    std::vector<storage::RefInfo> before = git.ListRefs();
    storage::NewCommit commit;
    commit.ref = "refs/heads/main";
    commit.expected_head = git.FindRef(commit.ref);
    commit.changes = std::move(changes);
    commit.author = commit_signature_;
    git.Commit(commit);
    hub_->repos().AfterRefsChanged(repo, before);
  }

  storage::Signature commit_signature_{"ada", "ada@example.com", clock_.Now()};
  fs::path root_;
  uint64_t seen_ = 0;
};

TEST_F(SnapshotTest, LaysOutSmallAndLargeFilesOnce) {
  hub::RepoHandle repo = Model();
  std::string weights(100'000, 'w');
  Commit(repo, {{"config.json", "{}"}, {"1_Pooling/config.json", "[]"}, {"README.md", "x"}},
         {{"model.safetensors", weights}});
  SnapshotPlan plan = PlanSnapshot(*hub_, Reopen(repo));
  EXPECT_EQ(plan.fault, "");
  EXPECT_EQ(plan.weight_bytes, weights.size());
  fs::path folder = Make(plan);
  EXPECT_EQ(ReadFile(folder / "config.json"), "{}");
  EXPECT_EQ(ReadFile(folder / "1_Pooling" / "config.json"), "[]");
  EXPECT_EQ(ReadFile(folder / "model.safetensors"), weights);
  EXPECT_FALSE(fs::exists(folder / "README.md"));
  EXPECT_EQ(fs::hard_link_count(folder / "model.safetensors"), 2u);
  EXPECT_EQ(seen_, plan.total_bytes);
  EXPECT_EQ(Make(plan), folder);
}

TEST_F(SnapshotTest, AModelWithABlockedFileIsNotRun) {
  hub::RepoHandle repo = Model();
  const std::string evil = "cos\nsystem\n(S'id'\ntR.";
  Commit(repo, {{"config.json", "{}"}}, {{"pytorch_model.bin", evil}});
  SnapshotPlan plan = PlanSnapshot(*hub_, Reopen(repo));
  hub_->safety().ScanNow();
  EXPECT_EQ(BlockedFault(*hub_, plan), "");  // the policy is to warn
  hub_.reset();
  hub_ = std::make_unique<hub::Hub>(
      hub::HubOptions{.data = folder_, .clock = &clock_, .quarantine = hub::Quarantine::kBlock},
      true);
  EXPECT_NE(BlockedFault(*hub_, plan).find("pytorch_model.bin"), std::string::npos);
}

TEST_F(SnapshotTest, OnlyFilesThatAWorkerReadsMakeAnotherKey) {
  hub::RepoHandle repo = Model();
  Commit(repo, {{"config.json", "{}"}}, {{"model.safetensors", "w"}});
  SnapshotPlan first = PlanSnapshot(*hub_, Reopen(repo));
  Commit(repo, {{"README.md", "new"}});
  SnapshotPlan second = PlanSnapshot(*hub_, Reopen(repo));
  EXPECT_EQ(first.key, second.key);
  EXPECT_FALSE(first.commit == second.commit);
  Commit(repo, {{"config.json", "{ }"}});
  EXPECT_NE(PlanSnapshot(*hub_, Reopen(repo)).key, first.key);
}

TEST_F(SnapshotTest, LinksAndForeignObjectsAreNotFollowed) {
  hub::RepoHandle other = MakeRepo(ada_, hub::RepoType::kModel, "private", true);
  Commit(other, {}, {{"model.safetensors", "secret weights"}});
  hub::RepoHandle repo = Model();
  std::string pointer = storage::MakeLfsPointer({Sha256Of("secret weights"), 14});
  CommitRaw(repo, {storage::PutFile{"config.json", std::string("../../../secret.key"),
                                    storage::EntryKind::kSymlink},
                   storage::PutFile{"tokenizer.json", std::string("/etc/passwd"),
                                    storage::EntryKind::kSymlink},
                   storage::PutFile{"model.gguf", std::string("weights")}});
  SnapshotPlan plan = PlanSnapshot(*hub_, Reopen(repo));
  ASSERT_EQ(plan.files.size(), 1u);
  EXPECT_EQ(plan.files[0].path, "model.gguf");
  CommitRaw(repo, {storage::PutFile{"model.safetensors", pointer}});
  EXPECT_THROW(PlanSnapshot(*hub_, Reopen(repo)), Error) << "the repository was never given it";
}

TEST_F(SnapshotTest, StoppingLeavesNothingBehind) {
  hub::RepoHandle repo = Model();
  Commit(repo, {{"config.json", "{}"}}, {{"model.safetensors", "w"}});
  SnapshotPlan plan = PlanSnapshot(*hub_, Reopen(repo));
  EXPECT_THROW(
      MakeSnapshot(*hub_, plan, root_, [](uint64_t) { throw Error(Code::kUnavailable, "stop"); }),
      Error);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(SnapshotTest, StaleFoldersGoAtTheNextStart) {
  hub::RepoHandle repo = Model();
  Commit(repo, {{"config.json", "{}"}}, {{"model.safetensors", "w"}});
  fs::path current = Make(PlanSnapshot(*hub_, Reopen(repo)));
  std::string number = std::to_string(repo.record().id);
  for (std::string name :
       {number + "-" + std::string(40, 'a'), current.filename().string() + ".part",
        std::string("999-") + std::string(40, 'b'), std::string("x")}) {
    fs::create_directories(root_ / name);
  }
  RemoveStaleSnapshots(*hub_, root_);
  EXPECT_TRUE(fs::exists(current / "config.json"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
  RemoveSnapshots(root_, repo.record().id);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(SnapshotTest, ARepositoryWithoutWeightsSaysSo) {
  hub::RepoHandle repo = Model();
  Commit(repo, {{"config.json", "{}"}});
  EXPECT_NE(PlanSnapshot(*hub_, Reopen(repo)).fault.find("no weights"), std::string::npos);
}

}  // namespace
}  // namespace hearth::inference
