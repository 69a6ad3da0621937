// audio-classification: what is heard, with scores.
#include "runtime/tasks/media_classification.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  return MediaClassifierRefusal(model, ModelInput::kSound, "audio-classification");
}

}  // namespace

const Task& AudioClassificationTask() {
  static constexpr Task kTask{"audio-classification", "labels of a sound with scores", Refusal,
                              ClassifyMedia, TaskInput::kSound};
  return kTask;
}

}  // namespace hearth::runtime
