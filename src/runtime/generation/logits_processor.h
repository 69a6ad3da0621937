// What a model's scores go through before a token is chosen, with the meaning and in the order of
// transformers' generate.
//
// Two kinds. A LogitsProcessor changes the scores of the whole vocabulary by what has been
// generated so far (penalties, forbidden and forced tokens). A LogitsWarper, used when sampling
// only, narrows the tokens that may be chosen; it works on a CandidateSet, which becomes small
// after the first narrowing, so that a chain costs one pass over the vocabulary.
//
// One file per family and one line per processor in processors.inc, which fixes the order; each
// file defines Make<Name>(config, setup), nullptr where the config does not ask for it.
//
// Thread rule: an instance keeps scratch memory, so it serves one thread at a time; it keeps no
// state of a sequence, so one instance may serve all beams of a search.
// Source: transformers 5.23, generation/logits_process.py and _get_logits_processor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/generation/candidate_set.h"
#include "runtime/generation/generation_config.h"

namespace hearth::runtime {

// What processors must know besides the config.
struct ProcessorSetup {
  uint32_t prompt_length = 0;           // tokens at the front of every history that were given
  uint32_t max_positions = 0;           // of the model; 0: no limit
  std::vector<TokenId> encoder_tokens;  // the input of an encoder-decoder (or the prompt)
};

class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  // `history` is the prompt and all that followed; ids at or above scores.size() are ignored.
  virtual void Apply(std::span<const TokenId> history, std::span<float> scores) = 0;
};

class LogitsWarper {
 public:
  virtual ~LogitsWarper() = default;
  virtual void Apply(CandidateSet* candidates) = 0;
};

class ProcessorList {
 public:
  // Errors: kInvalidArgument for fields that contradict each other.
  ProcessorList(const GenerationConfig& config, const ProcessorSetup& setup);

  // The first kind.
  void Process(std::span<const TokenId> history, std::span<float> scores);
  // The second kind; does nothing unless the config samples.
  void Warp(CandidateSet* candidates);
  // Both, with -infinity for every token that a warper took out: transformers' LogitsProcessorList.
  void Apply(std::span<const TokenId> history, std::span<float> scores);

  bool has_processors() const { return !processors_.empty(); }

 private:
  std::vector<std::unique_ptr<LogitsProcessor>> processors_;
  std::vector<std::unique_ptr<LogitsWarper>> warpers_;
  bool renormalize_ = false;
  CandidateSet candidates_;
};

// How many tokens a warper must leave: one, or with beams enough that not all of them can end.
uint32_t MinTokensToKeep(const GenerationConfig& config);

// scores := log(softmax(scores)).
void LogSoftmax(std::span<float> scores);

}  // namespace hearth::runtime
