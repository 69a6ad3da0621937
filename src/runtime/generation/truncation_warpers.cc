// Temperature and the warpers that keep the best tokens: top_k, top_p (nucleus, arXiv 1904.09751),
// min_p (arXiv 2407.01082) and top_h (arXiv 2509.02510).
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

class TemperatureWarper : public LogitsWarper {
 public:
  explicit TemperatureWarper(float temperature) : temperature_(temperature) {}
  void Apply(CandidateSet* candidates) override { candidates->Divide(temperature_); }

 private:
  float temperature_;
};

class TopKWarper : public LogitsWarper {
 public:
  explicit TopKWarper(uint32_t k) : k_(k) {}
  void Apply(CandidateSet* candidates) override {
    if (candidates->size() <= k_) return;
    candidates->KeepAtLeast(candidates->ValueAtRank(k_ - 1));
  }

 private:
  uint32_t k_;
};

class TopPWarper : public LogitsWarper {
 public:
  TopPWarper(double p, uint32_t at_least) : p_(p), at_least_(at_least) {}
  void Apply(CandidateSet* candidates) override { candidates->KeepNucleus(p_, at_least_); }

 private:
  double p_;
  uint32_t at_least_;
};

class MinPWarper : public LogitsWarper {
 public:
  MinPWarper(float p, uint32_t at_least) : p_(p), at_least_(at_least) {}

  void Apply(CandidateSet* candidates) override {
    if (candidates->size() == 0) return;
    size_t at_least = std::min<size_t>(at_least_, candidates->size());
    float always = candidates->ValueAtRank(at_least - 1);
    auto probabilities = candidates->Probabilities();
    float least = p_ * *std::max_element(probabilities.begin(), probabilities.end());
    auto values = candidates->values();
    // Exactly at_least may be kept below the bar; of equal values the lowest ids.
    size_t above = std::count_if(values.begin(), values.end(), [&](float v) { return v > always; });
    size_t ties = at_least - above;
    candidates->Retain([&](size_t i) {
      bool kept = values[i] > always;
      if (values[i] == always && ties > 0) kept = true, --ties;
      return kept || !(probabilities[i] < least);
    });
  }

 private:
  float p_;
  uint32_t at_least_;
};

class TopHWarper : public LogitsWarper {
 public:
  explicit TopHWarper(float share) : share_(share) {}

  void Apply(CandidateSet* candidates) override {
    // The paper's entropy is that of the best hundred.
    constexpr size_t kTop = 100;
    size_t count = std::min(kTop, candidates->size());
    if (count == 0) return;
    float least = candidates->ValueAtRank(count - 1);
    auto values = candidates->values();
    ranked_.clear();
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] >= least) ranked_.emplace_back(values[i], i);
    }
    std::stable_sort(ranked_.begin(), ranked_.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    ranked_.resize(std::min(count, ranked_.size()));
    size_t kept = CountWithinEntropy();
    order_.clear();
    for (size_t i = 0; i < kept; ++i) order_.push_back(ranked_[i].second);
    std::sort(order_.begin(), order_.end());
    candidates->Retain(
        [&](size_t i) { return std::binary_search(order_.begin(), order_.end(), i); });
  }

 private:
  // Probabilities and their logarithms in single precision, as the reference has them: near
  // certainty, where this decides, log(1 - p) is a matter of its rounding.
  size_t CountWithinEntropy() const {
    const float best = ranked_[0].first;
    double sum = 0;
    for (const auto& [value, index] : ranked_) sum += std::exp(double{value} - best);
    const auto log_sum = static_cast<float>(best + std::log(sum));
    double entropy = 0;
    for (const auto& [value, index] : ranked_) {
      auto probability = static_cast<float>(std::exp(double{value} - best) / sum);
      if (probability > 0) entropy -= (value - log_sum) * probability;
    }
    const float bound = static_cast<float>(entropy) * share_;
    double so_far = 0;
    size_t kept = 0;
    for (; kept < ranked_.size(); ++kept) {
      auto probability = static_cast<float>(std::exp(double{ranked_[kept].first} - best) / sum);
      if (probability > 0) so_far += -probability * std::log(probability);
      // Not a number in the reference, which is not below the bound.
      if (probability == 0 || static_cast<float>(so_far) > bound) break;
    }
    return std::max<size_t>(kept, 1);
  }

  float share_;
  std::vector<std::pair<float, size_t>> ranked_;
  std::vector<size_t> order_;
};

}  // namespace

std::unique_ptr<LogitsWarper> MakeTemperature(const GenerationConfig& config) {
  double temperature = config.temperature.value_or(1);
  if (temperature == 1 || temperature == 0) return nullptr;
  return std::make_unique<TemperatureWarper>(static_cast<float>(temperature));
}

std::unique_ptr<LogitsWarper> MakeTopH(const GenerationConfig& config) {
  if (!config.top_h) return nullptr;
  return std::make_unique<TopHWarper>(static_cast<float>(*config.top_h));
}

std::unique_ptr<LogitsWarper> MakeTopK(const GenerationConfig& config) {
  constexpr uint32_t kDefaultTopK = 50;
  uint32_t k = config.top_k.value_or(kDefaultTopK);
  if (k == 0) return nullptr;
  return std::make_unique<TopKWarper>(std::max(k, MinTokensToKeep(config)));
}

std::unique_ptr<LogitsWarper> MakeTopP(const GenerationConfig& config) {
  if (config.top_p.value_or(1) >= 1) return nullptr;
  return std::make_unique<TopPWarper>(*config.top_p, MinTokensToKeep(config));
}

std::unique_ptr<LogitsWarper> MakeMinP(const GenerationConfig& config) {
  if (!config.min_p) return nullptr;
  return std::make_unique<MinPWarper>(static_cast<float>(*config.min_p), MinTokensToKeep(config));
}

}  // namespace hearth::runtime
