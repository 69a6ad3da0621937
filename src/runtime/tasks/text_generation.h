// Text generation as the Inference API and TGI ask for it; shared by the task and the streaming
// routes.
#pragma once

#include <string>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {

struct TextGeneration {
  GenerationRequest request;
  std::string prompt;
  bool return_full_text = false;
  uint32_t sequences = 1;  // texts that are wanted
  bool details = false;
  bool samples = false;  // else the seed decides nothing
  uint32_t best_of = 1;  // so many are made, and the likeliest is given
};

// "inputs" and TGI's "parameters" over the model's own settings. Unless a number of tokens is asked
// for, 100 are generated.
TextGeneration ReadTextGeneration(Runner& runner, const Json& inputs, const Json& parameters);
// TGI's words: "eos_token", "stop_sequence", "length".
std::string_view TgiFinishReason(StopReason reason);
// {"id", "text", "logprob", "special"}.
Json TgiToken(const Model& model, const SampledToken& token, bool is_special);
// The same of the likeliest tokens in its place, where "top_n_tokens" are wanted.
Json TgiTopTokens(const Model& model, const SampledToken& token);

}  // namespace hearth::runtime
