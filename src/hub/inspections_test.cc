#include "hub/inspections.h"

#include <chrono>

#include "base/error.h"
#include "hub/hub_fixture.h"

namespace hearth::hub {
namespace {

class InspectionsTest : public HubFixture {
 protected:
  std::string Stored(const RepoHandle& repo) {
    return hub_->inspections().KindsOf(repo.record().id);
  }
  void RunBackground() {
    hub_->inspections().Start();
    ASSERT_TRUE(hub_->inspections().WaitIdle(std::chrono::seconds(60)));
    hub_->inspections().Stop();
  }
};

const std::string kSdk = "---\nsdk: static\n---\n# s\n";

TEST_F(InspectionsTest, MainIsReadOnceAndKept) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kSpace, "s");
  Commit(repo, {{"README.md", kSdk}, {"index.html", "<p>"}});
  EXPECT_EQ(Stored(repo), "");
  RunBackground();
  EXPECT_EQ(Stored(repo), "space:proved");
  std::map<int64_t, std::string> all;
  hub_->inspections().OnListed(
      [&](int64_t id, const ListedReading& reading) { all[id] = std::string(reading.kinds); });
  RunBackground();
  EXPECT_EQ(all, (std::map<int64_t, std::string>{{repo.record().id, "space:proved"}}));
  // Another start finds nothing to do and the same answer.
  OpenHub();
  KeptReadingPtr kept = hub_->inspections().Of(Reopen(repo), *Reopen(repo).record().head);
  EXPECT_TRUE(kept->kinds.Is("space"));
  EXPECT_GT(kept->card_score.size(), 0u);
}

TEST_F(InspectionsTest, AMoveOfMainAndARenameAreReadAgain) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kSpace, "s");
  GitOid first = Commit(repo, {{"README.md", kSdk}, {"index.html", "<p>"}});
  RunBackground();
  hub_->repos().Move(ada_, Reopen(repo), "ada/renamed");
  GitOid second = Commit(repo, {{"README.md", "---\nsdk: docker\n---\n# s\n"}});
  RunBackground();
  EXPECT_EQ(Stored(repo), "space:declared");
  Inspections& inspections = hub_->inspections();
  EXPECT_EQ(inspections.Of(Reopen(repo), first)->kinds.Find("space")->level,
            inspector::Level::kProved);
  EXPECT_EQ(inspections.Of(Reopen(repo), second)->kinds.Find("space")->level,
            inspector::Level::kDeclared);
}

TEST_F(InspectionsTest, AReadingByEarlierRulesIsListedUntilItIsMadeAnew) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kSpace, "s");
  Commit(repo, {{"README.md", kSdk}, {"index.html", "<p>"}});
  RunBackground();
  hub_->db().Write([](storage::Connection& c) {
    c.Exec("UPDATE inspections SET version = version - 1, summary = 'space:inferred'");
  });
  OpenHub();
  std::vector<std::string> told;
  hub_->inspections().OnListed(
      [&](int64_t, const ListedReading& reading) { told.emplace_back(reading.kinds); });
  RunBackground();
  EXPECT_EQ(told, (std::vector<std::string>{"space:inferred", "space:proved"}));
  EXPECT_EQ(Stored(Reopen(repo)), "space:proved");
  told.clear();
  RunBackground();
  EXPECT_EQ(told.size(), 1u) << "made anew once";
}

TEST_F(InspectionsTest, ADeletedRepositoryLeavesNothing) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kSpace, "s");
  Commit(repo, {{"README.md", kSdk}});
  RunBackground();
  hub_->repos().Delete(Reopen(repo));
  RunBackground();
  EXPECT_EQ(Stored(repo), "");
}

TEST_F(InspectionsTest, WhoMayNotReadTheContentGetsNoReading) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "gated");
  GitOid commit = Commit(repo, {{"README.md", "# m\n"}});
  RepoSettings settings;
  settings.gated = Gated::kManual;
  hub_->repos().UpdateSettings(Reopen(repo), settings);
  RepoHandle info =
      hub_->repos().Open(MakeUser("eve"), RepoType::kModel, "ada/gated", Right::kReadInfo);
  EXPECT_THROW(hub_->inspections().Of(info, commit), Error);
}

TEST_F(InspectionsTest, WeightsAreReadFromLargeObjects) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  std::string header = R"({"a.lora_A.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  Commit(repo, {}, {{"x.safetensors", file + header + std::string(4, '\0')}});
  RunBackground();
  EXPECT_EQ(Stored(repo), "adapter:proved");
}

}  // namespace
}  // namespace hearth::hub
