#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/facts.h"
#include "hub/internal/card_tables.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CardVerdict Check(const std::string& yaml, RepoType type = RepoType::kModel) {
  return ValidateCard(type, "---\n" + yaml + "---\n# Title\n");
}

TEST(CardTest, GoodCardHasNothingToSay) {
  CardVerdict verdict = Check(
      "license: apache-2.0\nlanguage: [en, zh-Hans, yue]\npipeline_tag: text-generation\n"
      "datasets:\n- squad\nbase_model: a/b\nmodel-index:\n- name: x\n  results: []\n");
  EXPECT_THAT(verdict.errors, IsEmpty());
  EXPECT_THAT(verdict.warnings, IsEmpty());
}

TEST(CardTest, YamlThatDoesNotParseIsAnError) {
  for (const char* yaml : {"a: [1, 2\n", "a: b: c\n", "\tx: 1\n", "- just\n- a list\n"}) {
    EXPECT_THAT(Check(yaml).errors, ElementsAre(HasSubstr("YAML"))) << yaml;
  }
}

TEST(CardTest, WrongTypesAreErrorsThatNameTheKey) {
  EXPECT_THAT(Check("license: {a: b}\n").errors, ElementsAre(HasSubstr("\"license\"")));
  EXPECT_THAT(Check("tags: [a, [b]]\n").errors, ElementsAre(HasSubstr("\"tags\"")));
  EXPECT_THAT(Check("pipeline_tag: [a]\n").errors, ElementsAre(HasSubstr("\"pipeline_tag\"")));
  EXPECT_THAT(Check("model-index: 3\n").errors, ElementsAre(HasSubstr("\"model-index\"")));
  EXPECT_THAT(Check("model-index: [{results: []}]\n").errors,
              ElementsAre(HasSubstr("model-index[].name")));
  EXPECT_THAT(Check("base_model_relation: cousin\n").errors,
              ElementsAre(HasSubstr("base_model_relation")));
  EXPECT_THAT(Check("configs: a\n", RepoType::kDataset).errors,
              ElementsAre(HasSubstr("\"configs\"")));
  EXPECT_THAT(Check("sdk: flask\n", RepoType::kSpace).errors, ElementsAre(HasSubstr("\"sdk\"")));
}

TEST(CardTest, KeysOfOtherTypesAreLeftAlone) {
  EXPECT_THAT(Check("license: mit\nsdk: flask\nviewer: maybe\n").errors, IsEmpty());
}

TEST(CardTest, UnknownWordsAreWarnings) {
  CardVerdict verdict = Check("license: my-own\nlanguage: klingonese\npipeline_tag: guess\n");
  EXPECT_THAT(verdict.errors, IsEmpty());
  EXPECT_THAT(verdict.warnings,
              ElementsAre(HasSubstr("my-own"), HasSubstr("klingonese"), HasSubstr("guess")));
}

TEST(CardTest, MissingFrontMatterIsAWarning) {
  CardVerdict verdict = ValidateCard(RepoType::kModel, "# Just text\n");
  EXPECT_THAT(verdict.errors, IsEmpty());
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("metadata")));
}

TEST(CardTest, NorwegianIsALanguage) {
  EXPECT_THAT(Check("license: mit\nlanguage: no\n").errors, IsEmpty());
  EXPECT_THAT(Check("license: mit\nlanguage: [no, en]\n").warnings, IsEmpty());
}

TEST(CardTest, HostileYamlIsRefusedQuickly) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    std::string before(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += (i ? ",*" : "*") + before;
    bomb += "]\n";
  }
  EXPECT_THAT(Check(bomb).errors, ElementsAre(HasSubstr("YAML")));
  EXPECT_THAT(Check("a: " + std::string(5000, '[') + "\n").errors, ElementsAre(HasSubstr("YAML")));
}

TEST(CardTablesTest, TablesKnowTheirWords) {
  EXPECT_NE(FindTask("text-generation"), nullptr);
  EXPECT_EQ(FindTask("text-generation "), nullptr);
  EXPECT_TRUE(IsKnownLicense("cc-by-nc-sa-4.0"));
  EXPECT_FALSE(IsKnownLicense("CC"));
  EXPECT_EQ(LanguageName("fr"), "French");
  EXPECT_TRUE(IsKnownLanguage("pt-BR"));
  EXPECT_FALSE(IsKnownLanguage("english"));
}

}  // namespace
}  // namespace hearth::hub
