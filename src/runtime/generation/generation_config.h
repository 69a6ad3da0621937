// How text is generated: the fields of generation_config.json, with the meaning that transformers
// gives them, and what the OpenAI and TGI requests add.
//
// A field that is not set leaves the choice to the next layer: a request is merged over the
// model's generation_config.json, that over the old fields of config.json, that over the defaults
// that the comments below name. Value type; const access is thread-safe.
// Errors: kInvalidArgument naming the key: wrong type, or a value outside its range.
// Format: transformers 5.23, generation/configuration_utils.py. Keys that are not listed here
// (caches, outputs, watermarks, assistants) are not read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"

namespace hearth::runtime {

using TokenId = uint32_t;

// When beam search may end. kFalse: when the best running beam, at its present length, is no
// better than the worst finished one; kTrue: as soon as enough have finished; kNever: when no
// running beam can become better at any length.
enum class EarlyStopping { kFalse, kTrue, kNever };

// A sum added to the last token of `tokens` where the ones before it end the text so far.
struct SequenceBias {
  std::vector<TokenId> tokens;  // not empty
  float bias = 0;               // may be -infinity
  bool operator==(const SequenceBias&) const = default;
};

// Multiplies the wish to end from `start` new tokens on: the end's score grows by
// |score| * (factor^tokens_past_start - 1).
struct LengthDecay {
  int64_t start = 0;
  double factor = 1;
  bool operator==(const LengthDecay&) const = default;
};

struct GenerationConfig {
  // --- length, in tokens
  std::optional<uint32_t> max_length;      // prompt included; default: 20 new tokens
  std::optional<uint32_t> max_new_tokens;  // wins over max_length
  std::optional<uint32_t> min_length;      // prompt included; default 0
  std::optional<uint32_t> min_new_tokens;
  std::optional<double> max_time;  // seconds; the token under way is finished
  std::optional<std::vector<std::string>> stop_strings;

  // --- strategy
  std::optional<bool> do_sample;                 // default false: the best token
  std::optional<uint32_t> num_beams;             // default 1: no beam search
  std::optional<uint32_t> num_return_sequences;  // default 1
  std::optional<EarlyStopping> early_stopping;   // default kFalse
  std::optional<double> length_penalty;          // default 1; > 0 favours long, < 0 short sequences
  std::optional<uint64_t> seed;                  // of sampling; default: a random one

  // --- what the scores go through, in the order of processors.inc
  std::optional<std::vector<SequenceBias>> sequence_bias;
  std::optional<double> encoder_repetition_penalty;      // > 0, neutral 1
  std::optional<double> repetition_penalty;              // > 0, neutral 1
  std::optional<double> frequency_penalty;               // OpenAI's, per occurrence; neutral 0
  std::optional<double> presence_penalty;                // OpenAI's, once; neutral 0
  std::optional<uint32_t> no_repeat_ngram_size;          // neutral 0
  std::optional<uint32_t> encoder_no_repeat_ngram_size;  // neutral 0
  std::optional<std::vector<std::vector<TokenId>>> bad_words_ids;
  std::optional<TokenId> forced_bos_token_id;
  std::optional<std::vector<TokenId>> forced_eos_token_id;
  std::optional<bool> remove_invalid_values;  // NaN to 0, infinities to the largest numbers
  std::optional<LengthDecay> exponential_decay_length_penalty;
  std::optional<std::vector<TokenId>> suppress_tokens;
  std::optional<std::vector<TokenId>> begin_suppress_tokens;

  // --- which tokens may be sampled (do_sample only)
  std::optional<double> temperature;       // > 0, default 1
  std::optional<double> top_h;             // (0, 1]: share of the entropy to keep, of the best 100
  std::optional<uint32_t> top_k;           // default 50; 0: all
  std::optional<double> top_p;             // [0, 1], default 1
  std::optional<double> min_p;             // [0, 1]: at least this share of the best's probability
  std::optional<double> typical_p;         // (0, 1], default 1
  std::optional<double> epsilon_cutoff;    // [0, 1): least probability; neutral 0
  std::optional<double> eta_cutoff;        // [0, 1): that, lowered with the entropy; neutral 0
  std::optional<bool> renormalize_logits;  // log_softmax at the end

  // --- tokens with a meaning
  std::optional<std::vector<TokenId>> eos_token_id;
  std::optional<TokenId> bos_token_id;
  std::optional<TokenId> pad_token_id;
  std::optional<TokenId> decoder_start_token_id;

  // --- speculation from the prompt
  std::optional<uint32_t> prompt_lookup_num_tokens;  // default: none
  std::optional<uint32_t> max_matching_ngram_size;   // default 2

  bool operator==(const GenerationConfig&) const = default;

  // The object of a generation_config.json, or of a config.json with its old fields. null counts
  // as absent.
  static GenerationConfig FromJson(const Json& json);

  // This, with every field that `over` has set replaced by over's.
  GenerationConfig MergedWith(const GenerationConfig& over) const;
};

// Lengths in tokens of the whole text, prompt included, as transformers prepares them.
struct LengthLimits {
  uint32_t max_length = 0;
  uint32_t min_length = 0;
};
// `max_positions`: what the model can hold, 0 where it has no limit; only the default length is
// cut to it.
LengthLimits ResolveLengths(const GenerationConfig& config, uint32_t prompt_length,
                            uint32_t max_positions);

}  // namespace hearth::runtime
