#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/inspector/card/card_example.h"
#include "hub/inspector/card/card_score.h"
#include "hub/inspector/card/card_task.h"
#include "hub/inspector/card/card_topics.h"
#include "hub/inspector/memory_view.h"

namespace hearth::inspector {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Twenty words and more.
const std::string kLong =
    "It answers short questions about cooking and was made for a course at a small school, where "
    "forty students use it every week.";

const ScoreRow& Row(const CardScore& score, std::string_view name) {
  for (const ScoreRow& row : score.rows) {
    if (row.row == name) return row;
  }
  static const ScoreRow none;
  ADD_FAILURE() << "no row " << name;
  return none;
}

CardScore Score(const std::string& text, const std::string& type = "model",
                const RepoView* repo = nullptr) {
  CardContext context;
  context.type = type;
  context.id = "ada/m";
  context.repo = repo;
  context.words.is_licence = [](std::string_view id) { return id == "mit" || id == "other"; };
  context.words.is_task = [](std::string_view id) { return id != "nonsense"; };
  return ScoreCard(ParseCard(text), context);
}

const std::string kFullCard =
    "---\nlicense: mit\nlicense_link: https://example.org/mit\npipeline_tag: text-generation\n"
    "datasets:\n- ada/recipes\n---\n# m\n\n" +
    kLong + "\n\n## Intended use\n\n" + kLong + "\n\n### Out-of-Scope Use\n\n" + kLong +
    "\n\n## Limitations\n\n" + kLong +
    "\n\n## Evaluation\n\n| data | metric | value |\n|---|---|---|\n| a | f1 | 0.9 |\n| b | f1 | "
    "0.8 |\n\n## Usage\n\n```python\nfrom transformers import pipeline\npipe = "
    "pipeline(\"text-generation\", \"ada/m\")\n```\n";

TEST(CardScoreTest, ACardThatSaysEverythingHasAllPoints) {
  CardScore score = Score(kFullCard);
  for (const ScoreRow& row : score.rows) EXPECT_EQ(row.state, Presence::kFound) << row.row;
  EXPECT_EQ(score.score, 100);
  EXPECT_EQ(score.variant, "model");
  EXPECT_EQ(CommitHint(score), "");
}

TEST(CardScoreTest, NothingHasNoPointsAndEachLineSaysWhatToDo) {
  CardScore score = ScoreCard(ParseCard(std::nullopt), {});
  EXPECT_EQ(score.score, 0);
  for (const ScoreRow& row : score.rows) EXPECT_NE(row.hint, "") << row.row;
  EXPECT_THAT(CommitHint(score), HasSubstr("0 of 100"));
  EXPECT_THAT(CommitHint(score), HasSubstr("missing: Limitations"));
}

TEST(CardScoreTest, BlanksOfATemplateAreMissing) {
  CardScore score = Score(
      "# Model Card\n\n## Uses\n\n[More Information Needed]\n\n### Direct Use\n\n- **By:** [More "
      "Information Needed]\n\n## Bias, Risks, and Limitations\n\nTODO\n\n## Training "
      "Data\n\nTBD\n");
  EXPECT_EQ(Row(score, "intended_use").state, Presence::kMissing);
  EXPECT_EQ(Row(score, "limitations").state, Presence::kMissing);
  EXPECT_EQ(Row(score, "training_data").state, Presence::kMissing);
  EXPECT_THAT(Row(score, "intended_use").evidence[0].rule, HasSubstr("template"));
}

TEST(CardScoreTest, FewWordsCountHalf) {
  CardScore score = Score("# m\n\n## Intended use\n\nFor cooking.\n");
  EXPECT_EQ(Row(score, "intended_use").state, Presence::kThin);
  EXPECT_EQ(Row(score, "intended_use").points, 7.5);
  EXPECT_EQ(Row(score, "intended_use").evidence[0].place, "line 3");
  EXPECT_EQ(Row(score, "intended_use").anchor, "user-content-intended-use");
}

TEST(CardScoreTest, WhatIsOutOfScopeIsNotCountedAsIntended) {
  CardScore score = Score("## Uses\n\n### Out-of-Scope Use\n\n" + kLong + "\n");
  EXPECT_EQ(Row(score, "intended_use").state, Presence::kMissing);
  EXPECT_EQ(Row(score, "out_of_scope").state, Presence::kFound);
}

TEST(CardScoreTest, ALicenceNeedsAnIdentifierAndATextOrLink) {
  EXPECT_EQ(Row(Score("---\nlicense: mit\n---\n"), "licence").points, 7.5);
  EXPECT_EQ(Row(Score("---\nlicense: mit\nlicense_link: LICENSE\n---\n"), "licence").points, 15);
  EXPECT_EQ(Row(Score("---\nlicense: my-own\n---\n"), "licence").points, 0);
  EXPECT_EQ(Row(Score("---\nlicense: other\n---\n"), "licence").points, 0);
  MemoryView repo("model", "ada/m", {{"LICENSE", "MIT"}, {"README.md", ""}});
  EXPECT_EQ(Row(Score("---\nlicense: mit\n---\n", "model", &repo), "licence").points, 15);
}

TEST(CardScoreTest, ATaskThatTheHeadCannotDoCountsHalf) {
  MemoryView repo("model", "ada/m",
                  {{"config.json", R"({"architectures": ["BertForTokenClassification"]})"}});
  std::string fits = "---\npipeline_tag: token-classification\n---\n";
  std::string lies = "---\npipeline_tag: text-to-image\n---\n";
  EXPECT_EQ(Row(Score(fits, "model", &repo), "task").points, 10);
  EXPECT_EQ(Row(Score(lies, "model", &repo), "task").points, 5);
  EXPECT_EQ(Row(Score("# m\n", "model", &repo), "task").points, 0);
  EXPECT_THAT(Row(Score("# m\n", "model", &repo), "task").hint, HasSubstr("token-classification"));
  EXPECT_EQ(Row(Score("---\npipeline_tag: nonsense\n---\n"), "task").points, 5);
}

TEST(CardScoreTest, DerivativesMustNameTheirBaseAndHow) {
  CardScore score =
      Score("---\nbase_model: org/base\n---\n# m\n\n## Training procedure\n\n" + kLong + "\n");
  EXPECT_EQ(score.variant, "derivative");
  EXPECT_EQ(Row(score, "base_model").points, 4);
  EXPECT_EQ(Row(score, "method").points, 4);
  EXPECT_EQ(Row(score, "training_data").of, 5);
}

TEST(CardScoreTest, RowsOfEveryVariantMakeAHundred) {
  for (const char* type : {"model", "dataset", "space"}) {
    for (const char* text : {"# m\n", "---\nbase_model: org/base\n---\n"}) {
      int sum = 0;
      for (const ScoreRow& row : Score(text, type).rows) sum += row.of;
      EXPECT_EQ(sum, 100) << type;
    }
  }
}

TEST(CardScoreTest, ADataSetIsAskedForWhatDataNeed) {
  CardScore score =
      Score("---\nlicense: mit\ndataset_info:\n  features: []\n---\n# d\n\n## Source Data\n\n" +
                kLong + "\n\n## Annotations\n\n" + kLong +
                "\n\n## Personal and Sensitive Information\n\n" + kLong + "\n",
            "dataset");
  EXPECT_EQ(score.variant, "dataset");
  EXPECT_EQ(Row(score, "source").points, 15);
  EXPECT_EQ(Row(score, "structure").points, 20);
  EXPECT_EQ(Row(score, "annotators").points, 10);
  EXPECT_EQ(Row(score, "personal_data").points, 10);
  EXPECT_EQ(Row(score, "bias").points, 0);
}

TEST(CardScoreTest, ABrokenOrHugeCardIsToldNotThrown) {
  EXPECT_EQ(Score("---\nlicense: [\n---\n# m\n").problems.size(), 1u);
  CardScore huge = Score(std::string(kMaxCardBytes + 10, 'x'));
  ASSERT_EQ(huge.problems.size(), 1u);
  EXPECT_EQ(huge.score, 0);
}

TEST(CardExampleTest, OnlyCodeThatLoadsThisRepositoryCounts) {
  auto check = [](const std::string& code, const std::string& front = "") {
    CardContext context;
    context.id = "ada/m";
    return CheckExample(ParseCard(front + "# m\n\n```python\n" + code + "\n```\n"), context);
  };
  EXPECT_EQ(check("AutoModel.from_pretrained('ada/m')").presence, Presence::kFound);
  EXPECT_EQ(check("AutoModel.from_pretrained('ada/m')").line, 3u);
  EXPECT_EQ(check("AutoModel.from_pretrained('ada/m-large')").presence, Presence::kThin);
  EXPECT_EQ(check("AutoModel.from_pretrained('org/base')").presence, Presence::kThin);
  EXPECT_EQ(check("print('ada/m')").presence, Presence::kMissing);
  std::string diffusers = "---\nlibrary_name: diffusers\n---\n";
  EXPECT_EQ(check("import x\nx.load_model('ada/m')", diffusers).presence, Presence::kThin);
  EXPECT_EQ(check("import diffusers\nP.from_pretrained('ada/m')", diffusers).presence,
            Presence::kFound);
}

TEST(CardTopicsTest, HeadingsAreKnownInManyLanguages) {
  using enum CardTopic;
  const std::pair<const char*, CardTopic> kHeadings[] = {
      {"Bias, Risks, and Limitations", kLimitations},
      {"Einschränkungen", kLimitations},
      {"LIMITES ET BIAIS", kLimitations},
      {"Limitaciones", kLimitations},
      {"Limitações", kLimitations},
      {"Limitazioni", kLimitations},
      {"局限性", kLimitations},
      {"制限事項", kLimitations},
      {"모델의 한계", kLimitations},
      {"Ограничения", kLimitations},
      {"القيود", kLimitations},
      {"Beoogd gebruik", kIntendedUse},
      {"Utilisation prévue", kIntendedUse},
      {"Verwendungszweck", kIntendedUse},
      {"Uso previsto", kIntendedUse},
      {"Назначение", kIntendedUse},
      {"用途", kIntendedUse},
      {"Données d’entraînement", kTrainingData},
      {"Trainingsdaten", kTrainingData},
      {"学習データ", kTrainingData},
      {"Лицензия", kLicence},
      {"ライセンス", kLicence},
      {"라이선스", kLicence},
      {"Évaluation", kEvaluation},
      {"评估", kEvaluation},
      {"如何使用", kExample},
      {"使い方", kExample},
      {"How to Get Started with the Model", kExample},
      {"1. Intended uses & limitations", kLimitations},
      {"Training and evaluation data", kTrainingData},
      {"Evaluation data", kEvaluation},
      {"Citation", kOther},
      {"Databases", kOther},
      {"", kOther}};
  for (const auto& [heading, topic] : kHeadings)
    EXPECT_EQ(static_cast<int>(TopicOfHeading(heading)), static_cast<int>(topic)) << heading;
}

TEST(CardTopicsTest, AParagraphMaySpeakWithoutAHeading) {
  CardDocument card = ParseCard("# m\n\nHello.\n\nThe model is biased: " + kLong + "\n");
  TopicText text = FindTopic(card, CardTopic::kLimitations);
  EXPECT_EQ(text.presence, Presence::kFound);
  EXPECT_TRUE(text.by_text);
  EXPECT_THAT(text.text, Not(HasSubstr("Hello")));
}

TEST(CardDocumentTest, WordsAreCountedInEveryScript) {
  EXPECT_EQ(CountWords("one two  three"), 3u);
  EXPECT_EQ(CountWords("--- *** ..."), 0u);
  EXPECT_EQ(CountWords("раз два"), 2u);
  EXPECT_EQ(CountWords("한국어 모델"), 2u);
  EXPECT_EQ(CountWords("这个模型很小"), 3u);
}

TEST(CardDocumentTest, LinesAreThoseOfTheFile) {
  CardDocument card = ParseCard("---\r\nlicense: mit\r\ntags:\r\n- a\r\n---\r\n\r\n# m\r\n");
  EXPECT_EQ(card.PlaceOf("license"), "line 2");
  EXPECT_EQ(card.PlaceOf("tags"), "line 3");
  EXPECT_EQ(card.PlaceOf("language"), "");
  ASSERT_EQ(card.sections.size(), 2u);
  EXPECT_EQ(card.sections[1].line, 7u);
}

}  // namespace
}  // namespace hearth::inspector
