// Beam search and beam sampling, as transformers' generate does it, for one prompt.
//
// The search holds num_beams running sequences. Each step takes one row of processed
// log-probabilities per beam (LogSoftmax, then ProcessorList::Apply), looks at the best
// max(2, 1 + eos tokens) * num_beams continuations of all beams together, moves those that end to
// the finished ones and keeps the best num_beams others. A finished sequence's score is its sum of
// log-probabilities divided by (new tokens ^ length_penalty).
//
// Thread rule: one thread at a time. Single precision throughout, as the reference computes.
// Errors: kInvalidArgument for sizes that do not fit.
// Source: transformers 5.23, generation/utils.py, _beam_search.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/generation/generation_config.h"
#include "runtime/generation/random_stream.h"

namespace hearth::runtime {

struct BeamHypothesis {
  std::vector<TokenId> tokens;  // prompt included
  float score = 0;
};

class BeamSearch {
 public:
  // Says whether a sequence, whose last token is new, is over for a reason other than an end
  // token or the length (stop strings, time); may be empty.
  using StopCheck = std::function<bool(std::span<const TokenId> sequence)>;

  struct Setup {
    uint32_t vocab_size = 0;
    uint32_t max_length = 0;  // prompt included; above the prompt's length
    uint64_t seed = 0;        // of beam sampling
    StopCheck stop;
  };

  BeamSearch(const GenerationConfig& config, std::span<const TokenId> prompt, Setup setup);

  size_t num_beams() const { return running_.size(); }
  // The tokens of a running beam, prompt included. Before the first step all are the prompt.
  std::span<const TokenId> tokens(size_t beam) const { return running_[beam].tokens; }
  bool done() const { return done_; }

  // One step. `log_probs`: num_beams rows of vocab_size. Returns for each running beam which of
  // the beams before the step it continues: the order in which the caller rearranges its caches;
  // its new token is tokens(beam).back().
  std::vector<uint32_t> Step(std::span<const float> log_probs);

  // The best num_return_sequences, best first: finished ones. Where fewer have finished, the rest
  // have a score near -1e9 and only the prompt.
  std::vector<BeamHypothesis> Results() const;

 private:
  struct Beam {
    std::vector<TokenId> tokens;
    float score = 0;  // sum of log-probabilities; of a finished one with the length penalty
    bool finished = false;
  };
  struct Continuation {
    uint32_t beam = 0;
    TokenId token = 0;
    float score = 0;
    bool stops = false;
  };

  std::vector<Continuation> BestContinuations(std::span<const float> log_probs);
  std::vector<Continuation> DrawContinuations(std::span<const float> scores, size_t count);
  void UpdateFinished(const std::vector<Continuation>& continuations);
  bool Stops(std::span<const TokenId> sequence) const;
  float Penalized(float score, double length) const;

  Setup setup_;
  size_t prompt_length_;
  size_t length_;  // of all running beams
  std::vector<TokenId> eos_;
  size_t num_return_;
  EarlyStopping early_stopping_;
  double length_penalty_;
  bool sample_;
  RandomStream stream_;
  std::vector<Beam> running_;
  std::vector<Beam> finished_;  // num_beams entries, best first
  bool can_improve_ = true;
  bool done_ = false;
  std::vector<float> scores_;
};

}  // namespace hearth::runtime
