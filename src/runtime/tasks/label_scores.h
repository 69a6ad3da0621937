// Answers of classifiers: labels with scores, the best first. Errors: kUnprocessable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {

// What `function_to_apply` and `top_k` say, or else what transformers does with the model.
class LabelScores {
 public:
  // `usual_top`: how many labels without `top_k`.
  LabelScores(const Model& model, const Json& parameters, uint32_t labels, size_t usual_top);
  // [{"label", "score"}]
  Json Answer(std::vector<float> logits) const;

 private:
  const Model& model_;
  std::string function_;
  size_t top_;
};

}  // namespace hearth::runtime
