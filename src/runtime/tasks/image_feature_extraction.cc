// image-feature-extraction: pictures as vectors: the states of all their patches, or with `pool`
// one vector, as transformers' pipeline gives them.
#include <algorithm>

#include "runtime/tasks/embeddings.h"
#include "runtime/tasks/media_inputs.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  if (auto refusal = NeedsInput(model, ModelInput::kImage, "image-feature-extraction")) {
    return refusal;
  }
  if (model.head() == Head::kNone) return std::nullopt;
  return "this model has a head for another task and gives no features";
}

// The row that comes last here is the second one elsewhere (preprocess/patch_grid.h).
Json States(const PatchGrid& grid, const tensor::OutputRows& rows) {
  Json states = Json::Arr();
  states.Push(ToJsonArray(rows.Row(0)));
  uint64_t patches_end = rows.rows - (grid.special_rows - 1);
  for (uint64_t row = patches_end; row < rows.rows; ++row) states.Push(ToJsonArray(rows.Row(row)));
  for (uint64_t row = 1; row < patches_end; ++row) states.Push(ToJsonArray(rows.Row(row)));
  return states;
}

Json Run(Runner& runner, const Json& inputs, const Json& parameters, const std::stop_token& left) {
  const Model& model = runner.model();
  bool pool = ReadFlag(parameters, "pool").value_or(false);
  if (pool && !model.Program(Head::kNone)->FindOutput("pooled")) {
    Refuse("this model has no pooler, which `pool` asks for");
  }
  bool is_list = false;
  std::vector<EncoderInput> files = EncodeFiles(model, inputs, &is_list);
  std::vector<Json> answers(files.size());
  auto keep = [&](size_t i, const tensor::OutputRows& rows) {
    answers[i] = Json::Arr();
    answers[i].Push(pool ? ToJsonArray(rows.Row(0)) : States(model.shape().patches, rows));
  };
  runner.encoder(Head::kNone).Run(files, pool ? "pooled" : "hidden", keep, left);
  return is_list ? Json(std::move(answers)) : std::move(answers.front());
}

}  // namespace

const Task& ImageFeatureExtractionTask() {
  static constexpr Task kTask{"image-feature-extraction", "pictures as vectors of numbers", Refusal,
                              Run, TaskInput::kImage};
  return kTask;
}

}  // namespace hearth::runtime
