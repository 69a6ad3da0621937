#include "runtime/generation/candidate_set.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include "runtime/generation/score_kernels.h"

namespace hearth::runtime {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// Weights lie in [0, 1]; their bits rise with them, so the top bits of a float make buckets of an
// eighth of an octave each.
constexpr unsigned kBucketShift = 20;
constexpr size_t kBuckets = (0x3F800000u >> kBucketShift) + 1;
size_t BucketOf(float weight) {
  return std::min<size_t>(std::bit_cast<uint32_t>(weight) >> kBucketShift, kBuckets - 1);
}

}  // namespace

void CandidateSet::Reset(std::span<float> scores) {
  dense_ = true;
  scores_ = scores;
}

float CandidateSet::MaxValue() const { return MaxScore(values()); }

std::span<const float> CandidateSet::Probabilities() {
  auto from = values();
  weights_.resize(from.size());
  double total = ExpScores(from, MaxValue(), weights_, &block_sums_);
  auto inverse = static_cast<float>(1 / total);
  for (float& weight : weights_) weight *= inverse;
  return weights_;
}

float CandidateSet::ValueAtRank(size_t rank) {
  // Values that reach the present bar are gathered; when many are, all but the best rank + 1 go
  // and the bar rises to the least of those. Few values pass a bar that has risen.
  auto from = values();
  const size_t keep = rank + 1;
  const size_t room = 2 * keep + 256;
  float bar = kImpossible;
  selection_.clear();
  auto shrink = [&] {
    std::nth_element(selection_.begin(), selection_.begin() + rank, selection_.end(),
                     std::greater<>());
    selection_.resize(keep);
    bar = selection_[rank];
  };
  for (size_t begin = 0; begin < from.size();) {
    // The first block is short, so that the bar stands early.
    size_t count = std::min(from.size() - begin, begin == 0 ? room : size_t{4096});
    order_.clear();
    CollectAtLeast(from.subspan(begin, count), bar, &order_);
    for (uint32_t index : order_) selection_.push_back(from[begin + index]);
    if (selection_.size() >= room) shrink();
    begin += count;
  }
  if (selection_.size() > keep) shrink();
  return selection_.size() == keep ? *std::min_element(selection_.begin(), selection_.end())
                                   : kImpossible;
}

void CandidateSet::Divide(float divisor) {
  if (dense_) {
    for (float& score : scores_) score /= divisor;
  } else {
    for (float& value : values_) value /= divisor;
  }
}

void CandidateSet::KeepAtLeast(float least) {
  order_.clear();
  CollectAtLeast(values(), least, &order_);
  if (order_.size() == size()) return;
  if (dense_) {
    ids_.assign(order_.begin(), order_.end());
    values_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) values_[i] = scores_[order_[i]];
    dense_ = false;
    return;
  }
  for (size_t i = 0; i < order_.size(); ++i) {
    ids_[i] = ids_[order_[i]];
    values_[i] = values_[order_[i]];
  }
  ids_.resize(order_.size());
  values_.resize(order_.size());
}

void CandidateSet::KeepNucleus(double mass, size_t at_least) {
  auto from = values();
  weights_.resize(from.size());
  const double total = ExpScores(from, MaxValue(), weights_, &block_sums_);
  at_least = std::min(at_least, from.size());

  // All weights below (1 - mass) / n of the total together hold less than 1 - mass, so the nucleus
  // lies above. (Half of that, against rounding.)
  auto bar = static_cast<float>(0.5 * (1 - mass) * total / static_cast<double>(from.size()));
  order_.clear();
  CollectAtLeast(weights_, bar, &order_);
  if (order_.size() < at_least) {
    order_.resize(from.size());
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<uint32_t>(i);
  }

  // Whole buckets from the top while they surely belong; the one where the mass is reached is
  // sorted, and so is what follows while at_least asks for more.
  double bucket_mass[kBuckets] = {};
  uint32_t bucket_count[kBuckets] = {};
  for (uint32_t index : order_) {
    size_t bucket = BucketOf(weights_[index]);
    bucket_mass[bucket] += weights_[index];
    ++bucket_count[bucket];
  }
  const auto rest = static_cast<float>(1 - mass);  // compared in single precision, as torch does
  auto belongs = [&](double above) { return static_cast<float>(1 - above / total) > rest; };
  double above = 0;
  size_t taken = 0;
  size_t bucket = kBuckets;
  while (bucket > 0 && (belongs(above + bucket_mass[bucket - 1]) ||
                        taken + bucket_count[bucket - 1] <= at_least)) {
    --bucket;
    above += bucket_mass[bucket];
    taken += bucket_count[bucket];
  }
  // Everything from `bucket` up is in; [whole, end) of order_ is the bucket below it.
  auto whole = std::partition(order_.begin(), order_.end(),
                              [&](uint32_t index) { return BucketOf(weights_[index]) >= bucket; });
  if (bucket > 0) {
    auto end = std::partition(whole, order_.end(), [&](uint32_t index) {
      return BucketOf(weights_[index]) == bucket - 1;
    });
    // Ties: the higher id first, as an ascending stable sort has it from its end.
    std::sort(whole, end, [&](uint32_t a, uint32_t b) {
      return from[a] != from[b] ? from[a] > from[b] : a > b;
    });
    while (whole != end && (taken < at_least || belongs(above))) {
      above += weights_[*whole++];
      ++taken;
    }
  }
  order_.erase(whole, order_.end());
  if (order_.size() == size()) return;
  std::sort(order_.begin(), order_.end());
  size_t next = 0;
  if (dense_) {
    values_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) values_[i] = scores_[order_[i]];
    ids_.assign(order_.begin(), order_.end());
    dense_ = false;
    return;
  }
  Retain([&](size_t index) {
    bool keep = next < order_.size() && order_[next] == index;
    next += keep ? 1 : 0;
    return keep;
  });
}

uint32_t CandidateSet::Draw(double uniform) {
  auto from = values();
  weights_.resize(from.size());
  double total = ExpScores(from, MaxValue(), weights_, &block_sums_);
  double left = uniform * total;
  size_t block = 0;
  while (block + 1 < block_sums_.size() && left >= block_sums_[block]) left -= block_sums_[block++];
  size_t last = block * kScoreBlock;
  size_t end = std::min(from.size(), last + kScoreBlock);
  for (size_t i = block * kScoreBlock; i < end; ++i) {
    if (weights_[i] == 0) continue;
    last = i;
    left -= weights_[i];
    if (left < 0) break;
  }
  // Rounding can leave a rest behind a block without weight: then the last token that has some.
  if (weights_[last] == 0) {
    for (last = from.size() - 1; last > 0 && weights_[last] == 0;) --last;
  }
  return id(last);
}

uint32_t CandidateSet::Best() const {
  auto from = values();
  float best = MaxValue();
  size_t index = std::find(from.begin(), from.end(), best) - from.begin();
  return id(index == from.size() ? 0 : index);
}

void CandidateSet::WriteTo(std::span<float> scores) const {
  if (dense_) {
    std::copy(scores_.begin(), scores_.end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), kImpossible);
  for (size_t i = 0; i < ids_.size(); ++i) scores[ids_[i]] = values_[i];
}

}  // namespace hearth::runtime
