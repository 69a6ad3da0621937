// The CPU executor against the reference on small models made of every operation, with ragged
// batches, a cache, every packing, every tier and several threads.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <random>

#include "base/error.h"
#include "tensor/cpu/session.h"
#include "tensor/reference/reference_builder.h"
#include "tensor/test_models.h"

namespace hearth::tensor {
namespace {

struct Case {
  Precision precision;
  double tolerance;  // of the largest value
};
// Random weights of this spread are hard on 8 bits; real models are judged in the runtime's tests.
constexpr Case kCases[] = {
    {Precision::kF32, 2e-5}, {Precision::kBf16, 0.04}, {Precision::kInt8, 0.15}};

TEST(CpuExecutor, DecodersAgreeWithTheReferenceInChunksAndMixedBatches) {
  for (const Case& each : kCases) {
    for (Tier tier : SupportedTiers()) {
      for (int threads : {1, 3}) {
        Model model;
        GraphBuilder recorder(model.set());
        Decoder(model, recorder);
        auto program = CpuProgram::Compile(recorder.Take(), model.set(),
                                           {.precision = each.precision, .tier = tier});
        ThreadTeam team(threads);
        CpuSession session(program, team);
        KvCache cache({3, kKvHeads, kHeadDim, KvType::kF32}, 16);
        ReferenceCache reference_cache;
        std::mt19937 random(3);
        // Three sequences: whole prompts, then single tokens mixed with the rest of a prompt. The
        // first page names the sequence for the reference.
        std::vector<std::vector<std::pair<uint32_t, uint32_t>>> rounds = {
            {{5, 0}, {19, 0}}, {{1, 5}, {1, 19}, {33, 0}}, {{1, 6}, {14, 20}, {1, 33}}};
        std::vector<std::vector<uint32_t>> pages = {{3, 7, 1}, {0, 2, 9, 10}, {4, 5, 6, 11}};
        for (const auto& round : rounds) {
          Inputs inputs;
          for (size_t i = 0; i < round.size(); ++i) {
            inputs.Add(round[i].first, round[i].second, pages[i], random);
          }
          Batch batch = inputs.Get();
          ReferenceBuilder reference(model.set(), batch, &reference_cache);
          Decoder(model, reference);
          session.Run(batch, &cache);
          ExpectNear(session.Output("logits"), reference.Result("logits"), each.tolerance);
          ExpectNear(session.Output("hidden"), reference.Result("hidden"), each.tolerance);
        }
      }
    }
  }
}

TEST(CpuExecutor, EncodersAgreeWithTheReferenceOnRaggedBatches) {
  for (const Case& each : kCases) {
    for (Tier tier : SupportedTiers()) {
      for (int threads : {1, 2}) {
        Model model;
        GraphBuilder recorder(model.set());
        Encoder(model, recorder);
        auto program = CpuProgram::Compile(recorder.Take(), model.set(),
                                           {.precision = each.precision, .tier = tier});
        ThreadTeam team(threads);
        CpuSession session(program, team);
        std::mt19937 random(5);
        for (std::vector<uint32_t> lengths :
             std::vector<std::vector<uint32_t>>{{1}, {7, 1, 40}, {70, 13, 3, 64, 22}, {2}}) {
          Inputs inputs;
          for (uint32_t length : lengths) inputs.Add(length, 0, {}, random);
          Batch batch = inputs.Get();
          ReferenceBuilder reference(model.set(), batch, nullptr);
          Encoder(model, reference);
          session.Run(batch, nullptr);
          for (const char* name : {"hidden", "pooled", "logits"}) {
            SCOPED_TRACE(name);
            ExpectNear(session.Output(name), reference.Result(name), each.tolerance);
          }
        }
      }
    }
  }
}

// Pairs for some of a model's layers, in the forms of both executors.
class Adapters {
 public:
  Adapters(Model& model, const std::vector<std::string>& names, uint32_t rank, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 0.3f);
    for (const std::string& name : names) {
      Weight weight = *model.set().Find(name);
      const WeightView& view = model.set().View(weight);
      ReferenceLowRank& pair = reference[weight.index];
      pair.rank = rank++;
      pair.scale = 0.7f;
      pair.a.resize(pair.rank * view.columns);
      pair.b.resize(view.rows * pair.rank);
      for (float& value : pair.a) value = normal(random);
      for (float& value : pair.b) value = normal(random);
    }
  }
  std::shared_ptr<const CpuAdapter> For(const CpuProgram& program) const {
    std::vector<LowRank> pairs;
    for (const auto& [weight, pair] : reference) {
      pairs.push_back({{weight}, pair.a, pair.b, pair.rank, pair.scale});
    }
    return CpuAdapter::Make(program, pairs);
  }
  ReferenceAdapter reference;
};

// Adapters by sequence, rows with and without one in turns.
void CheckAdapters(Precision precision, double tolerance, Tier tier, int threads) {
  Model decoder, encoder;
  GraphBuilder decoder_recorder(decoder.set()), encoder_recorder(encoder.set());
  Decoder(decoder, decoder_recorder);
  Encoder(encoder, encoder_recorder);
  ThreadTeam team(threads);
  struct Case {
    Model& model;
    void (*forward)(Model&, Builder&);
    GraphBuilder& recorder;
    std::vector<std::string> first, second;
    std::vector<const char*> outputs;
  };
  Case cases[] = {{decoder,
                   Decoder,
                   decoder_recorder,
                   {"q0", "v1", "o2", "gate0", "down1", "embed"},
                   {"k2", "up0", "up1", "gate1"},
                   {"logits", "hidden"}},
                  {encoder,
                   Encoder,
                   encoder_recorder,
                   {"qkv", "up", "labels"},
                   {"a", "down", "up"},
                   {"hidden", "pooled", "logits"}}};
  for (Case& each : cases) {
    auto program = CpuProgram::Compile(each.recorder.Take(), each.model.set(),
                                       {.precision = precision, .tier = tier});
    Adapters first(each.model, each.first, 3, 1), second(each.model, each.second, 17, 2);
    auto first_made = first.For(*program), second_made = second.For(*program);
    const CpuAdapter* both[] = {first_made.get(), second_made.get()};
    CpuSession session(program, team);
    KvCache cache({3, kKvHeads, kHeadDim, KvType::kF32}, 32);
    std::mt19937 random(9);
    for (std::vector<uint32_t> lengths :
         std::vector<std::vector<uint32_t>>{{1, 1, 1, 1, 1}, {70, 30, 3, 64, 22}, {5}}) {
      Inputs inputs;
      for (uint32_t i = 0; i < lengths.size(); ++i) {
        inputs.Add(lengths[i], 0, {6 * i, 6 * i + 1, 6 * i + 2, 6 * i + 3, 6 * i + 4}, random);
        inputs.segments.back().adapter = static_cast<int32_t>((i + 1) % 3) - 1;
      }
      Batch batch = inputs.Get();
      ReferenceCache reference_cache;
      ReferenceBuilder reference(each.model.set(), batch, &reference_cache,
                                 {first.reference, second.reference});
      each.forward(each.model, reference);
      bool is_decoder = &each.model == &decoder;
      session.Run(batch, is_decoder ? &cache : nullptr, both);
      for (const char* name : each.outputs) {
        SCOPED_TRACE(name);
        ExpectNear(session.Output(name), reference.Result(name), tolerance);
      }
    }
  }
}

TEST(CpuExecutor, AdaptersChangeTheSequencesThatAskForThem) {
  for (const Case& each : kCases) {
    for (Tier tier : SupportedTiers()) {
      for (int threads : {1, 3}) CheckAdapters(each.precision, each.tolerance, tier, threads);
    }
  }
}

// Rows of each space that products compute.
int ProductsOver(const CpuProgram& program, RowSpace rows) {
  int count = 0;
  for (const Step& step : program.steps()) {
    count += step.kind == StepKind::kProduct && step.rows == rows;
  }
  return count;
}

TEST(CpuExecutor, ComputesOnlyWantedRowsAfterTheLastAttention) {
  for (const Case& each : kCases) {
    for (int threads : {1, 3}) {
      Model model;
      GraphBuilder recorder(model.set());
      Generator(model, recorder);
      auto program = CpuProgram::Compile(recorder.Take(), model.set(),
                                         {.precision = each.precision, .tier = CpuTier()});
      // The last layer's attention output, gate and up, down; the vocabulary.
      EXPECT_EQ(ProductsOver(*program, RowSpace::kOutputs), 4);
      // Few keys and values stay in fp32, beside queries that do not.
      int projections = each.precision == Precision::kF32 ? 1 : 2;
      EXPECT_EQ(ProductsOver(*program, RowSpace::kTokens), 2 * (3 + projections) + projections);
      ThreadTeam team(threads);
      CpuSession session(program, team);
      KvCache cache({3, kKvHeads, kHeadDim, KvType::kF32}, 16);
      ReferenceCache reference_cache;
      std::mt19937 random(3);
      const std::vector<std::vector<std::pair<uint32_t, uint32_t>>> rounds = {
          {{5, 0}, {19, 0}}, {{1, 5}, {1, 19}, {33, 0}}, {{1, 6}, {14, 20}, {1, 33}}};
      const std::vector<std::vector<uint32_t>> pages = {{3, 7, 1}, {0, 2, 9, 10}, {4, 5, 6, 11}};
      for (size_t r = 0; r < rounds.size(); ++r) {
        Inputs inputs;
        for (size_t i = 0; i < rounds[r].size(); ++i) {
          inputs.Add(rounds[r][i].first, rounds[r][i].second, pages[i], random);
        }
        if (r == 0) inputs.outputs.clear();  // parts of prompts: nobody asks for scores yet
        Batch batch = inputs.Get();
        ReferenceBuilder reference(model.set(), batch, &reference_cache);
        Generator(model, reference);
        session.Run(batch, &cache);
        if (r == 0) continue;
        ExpectNear(session.Output("logits"), reference.Result("logits"), each.tolerance);
      }
    }
  }
}

TEST(CpuExecutor, AdaptersOfOtherShapesOrNumbersAreRefused) {
  Model model;
  GraphBuilder recorder(model.set());
  Encoder(model, recorder);
  auto program = CpuProgram::Compile(recorder.Take(), model.set(), {});
  Adapters adapters(model, {"a"}, 2, 1);
  auto made = adapters.For(*program);
  adapters.reference.begin()->second.b.pop_back();
  EXPECT_THROW(adapters.For(*program), Error);
  ThreadTeam team(1);
  CpuSession session(program, team);
  std::mt19937 random(5);
  Inputs inputs;
  inputs.Add(3, 0, {}, random);
  inputs.segments[0].adapter = 1;
  const CpuAdapter* one[] = {made.get()};
  EXPECT_THROW(session.Run(inputs.Get(), nullptr, one), Error);
}

TEST(CpuExecutor, ChoosesFirstAndLastRowsEarlyAndApart) {
  for (const Case& each : kCases) {
    Model model;
    GraphBuilder recorder(model.set());
    Classifier(model, recorder);
    auto program = CpuProgram::Compile(recorder.Take(), model.set(),
                                       {.precision = each.precision, .tier = CpuTier()});
    EXPECT_EQ(ProductsOver(*program, RowSpace::kTokens), 1);  // both the first and the last want it
    EXPECT_EQ(ProductsOver(*program, RowSpace::kSegments), 3);
    ThreadTeam team(2);
    CpuSession session(program, team);
    std::mt19937 random(5);
    Inputs inputs;
    for (uint32_t length : {70, 1, 3, 64, 22}) inputs.Add(length, 0, {}, random);
    Batch batch = inputs.Get();
    ReferenceBuilder reference(model.set(), batch, nullptr);
    Classifier(model, reference);
    session.Run(batch, nullptr);
    for (const char* name : {"logits", "last"}) {
      SCOPED_TRACE(name);
      ExpectNear(session.Output(name), reference.Result(name), each.tolerance);
    }
  }
}

TEST(CpuExecutor, RefusesTokensOutsideOfTheVocabulary) {
  Model model;
  GraphBuilder recorder(model.set());
  Encoder(model, recorder);
  auto program = CpuProgram::Compile(recorder.Take(), model.set(), {});
  ThreadTeam team(1);
  CpuSession session(program, team);
  std::mt19937 random(5);
  Inputs inputs;
  inputs.Add(3, 0, {}, random);
  inputs.ids[1] = kVocabulary;
  EXPECT_THROW(session.Run(inputs.Get(), nullptr), Error);
  inputs.ids[1] = 0;
  inputs.positions[2] = 78;  // + 2 is outside
  EXPECT_THROW(session.Run(inputs.Get(), nullptr), Error);
}

TEST(CpuExecutor, FusesProjectionsGatesAndResiduals) {
  Model model;
  GraphBuilder recorder(model.set());
  Decoder(model, recorder);
  auto program = CpuProgram::Compile(recorder.Take(), model.set(), {});
  int products = 0, adds = 0, gates = 0;
  for (const Step& step : program->steps()) {
    products += step.kind == StepKind::kProduct;
    adds += step.kind == StepKind::kAdd;
    gates += step.kind == StepKind::kGate;
  }
  EXPECT_EQ(products, 3 * 4 + 1);
  EXPECT_EQ(adds, 0);
  EXPECT_EQ(gates, 0);
}

}  // namespace
}  // namespace hearth::tensor
