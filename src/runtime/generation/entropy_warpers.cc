// Warpers that look at how surprising a token is: locally typical sampling (arXiv 2202.00666) and
// the epsilon and eta cutoffs (arXiv 2210.15191).
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/generation/logits_processor.h"

namespace hearth::runtime {
namespace {

double LogSum(std::span<const float> values, float max) {
  double sum = 0;
  for (float value : values) sum += std::exp(double{value} - max);
  return std::log(sum);
}

// In nats, of softmax(values).
double Entropy(std::span<const float> values, float max, double log_sum) {
  double entropy = 0;
  for (float value : values) {
    double log_probability = double{value} - max - log_sum;
    double probability = std::exp(log_probability);
    if (probability > 0) entropy -= probability * log_probability;
  }
  return entropy;
}

class TypicalWarper : public LogitsWarper {
 public:
  TypicalWarper(double mass, uint32_t at_least)
      : mass_(static_cast<float>(mass)), at_least_(at_least) {}

  void Apply(CandidateSet* candidates) override {
    auto values = candidates->values();
    if (values.empty()) return;
    float max = candidates->MaxValue();
    double log_sum = LogSum(values, max);
    double entropy = Entropy(values, max, log_sum);
    distances_.resize(values.size());
    order_.resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      double surprise = -(double{values[i]} - max - log_sum);
      distances_[i] = static_cast<float>(std::abs(surprise - entropy));
      order_[i] = static_cast<uint32_t>(i);
    }
    auto nearer = [&](uint32_t a, uint32_t b) {
      return distances_[a] != distances_[b] ? distances_[a] < distances_[b] : a < b;
    };
    // The nearest tokens until they hold the mass: sorted part by part, as few are needed.
    double so_far = 0;
    size_t sorted = 0;
    size_t last = 0;
    for (;; ++last) {
      if (last == sorted) {
        size_t until = std::min(values.size(), sorted == 0 ? size_t{256} : 4 * sorted);
        std::partial_sort(order_.begin() + sorted, order_.begin() + until, order_.end(), nearer);
        sorted = until;
      }
      so_far += std::exp(double{values[order_[last]]} - max - log_sum);
      if (!(static_cast<float>(so_far) < mass_) || last + 1 == values.size()) break;
    }
    float furthest = distances_[order_[last]];
    std::vector<uint32_t> always(order_.begin(),
                                 order_.begin() + std::min<size_t>(at_least_, sorted));
    std::sort(always.begin(), always.end());
    candidates->Retain([&](size_t i) {
      return distances_[i] <= furthest || std::binary_search(always.begin(), always.end(), i);
    });
  }

 private:
  float mass_;
  uint32_t at_least_;
  std::vector<float> distances_;
  std::vector<uint32_t> order_;
};

// Keeps what has a probability of at least `bar`, and the best at_least.
void KeepProbable(float bar, uint32_t at_least, CandidateSet* candidates) {
  size_t rank = std::min<size_t>(at_least, candidates->size());
  if (rank == 0) return;
  float always = candidates->ValueAtRank(rank - 1);
  auto probabilities = candidates->Probabilities();
  auto values = candidates->values();
  candidates->Retain([&](size_t i) { return !(probabilities[i] < bar) || !(values[i] < always); });
}

class EpsilonWarper : public LogitsWarper {
 public:
  EpsilonWarper(float epsilon, uint32_t at_least) : epsilon_(epsilon), at_least_(at_least) {}
  void Apply(CandidateSet* candidates) override { KeepProbable(epsilon_, at_least_, candidates); }

 private:
  float epsilon_;
  uint32_t at_least_;
};

class EtaWarper : public LogitsWarper {
 public:
  EtaWarper(float epsilon, uint32_t at_least) : epsilon_(epsilon), at_least_(at_least) {}

  void Apply(CandidateSet* candidates) override {
    auto values = candidates->values();
    if (values.empty()) return;
    float max = candidates->MaxValue();
    double entropy = Entropy(values, max, LogSum(values, max));
    auto eta = std::min(epsilon_, static_cast<float>(std::sqrt(epsilon_) * std::exp(-entropy)));
    KeepProbable(eta, at_least_, candidates);
  }

 private:
  float epsilon_;
  uint32_t at_least_;
};

}  // namespace

std::unique_ptr<LogitsWarper> MakeTypicalP(const GenerationConfig& config) {
  if (config.typical_p.value_or(1) >= 1) return nullptr;
  return std::make_unique<TypicalWarper>(*config.typical_p, MinTokensToKeep(config));
}

std::unique_ptr<LogitsWarper> MakeEpsilonCutoff(const GenerationConfig& config) {
  double epsilon = config.epsilon_cutoff.value_or(0);
  if (epsilon <= 0) return nullptr;
  return std::make_unique<EpsilonWarper>(static_cast<float>(epsilon), MinTokensToKeep(config));
}

std::unique_ptr<LogitsWarper> MakeEtaCutoff(const GenerationConfig& config) {
  double epsilon = config.eta_cutoff.value_or(0);
  if (epsilon <= 0) return nullptr;
  return std::make_unique<EtaWarper>(static_cast<float>(epsilon), MinTokensToKeep(config));
}

}  // namespace hearth::runtime
