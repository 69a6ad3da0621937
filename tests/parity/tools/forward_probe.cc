// Runs models: one JSON request a line in, one answer a line out.
//   forward_probe EXECUTOR      "reference", "cpu" or "torch" (fp32), or "cpu-PRECISION", ...
//   {"op": "load", "path": folder or .gguf}           -> {"head": ..., "model_type": ...}
//     with "adapters": [folder, ...] for segments that name one: "adapter": 0
//     with "sentence": true the model gives embeddings -> {..., "max_tokens": ..., "prompts": ...}
//   {"op": "weights"}                                  -> {"name": [rows, columns, "type"], ...}
//   {"op": "run", "all": true, "segments": [{"ids": [...], "types": [...], "past": 0,
//     "sequence": 0}]}                                 -> {"logits": [...]}, "hidden" or
//     "embedding"
//   {"op": "run", "segments": [{"values": [...]}]}     the same for models of pictures and sounds:
//     [channels][height][width]; "output" names another one than the head's
//   {"op": "generate", "ids": [...], "count": 20}      -> {"ids": [...]}
// An error is {"error": code, "message": text}. `sequence` names the cache that a segment uses;
// "all" asks for logits of every token rather than of each segment's last.
#include <algorithm>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/adapter.h"
#include "runtime/architecture.h"
#include "runtime/checkpoint.h"
#include "runtime/checkpoint_check.h"
#include "runtime/model.h"
#include "runtime/preprocess/patch_grid.h"
#include "runtime/sentence_modules.h"
#include "tensor/executors.h"
#include "tensor/reference/reference_builder.h"
#include "tensor/thread_team.h"

namespace {

using hearth::Code;
using hearth::Error;
using hearth::Json;
using hearth::runtime::Architecture;
using hearth::runtime::Checkpoint;
using hearth::runtime::Head;
using hearth::tensor::Batch;
using Results = std::map<std::string, std::vector<float>>;

struct Model {
  Checkpoint checkpoint;
  const Architecture* architecture = nullptr;
  Head head = Head::kNone;
  std::optional<hearth::runtime::SentenceModules> sentence;
  std::vector<hearth::runtime::Adapter> adapters;
  std::string wanted = {};  // another output than the head's

  const char* output() const {
    if (!wanted.empty()) return wanted.c_str();
    if (sentence) return "embedding";
    return head == Head::kNone ? "hidden" : "logits";
  }
  void Build(hearth::tensor::Builder& builder) const {
    hearth::runtime::ModelContext context(checkpoint.config, checkpoint.weights,
                                          std::string(architecture->prefix),
                                          sentence ? Head::kStates : head);
    hearth::tensor::Value states = architecture->forward(context, builder);
    if (!sentence) return;
    builder.Output("embedding",
                   AppendSentenceModules(*sentence, checkpoint.weights, builder, states));
  }
};

// A way to compute a forward pass; keeps the sequences' caches.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual Results Run(const Batch& batch) = 0;
};

class ReferenceExecutor : public Executor {
 public:
  explicit ReferenceExecutor(const Model& model) : model_(model) {
    for (const hearth::runtime::Adapter& adapter : model.adapters) {
      hearth::tensor::ReferenceAdapter& made = adapters_.emplace_back();
      for (const hearth::runtime::AdapterPair& pair : adapter.pairs) {
        made[pair.weight.index] = {pair.a, pair.b, pair.rank, pair.scale};
      }
    }
  }

  Results Run(const Batch& batch) override {
    hearth::tensor::ReferenceBuilder builder(model_.checkpoint.weights, batch, &cache_, adapters_);
    model_.Build(builder);
    return {{model_.output(), builder.Result(model_.output())}};
  }

 private:
  const Model& model_;
  hearth::tensor::ReferenceCache cache_;
  std::vector<hearth::tensor::ReferenceAdapter> adapters_;
};

// Pages of the cache that each of a few sequences gets.
constexpr uint32_t kSequencePages = 8;
constexpr uint32_t kSequences = 8;

// A program of one of the executors, as models are run.
class ProgramExecutor : public Executor {
 public:
  ProgramExecutor(const Model& model, const std::string& executor,
                  hearth::tensor::Precision precision)
      : model_(model), team_(2) {
    hearth::tensor::GraphBuilder recorder(model.checkpoint.weights);
    model.Build(recorder);
    hearth::tensor::CompileOptions options;
    options.tier = hearth::CpuTier();
    options.precision = precision;
    program_ = hearth::tensor::CompileProgram(executor, recorder.Take(), model.checkpoint.weights,
                                              options);
    session_ = program_->NewSession(team_);
    for (const hearth::runtime::Adapter& adapter : model.adapters) {
      std::vector<hearth::tensor::LowRank> pairs;
      for (const hearth::runtime::AdapterPair& pair : adapter.pairs) {
        pairs.push_back({pair.weight, pair.a, pair.b, pair.rank, pair.scale});
      }
      adapters_.push_back(program_->MakeAdapter(pairs));
    }
    hearth::runtime::ModelShape shape = model.architecture->shape(model.checkpoint.config);
    if (!shape.is_decoder) return;
    cache_ = program_->NewCache(
        {shape.layers, shape.kv_heads, shape.head_dim, hearth::tensor::KvType::kF32},
        kSequences * kSequencePages);
  }

  Results Run(const Batch& batch) override {
    std::vector<const hearth::tensor::ProgramAdapter*> adapters;
    for (const auto& adapter : adapters_) adapters.push_back(adapter.get());
    session_->Run(batch, cache_.get(), adapters);
    hearth::tensor::OutputRows rows = session_->Output(model_.output());
    std::vector<float> values;
    for (uint64_t row = 0; row < rows.rows; ++row) {
      values.insert(values.end(), rows.Row(row).begin(), rows.Row(row).end());
    }
    return {{model_.output(), std::move(values)}};
  }

 private:
  const Model& model_;
  hearth::tensor::ThreadTeam team_;
  std::shared_ptr<const hearth::tensor::Program> program_;
  std::unique_ptr<hearth::tensor::Session> session_;
  std::unique_ptr<hearth::tensor::SequenceCache> cache_;
  std::vector<std::shared_ptr<const hearth::tensor::ProgramAdapter>> adapters_;
};

// "cpu", "cpu-bf16", "torch", ...; "reference" is the builder alone, without a graph before it.
std::unique_ptr<Executor> MakeExecutor(const std::string& name, const Model& model) {
  if (name == "reference") return std::make_unique<ReferenceExecutor>(model);
  size_t dash = name.find('-');
  hearth::tensor::Precision precision = hearth::tensor::CompileOptions().precision;
  if (dash != std::string::npos) precision = hearth::runtime::ParsePrecision(name.substr(dash + 1));
  return std::make_unique<ProgramExecutor>(model, name.substr(0, dash), precision);
}

std::vector<uint32_t> Numbers(const Json& request, const char* key) {
  std::vector<uint32_t> numbers;
  const Json* list = request.Find(key);
  if (list == nullptr || list->AsArray() == nullptr) return numbers;
  for (const Json& item : *list->AsArray()) {
    numbers.push_back(static_cast<uint32_t>(item.AsUint().value_or(0)));
  }
  return numbers;
}

// A batch and what it borrows.
struct OwnedBatch {
  std::vector<uint32_t> ids, positions, types, outputs;
  std::deque<std::vector<uint32_t>> pages;
  std::vector<hearth::tensor::Segment> segments;
  std::vector<float> features;

  void AddPatches(const hearth::runtime::PatchGrid& grid, const std::vector<float>& values) {
    std::vector<uint32_t> kinds = hearth::runtime::PatchRowKinds(grid);
    Add(std::vector<uint32_t>(kinds.size()), 0, 0, true);
    types.insert(types.end(), kinds.begin(), kinds.end());
    std::vector<float> rows = hearth::runtime::CutPatches(grid, values);
    features.insert(features.end(), rows.begin(), rows.end());
  }
  void Add(const std::vector<uint32_t>& tokens, uint32_t past, uint32_t sequence, bool all,
           int32_t adapter = -1) {
    hearth::tensor::Segment segment;
    segment.first_row = static_cast<uint32_t>(ids.size());
    segment.rows = static_cast<uint32_t>(tokens.size());
    segment.past = past;
    segment.adapter = adapter;
    for (uint32_t page = 0; page < kSequencePages; ++page) {
      if (page == 0) pages.emplace_back();
      pages.back().push_back(sequence % kSequences * kSequencePages + page);
    }
    segment.pages = pages.back();
    segments.push_back(segment);
    for (uint32_t i = 0; i < tokens.size(); ++i) {
      if (all || i + 1 == tokens.size()) outputs.push_back(static_cast<uint32_t>(ids.size()));
      ids.push_back(tokens[i]);
      positions.push_back(past + i);
    }
  }
  Batch View() const { return {ids, positions, types, segments, outputs, features}; }
};

class Probe {
 public:
  explicit Probe(std::string executor) : executor_name_(std::move(executor)) {}

  Json Answer(const Json& request) {
    std::string op = request.RequireString("op");
    if (op == "load") {
      return Load(request);
    }
    if (executor_ == nullptr) throw Error(Code::kInvalidArgument, "no model is loaded");
    if (op == "weights") return Weights();
    if (op == "run") return Run(request);
    if (op == "generate") return Generate(request);
    throw Error(Code::kInvalidArgument, "unknown op " + op);
  }

 private:
  Json Load(const Json& request) {
    std::string path = request.RequireString("path");
    bool sentence = request.BoolField("sentence").value_or(false);
    executor_.reset();
    model_ = std::make_unique<Model>(Model{hearth::runtime::LoadCheckpoint(path)});
    const hearth::runtime::ModelConfig& config = model_->checkpoint.config;
    model_->architecture = &hearth::runtime::ArchitectureOf(config);
    model_->head = hearth::runtime::HeadOf(config);
    hearth::runtime::ModelShape shape = model_->architecture->shape(config);
    if (sentence) {
      model_->sentence = hearth::runtime::LoadSentenceModules(&model_->checkpoint);
      if (!model_->sentence) model_->sentence = hearth::runtime::MeanPooling();
    }
    hearth::runtime::CheckCheckpoint(model_->checkpoint, model_->head);
    const Json* adapters = request.Find("adapters");
    for (size_t i = 0; adapters != nullptr && i < adapters->size(); ++i) {
      model_->adapters.push_back(
          hearth::runtime::LoadAdapter(*(*adapters->AsArray())[i].AsString(), model_->checkpoint));
    }
    executor_ = MakeExecutor(executor_name_, *model_);
    Json answer = Json::Obj({{"head", static_cast<int>(model_->head)},
                             {"model_type", model_->architecture->model_type},
                             {"layers", shape.layers},
                             {"max_tokens", shape.max_tokens},
                             {"config", config.json()}});
    if (!sentence) return answer;
    Json prompts = Json::Obj();
    for (const auto& [name, text] : model_->sentence->prompts) prompts.Set(name, text);
    answer.Set("prompts", std::move(prompts));
    answer.Set("max_tokens", Json(model_->sentence->max_tokens));
    answer.Set("similarity", model_->sentence->similarity);
    return answer;
  }

  Json Weights() const {
    Json all = Json::Obj();
    const auto& weights = model_->checkpoint.weights;
    for (size_t i = 0; i < weights.size(); ++i) {
      hearth::tensor::Weight weight{static_cast<int32_t>(i)};
      const auto& view = weights.View(weight);
      all.Set(weights.Name(weight),
              Json::Arr({view.rows, view.columns, hearth::tensor::InfoOf(view.type).name}));
    }
    return all;
  }

  Json Run(const Json& request) {
    OwnedBatch batch;
    bool all = request.BoolField("all").value_or(true);
    model_->wanted = request.StringField("output").value_or("");
    for (const Json& segment : request.RequireArray("segments")) {
      if (const Json* values = segment.Find("values")) {
        std::vector<float> floats;
        for (const Json& value : *values->AsArray()) {
          floats.push_back(static_cast<float>(value.AsDouble().value_or(0)));
        }
        batch.AddPatches(model_->architecture->shape(model_->checkpoint.config).patches, floats);
        continue;
      }
      batch.Add(Numbers(segment, "ids"),
                static_cast<uint32_t>(segment.IntField("past").value_or(0)),
                static_cast<uint32_t>(segment.IntField("sequence").value_or(0)), all,
                static_cast<int32_t>(segment.IntField("adapter").value_or(-1)));
      std::vector<uint32_t> types = Numbers(segment, "types");
      batch.types.insert(batch.types.end(), types.begin(), types.end());
    }
    Json answer = Json::Obj();
    for (const auto& [name, values] : executor_->Run(batch.View())) {
      Json::Array list;
      for (float value : values) list.emplace_back(double{value});
      answer.Set(name, std::move(list));
    }
    return answer;
  }

  Json Generate(const Json& request) {
    std::vector<uint32_t> next = Numbers(request, "ids");
    uint32_t past = 0;
    Json::Array made;
    for (int64_t i = 0; i < request.IntField("count").value_or(20); ++i) {
      OwnedBatch batch;
      batch.Add(next, past, 0, false);
      past += static_cast<uint32_t>(next.size());
      const std::vector<float> logits = executor_->Run(batch.View()).at("logits");
      auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      next = {static_cast<uint32_t>(best)};
      made.emplace_back(static_cast<int64_t>(best));
    }
    return Json::Obj({{"ids", std::move(made)}});
  }

  std::string executor_name_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace

int main(int argc, char** argv) {
  Probe probe(argc > 1 ? argv[1] : "reference");
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = probe.Answer(Json::Parse(line));
    } catch (const Error& error) {
      answer = Json::Obj({{"error", hearth::CodeName(error.code())}, {"message", error.message()}});
    }
    std::cout << answer.Dump() << std::endl;
  }
  return 0;
}
