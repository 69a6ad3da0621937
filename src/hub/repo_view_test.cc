#include "hub/repo_view.h"

#include "base/error.h"
#include "hub/hub_fixture.h"

namespace hearth::hub {
namespace {

class RepoViewTest : public HubFixture {
 protected:
  std::unique_ptr<inspector::RepoView> View(const RepoHandle& repo, const GitOid& commit) {
    return OpenRepoView(Reopen(repo), hub_->objects(), commit);
  }
  HubNeighbours As(const Actor& actor) {
    return HubNeighbours(hub_->repos(), hub_->objects(), actor);
  }
};

TEST_F(RepoViewTest, SmallAndLargeFilesHaveTheirRealSizesAndBytes) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  std::string weights(5000, 'w');
  GitOid commit =
      Commit(repo, {{"README.md", "# hello"}, {"sub/config.json", "{}"}}, {{"w.bin", weights}});
  std::unique_ptr<inspector::RepoView> view = View(repo, commit);
  EXPECT_EQ(view->type(), "model");
  EXPECT_EQ(view->id(), "ada/m");
  EXPECT_EQ(view->commit(), commit.Hex());
  EXPECT_EQ(view->ReadText("README.md"), "# hello");
  EXPECT_EQ(view->ReadText("sub/config.json"), "{}");
  const inspector::RepoFile* large = view->Find("w.bin");
  ASSERT_NE(large, nullptr);
  EXPECT_EQ(large->size_bytes, weights.size());
  EXPECT_EQ(large->sha256, Sha256Of(weights));
  EXPECT_EQ(view->Open("w.bin")->Read(4990, 10), std::string(10, 'w'));
  EXPECT_THROW(view->Open("sub"), Error);
  EXPECT_THROW(view->Open("absent"), Error);
}

TEST_F(RepoViewTest, TheDigestOfAForeignObjectShowsNothing) {
  std::string secret(5000, 's');
  RepoHandle owner = MakeRepo(ada_, RepoType::kModel, "private", true);
  GitOid head = Commit(owner, {}, {{"w.bin", secret}});
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  // A push is refused such a pointer; a repository that lost its grant has one.
  GitOid commit = Commit(repo, {}, {{"w.bin", secret}});
  hub_->objects().Revoke(Reopen(repo), {Sha256Of(secret)});
  EXPECT_EQ(View(owner, head)->Open("w.bin")->size_bytes(), secret.size());
  EXPECT_THROW(View(repo, commit)->Open("w.bin"), Error);
}

TEST_F(RepoViewTest, AnOlderCommitShowsItsOwnFiles) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  GitOid first = Commit(repo, {{"README.md", "one"}});
  GitOid second = Commit(repo, {{"README.md", "two"}, {"more.txt", "x"}});
  EXPECT_EQ(View(repo, first)->ReadText("README.md"), "one");
  EXPECT_EQ(View(repo, first)->Find("more.txt"), nullptr);
  EXPECT_EQ(View(repo, second)->ReadText("README.md"), "two");
  EXPECT_EQ(As(ada_).Find("model", "ada/m", first.Hex())->ReadText("README.md"), "one");
  EXPECT_EQ(As(ada_).Find("model", "ada/m", "main")->ReadText("README.md"), "two");
  EXPECT_EQ(As(ada_).Find("model", "ada/m", "no-such-branch"), nullptr);
}

TEST_F(RepoViewTest, OnlyWhatTheActorMayReadIsANeighbour) {
  Actor eve = MakeUser("eve");
  MakeRepo(ada_, RepoType::kModel, "private", true);
  RepoHandle gated = MakeRepo(ada_, RepoType::kModel, "gated");
  RepoSettings settings;
  settings.gated = Gated::kManual;
  hub_->repos().UpdateSettings(gated, settings);
  MakeRepo(ada_, RepoType::kModel, "open");
  for (const Actor& stranger : {Actor(), eve}) {
    EXPECT_EQ(As(stranger).Find("model", "ada/private", ""), nullptr);
    EXPECT_EQ(As(stranger).Find("model", "ada/gated", ""), nullptr);
    EXPECT_EQ(As(stranger).Find("model", "ada/absent", ""), nullptr);
    EXPECT_EQ(As(stranger).Find("dataset", "ada/open", ""), nullptr);
    EXPECT_NE(As(stranger).Find("model", "ada/open", ""), nullptr);
  }
  EXPECT_NE(As(ada_).Find("model", "ada/private", ""), nullptr);
  hub_->repos().SetGatePass(Reopen(gated), eve.user_id, GatePass::kGranted);
  EXPECT_NE(As(eve).Find("model", "ada/gated", ""), nullptr);
}

TEST_F(RepoViewTest, RenamesAreFollowed) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "a");
  hub_->repos().Move(ada_, repo, "ada/b");
  hub_->repos().Move(ada_, Reopen(repo), "ada/c");
  ASSERT_NE(As(ada_).Find("model", "ada/a", ""), nullptr);
  EXPECT_EQ(As(ada_).Find("model", "ada/a", "")->id(), "ada/c");
  EXPECT_EQ(As(ada_).Find("model", "not an id", ""), nullptr);
  EXPECT_EQ(As(ada_).Find("collection", "ada/c", ""), nullptr);
}

}  // namespace
}  // namespace hearth::hub
