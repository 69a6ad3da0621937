#include "hub/inspector/provenance/changes.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/convert/to_gguf.h"
#include "hub/inspector/provenance/adapter_strength.h"
#include "hub/inspector/provenance/shape_check.h"
#include "hub/inspector/provenance/weight_diff.h"
#include "hub/inspector/provenance/weight_fixture.h"

namespace hearth::inspector {
namespace {

class ChangesTest : public WeightFolders {
 protected:
  // Both sides stay open as long as the test.
  ChangesReport Compare(const std::string& from, const std::string& to) {
    from_view_ = OpenFolder(Folder(from));
    to_view_ = OpenFolder(Folder(to));
    from_ = PrepareRepo(*from_view_, nullptr);
    to_ = PrepareRepo(*to_view_, nullptr);
    return FindChanges(*from_, *to_);
  }
  WeightDistance Distance() {
    return MeasureDistance({from_view_.get(), from_->side}, {to_view_.get(), to_->side},
                           PairTensors(from_->side, to_->side));
  }
  static std::string Answer(const ChangesReport& report, const std::string& question) {
    for (const ChangeAnswer& answer : report.answers)
      if (answer.question == question) return answer.answer;
    return "no such question";
  }
  static const TensorDistance& Tensor(const WeightDistance& distance, const std::string& name) {
    for (const TensorDistance& tensor : distance.tensors)
      if (tensor.name == name) return tensor;
    throw std::runtime_error("no tensor " + name);
  }
  void Quantise(const std::string& from, const std::string& to, const char* recipe) {
    std::filesystem::create_directories(root_ / to);
    auto source = convert::OpenTensorSource(root_ / from);
    convert::ConvertToGguf(*source, root_ / from, *convert::FindRecipe(recipe),
                           root_ / to / "model.gguf", {});
  }

  std::unique_ptr<RepoView> from_view_, to_view_;
  std::unique_ptr<ComparedRepo> from_, to_;
};

TEST_F(ChangesTest, EightQuestionsAreAnsweredAndWhatNobodySaysIsNotStated) {
  WriteModel("base", TinyLlama(1));
  WriteModel("tuned", TinyLlama(1));
  ChangesReport report = Compare("base", "tuned");
  EXPECT_EQ(report.answers.size(), 8u);
  EXPECT_EQ(Answer(report, "data"), "not stated");
  EXPECT_EQ(Answer(report, "weights"), "not stated");  // nobody has read them
  EXPECT_EQ(Answer(report, "precision"), "same");
  EXPECT_EQ(Answer(report, "format"), "same");
  EXPECT_EQ(Answer(report, "prompt"), "not stated");
  EXPECT_EQ(Answer(report, "licence"), "not stated");
  EXPECT_EQ(Answer(report, "config"), "same");
  WeightDistance distance = Distance();
  AnswerWeights(distance, &report);
  EXPECT_EQ(Answer(report, "weights"), "same");
  EXPECT_EQ(distance.compared, 20u);
  EXPECT_EQ(distance.equal, 20u);
}

TEST_F(ChangesTest, AFineTuneWithFrozenLayersShowsWhereItMoved) {
  std::vector<TestTensor> tensors = TinyLlama(1);
  WriteModel("base", tensors);
  for (TestTensor& tensor : tensors) {
    if (tensor.name.find("layers.1.mlp") == std::string::npos) continue;
    for (float& value : tensor.values) value *= 1.1f;
  }
  WriteModel("tuned", tensors);
  Compare("base", "tuned");
  WeightDistance distance = Distance();
  EXPECT_EQ(distance.equal, 17u);
  const TensorDistance& moved = Tensor(distance, "model.layers.1.mlp.up_proj.weight");
  EXPECT_NEAR(moved.relative, 0.1, 1e-4);
  EXPECT_NEAR(moved.cosine, 1, 1e-6);
  // Of what differs, so that it is the same whether digests spared the reading of the rest or not.
  EXPECT_NEAR(distance.relative, 0.1, 1e-4);
  EXPECT_GT(moved.changed, 0.99);
  Json heat = *ToJson(distance).Find("heat");
  EXPECT_EQ(*heat.Find("layers"), Json(2));
  const Json::Array& cells = *heat.Find("cells")->AsArray();
  const Json::Array& modules = *heat.Find("modules")->AsArray();
  for (size_t i = 0; i < modules.size(); ++i) {
    bool mlp = modules[i].AsString()->starts_with("mlp");
    EXPECT_EQ(cells[i].AsArray()->at(0).AsDouble(), 0.0);
    EXPECT_EQ(cells[i].AsArray()->at(1).AsDouble() > 0, mlp) << modules[i].Dump();
  }
  EXPECT_NE(HeatStrip(distance, 80).find("█"), std::string::npos);
}

TEST_F(ChangesTest, AQuantisedFormIsComparedAcrossNamesAndRowOrders) {
  WriteModel("base", TinyLlama(1));
  for (auto [recipe, limit] : {std::pair{"F32", 1e-7}, {"Q8_0", 0.01}, {"Q4_0", 0.12}}) {
    Quantise("base", recipe, recipe);
    ChangesReport report = Compare("base", recipe);
    EXPECT_EQ(Answer(report, "format"), "changed");
    WeightDistance distance = Distance();
    EXPECT_EQ(distance.skipped, 0u);
    EXPECT_EQ(distance.compared, 20u) << recipe;
    // The rows of queries and keys lie in another order in GGUF.
    EXPECT_LT(Tensor(distance, "blk.1.attn_q.weight").relative, limit) << recipe;
    EXPECT_LT(Tensor(distance, "blk.1.attn_k.weight").relative, limit) << recipe;
    EXPECT_LT(distance.relative, limit);
    Compare(recipe, "base");
    EXPECT_LT(Distance().relative, limit);
  }
  ChangesReport report = Compare("base", "Q4_0");
  EXPECT_EQ(Answer(report, "precision"), "changed");
  EXPECT_GT(to_->headers.BitsPerWeight(), 4.4);
  EXPECT_LT(to_->headers.BitsPerWeight(), 7);
}

TEST_F(ChangesTest, HeadersTellOfAddedRemovedAndResizedTensors) {
  std::vector<TestTensor> tensors = TinyLlama(1);
  WriteModel("base", tensors);
  tensors[0] = {"model.embed_tokens.weight", {104, 64}, NormalValues(104 * 64, 5)};
  tensors.pop_back();
  tensors.push_back({"score.weight", {2, 64}, NormalValues(128, 6)});
  WriteModel("tuned", tensors, tensor::BlockType::kBf16);
  ChangesReport report = Compare("base", "tuned");
  EXPECT_EQ(report.vocabulary, (std::pair<uint64_t, uint64_t>{100, 104}));
  std::map<std::string, int> kinds;
  for (const HeaderChange& change : report.headers) ++kinds[change.what];
  EXPECT_EQ(kinds["added"], 1);
  EXPECT_EQ(kinds["removed"], 1);
  EXPECT_EQ(kinds["shape"], 1);
  EXPECT_EQ(kinds["dtype"], 19);
  EXPECT_EQ(Answer(report, "weights"), "changed");
  EXPECT_EQ(Answer(report, "precision"), "changed");
}

TEST_F(ChangesTest, WordsAndPromptsAreComparedWithTheirPlaces) {
  WriteModel("base", TinyLlama(1));
  WriteModel("tuned", TinyLlama(1));
  Write("base", "README.md", "---\nlicense: apache-2.0\ndatasets: [a/b]\n---\n");
  Write("tuned", "README.md", "---\nlicense: mit\ndatasets: [a/b]\n---\n");
  Write("base", "tokenizer_config.json", R"({"chat_template": "one\ntwo\nthree"})");
  Write("tuned", "chat_template.jinja", "one\n2\nthree");
  Write("tuned", "config.json", R"({"model_type": "llama", "rope_theta": 500000.0})");
  ChangesReport report = Compare("base", "tuned");
  EXPECT_EQ(Answer(report, "licence"), "changed");
  EXPECT_EQ(Answer(report, "data"), "same");
  EXPECT_EQ(Answer(report, "prompt"), "changed");
  EXPECT_EQ(Answer(report, "config"), "changed");
  std::string lines;
  for (const LineChange& line : report.chat_template) lines += line.kind + line.text + "|";
  EXPECT_EQ(lines, " one|-two|+2| three|");
  Json json = ToJson(report);
  bool meant = false;
  for (const Json& row : *json.Find("config")->AsArray())
    meant =
        meant || (*row.Find("pointer") == Json("/rope_theta") && row.Find("meaning") != nullptr);
  EXPECT_TRUE(meant);
  EXPECT_NE(ChangesText(report).find("licence    changed"), std::string::npos);
}

TEST_F(ChangesTest, ShapesProveAndRefuteABase) {
  WriteModel("base", TinyLlama(1));
  WriteModel("tuned", TinyLlama(2));
  Compare("base", "tuned");
  EXPECT_EQ(CheckShapes(*from_, *to_).verdict, ShapeVerdict::kAgrees);
  std::optional<NearnessSample> sample = SampleNearness(*from_, *to_);
  ASSERT_TRUE(sample);
  EXPECT_LT(std::abs(sample->worst_cosine), 0.1);  // equal shapes, other values
  std::vector<TestTensor> other = TinyLlama(1);
  other[1] = {other[1].name, {128, 64}, NormalValues(128 * 64, 3)};
  WriteModel("other", other);
  Compare("base", "other");
  ShapeCheck check = CheckShapes(*from_, *to_);
  EXPECT_EQ(check.verdict, ShapeVerdict::kRefuted);
  EXPECT_EQ(check.tensor, "model.layers.0.self_attn.q_proj.weight");
}

TEST_F(ChangesTest, AdaptersAreMeasuredAgainstTheirBase) {
  WriteModel("base", TinyLlama(1));
  std::vector<TestTensor> factors;
  for (int layer = 0; layer < 2; ++layer) {
    std::string prefix =
        "base_model.model.model.layers." + std::to_string(layer) + ".self_attn.q_proj.";
    factors.push_back({prefix + "lora_A.weight", {4, 64}, NormalValues(256, 1)});
    factors.push_back({prefix + "lora_B.weight", {64, 4}, NormalValues(256, 2)});
  }
  Write("lora", "adapter_config.json",
        R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]})");
  Write("lora", "adapter_model.safetensors", SafetensorsBytes(factors));
  ChangesReport report = Compare("base", "lora");
  ASSERT_TRUE(report.adapter);
  EXPECT_EQ(report.adapter->rank, 4u);
  EXPECT_EQ(report.adapter->scale, 2);
  EXPECT_NEAR(report.adapter->share_of_base, 1024.0 / from_->headers.parameters, 1e-9);
  EXPECT_EQ(CheckShapes(*from_, *to_).verdict, ShapeVerdict::kAgrees);
  std::vector<AdapterStrength> strengths = MeasureAdapter(*from_, *to_);
  ASSERT_EQ(strengths.size(), 2u);
  EXPECT_EQ(strengths[0].target, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_GT(strengths[0].relative, 0);
  EXPECT_LT(strengths[0].relative, 1);
  // Twice as wide: it cannot be this base's.
  factors[1].shape = {128, 4};
  factors[1].values = NormalValues(512, 2);
  Write("lora", "adapter_model.safetensors", SafetensorsBytes(factors));
  Compare("base", "lora");
  EXPECT_EQ(CheckShapes(*from_, *to_).verdict, ShapeVerdict::kRefuted);
}

TEST_F(ChangesTest, BrokenFilesAreSaidAndNotGuessed) {
  WriteModel("base", TinyLlama(1));
  std::string bytes = SafetensorsBytes(TinyLlama(1));
  Write("cut", "model.safetensors", bytes.substr(0, bytes.size() / 2));
  Write("cut", "config.json", "{broken");
  Write("cut", "README.md", "---\n: : :\n---\n");
  ChangesReport report = Compare("base", "cut");
  EXPECT_EQ(to_->headers.faults.size(), 1u);
  EXPECT_EQ(Answer(report, "precision"), "not stated");
  EXPECT_EQ(Answer(report, "config"), "not stated");
  EXPECT_EQ(Answer(report, "licence"), "not stated");
  EXPECT_EQ(Distance().compared, 0u);
}

TEST_F(ChangesTest, AComparisonStopsWhenItIsTold) {
  WriteModel("base", TinyLlama(1));
  WriteModel("tuned", TinyLlama(2));
  Compare("base", "tuned");
  std::atomic<bool> stop{true};
  EXPECT_THROW(MeasureDistance({from_view_.get(), from_->side}, {to_view_.get(), to_->side},
                               PairTensors(from_->side, to_->side), {.stop = &stop}),
               Error);
}

}  // namespace
}  // namespace hearth::inspector
