// The tokens that may still be chosen, with their scores.
//
// Dense at first: a view of the scores of the whole vocabulary. The first narrowing copies what it
// keeps; from then on every operation costs as much as there are candidates. Narrowing selects, it
// never sorts a vocabulary.
//
// Thread rule: one thread at a time. Borrows the scores that Reset was given, and scales them.
// Complexity: O(vocabulary) for the first operation, O(size()) after the first narrowing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::runtime {

class CandidateSet {
 public:
  // All tokens with their scores; -infinity is a token that cannot be chosen, NaN is not allowed.
  void Reset(std::span<float> scores);

  size_t size() const { return values().size(); }
  uint32_t id(size_t index) const { return dense_ ? static_cast<uint32_t>(index) : ids_[index]; }
  // In the order of rising ids.
  std::span<const float> values() const {
    return dense_ ? std::span<const float>(scores_) : std::span<const float>(values_);
  }
  float MaxValue() const;
  // softmax(values()); valid until the set changes.
  std::span<const float> Probabilities();
  // The value at rank `rank` (0: the largest, at most size() - 1).
  float ValueAtRank(size_t rank);

  void Divide(float divisor);
  // Keeps the candidates whose value is `least` or more.
  void KeepAtLeast(float least);
  // Keeps those whose index `keep` takes; it is asked in rising order.
  template <typename Keep>
  void Retain(Keep keep) {
    size_t kept = 0;
    if (dense_) {
      ids_.clear();
      values_.clear();
      for (size_t i = 0; i < scores_.size(); ++i) {
        if (!keep(i)) continue;
        ids_.push_back(static_cast<uint32_t>(i));
        values_.push_back(scores_[i]);
      }
      kept = ids_.size();
      dense_ = false;
    } else {
      for (size_t i = 0; i < ids_.size(); ++i) {
        if (!keep(i)) continue;
        ids_[kept] = ids_[i];
        values_[kept++] = values_[i];
      }
    }
    ids_.resize(kept);
    values_.resize(kept);
  }
  // Nucleus: the fewest best candidates that hold `mass` of the probability, at least `at_least`.
  void KeepNucleus(double mass, size_t at_least);

  // Draws by softmax(values()): `uniform` in [0, 1) picks a place on the candidates laid out in
  // rising order of ids. Returns a token id; needs a candidate above -infinity.
  uint32_t Draw(double uniform);
  uint32_t Best() const;  // the lowest id among the best

  // Writes -infinity for every token that is no candidate, and the values of the others.
  void WriteTo(std::span<float> scores) const;

 private:
  bool dense_ = true;
  std::span<float> scores_;
  std::vector<uint32_t> ids_;
  std::vector<float> values_;
  // Scratch.
  std::vector<float> weights_;
  std::vector<double> block_sums_;
  std::vector<float> selection_;
  std::vector<uint32_t> order_;
};

}  // namespace hearth::runtime
