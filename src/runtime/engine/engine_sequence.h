// What the engine knows of a request, and of a step; for the engine's own files.
#pragma once

#include <algorithm>
#include <chrono>

#include "runtime/engine/beam_group.h"
#include "runtime/engine/engine.h"

namespace hearth::runtime {

struct Engine::Sequence {
  Sequence(const Engine& engine, GenerationRequest asked, EventSink events, uint64_t id)
      : request(std::move(asked)),
        sink(std::move(events)),
        number(id),
        tokens(request.prompt),
        limits(ResolveLengths(request.config, static_cast<uint32_t>(request.prompt.size()),
                              engine.max_tokens_)),
        sampler(request.config, Setup(request, engine.max_tokens_)),
        stops(request.config, {std::min(limits.max_length, engine.max_tokens_), limits.min_length},
              std::chrono::steady_clock::now()),
        text(engine.model_->tokenizer(),
             {request.config.stop_strings.value_or(std::vector<std::string>()),
              request.keep_stop_string, request.skip_special_tokens}) {}

  static SamplerSetup Setup(const GenerationRequest& request, uint32_t max_tokens) {
    SamplerSetup setup;
    setup.processors.prompt_length = static_cast<uint32_t>(request.prompt.size());
    setup.processors.max_positions = max_tokens;
    setup.processors.encoder_tokens = request.prompt;
    setup.sequence = request.sequence;
    setup.logprobs = request.logprobs;
    setup.top_logprobs = request.top_logprobs;
    return setup;
  }

  uint32_t generated() const {
    return static_cast<uint32_t>(tokens.size() - request.prompt.size());
  }
  // Its beams have pages of their own: it generates, and cannot be put back.
  bool has_forked() const { return beams != nullptr && beams->has_forked(); }
  // Tokens whose keys and values are not in the cache yet.
  uint32_t pending() const { return static_cast<uint32_t>(tokens.size() - computed); }

  // Keeps the pages of different adapters apart, and those of other rotary positions.
  uint64_t salt() const {
    uint64_t adapter_number = request.adapter != nullptr ? request.adapter->number() : 0;
    if (drifts) return (uint64_t{1} << 63) | number;
    return adapter_number | (is_long ? uint64_t{1} << 62 : 0);
  }

  GenerationRequest request;
  const tensor::ProgramAdapter* adapter = nullptr;  // the request's, in the program's form
  EventSink sink;
  uint64_t number;
  std::vector<TokenId> tokens;  // prompt and answer
  LengthLimits limits;
  Sampler sampler;
  StopConditions stops;
  TextStream text;
  std::vector<uint32_t> pages;
  uint32_t computed = 0;
  uint32_t cached = 0;
  // Of a prompt whose tokens are judged: those that have been, from the first.
  std::vector<SampledToken> judged;
  bool judges() const { return request.prompt_logprobs && judged.size() < request.prompt.size(); }
  std::vector<TokenId> guesses;      // computed along, judged afterwards
  std::vector<SampledToken> chosen;  // by the step
  std::vector<float> scores;         // what the sampler uses up; kept for its memory
  std::unique_ptr<BeamGroup> beams;  // null: one text
  std::exception_ptr failure;
  bool finished = false;
  bool is_long = false, drifts = false;  // past the engine's rope_switch_, rope_drift_
};

// What one step computes.
struct Engine::StepPlan {
  struct Part {
    Sequence* sequence;
    uint32_t rows;
    int64_t first_output = -1;  // row of the outputs; -1: the prompt goes on
    // Rows of the outputs that judge the prompt's next tokens.
    uint32_t first_judging = 0, judging = 0;
  };
  std::vector<Part> parts;
  std::vector<uint32_t> ids, positions, outputs;
  std::vector<tensor::Segment> segments;
  std::vector<const tensor::ProgramAdapter*> adapters;  // that segments name by their place

  int32_t PlaceOf(const tensor::ProgramAdapter* adapter) {
    if (adapter == nullptr) return -1;
    auto found = std::find(adapters.begin(), adapters.end(), adapter);
    auto place = static_cast<int32_t>(found - adapters.begin());
    if (found == adapters.end()) adapters.push_back(adapter);
    return place;
  }
};

}  // namespace hearth::runtime
