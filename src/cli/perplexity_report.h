// How well a model predicts a text file, for bench: with a progress line, as text or JSON.
#pragma once

#include <cstdint>
#include <string>

#include "cli/model_options.h"
#include "codec/json.h"

namespace hearth::cli {

struct PerplexityCommand {
  std::string file;       // of text; empty: nothing is asked for
  std::string reference;  // another form of the same model; empty: none
  uint32_t context = 512;
  uint64_t windows = 0;  // 0: all

  void AddTo(CLI::App* command);
};

// {"perplexity", "perplexity_error", "bits_per_byte", "windows", "context", "tokens",
// "tokens_per_second"}, and with a reference "reference_perplexity", "divergence" (nats a token)
// and "same_best" (a share). Errors: kNotFound for a file that cannot be read; those of
// runtime::Judge.
Json MeasurePerplexity(const ModelOptions& model, const PerplexityCommand& command);
void PrintPerplexity(const Json& report);

}  // namespace hearth::cli
