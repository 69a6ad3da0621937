// What image-classification and audio-classification have in common: all but the files.
#pragma once

#include "runtime/tasks/media_inputs.h"

namespace hearth::runtime {

std::optional<std::string> MediaClassifierRefusal(const Model& model, ModelInput input,
                                                  std::string_view task);
// Labels of a file, or of each of a list; five unless `top_k` says otherwise, as transformers'
// pipelines give.
Json ClassifyMedia(Runner& runner, const Json& inputs, const Json& parameters,
                   const std::stop_token& left);

}  // namespace hearth::runtime
