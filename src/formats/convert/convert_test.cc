#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "formats/convert/architecture.h"
#include "formats/convert/job.h"
#include "formats/convert/recipe.h"
#include "formats/convert/transform.h"

namespace hearth::convert {
namespace {

using tensor::BlockType;

TEST(Architectures, EveryRuleLeadsThereAndBack) {
  std::set<std::string_view> types;
  for (const Architecture* each : Architectures()) {
    EXPECT_TRUE(types.insert(each->model_type).second) << each->model_type;
    std::set<std::string_view> names;
    for (const TensorRule& rule : each->rules) {
      EXPECT_TRUE(names.insert(rule.hf).second) << rule.hf;
      bool outside = rule.hf.starts_with('!');
      std::string name = WithLayer(outside ? rule.hf.substr(1) : rule.hf, 11);
      Named found = NameInCheckpoint(*each, name);
      if (found.rule == nullptr) continue;  // dropped by this model type
      EXPECT_EQ(found.rule, &rule) << name;
      EXPECT_EQ(found.layer.has_value(), rule.hf.find('#') != std::string_view::npos);
      if (!outside) {
        EXPECT_EQ(NameInCheckpoint(*each, std::string(each->prefix) + name).rule, &rule);
        EXPECT_TRUE(NameInCheckpoint(*each, std::string(each->prefix) + name).had_prefix);
      }
      Named back = NameInGguf(*each, WithLayer(rule.gguf, 11));
      EXPECT_EQ(back.rule->gguf, rule.gguf);
      EXPECT_EQ(back.layer, found.layer);
    }
  }
  EXPECT_EQ(FindByModelType("llama")->gguf, "llama");
  EXPECT_EQ(FindByGguf("bert")->model_type, "bert");
  EXPECT_EQ(FindByModelType("telepathy"), nullptr);
}

TEST(Architectures, NamesWithoutARuleAreErrorsAndBuffersAreDropped) {
  const Architecture& llama = *FindByModelType("llama");
  EXPECT_THROW(NameInCheckpoint(llama, "model.layers.0.mlp.router.weight"), Error);
  EXPECT_EQ(NameInCheckpoint(llama, "model.layers.0.self_attn.rotary_emb.inv_freq").rule, nullptr);
  EXPECT_THROW(NameInGguf(llama, "blk.0.ffn_gate_exps.weight"), Error);
  EXPECT_EQ(NameInGguf(llama, "rope_freqs.weight").rule, nullptr);
  const Architecture& bert = *FindByModelType("bert");
  EXPECT_EQ(NameInCheckpoint(bert, "bert.embeddings.LayerNorm.gamma").rule->gguf,
            "token_embd_norm.weight");
  EXPECT_EQ(NameInCheckpoint(bert, "pooler.dense.weight").rule, nullptr);
}

TEST(Transforms, RowsAreReordered) {
  using Rows = std::vector<uint64_t>;
  RowParameters rows{2, 1, 3};
  EXPECT_EQ(CheckpointRows(Transform::kRotaryQ, 8, rows), (Rows{0, 2, 1, 3, 4, 6, 5, 7}));
  EXPECT_EQ(CheckpointRows(Transform::kRotaryK, 8, rows), (Rows{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(CheckpointRows(Transform::kFusedHeads, 6, rows), (Rows{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(CheckpointRows(Transform::kSkipPositions, 5, rows), (Rows{3, 4}));
  EXPECT_EQ(CheckpointRows(Transform::kPlusOne, 5, rows), Rows());
  EXPECT_THROW(CheckpointRows(Transform::kRotaryQ, 6, rows), Error);
  EXPECT_THROW(CheckpointRows(Transform::kFusedHeads, 6, RowParameters{}), Error);
  EXPECT_THROW(CheckpointRows(Transform::kSkipPositions, 3, rows), Error);
}

TEST(Transforms, CountsOfHeadsThatOverflowAreRefused) {
  for (uint64_t heads : {uint64_t{1} << 63, (uint64_t{1} << 63) + 1, UINT64_MAX / 3 + 1}) {
    RowParameters rows{heads, heads, 0};
    for (uint64_t count : {uint64_t{0}, uint64_t{2}, uint64_t{4}}) {
      EXPECT_THROW(CheckpointRows(Transform::kRotaryQ, count, rows), Error) << heads;
      EXPECT_THROW(CheckpointRows(Transform::kRotaryK, count, rows), Error) << heads;
      EXPECT_THROW(CheckpointRows(Transform::kFusedHeads, count, rows), Error) << heads;
    }
  }
}

BlockType Chosen(const char* recipe, const char* name, std::vector<uint64_t> shape,
                 bool has_output = true) {
  RecipeModel model{16, has_output, false, 4};
  std::optional<uint64_t> layer;
  if (std::string_view(name).starts_with("blk.")) layer = std::stoull(name + 4);
  return TypeFor(*FindRecipe(recipe), model, {name, layer, shape});
}

TEST(Recipes, SpendBitsWhereTheyPay) {
  EXPECT_EQ(Chosen("q4_k_m", "blk.2.attn_v.weight", {64, 256}), BlockType::kQ4_K);
  EXPECT_EQ(Chosen("Q4_K_M", "blk.0.attn_v.weight", {64, 256}), BlockType::kQ6_K);
  EXPECT_EQ(Chosen("Q4_K_M", "blk.4.ffn_down.weight", {64, 256}), BlockType::kQ6_K);
  EXPECT_EQ(Chosen("Q4_K_M", "blk.15.attn_qkv.weight", {64, 256}), BlockType::kQ6_K);
  EXPECT_EQ(Chosen("Q4_K_M", "blk.0.attn_k.weight", {64, 256}), BlockType::kQ4_K);
  EXPECT_EQ(Chosen("Q4_K_M", "output.weight", {64, 256}), BlockType::kQ6_K);
  EXPECT_EQ(Chosen("Q4_K_M", "token_embd.weight", {64, 256}), BlockType::kQ4_K);
  EXPECT_EQ(Chosen("Q4_K_M", "token_embd.weight", {64, 256}, false), BlockType::kQ6_K);
  EXPECT_EQ(Chosen("Q8_0", "output.weight", {64, 256}), BlockType::kQ8_0);
  EXPECT_EQ(Chosen("Q4_0", "output.weight", {64, 256}), BlockType::kQ6_K);
}

TEST(Recipes, GiveEveryMatrixItsPlaceInAMixture) {
  struct Row {
    const char* recipe;
    BlockType values, late_values, down, late_down, attention_output, other;
  };
  using enum BlockType;
  const Row rows[] = {
      {"Q4_1", kQ4_1, kQ4_1, kQ4_1, kQ4_1, kQ4_1, kQ4_1},
      {"Q5_0", kQ5_0, kQ5_0, kQ5_0, kQ5_0, kQ5_0, kQ5_0},
      {"Q5_1", kQ5_1, kQ5_1, kQ5_1, kQ5_1, kQ5_1, kQ5_1},
      {"Q2_K", kQ4_K, kQ4_K, kQ3_K, kQ3_K, kQ3_K, kQ2_K},
      {"Q3_K_S", kQ3_K, kQ3_K, kQ3_K, kQ3_K, kQ3_K, kQ3_K},
      {"Q3_K_M", kQ5_K, kQ4_K, kQ5_K, kQ4_K, kQ4_K, kQ3_K},
      {"Q3_K_L", kQ5_K, kQ5_K, kQ5_K, kQ5_K, kQ5_K, kQ3_K},
      {"Q4_K_S", kQ5_K, kQ4_K, kQ5_K, kQ4_K, kQ4_K, kQ4_K},
      {"Q5_K_S", kQ5_K, kQ5_K, kQ5_K, kQ5_K, kQ5_K, kQ5_K},
      {"IQ4_NL", kQ5_K, kQ5_K, kQ5_K, kIq4Nl, kIq4Nl, kIq4Nl},
  };
  for (const Row& row : rows) {
    auto chosen = [&](const char* name) { return Chosen(row.recipe, name, {64, 256}); };
    EXPECT_EQ(chosen("blk.0.attn_v.weight"), row.values) << row.recipe;
    EXPECT_EQ(chosen("blk.5.attn_v.weight"), row.late_values) << row.recipe;
    EXPECT_EQ(chosen("blk.0.ffn_down.weight"), row.down) << row.recipe;
    EXPECT_EQ(chosen("blk.5.ffn_down.weight"), row.late_down) << row.recipe;
    EXPECT_EQ(chosen("blk.5.attn_output.weight"), row.attention_output) << row.recipe;
    EXPECT_EQ(chosen("blk.5.ffn_up.weight"), row.other) << row.recipe;
    EXPECT_EQ(chosen("output.weight"), kQ6_K) << row.recipe;
  }
}

TEST(Recipes, KeepVectorsNormsAndTablesExact) {
  for (const char* name : {"blk.0.attn_norm.weight", "position_embd.weight", "token_types.weight",
                           "blk.0.attn_q.bias"}) {
    EXPECT_EQ(Chosen("Q4_K_M", name, {64, 256}), BlockType::kF32) << name;
    EXPECT_EQ(Chosen("F16", name, {64, 256}), BlockType::kF32) << name;
  }
  EXPECT_EQ(Chosen("Q8_0", "blk.0.attn_q.weight", {256}), BlockType::kF32);
}

TEST(Recipes, FallBackWhereRowsFillNoBlocks) {
  EXPECT_EQ(Chosen("Q4_K_M", "blk.2.attn_q.weight", {64, 96}), BlockType::kQ5_0);
  EXPECT_EQ(Chosen("Q5_K_M", "blk.2.attn_q.weight", {64, 96}), BlockType::kQ5_1);
  EXPECT_EQ(Chosen("Q6_K", "blk.2.attn_q.weight", {64, 96}), BlockType::kQ8_0);
  EXPECT_EQ(Chosen("Q4_K_M", "output.weight", {64, 96}), BlockType::kQ8_0);
  EXPECT_EQ(Chosen("Q4_K_M", "blk.2.attn_q.weight", {64, 40}), BlockType::kF16);
  EXPECT_EQ(Chosen("Q4_0", "output.weight", {64, 40}), BlockType::kF16);
  EXPECT_EQ(Chosen("Q2_K", "blk.2.ffn_up.weight", {64, 96}), BlockType::kQ4_0);
  EXPECT_EQ(Chosen("Q3_K_M", "blk.2.ffn_up.weight", {64, 96}), BlockType::kQ4_0);
  EXPECT_EQ(FindRecipe("IQ2_XXS"), nullptr);
}

TEST(Jobs, PartsCoverTheWholeAndFaultsComeThrough) {
  for (unsigned threads : {1u, 2u, 7u}) {
    Job job;
    job.threads = threads;
    std::vector<std::atomic<int>> seen(1000);
    InParallel(job, seen.size(), 256, [&](uint64_t begin, uint64_t end) {
      EXPECT_EQ(begin % 256, 0u);
      for (uint64_t i = begin; i < end; ++i) ++seen[i];
    });
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
    EXPECT_THROW(InParallel(job, 1000, 10,
                            [](uint64_t, uint64_t end) {
                              if (end == 1000) throw std::runtime_error("fault");
                            }),
                 std::runtime_error);
    InParallel(job, 0, 256, [](uint64_t begin, uint64_t end) { EXPECT_EQ(begin, end); });
  }
  std::atomic<bool> cancelled = true;
  Job job;
  job.cancelled = &cancelled;
  EXPECT_THROW(StopIfCancelled(job), Error);
}

}  // namespace
}  // namespace hearth::convert
