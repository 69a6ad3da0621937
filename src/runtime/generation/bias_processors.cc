// sequence_bias and bad_words_ids: sums on single tokens and on the last token of sequences.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

class BiasProcessor : public LogitsProcessor {
 public:
  explicit BiasProcessor(std::vector<SequenceBias> biases) : biases_(std::move(biases)) {}

  void Apply(std::span<const TokenId> history, std::span<float> scores) override {
    // Sums first, scores after: of several sequences that end in one token all count.
    sums_.clear();
    for (const SequenceBias& bias : biases_) {
      TokenId last = bias.tokens.back();
      if (last >= scores.size()) {
        throw Error(Code::kInvalidArgument, "a bias names token " + std::to_string(last) +
                                                " of a vocabulary of " +
                                                std::to_string(scores.size()));
      }
      size_t prefix = bias.tokens.size() - 1;
      if (prefix > history.size()) continue;
      auto tail = history.last(prefix);
      if (std::equal(tail.begin(), tail.end(), bias.tokens.begin())) {
        sums_.emplace_back(last, bias.bias);
      }
    }
    std::stable_sort(sums_.begin(), sums_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < sums_.size();) {
      float sum = 0;
      TokenId token = sums_[i].first;
      for (; i < sums_.size() && sums_[i].first == token; ++i) sum += sums_[i].second;
      scores[token] += sum;
    }
  }

 private:
  std::vector<SequenceBias> biases_;
  std::vector<std::pair<TokenId, float>> sums_;
};

}  // namespace

std::unique_ptr<LogitsProcessor> MakeSequenceBias(const GenerationConfig& config,
                                                  const ProcessorSetup&) {
  if (!config.sequence_bias || config.sequence_bias->empty()) return nullptr;
  return std::make_unique<BiasProcessor>(*config.sequence_bias);
}

std::unique_ptr<LogitsProcessor> MakeBadWords(const GenerationConfig& config,
                                              const ProcessorSetup&) {
  if (!config.bad_words_ids) return nullptr;
  std::vector<SequenceBias> biases;
  for (const std::vector<TokenId>& word : *config.bad_words_ids) {
    // The end of the text is no word.
    bool is_eos = word.size() == 1 && config.eos_token_id &&
                  std::count(config.eos_token_id->begin(), config.eos_token_id->end(), word[0]) > 0;
    SequenceBias bias{word, -std::numeric_limits<float>::infinity()};
    if (!is_eos && std::count(biases.begin(), biases.end(), bias) == 0) {
      biases.push_back(std::move(bias));
    }
  }
  if (biases.empty()) return nullptr;
  return std::make_unique<BiasProcessor>(std::move(biases));
}

}  // namespace hearth::runtime
