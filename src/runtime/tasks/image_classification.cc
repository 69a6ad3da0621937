// image-classification: what a picture shows, with scores.
#include "runtime/tasks/media_classification.h"

namespace hearth::runtime {
namespace {

std::optional<std::string> Refusal(const Model& model) {
  return MediaClassifierRefusal(model, ModelInput::kImage, "image-classification");
}

}  // namespace

const Task& ImageClassificationTask() {
  static constexpr Task kTask{"image-classification", "labels of a picture with scores", Refusal,
                              ClassifyMedia, TaskInput::kImage};
  return kTask;
}

}  // namespace hearth::runtime
