#include "hub/inspector/compare/checklist.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::inspector {
namespace {

Portrait Known() {
  Portrait portrait;
  portrait.type = "model";
  portrait.id = "ada/m";
  auto set = [&](const char* row, const char* text, Level level) {
    portrait.Set(row, {{Json(text), level, {{"README.md", "line 3", "said there", ""}}}, text});
  };
  set("artifact", "a whole model", Level::kProved);
  set("licence", "mit", Level::kDeclared);
  set("effective", "permissive", Level::kInferred);
  set("purpose", "It answers.", Level::kDeclared);
  return portrait;
}

const ChecklistField& Field(const std::vector<ChecklistField>& fields, std::string_view name) {
  for (const ChecklistField& field : fields)
    if (field.field == name) return field;
  throw Error(Code::kNotFound, std::string(name));
}

TEST(ChecklistTest, FourteenFieldsOfWhichOnlyTheReaderKnowsTheLast) {
  std::vector<ChecklistField> fields = FillChecklist(Known());
  ASSERT_EQ(fields.size(), 14u);
  EXPECT_EQ(fields.back().field, "success_criteria");
  EXPECT_EQ(fields.back().found.finding.level, Level::kMissing);
  for (const ChecklistField& field : fields) EXPECT_NE(field.question, "") << field.field;
}

TEST(ChecklistTest, AFieldIsAsSureAsTheLeastSureOfWhatItIsMadeFrom) {
  std::vector<ChecklistField> fields = FillChecklist(Known());
  const ChecklistField& licence = Field(fields, "licence");
  EXPECT_EQ(licence.found.text, "mit; In effect: permissive");
  EXPECT_EQ(licence.found.finding.level, Level::kInferred);
  EXPECT_EQ(licence.found.finding.evidence.size(), 1u) << "both stand at the same place";
  EXPECT_EQ(Field(fields, "limitations").found.finding.level, Level::kMissing);
  // A summary is a hint of what it is meant for, not a statement of it.
  EXPECT_EQ(Field(fields, "intended_use").found.finding.level, Level::kInferred);
}

TEST(ChecklistTest, ProgressCountsWhatIsKnownAndWhatWasLookedAt) {
  std::vector<ChecklistField> fields = FillChecklist(Known());
  Progress none = ProgressOf(fields, {});
  EXPECT_EQ(none.filled, 3u);
  EXPECT_EQ(none.checked, 0u);
  Answers answers = ParseAnswers(
      Json::Parse(R"({"licence": {"checked": true}, "success_criteria": {"text": "90 % right"}})"));
  Progress some = ProgressOf(fields, answers);
  EXPECT_EQ(some.filled, 4u);
  EXPECT_EQ(some.checked, 2u);
}

TEST(ChecklistTest, AnswersComeBackAsTheyWereGiven) {
  Json given = Json::Parse(R"({"task": {"text": "<b>mine</b> | \"x\"", "checked": false},
                               "licence": {"text": "", "checked": true}})");
  Answers answers = ParseAnswers(given);
  EXPECT_EQ(ParseAnswers(ToJson(answers)).at("task").text, "<b>mine</b> | \"x\"");
  EXPECT_TRUE(ParseAnswers(ToJson(answers)).at("licence").checked);
  // Nothing said is nothing kept.
  EXPECT_TRUE(ParseAnswers(Json::Parse(R"({"task": {"text": "  "}, "licence": null})")).empty());
}

TEST(ChecklistTest, AnswersThatCannotBeAreRefused) {
  for (const char* text : {"[]", "7", R"({"colour": {"text": "x"}})", R"({"task": "x"})",
                           R"({"task": {"text": 7}})", R"({"task": {"checked": "yes"}})"})
    EXPECT_THROW(ParseAnswers(Json::Parse(text)), Error) << text;
  Json longest =
      Json::Obj({{"task", Json::Obj({{"text", std::string(kMaxAnswerBytes + 1, 'x')}})}});
  EXPECT_THROW(ParseAnswers(longest), Error);
}

}  // namespace
}  // namespace hearth::inspector
