// Every executor that is there, as models are run: programs of recorded graphs, sessions, caches in
// pages, adapters. The reference builder says what is right. The torch executor takes part where
// FindTorchPlugin finds it; HEARTH_TEST_TORCH asks for it, so that it cannot go missing unseen.
#include "tensor/executors.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "base/error.h"
#include "tensor/reference/reference_builder.h"
#include "tensor/test_models.h"
#include "tensor/thread_team.h"
#include "tensor/torch/torch_executor.h"

namespace hearth::tensor {
namespace {

struct Case {
  std::string_view executor;
  Precision precision;
  double tolerance;  // of the largest value
};

std::vector<Case> Cases() {
  std::vector<Case> cases = {{"cpu", Precision::kF32, 2e-5}, {"reference", Precision::kF32, 1e-6}};
  bool is_wanted = std::getenv("HEARTH_TEST_TORCH") != nullptr;
  if (is_wanted || FindTorchPlugin()) {
    cases.push_back({"torch", Precision::kF32, 2e-5});
    cases.push_back({"torch", Precision::kBf16, 0.05});
  }
  return cases;
}

std::shared_ptr<const Program> Compile(const Case& each, Model& model, const Forward& forward) {
  GraphBuilder recorder(model.set());
  forward(model, recorder);
  CompileOptions options;
  options.precision = each.precision, options.tier = CpuTier();
  return CompileProgram(each.executor, recorder.Take(), model.set(), options);
}

void ExpectOutputs(const Session& session, const ReferenceBuilder& reference,
                   std::initializer_list<const char*> names, const Case& each) {
  for (const char* name : names) {
    SCOPED_TRACE(std::string(each.executor) + " " + name);
    ExpectNear(session.Output(name), reference.Result(name), each.tolerance);
  }
}

// A model compiled for a case, and a session of it.
struct Compiled {
  Compiled(const Case& executor, const Forward& f, int threads = 2)
      : each(executor), forward(f), team(threads) {
    program = Compile(each, model, forward);
    session = program->NewSession(team);
  }
  // Runs the batch without a cache and compares the outputs with the reference.
  void ExpectReference(Inputs& inputs, std::initializer_list<const char*> outputs) {
    Batch batch = inputs.Get();
    ReferenceBuilder reference(model.set(), batch, nullptr);
    forward(model, reference);
    session->Run(batch, nullptr, {});
    ExpectOutputs(*session, reference, outputs, each);
  }

  const Case& each;
  Forward forward;
  Model model;
  std::shared_ptr<const Program> program;
  ThreadTeam team;
  std::unique_ptr<Session> session;
};

// Sequences of these lengths without a past.
Inputs Prompts(std::span<const uint32_t> lengths, std::mt19937& random) {
  Inputs inputs;
  for (uint32_t length : lengths) inputs.Add(length, 0, {}, random);
  return inputs;
}

// Three sequences: whole prompts, then single tokens mixed with the rest of a prompt, then single
// ones of different lengths. The first page names the sequence for the reference.
const std::vector<std::vector<std::pair<uint32_t, uint32_t>>> kRounds = {
    {{5, 0}, {19, 0}},
    {{1, 5}, {1, 19}, {33, 0}},
    {{1, 6}, {14, 20}, {1, 33}},
    {{1, 7}, {1, 34}, {1, 34}}};
const std::vector<std::vector<uint32_t>> kPages = {{3, 7, 1}, {0, 2, 9, 10}, {4, 5, 6, 11}};

TEST(Executors, DecodersAgreeInChunksAndMixedBatches) {
  for (const Case& each : Cases()) {
    for (const Forward& forward :
         {Forward(Decoder), Forward([](Model&m, Builder&b) { Variety(m, b, 0); })}) {
      Model model;
      auto program = Compile(each, model, forward);
      bool is_decoder = program->FindOutput("logits").has_value();
      ThreadTeam team(2);
      auto session = program->NewSession(team);
      auto cache = program->NewCache({3, kKvHeads, kHeadDim, KvType::kF32}, 16);
      ReferenceCache reference_cache;
      std::mt19937 random(3);
      for (const auto& round : kRounds) {
        Inputs inputs;
        for (size_t i = 0; i < round.size(); ++i) {
          inputs.Add(round[i].first, round[i].second, kPages[i], random);
        }
        Batch batch = inputs.Get();
        ReferenceBuilder reference(model.set(), batch, &reference_cache);
        forward(model, reference);
        session->Run(batch, cache.get(), {});
        if (is_decoder) {
          ExpectOutputs(*session, reference, {"logits", "hidden"}, each);
        } else {
          ExpectOutputs(*session, reference, {"seen", "activated", "normed", "pooled"}, each);
        }
      }
    }
  }
}

TEST(Executors, EncodersAgreeOnRaggedBatches) {
  struct Kind {
    Forward forward;
    std::initializer_list<const char*> outputs;
  };
  const Kind kinds[] = {
      {Encoder, {"hidden", "pooled", "logits"}},
      {Classifier, {"logits", "last"}},
      {[](Model& m, Builder& b) { Variety(m, b, -1); }, {"seen", "activated", "normed", "pooled"}}};
  for (const Case& each : Cases()) {
    for (const Kind& kind : kinds) {
      Compiled compiled(each, kind.forward);
      std::mt19937 random(5);
      for (std::vector<uint32_t> lengths :
           std::vector<std::vector<uint32_t>>{{1}, {7, 1, 40, 7}, {70, 13, 3, 64, 22}, {2, 2}}) {
        Inputs inputs = Prompts(lengths, random);
        compiled.ExpectReference(inputs, kind.outputs);
      }
    }
  }
}

TEST(Executors, TokensMayComeAsValues) {
  for (const Case& each : Cases()) {
    Compiled compiled(each, Patches);
    std::mt19937 random(5);
    for (std::vector<uint32_t> lengths : std::vector<std::vector<uint32_t>>{{9}, {30, 1, 12}}) {
      Inputs inputs = Prompts(lengths, random);
      inputs.AddFeatures(kPatch, random);
      compiled.ExpectReference(inputs, {"hidden", "logits"});
    }
  }
}

TEST(Executors, ValuesOfTokensAreCounted) {
  for (const Case& each : Cases()) {
    Compiled pictures(each, Patches, 1), texts(each, Encoder, 1);
    Session* session = pictures.session.get();
    std::mt19937 random(5);
    Inputs inputs = Prompts(std::array{3u}, random);
    EXPECT_THROW(session->Run(inputs.Get(), nullptr, {}), Error);
    inputs.AddFeatures(kPatch, random);
    inputs.features.pop_back();
    EXPECT_THROW(session->Run(inputs.Get(), nullptr, {}), Error);
    inputs.features.push_back(0);
    session->Run(inputs.Get(), nullptr, {});
    EXPECT_EQ(session->Output("hidden").rows, 3u);
    EXPECT_THROW(texts.session->Run(inputs.Get(), nullptr, {}), Error);
  }
  Model model;
  GraphBuilder recorder(model.set());
  recorder.Features(kPatch);
  EXPECT_THROW(recorder.Features(kPatch + 1), Error);
  EXPECT_THROW(recorder.Features(0), Error);
}

TEST(Executors, AbsentTokenTypesAreZeros) {
  for (const Case& each : Cases()) {
    Compiled compiled(each, Encoder, 1);
    std::mt19937 random(5);
    Inputs inputs = Prompts(std::array{6u}, random);
    inputs.types.clear();
    compiled.ExpectReference(inputs, {"hidden"});
  }
}

TEST(Executors, AdaptersChangeTheSequencesThatAskForThem) {
  for (const Case& each : Cases()) {
    for (bool is_decoder : {true, false}) {
      Forward forward = is_decoder ? Forward(Decoder) : Forward(Encoder);
      Model model;
      auto program = Compile(each, model, forward);
      std::mt19937 random(9);
      std::normal_distribution<float> normal(0, 0.3f);
      ReferenceAdapter pairs;
      std::vector<LowRank> low_ranks;
      std::vector<std::string> names = is_decoder
                                           ? std::vector<std::string>{"q0", "v1", "down1", "embed"}
                                           : std::vector<std::string>{"qkv", "up", "labels"};
      for (const std::string& name : names) {
        Weight weight = *model.set().Find(name);
        ReferenceLowRank& pair = pairs[weight.index];
        pair.rank = 3, pair.scale = 0.7f;
        pair.a.resize(3 * model.set().Shape(weight).columns);
        pair.b.resize(3 * model.set().Shape(weight).rows);
        for (float& value : pair.a) value = normal(random);
        for (float& value : pair.b) value = normal(random);
        low_ranks.push_back({weight, pair.a, pair.b, pair.rank, pair.scale});
      }
      auto adapter = program->MakeAdapter(low_ranks);
      const ProgramAdapter* adapters[] = {adapter.get()};
      ThreadTeam team(2);
      auto session = program->NewSession(team);
      auto cache = program->NewCache({3, kKvHeads, kHeadDim, KvType::kF32}, 16);
      Inputs inputs;
      for (uint32_t i = 0; i < 4; ++i) {
        inputs.Add(3 + 9 * i, 0, {3 * i, 3 * i + 1, 3 * i + 2}, random);
        inputs.segments.back().adapter = i % 2 == 0 ? 0 : -1;
      }
      Batch batch = inputs.Get();
      ReferenceCache reference_cache;
      ReferenceBuilder reference(model.set(), batch, &reference_cache, {pairs});
      forward(model, reference);
      session->Run(batch, is_decoder ? cache.get() : nullptr, adapters);
      ExpectOutputs(*session, reference, {"hidden", "logits"}, each);
      EXPECT_THROW(session->Run(batch, is_decoder ? cache.get() : nullptr, {}), Error);
      low_ranks.front().a = low_ranks.front().a.subspan(1);
      EXPECT_THROW(program->MakeAdapter(low_ranks), Error);
    }
  }
}

// As beams go on from one text: a full page shared, the last one copied.
TEST(Executors, CopiedPagesGoOnFromTheSameText) {
  for (const Case& each : Cases()) {
    Compiled compiled(each, Decoder, 1);
    Session* session = compiled.session.get();
    auto cache = compiled.program->NewCache({3, kKvHeads, kHeadDim, KvType::kF32}, 8);
    std::mt19937 random(3);
    Inputs prompt;
    prompt.Add(20, 0, {5, 2}, random);
    session->Run(prompt.Get(), cache.get(), {});
    cache->CopyPage(2, 7);
    Inputs both;
    both.Add(1, 20, {5, 2}, random);
    both.Add(1, 20, {5, 7}, random);
    session->Run(both.Get(), cache.get(), {});
    std::vector<float> expected;
    for (size_t i = 0; i < 2; ++i) {
      ReferenceCache known;
      Batch whole = prompt.Get();
      ReferenceBuilder whole_builder(compiled.model.set(), whole, &known);
      Decoder(compiled.model, whole_builder);
      Inputs one;
      one.Add(1, 20, {5, 2}, random);
      one.ids[0] = both.ids[i];
      Batch batch = one.Get();
      ReferenceBuilder reference(compiled.model.set(), batch, &known);
      Decoder(compiled.model, reference);
      const std::vector<float>& logits = reference.Result("logits");
      expected.insert(expected.end(), logits.begin(), logits.end());
    }
    SCOPED_TRACE(each.executor);
    ExpectNear(session->Output("logits"), expected, each.tolerance);
  }
}

TEST(Executors, WhatCannotBeComputedIsRefusedAndTheSessionGoesOn) {
  for (const Case& each : Cases()) {
    Compiled compiled(each, Encoder, 1);
    Session* session = compiled.session.get();
    std::mt19937 random(5);
    Inputs inputs = Prompts(std::array{3u}, random);
    inputs.ids[1] = kVocabulary;
    EXPECT_THROW(session->Run(inputs.Get(), nullptr, {}), Error);
    inputs.ids[1] = 0;
    inputs.positions[2] = 78;  // + 2 is outside
    EXPECT_THROW(session->Run(inputs.Get(), nullptr, {}), Error);
    inputs.positions[2] = 2;
    inputs.segments[0].rows = 2;
    EXPECT_THROW(session->Run(inputs.Get(), nullptr, {}), Error);
    inputs.segments[0].rows = 3;
    session->Run(inputs.Get(), nullptr, {});
    EXPECT_EQ(session->Output("hidden").rows, 3u);
    EXPECT_THROW(session->Output("nothing"), Error);
  }
}

TEST(Executors, AreFoundByTheirNames) {
  EXPECT_EQ(ExecutorNames().front(), kCpuExecutor);
  Model model;
  EXPECT_THROW(Compile({"abacus", Precision::kF32, 0}, model, Encoder), Error);
  EXPECT_THROW(RequireExecutor("abacus"), Error);
  RequireExecutor("reference");
  // Whatever is installed: this precision is not one of its.
  EXPECT_THROW(Compile({"torch", Precision::kInt4, 0}, model, Encoder), Error);
}

// A file that is no plugin says so instead of ending the process.
TEST(Executors, APluginThatDoesNotLoadIsUnavailable) {
  const char* before = std::getenv("HEARTH_TORCH_PLUGIN");
  std::string kept = before != nullptr ? before : "";
  setenv("HEARTH_TORCH_PLUGIN", "/no/such/plugin.so", 1);
  EXPECT_FALSE(FindTorchPlugin());
  try {
    RequireTorchPlugin();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_NE(error.message().find("HEARTH_TORCH_PLUGIN"), std::string::npos);
  }
  before != nullptr ? setenv("HEARTH_TORCH_PLUGIN", kept.c_str(), 1)
                    : unsetenv("HEARTH_TORCH_PLUGIN");
}

}  // namespace
}  // namespace hearth::tensor
