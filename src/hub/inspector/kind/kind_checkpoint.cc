// A training that stopped half-way and can go on: the state of the optimiser lies beside the
// weights.
#include "base/bytes.h"
#include "base/error.h"
#include "formats/torch/torch_checkpoint.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

bool IsOptimizer(std::string_view name) {
  return name == "optimizer.pt" || name == "optimizer.bin" || name == "optimizer.pth" ||
         name.ends_with("_optim_states.pt") ||
         (name.starts_with("optimizer_") && name.ends_with(".pt"));
}

}  // namespace

void FindCheckpoint(const Survey& survey, Classification* result) {
  if (survey.type() == "space" || survey.type() == "dataset") return;
  std::string state;  // with the step that it was made at
  for (const std::string& path : survey.Named("trainer_state.json")) {
    Json json = survey.ReadJson(path);
    const Json* step = json.Find("global_step");
    if (step != nullptr && step->is_number()) state = path;
  }
  std::string optimizer;
  bool proved = false;
  for (const RepoFile& file : survey.repo().files()) {
    if (!IsOptimizer(BaseName(file.path)) || file.size_bytes == 0) continue;
    optimizer = file.path;
    proved = proved || LooksLikeTorchCheckpoint(survey.Head(file.path, 1024));
  }
  if (optimizer.empty()) {
    // Many trainers leave the log of the training with the finished model.
    return;
  }
  bool both = proved && !state.empty();
  KindFinding& kind = result->Add("checkpoint", both ? Level::kProved : Level::kInferred,
                                  At(optimizer, "", "the state of an optimiser"));
  if (!state.empty())
    kind.evidence.push_back(At(state, "/global_step", "the step of the training"));
}

}  // namespace hearth::inspector
