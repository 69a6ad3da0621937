#include "hub/checklists.h"

#include "hub/decisions.h"
#include "hub/internal/scratch_hub_test.h"

namespace hearth::hub {
namespace {

class ChecklistsTest : public ScratchHubTest {
 protected:
  ChecklistsTest() : repo_(MakeRepo(alice_, "repo")) {}
  ChecklistKey KeyOf(const Actor& actor, char digit = 'a') {
    return {actor.user_id, repo_.record().id, *GitOid::FromHex(std::string(40, digit))};
  }
  static inspector::Answers Said(const std::string& text) {
    return {{"task", {text, false}}, {"licence", {"", true}}};
  }
  SavedChecklist Save(const ChecklistKey& key, const inspector::Answers& answers,
                      std::optional<int64_t> expected = std::nullopt) {
    return SaveChecklist(hub_->db(), key, answers, expected, clock_.Now());
  }

  RepoHandle repo_;
};

TEST_F(ChecklistsTest, BelongToUserRepositoryAndCommit) {
  EXPECT_FALSE(FindChecklist(hub_->db(), KeyOf(alice_)));
  Save(KeyOf(alice_), Said("mine"));
  EXPECT_EQ(FindChecklist(hub_->db(), KeyOf(alice_))->answers.at("task").text, "mine");
  EXPECT_TRUE(FindChecklist(hub_->db(), KeyOf(alice_))->answers.at("licence").checked);
  EXPECT_FALSE(FindChecklist(hub_->db(), KeyOf(alice_, 'b')));
  EXPECT_FALSE(FindChecklist(hub_->db(), KeyOf(bob_)));
  // At a new commit the old answers are known to be there.
  std::optional<SavedChecklist> earlier = FindEarlierChecklist(hub_->db(), KeyOf(alice_, 'b'));
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->commit.Hex(), std::string(40, 'a'));
  EXPECT_FALSE(FindEarlierChecklist(hub_->db(), KeyOf(alice_)));
}

TEST_F(ChecklistsTest, TwoWindowsDoNotOverwriteEachOther) {
  EXPECT_EQ(Save(KeyOf(alice_), Said("one"), 0).version, 1);
  EXPECT_EQ(Save(KeyOf(alice_), Said("two"), 1).version, 2);
  EXPECT_EQ(ErrorOf([&] { Save(KeyOf(alice_), Said("three"), 1); }).code(),
            Code::kPreconditionFailed);
  EXPECT_EQ(FindChecklist(hub_->db(), KeyOf(alice_))->answers.at("task").text, "two");
  EXPECT_EQ(Save(KeyOf(alice_), {}, 2).version, 0);
  EXPECT_FALSE(FindChecklist(hub_->db(), KeyOf(alice_)));
}

TEST_F(ChecklistsTest, GoWithTheirRepository) {
  Save(KeyOf(alice_), Said("mine"));
  hub_->repos().Delete(repo_);
  EXPECT_FALSE(FindChecklist(hub_->db(), KeyOf(alice_)));
}

using DecisionsTest = ScratchHubTest;

TEST_F(DecisionsTest, TheFirstNoteMakesAPrivateDataSet) {
  DecisionFiles files{"2026-01-31-ada-m", "ada/m", "# Decision\n", "{}"};
  SavedDecision saved = SaveDecision(hub_->repos(), hub_->commits(), alice_, files, "");
  EXPECT_EQ(saved.path, "notes/2026-01-31-ada-m.md");
  EXPECT_EQ(saved.repo->FullName(), alice_.user_name + "/decisions");
  EXPECT_TRUE(saved.repo->is_private);
  EXPECT_FALSE(hub_->repos().May(bob_, saved.repo->id, Right::kReadInfo));
  // The next one of the day does not overwrite it.
  EXPECT_EQ(SaveDecision(hub_->repos(), hub_->commits(), alice_, files, "").path,
            "notes/2026-01-31-ada-m-2.md");
  auto git = storage::GitRepository::Open(hub_->repos().GitFolder(*saved.repo));
  GitOid head = *git.FindRef("refs/heads/main");
  for (const char* path : {"notes/2026-01-31-ada-m.md", "notes/2026-01-31-ada-m.json",
                           "notes/2026-01-31-ada-m-2.json", "README.md"})
    EXPECT_TRUE(git.FindEntry(head, path)) << path;
}

TEST_F(DecisionsTest, NoNoteGoesWhereOthersCouldReadIt) {
  DecisionFiles files{"2026-01-31-ada-m", "ada/m", "# Decision\n", "{}"};
  NewRepo open;
  open.type = RepoType::kDataset;
  open.name = "decisions";
  hub_->repos().Create(alice_, open);
  auto save = [&](const Actor& actor, const std::string& into) {
    return ErrorOf([&] { SaveDecision(hub_->repos(), hub_->commits(), actor, files, into); })
        .code();
  };
  EXPECT_EQ(save(alice_, ""), Code::kConflict);
  EXPECT_EQ(save(bob_, alice_.user_name + "/decisions"), Code::kForbidden);
  EXPECT_EQ(save(bob_, alice_.user_name + "/nothing"), Code::kNotFound);
  EXPECT_EQ(save(Actor{}, ""), Code::kUnauthenticated);
}

TEST(DecisionNameTest, IsOfLettersThatEveryFileSystemTakes) {
  EXPECT_EQ(DecisionName("2026-01-31", "ada/m.v1"), "2026-01-31-ada-m.v1");
  EXPECT_EQ(DecisionName("2026-01-31", "../../x<>\n"), "2026-01-31-.--.--x");
  EXPECT_LE(DecisionName("2026-01-31", std::string(500, 'x')).size(), 120u);
}

}  // namespace
}  // namespace hearth::hub
