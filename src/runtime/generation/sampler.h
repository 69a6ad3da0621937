// Chooses the next token of one sequence from the model's scores.
//
// Processors change the scores, a constraint may forbid tokens, and then greedy takes the best or
// sampling draws among what the warpers leave. A draw is a function of (seed, sequence, position,
// scores): the same in any batch, and with or without speculation. Where no seed is given a random
// one is taken; seed() tells it.
//
// Thread rule: one thread at a time; one Sampler per sequence.
// Errors: kUnprocessable when no token can be chosen (all are forbidden).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/generation/generation_config.h"
#include "runtime/generation/logits_processor.h"
#include "runtime/generation/random_stream.h"

namespace hearth::runtime {

struct TokenLogprob {
  TokenId id = 0;
  float logprob = 0;  // natural logarithm
};

struct SampledToken {
  TokenId id = 0;
  // log(softmax(scores as the model gave them)) of the token, 0 unless logprobs are wanted.
  float logprob = 0;
  // The best ones of the same distribution, falling; at most top_logprobs.
  std::vector<TokenLogprob> top;
};

struct SamplerSetup {
  ProcessorSetup processors;
  uint32_t sequence = 0;  // which of the request's sequences this is
  bool logprobs = false;
  uint32_t top_logprobs = 0;  // OpenAI allows 20
};

class Sampler {
 public:
  Sampler(const GenerationConfig& config, const SamplerSetup& setup);

  // `history`: prompt and generated tokens; its length is the position of the new one. `scores`:
  // one per token of the vocabulary; used up. `allowed`: a bit per token, the low bit of the first
  // word first; empty for no constraint.
  SampledToken Sample(std::span<const TokenId> history, std::span<float> scores,
                      std::span<const uint64_t> allowed = {});

  // A token that was not chosen here, in the distribution of the model's `scores`.
  SampledToken Score(TokenId token, std::span<const float> scores);

  // Judges tokens that were guessed to follow the history: row i of `scores` (rows of vocab_size
  // each, one more than guesses) is the model's after the history and i guesses. Returns the
  // tokens that Sample would have given one after the other: the guesses that it agrees with, and
  // the first other one (or the one after all of them). So the text is the one that is generated
  // without guesses, token by token, greedy or sampled.
  std::vector<SampledToken> Verify(std::span<const TokenId> history,
                                   std::span<const TokenId> guesses, std::span<float> scores);

  uint64_t seed() const { return stream_.seed(); }

 private:
  ProcessorList processors_;
  bool sample_;
  bool logprobs_;
  uint32_t top_logprobs_;
  RandomStream stream_;
  CandidateSet candidates_;
  std::vector<float> raw_scores_;

  void AddLogprobs(SampledToken* token);  // by raw_scores_
};

// Speculative sampling with a draft that has probabilities of its own (arXiv 2211.17192): a token
// drawn from `draft` is kept with probability min(1, model/draft), else another is drawn from
// max(0, model - draft) normalised; the result is distributed as `model`. Both sum to 1 over the
// same vocabulary; the uniforms are independent, in [0, 1).
struct DraftVerdict {
  bool accepted = false;
  TokenId token = 0;  // the drafted one, or the one in its place
};
DraftVerdict JudgeDraft(std::span<const float> model, std::span<const float> draft, TokenId token,
                        double accept_uniform, double redraw_uniform);

}  // namespace hearth::runtime
