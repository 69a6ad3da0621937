// Single rules and their borders; tests/inspector runs all of them over hundreds of repositories.
#include "hub/inspector/kind/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/inspector/inspect_repo.h"
#include "hub/inspector/kind/data_files.h"
#include "hub/inspector/memory_view.h"

namespace hearth::inspector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::map<std::string, std::string>;

// A safetensors file of tensors with two bytes each.
std::string Weights(const std::vector<std::string>& names, const std::string& dtype = "F16") {
  Json header = Json::Obj();
  size_t at = 0;
  for (const std::string& name : names) {
    header.Set(name, Json::Obj({{"dtype", dtype},
                                {"shape", Json::Arr({1})},
                                {"data_offsets", Json::Arr({at, at + 2})}}));
    at += 2;
  }
  std::string json = header.Dump();
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>((json.size() >> (8 * i)) & 0xFF);
  return file + json + std::string(at, 'w');
}

Classification Of(const Files& files, const std::string& type = "model") {
  MemoryView view(type, "ada/m", files);
  return Classify(view, ParseCard(ReadCardFile(view)));
}

std::vector<std::string> AlarmsOf(const Classification& result) {
  std::vector<std::string> alarms;
  for (const Alarm& alarm : result.alarms) alarms.push_back(alarm.alarm);
  return alarms;
}

const Files kModel = {{"config.json", R"({"model_type": "llama"})"},
                      {"model.safetensors", Weights({"model.norm.weight"})}};

Files With(Files files, const Files& more) {
  for (const auto& [path, text] : more) files[path] = text;
  return files;
}

TEST(ClassifyTest, AnAdapterIsProvedByItsTensorsAlone) {
  std::string lora =
      Weights({"base_model.model.q.lora_A.weight", "base_model.model.q.lora_B.weight"});
  std::string config = R"({"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8})";
  Classification found = Of({{"adapter_config.json", config}, {"adapter_model.safetensors", lora}});
  ASSERT_TRUE(found.Is("adapter"));
  EXPECT_EQ(found.Find("adapter")->level, Level::kProved);
  EXPECT_EQ(found.Find("adapter")->facts.Find("r")->AsInt(), 8);
  ASSERT_EQ(found.references.size(), 1u);
  EXPECT_EQ(found.references[0].id, "org/base");

  Classification alone = Of({{"adapter_config.json", config}});
  EXPECT_EQ(alone.Find("adapter")->level, Level::kDeclared);
  EXPECT_THAT(AlarmsOf(alone), ElementsAre("adapter_without_weights"));

  EXPECT_FALSE(Of({{"model.safetensors", Weights({"a.lora_A.weight", "a.weight"})}}).Is("adapter"));
}

TEST(ClassifyTest, ARecordOfAMergeIsDeclaredAndNoMore) {
  Classification merged =
      Of(With(kModel, {{"mergekit_config.yml", "merge_method: ties\nmodels:\n- model: a/b\n"}}));
  EXPECT_EQ(merged.Find("merged")->level, Level::kDeclared);
  EXPECT_FALSE(merged.Is("base"));
}

TEST(ClassifyTest, WhatOthersProveIsTakenOver) {
  MemoryView view("model", "ada/m", kModel);
  KnownRelations known;
  known.kinds.push_back({.kind = "merged",
                         .level = Level::kProved,
                         .facts = Json::Obj({{"parents", 2}}),
                         .evidence = {{.file = "model.safetensors", .rule = "a mix of two"}}});
  Classification merged = Classify(view, ParseCard(std::nullopt), known);
  EXPECT_EQ(merged.kinds[0].kind, "merged");
  EXPECT_EQ(merged.kinds[0].level, Level::kProved);
  EXPECT_EQ(merged.kinds[0].facts.Find("parents")->AsInt(), 2);
}

TEST(ClassifyTest, AFileThatIsNotWhatItsNameSaysProvesNothing) {
  Classification found = Of(With(kModel, {{"model.safetensors", "<html>"}}));
  EXPECT_THAT(found.kinds, IsEmpty());
  EXPECT_THAT(AlarmsOf(found), ElementsAre("weights_unreadable"));
}

TEST(ClassifyTest, KeptResultsComeBackAsTheyWere) {
  Classification found = Of(With(
      kModel, {{"README.md", "---\nbase_model: org/base\nbase_model_relation: finetune\n---\n"}}));
  Classification again = ClassificationFromJson(Json::Parse(KeptJson(found).Dump()));
  EXPECT_EQ(KeptJson(again).Dump(), KeptJson(found).Dump());
  EXPECT_EQ(again.weight_digests.size(), 1u);
}

// --- what depends on who asks

TEST(ResolveTest, ACopyIsProvedByTheDigestsOfItsWeights) {
  Classification found = Of(With(kModel, {{"README.md", "---\nbase_model: org/base\n---\n# m\n"}}));
  EXPECT_EQ(found.Find("finetune")->level, Level::kInferred);
  MemoryNeighbours same;
  same.Add("model", "org/base", {{"weights.safetensors", kModel.at("model.safetensors")}});
  Classification copy = found;
  Resolve("ada/m", same, &copy);
  ASSERT_TRUE(copy.Is("copy"));
  EXPECT_EQ(copy.Find("copy")->level, Level::kProved);
  EXPECT_THAT(copy.Find("copy")->evidence[0].repo, HasSubstr("org/base@"));
  EXPECT_FALSE(copy.Is("finetune"));

  MemoryNeighbours other;
  other.Add("model", "org/base", {{"model.safetensors", Weights({"model.norm.weight"}, "BF16")}});
  Classification tuned = found;
  Resolve("ada/m", other, &tuned);
  EXPECT_FALSE(tuned.Is("copy"));
  EXPECT_EQ(tuned.references[0].state, ReferenceState::kHere);
}

TEST(ResolveTest, ASpaceIsWarnedOfWhatIsNotHereOrNotAtThatRevision) {
  Classification space =
      Of({{"README.md", "---\nsdk: gradio\nmodels:\n- org/here\n---\n"},
          {"app.py",
           "from x import pipeline\nREV = 'v9'\nm = AutoModel.from_pretrained(\n    "
           "'org/here', revision=REV)\npipe = pipeline('t', model='org/gone')\n"}},
         "space");
  EXPECT_EQ(space.Find("space")->level, Level::kProved);
  MemoryNeighbours neighbours;
  neighbours.Add("model", "org/here");
  Resolve("ada/s", neighbours, &space);
  ASSERT_THAT(AlarmsOf(space), ElementsAre("reference_revision", "reference_missing"));
  EXPECT_EQ(space.alarms[0].message,
            "The Space names the model org/here at the revision v9, which does not exist.");
  EXPECT_EQ(space.alarms[0].evidence[0].place, "line 3");
  EXPECT_EQ(space.alarms[1].level, Level::kInferred);
}

TEST(ResolveTest, ABaseModelOfAnotherHubIsNoAlarm) {
  Classification found =
      Of(With(kModel, {{"README.md", "---\nbase_model: org/elsewhere\n---\n# m\n"}}));
  Resolve("ada/m", MemoryNeighbours(), &found);
  EXPECT_EQ(found.references[0].state, ReferenceState::kNotHere);
  EXPECT_THAT(found.alarms, IsEmpty());
}

// --- code

std::vector<std::string> Names(const std::string& code,
                               CodeLanguage language = CodeLanguage::kPython) {
  std::vector<std::string> names;
  for (const Reference& reference : ScanCode(code, language, "app.py")) {
    std::string name = reference.type + " " + reference.id;
    if (!reference.revision.empty()) name += "@" + reference.revision;
    names.push_back(name);
  }
  return names;
}

TEST(ScanCodeTest, CallsThatLoadAreUnderstood) {
  EXPECT_THAT(Names("AutoModel.from_pretrained(\"org/m\", revision='v1', device_map={'': 0})"),
              ElementsAre("model org/m@v1"));
  EXPECT_THAT(Names("MODEL: str = 'org/m'\npipe = pipeline('text-generation', model=MODEL)"),
              ElementsAre("model org/m"));
  EXPECT_THAT(Names("X = os.getenv('M', 'org/m')\nSentenceTransformer(X)"),
              ElementsAre("model org/m"));
  EXPECT_THAT(Names("PeftModel.from_pretrained(base, 'org/adapter')"),
              ElementsAre("model org/adapter"));
  EXPECT_THAT(Names("load_dataset('org/d', split='train', revision=\"r\")"),
              ElementsAre("dataset org/d@r"));
  EXPECT_THAT(Names("hf_hub_download(repo_id='org/d', filename='a', repo_type='dataset')"),
              ElementsAre("dataset org/d"));
  EXPECT_THAT(Names("gr.load('models/org/m')\nClient('org/s')"),
              ElementsAre("model org/m", "space org/s"));
}

TEST(ScanCodeTest, WhatOnlyLooksLikeACallIsNot) {
  EXPECT_THAT(Names("# AutoModel.from_pretrained('org/m')\n"), IsEmpty());
  EXPECT_THAT(Names("\"\"\"\nAutoModel.from_pretrained('org/m')\n\"\"\"\n"), IsEmpty());
  EXPECT_THAT(Names("from_pretrained(f'org/{name}')"), IsEmpty());
  EXPECT_THAT(Names("from_pretrained('./local/folder')\nfrom_pretrained('/data/m')"), IsEmpty());
  EXPECT_THAT(Names("def from_pretrained(path='org/m'):\n  pass"), IsEmpty());
  EXPECT_THAT(Names("from_pretrained('org/m/extra')\nfrom_pretrained('a b/c')"), IsEmpty());
  EXPECT_THAT(Names("from_pretrained('unclosed\nx = 1"), IsEmpty());
}

TEST(ScanCodeTest, JavaScriptAndCommandsAreReadToo) {
  EXPECT_THAT(Names("// pipeline('t', 'no/no')\nawait pipeline('t', 'org/m', { revision: 'v2' });",
                    CodeLanguage::kScript),
              ElementsAre("model org/m@v2"));
  EXPECT_THAT(Names("FROM python\nRUN pip install x && \\\n  hf download org/m --revision v3\n"
                    "# hf download org/no\nRUN git clone https://huggingface.co/datasets/org/d\n",
                    CodeLanguage::kShell),
              ElementsAre("model org/m@v3", "dataset org/d"));
}

// --- data

TEST(DataFilesTest, PatternsMatchAsLoadersReadThem) {
  EXPECT_TRUE(GlobMatches("data/train-*", "data/train-0.parquet"));
  EXPECT_FALSE(GlobMatches("data/*.csv", "data/sub/a.csv"));
  EXPECT_TRUE(GlobMatches("data/**/*.csv", "data/sub/deep/a.csv"));
  EXPECT_TRUE(GlobMatches("**/*.csv", "a.csv"));
  EXPECT_TRUE(GlobMatches("data/**", "data/a/b"));
  EXPECT_TRUE(GlobMatches("{a,b}.csv", "b.csv"));
  EXPECT_TRUE(GlobMatches("data", "data/a.csv"));
  EXPECT_FALSE(GlobMatches("data", "database/a.csv"));
  EXPECT_FALSE(GlobMatches("?.csv", "/.csv"));
  EXPECT_FALSE(GlobMatches(std::string(500, '*') + "x", std::string(2000, 'y')));
}

TEST(DataFilesTest, SplitsComeFromWordsOfThePath) {
  EXPECT_EQ(SplitOf("data/test-00000.parquet"), "test");
  EXPECT_EQ(SplitOf("latest/rows.csv"), "train");
  EXPECT_EQ(SplitOf("dev.jsonl"), "validation");
}

}  // namespace
}  // namespace hearth::inspector
