#include "hub/model_judge.h"

#include <chrono>

#include "hub/hub_fixture.h"

namespace hearth::hub {
namespace {

// Runs what has a config.json, for the task that its text is.
ModelJudge JudgeNamed(const std::string& fingerprint) {
  return {fingerprint, [](const ModelEvidence& evidence) {
            RunVerdict verdict;
            if (evidence.config.empty()) {
              verdict.reason = "no configuration";
            } else {
              verdict.tasks = {evidence.config, "feature-extraction"};
            }
            return verdict;
          }};
}

class ModelJudgeTest : public HubFixture {
 protected:
  void OpenWith(const std::string& fingerprint) {
    hub_.reset();
    ModelJudge judge = fingerprint.empty() ? ModelJudge{} : JudgeNamed(fingerprint);
    hub_ =
        std::make_unique<Hub>(HubOptions{.data = folder_, .clock = &clock_, .judge = judge}, true);
  }
  size_t Runnable(const std::string& task) {
    CatalogQuery query;
    query.run_task = task;
    return hub_->catalog().Count(Actor{}, query);
  }
  RunVerdict VerdictOf(const RepoHandle& repo) {
    RepoHandle now = Reopen(repo);
    return hub_->catalog().FactsOf(now, *now.record().head)->run;
  }
};

TEST_F(ModelJudgeTest, VerdictsFollowTheRepository) {
  OpenWith("one");
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Index();
  EXPECT_EQ(Runnable(""), 0u);
  EXPECT_EQ(VerdictOf(repo).reason, "no configuration");
  Commit(repo, {{"config.json", "\"fill-mask\""}});
  Index();
  EXPECT_EQ(Runnable(""), 1u);
  EXPECT_EQ(Runnable("\"fill-mask\""), 1u);
  EXPECT_EQ(Runnable("translation"), 0u);
  EXPECT_EQ(VerdictOf(repo).tasks.size(), 2u);
}

TEST_F(ModelJudgeTest, VerdictsOutliveARestartAndAnotherJudgeReplacesThem) {
  OpenWith("one");
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"config.json", "\"fill-mask\""}});
  Index();
  OpenWith("one");
  EXPECT_EQ(Runnable("\"fill-mask\""), 1u);
  EXPECT_EQ(hub_->catalog().SummaryOf(Reopen(repo).record()).run_tasks,
            (std::vector<std::string>{"\"fill-mask\"", "feature-extraction"}));
  OpenWith("two");
  EXPECT_EQ(VerdictOf(repo).judged_by, "two");
  Index();
  OpenWith("two");
  EXPECT_EQ(VerdictOf(repo).judged_by, "two");
  EXPECT_EQ(Runnable("\"fill-mask\""), 1u);
}

TEST_F(ModelJudgeTest, WithoutAJudgeNothingRuns) {
  OpenWith("one");
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m");
  Commit(repo, {{"config.json", "\"fill-mask\""}});
  Index();
  OpenWith("");
  EXPECT_FALSE(hub_->catalog().judges());
  EXPECT_EQ(Runnable(""), 0u);
  EXPECT_FALSE(VerdictOf(repo).runs());
}

TEST(OfferedTaskTest, TheCardDecidesAmongWhatRuns) {
  EXPECT_EQ(OfferedTask({}, "fill-mask"), "");
  EXPECT_EQ(OfferedTask({"feature-extraction", "sentence-similarity"}, "sentence-similarity"),
            "sentence-similarity");
  EXPECT_EQ(OfferedTask({"fill-mask", "feature-extraction"}, "translation"), "fill-mask");
  EXPECT_EQ(OfferedTask({"text-generation", "conversational"}, "text-generation"),
            "conversational");
  EXPECT_EQ(OfferedTask({"text-generation"}, ""), "text-generation");
}

}  // namespace
}  // namespace hearth::hub
