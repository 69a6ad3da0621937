#include "runtime/generation/logits_processor.h"

#include <cmath>

#include "base/error.h"
#include "runtime/generation/score_kernels.h"

namespace hearth::runtime {

#define HEARTH_PROCESSOR(Name)                                                \
  std::unique_ptr<LogitsProcessor> Make##Name(const GenerationConfig& config, \
                                              const ProcessorSetup& setup);
#define HEARTH_WARPER(Name) \
  std::unique_ptr<LogitsWarper> Make##Name(const GenerationConfig& config);
#include "runtime/generation/processors.inc"
#undef HEARTH_PROCESSOR
#undef HEARTH_WARPER

ProcessorList::ProcessorList(const GenerationConfig& config, const ProcessorSetup& setup)
    : renormalize_(config.renormalize_logits.value_or(false)) {
  const bool sample = config.do_sample.value_or(false);
#define HEARTH_PROCESSOR(Name) \
  if (auto made = Make##Name(config, setup)) processors_.push_back(std::move(made));
#define HEARTH_WARPER(Name)                                                  \
  if (sample) {                                                              \
    if (auto made = Make##Name(config)) warpers_.push_back(std::move(made)); \
  }
#include "runtime/generation/processors.inc"
#undef HEARTH_PROCESSOR
#undef HEARTH_WARPER
}

void ProcessorList::Process(std::span<const TokenId> history, std::span<float> scores) {
  for (auto& processor : processors_) processor->Apply(history, scores);
}

void ProcessorList::Warp(CandidateSet* candidates) {
  for (auto& warper : warpers_) warper->Apply(candidates);
}

void ProcessorList::Apply(std::span<const TokenId> history, std::span<float> scores) {
  Process(history, scores);
  if (!warpers_.empty()) {
    candidates_.Reset(scores);
    Warp(&candidates_);
    candidates_.WriteTo(scores);
  }
  if (renormalize_) LogSoftmax(scores);
}

uint32_t MinTokensToKeep(const GenerationConfig& config) {
  if (config.num_beams.value_or(1) <= 1) return 1;
  return config.eos_token_id ? static_cast<uint32_t>(config.eos_token_id->size()) + 1 : 2;
}

void LogSoftmax(std::span<float> scores) {
  float max = MaxScore(scores);
  double sum = 0;
  for (float score : scores) sum += std::exp(double{score} - max);
  auto log_sum = static_cast<float>(std::log(sum));
  for (float& score : scores) score = (score - max) - log_sum;
}

}  // namespace hearth::runtime
