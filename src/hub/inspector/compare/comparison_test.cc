#include "hub/inspector/compare/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "hub/inspector/compare/scores.h"
#include "hub/inspector/inspect_repo.h"
#include "hub/inspector/memory_view.h"

namespace hearth::inspector {
namespace {

using Files = std::map<std::string, std::string>;

Files Small(const std::string& licence) {
  return {
      {"README.md", "---\nlicense: " + licence +
                        "\npipeline_tag: text-generation\nlibrary_name: transformers\n---\n# m\n\n"
                        "## Intended use\n\nTests and lessons.\n"},
      {"config.json", R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
             "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 256})"}};
}

Portrait Of(const std::string& id, const Files& files, const std::string& type = "model",
            const Neighbours* neighbours = nullptr) {
  MemoryView view(type, id, files);
  RepoReading reading = ReadRepo(view, {});
  PortraitInput input;
  input.view = &view;
  input.neighbours = neighbours;
  input.kinds = reading.kinds;
  input.reading_order = ToJson(reading.order);
  input.card_score = ToJson(reading.score);
  Portrait portrait = DescribeAlone(input);
  DescribeAmong(input, &portrait);
  return portrait;
}

const ComparedRow* RowOf(const Comparison& comparison, std::string_view name) {
  for (const ComparedGroup& group : comparison.groups)
    for (const ComparedRow& row : group.rows)
      if (row.row == name) return &row;
  return nullptr;
}

TEST(ScoreTest, EachIsTheSumOfItsRowsAndWhatIsMissingCostsPoints) {
  Portrait said = Of("ada/m", Small("mit"));
  Files silent_files = Small("mit");
  silent_files["README.md"] = "# m\n";
  Portrait silent = Of("ada/s", silent_files);
  Portrait data = Of("ada/d", {{"README.md", "# d\n"}}, "dataset");
  for (const Portrait* portrait : {&said, &silent, &data}) {
    std::vector<PortraitScore> scores = ScorePortrait(*portrait);
    ASSERT_EQ(scores.size(), 4u);
    for (const PortraitScore& score : scores) {
      double points = 0, of = 0;
      for (const ScoredRow& row : score.rows) {
        points += row.points;
        of += row.of;
        EXPECT_GE(row.points, 0) << row.row;
        EXPECT_LE(row.points, row.of) << row.row;
        EXPECT_FALSE(row.title.empty());
      }
      ASSERT_GT(of, 0) << score.score;
      EXPECT_NEAR(score.points, 100 * points / of, 0.51) << score.score;
    }
  }
  auto clarity = [](const Portrait& portrait) { return ScorePortrait(portrait)[0].points; };
  EXPECT_GT(clarity(said), clarity(silent));
  // A data set is not asked for a runtime.
  std::vector<PortraitScore> scores = ScorePortrait(data);
  for (const ScoredRow& row : scores[1].rows) EXPECT_NE(row.row, "hearth");
  Json json = ToJson(Compare({said, silent}), {said, silent});
  EXPECT_EQ((*json.Find("scores")->AsArray())[0].Find("columns")->size(), 2u);
  EXPECT_NE(ComparisonText(Compare({said, silent}), {said, silent}, {}).find("Repeatability"),
            std::string::npos);
}

TEST(PortraitTest, EachCellSaysHowWellItIsKnownAndWhereThatStands) {
  Portrait portrait = Of("ada/m", Small("mit"));
  const Cell* licence = portrait.Find("licence");
  ASSERT_NE(licence, nullptr);
  EXPECT_EQ(licence->text, "mit");
  EXPECT_EQ(licence->finding.level, Level::kDeclared);
  ASSERT_FALSE(licence->finding.evidence.empty());
  EXPECT_EQ(licence->finding.evidence[0].file, "README.md");
  const Cell* layers = portrait.Find("layers");
  ASSERT_NE(layers, nullptr);
  EXPECT_EQ(layers->text, "2");
  EXPECT_EQ(layers->finding.evidence[0].place, "/num_hidden_layers");
  EXPECT_EQ(portrait.TextOf("heads"), "4 of width 16, 2 for keys and values");
  EXPECT_EQ(portrait.TextOf("context"), "256");
  EXPECT_EQ(portrait.TextOf("intended_use"), "thin: Tests and lessons.");
}

TEST(PortraitTest, WhatNobodySaysIsMissing) {
  Portrait portrait = Of("ada/empty", {{"README.md", "# Nothing\n"}});
  for (const char* row : {"licence", "effective", "task", "library", "limitations", "parameters",
                          "precision", "layers", "tokenizer", "template", "need", "base", "scans"})
    EXPECT_EQ(portrait.TextOf(row), "") << row;
}

TEST(PortraitTest, HostileFilesMakeNoFault) {
  Portrait portrait = Of("ada/hostile", {{"README.md", "---\n- [\n---\n"},
                                         {"config.json", "[1, {\"a\""},
                                         {"tokenizer.json", "\xff\xfe"},
                                         {"tokenizer_config.json", "{\"chat_template\": 7}"},
                                         {"model.safetensors", "no tensors"},
                                         {"x.gguf", "GGUF"}});
  EXPECT_EQ(portrait.TextOf("files"), "6");
  EXPECT_EQ(portrait.TextOf("parameters"), "");
}

TEST(CompareTest, RowsThatDifferAreMarked) {
  std::vector<Portrait> portraits = {Of("ada/a", Small("mit")), Of("ada/b", Small("apache-2.0"))};
  Comparison comparison = Compare(portraits);
  EXPECT_TRUE(RowOf(comparison, "licence")->differs);
  EXPECT_FALSE(RowOf(comparison, "layers")->differs);
  EXPECT_FALSE(RowOf(comparison, "tokenizer")->differs);  // missing on both sides
  size_t differing = 0, rows = 0;
  for (const ComparedGroup& group : comparison.groups) {
    for (const ComparedRow& row : group.rows) {
      ++rows;
      differing += row.differs ? 1 : 0;
      EXPECT_EQ(row.cells.size(), 2u);
    }
  }
  EXPECT_EQ(rows, comparison.rows);
  EXPECT_EQ(differing, comparison.differing);
}

TEST(CompareTest, EveryMixOfTypesStandsTogether) {
  Portrait data = Of("ada/data",
                     {{"README.md",
                       "---\nlicense: mit\ndataset_info:\n  features:\n  - name: text\n"
                       "    dtype: string\n  - name: label\n    dtype: int64\n"
                       "  splits:\n  - name: train\n---\n# d\n"},
                      {"train.csv", "text,label\na,1\n"}},
                     "dataset");
  Portrait space =
      Of("ada/app", {{"README.md", "---\nsdk: gradio\n---\n# A\n"}, {"app.py", "x"}}, "space");
  std::vector<Portrait> portraits = {Of("ada/m", Small("mit")), data, space};
  Comparison comparison = Compare(portraits);
  const ComparedRow* layers = RowOf(comparison, "layers");
  EXPECT_TRUE(layers->cells[0].applies);
  EXPECT_FALSE(layers->cells[1].applies);
  EXPECT_FALSE(layers->differs) << "only one of them can have layers";
  EXPECT_EQ(RowOf(comparison, "columns")->cells[1].cell.text, "text, label");
  EXPECT_EQ(RowOf(comparison, "sdk")->cells[2].cell.text, "gradio");
  Comparison two = Compare({data, data});
  EXPECT_EQ(RowOf(two, "layers"), nullptr) << "a row that applies to nothing is left out";
  EXPECT_EQ(two.differing, 0u);
}

TEST(CompareTest, TheBaselineIsToldFromWhatWasMadeOfIt) {
  Files child = Small("mit");
  child["README.md"] = "---\nbase_model: ada/base\nbase_model_relation: finetune\n---\n# c\n";
  MemoryNeighbours neighbours;
  neighbours.Add("model", "ada/base", Small("mit"));
  std::vector<Portrait> portraits = {Of("ada/child", child, "model", &neighbours),
                                     Of("ada/base", Small("mit"))};
  Comparison comparison = Compare(portraits);
  ASSERT_EQ(comparison.lineage.size(), 1u);
  EXPECT_EQ(comparison.lineage[0].baseline, 1u);
  EXPECT_EQ(comparison.lineage[0].derivative, 0u);
  EXPECT_EQ(comparison.lineage[0].relation, "finetune");
  EXPECT_EQ(comparison.lineage[0].finding.level, Level::kDeclared);
}

TEST(CompareTest, JsonAndTextHoldTheSameRows) {
  std::vector<Portrait> portraits = {Of("ada/a", Small("mit")), Of("ada/b", Small("mit"))};
  Comparison comparison = Compare(portraits);
  Json json = ToJson(comparison, portraits);
  EXPECT_EQ(json.Find("repositories")->AsArray()->at(0).RequireString("spec"),
            "models/ada/a@" + std::string(40, 'a'));
  size_t rows = 0;
  for (const Json& group : json.RequireArray("groups")) rows += group.RequireArray("rows").size();
  EXPECT_EQ(rows, comparison.rows);
  std::string text = ComparisonText(comparison, portraits, {});
  EXPECT_NE(text.find("Longest context"), std::string::npos);
  std::string some = ComparisonText(comparison, portraits, {.differences_only = true});
  EXPECT_LT(some.size(), text.size());
  EXPECT_EQ(some.find("Longest context"), std::string::npos);
}

TEST(CompareTest, NothingOfPopularityIsInIt) {
  for (const PortraitRow& row : PortraitRows()) {
    for (const char* word : {"like", "download", "star", "trend"})
      EXPECT_EQ(std::string(row.title).find(word), std::string::npos) << row.row;
  }
}

TEST(PortraitRowsTest, EachIsThereOnceUnderAGroupWithATitle) {
  std::set<std::string_view> seen;
  for (const PortraitRow& row : PortraitRows()) {
    EXPECT_TRUE(seen.insert(row.row).second) << row.row;
    EXPECT_NE(GroupTitle(row.group), row.group) << "no title: " << row.group;
    EXPECT_FALSE(row.types.empty());
  }
}

TEST(RepoSpecTest, NamesOfRepositories) {
  EXPECT_EQ(ParseRepoSpec("models/a/b@v1").revision, "v1");
  EXPECT_EQ(ParseRepoSpec("datasets/a/b").type, "dataset");
  EXPECT_EQ(ParseRepoSpec(" spaces/a/b ").id, "a/b");
  EXPECT_EQ(ParseRepoSpec("a/b").type, "model");
  EXPECT_EQ(ParseRepoSpec("models/gpt2").id, "gpt2");
  EXPECT_EQ(SpecOf("dataset", "a/b", "c0"), "datasets/a/b@c0");
  for (const char* text :
       {"", "@", "models/", "a/b/c", "models/../x", "<b>/x", "a b/c", "models/a/b/c"})
    EXPECT_THROW(ParseRepoSpec(text), Error) << text;
  EXPECT_THROW(ParseRepoSpec("a/b@" + std::string(5000, 'x')), Error);
}

}  // namespace
}  // namespace hearth::inspector
