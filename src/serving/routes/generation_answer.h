// Requests for text in OpenAI's words, and the pieces that their answers share.
#pragma once

#include <string>
#include <vector>

#include "runtime/engine/grammar_filter.h"
#include "serving/event_stream.h"
#include "serving/model_choice.h"

namespace hearth::serving {

// One request for `choices` texts of each prompt.
struct TextRequest {
  ModelChoice model;
  std::vector<std::vector<runtime::TokenId>> prompts;
  runtime::GenerationConfig config;
  uint32_t choices = 1;
  // Of which, of each prompt, the best `choices` are given, by their mean log-probability; or beams
  // of one search.
  uint32_t candidates = 1;
  bool beams = false;
  bool logprobs = false;
  uint32_t top_logprobs = 0;
  bool prompt_logprobs = false;  // in the first choice of each prompt
  bool stream = false;
  bool keep_special_tokens = false;
  std::shared_ptr<runtime::TokenConstraint> constraint;  // may be null
  bool include_usage = false;
  std::stop_token left;  // asked to stop when nobody waits for the answer any more
  std::string id;
  int64_t created = 0;
};

// The fields that chat and plain completions have in common: max_tokens, temperature, top_p, n,
// stop, seed, penalties, logit_bias, stream, stream_options, and top_k, min_p, repetition_penalty
// beside.
TextRequest ReadTextRequest(ModelServer& server, const net::Request& http, const Json& body);
// "stop" or "length".
std::string_view OpenAiFinishReason(runtime::StopReason reason);
Json Usage(uint64_t prompt_tokens, uint64_t cached_tokens, uint64_t completion_tokens);
// The candidates of the first prompt, those of the second, and so on.
runtime::GenerationRequest ForCandidate(const TextRequest& request, uint32_t number);

// What one choice has given so far.
struct ChoiceText {
  std::string text;
  std::vector<runtime::SampledToken> prompt;  // where it is judged
  Json logprobs = Json::Arr();
  double logprob_sum = 0;  // where log-probabilities are computed
  runtime::GenerationEvent last;
};
// Of all choices together.
Json UsageOf(const TextRequest& request, const std::vector<ChoiceText>& choices);
// Runs all choices to their end, in the order of their prompts; throws what one of them failed
// with, and kUnavailable when the client has left.
std::vector<ChoiceText> RunChoices(ModelServer& server, const TextRequest& request,
                                   Json (*logprob)(const runtime::Model&,
                                                   const runtime::SampledToken&));

// Streams all choices, numbered in the order of their prompts: `chunk` makes the data of one event
// of one choice ("" for none).
using ChunkMaker =
    std::function<std::string(uint32_t choice, const runtime::GenerationEvent& event)>;
net::Response StreamChoices(ModelServer& server, const TextRequest& request, ChunkMaker chunk,
                            std::function<std::string(const Json& usage)> usage_chunk);

}  // namespace hearth::serving
