#include "runtime/generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "runtime/generation/candidate_set.h"
#include "runtime/generation/score_kernels.h"

namespace hearth::runtime {
namespace {

// The reference's stand-in for "not there": far below every sum of log-probabilities, and not so
// large that adding to it gives infinity.
constexpr float kAbsent = -1e9f;

// The `count` largest by score, falling; of equal ones the first.
template <typename T>
void KeepBest(size_t count, std::vector<T>* items) {
  std::stable_sort(items->begin(), items->end(),
                   [](const T& a, const T& b) { return a.score > b.score; });
  if (items->size() > count) items->resize(count);
}

}  // namespace

BeamSearch::BeamSearch(const GenerationConfig& config, std::span<const TokenId> prompt, Setup setup)
    : setup_(std::move(setup)),
      prompt_length_(prompt.size()),
      length_(prompt.size()),
      eos_(config.eos_token_id.value_or(std::vector<TokenId>{})),
      num_return_(config.num_return_sequences.value_or(1)),
      early_stopping_(config.early_stopping.value_or(EarlyStopping::kFalse)),
      length_penalty_(config.length_penalty.value_or(1)),
      sample_(config.do_sample.value_or(false)),
      stream_(setup_.seed, 0) {
  size_t beams = config.num_beams.value_or(1);
  if (beams < 1 || num_return_ > beams) {
    throw Error(Code::kInvalidArgument, "num_return_sequences must not be above num_beams");
  }
  if (setup_.max_length <= prompt.size()) {
    throw Error(Code::kInvalidArgument, "the prompt fills the whole length already");
  }
  if (setup_.vocab_size < std::max<size_t>(2, 1 + eos_.size())) {
    throw Error(Code::kInvalidArgument, "the vocabulary is too small for beams");
  }
  Beam first{{prompt.begin(), prompt.end()}, 0, false};
  running_.assign(beams, first);
  finished_.assign(beams, first);
  // All beams are the same at first; only one may take part.
  for (size_t i = 1; i < beams; ++i) running_[i].score = kAbsent;
  for (Beam& beam : finished_) beam.score = kAbsent;
}

bool BeamSearch::Stops(std::span<const TokenId> sequence) const {
  if (std::find(eos_.begin(), eos_.end(), sequence.back()) != eos_.end()) return true;
  if (sequence.size() >= setup_.max_length) return true;
  return setup_.stop && setup_.stop(sequence);
}

float BeamSearch::Penalized(float score, double length) const {
  return score / static_cast<float>(std::pow(length, length_penalty_));
}

std::vector<BeamSearch::Continuation> BeamSearch::BestContinuations(
    std::span<const float> log_probs) {
  const size_t count = std::max<size_t>(2, 1 + eos_.size()) * running_.size();
  scores_.resize(log_probs.size());
  for (size_t beam = 0; beam < running_.size(); ++beam) {
    float so_far = running_[beam].score;
    const float* from = log_probs.data() + beam * setup_.vocab_size;
    float* to = scores_.data() + beam * setup_.vocab_size;
    for (uint32_t token = 0; token < setup_.vocab_size; ++token) to[token] = from[token] + so_far;
  }
  if (sample_) return DrawContinuations(scores_, count);

  CandidateSet all;
  all.Reset(scores_);
  std::vector<unsigned> best;
  CollectAtLeast(scores_, all.ValueAtRank(count - 1), &best);
  std::vector<Continuation> continuations;
  for (unsigned index : best) {
    continuations.push_back(
        {index / setup_.vocab_size, index % setup_.vocab_size, scores_[index], false});
  }
  KeepBest(count, &continuations);
  return continuations;
}

// Without replacement: each continuation races with an exponential of rate softmax(score), the
// first `count` win. That is what torch.multinomial does.
std::vector<BeamSearch::Continuation> BeamSearch::DrawContinuations(std::span<const float> scores,
                                                                    size_t count) {
  struct Racer {
    double score;  // log-probability minus log(exponential): a Gumbel race
    unsigned index;
  };
  std::vector<Racer> racers;
  float max = MaxScore(scores);
  for (size_t i = 0; i < scores.size(); ++i) {
    // What is 80 nats below the best loses but for one race in 10^34.
    if (!(scores[i] > max - 80)) continue;
    double uniform = stream_.Uniform(
        length_, static_cast<uint32_t>(DrawPurpose::kBeams) + static_cast<uint32_t>(i));
    double exponential = -std::log1p(-uniform);
    racers.push_back(
        {double{scores[i]} - std::log(std::max(exponential, 1e-300)), static_cast<unsigned>(i)});
  }
  KeepBest(count, &racers);
  std::vector<Continuation> drawn;
  for (const Racer& racer : racers) {
    drawn.push_back({racer.index / setup_.vocab_size, racer.index % setup_.vocab_size,
                     scores[racer.index], false});
  }
  // Fewer possible tokens than places: the rest is absent, as continuations of beam 0 that end.
  while (drawn.size() < count) drawn.push_back({0, drawn.front().token, kAbsent, false});
  return drawn;
}

void BeamSearch::UpdateFinished(const std::vector<Continuation>& continuations) {
  bool full = std::all_of(finished_.begin(), finished_.end(),
                          [](const Beam& beam) { return beam.finished; });
  std::vector<Beam> merged = finished_;
  for (size_t i = 0; i < continuations.size(); ++i) {
    const Continuation& next = continuations[i];
    bool ends = next.stops && i < running_.size();
    Beam beam{{}, Penalized(next.score, static_cast<double>(length_ + 1 - prompt_length_)), ends};
    if (full && early_stopping_ == EarlyStopping::kTrue) beam.score += kAbsent;
    if (!can_improve_) beam.score += kAbsent;
    if (!ends) beam.score += kAbsent;
    beam.tokens = running_[next.beam].tokens;
    beam.tokens.push_back(next.token);
    merged.push_back(std::move(beam));
  }
  KeepBest(finished_.size(), &merged);
  finished_ = std::move(merged);
}

std::vector<uint32_t> BeamSearch::Step(std::span<const float> log_probs) {
  if (log_probs.size() != running_.size() * setup_.vocab_size) {
    throw Error(Code::kInvalidArgument, "a beam step needs one row of log-probabilities per beam");
  }
  auto continuations = BestContinuations(log_probs);
  bool all_stop = true;
  for (Continuation& next : continuations) {
    std::vector<TokenId> sequence = running_[next.beam].tokens;
    sequence.push_back(next.token);
    next.stops = Stops(sequence);
    all_stop = all_stop && next.stops;
  }
  UpdateFinished(continuations);

  std::vector<Continuation> going = continuations;
  for (Continuation& next : going) {
    if (next.stops) next.score += kAbsent;
  }
  KeepBest(running_.size(), &going);
  std::vector<Beam> beams;
  std::vector<uint32_t> parents;
  for (const Continuation& next : going) {
    Beam beam{running_[next.beam].tokens, next.score, false};
    beam.tokens.push_back(next.token);
    beams.push_back(std::move(beam));
    parents.push_back(next.beam);
  }
  running_ = std::move(beams);
  ++length_;

  // Can the best running beam still beat the worst finished one?
  double best_length = static_cast<double>(length_ - prompt_length_);
  if (early_stopping_ == EarlyStopping::kNever && length_penalty_ > 0) {
    best_length = static_cast<double>(setup_.max_length - prompt_length_);
  }
  float possible = Penalized(running_[0].score, best_length);
  float least = finished_.back().score;
  bool any_beaten = std::any_of(finished_.begin(), finished_.end(), [&](const Beam& beam) {
    return possible > (beam.finished ? least : kAbsent);
  });
  can_improve_ = can_improve_ && any_beaten;
  bool all_finished = std::all_of(finished_.begin(), finished_.end(),
                                  [](const Beam& beam) { return beam.finished; });
  done_ = !can_improve_ || (all_finished && early_stopping_ == EarlyStopping::kTrue) || all_stop;
  return parents;
}

std::vector<BeamHypothesis> BeamSearch::Results() const {
  std::vector<BeamHypothesis> results;
  for (size_t i = 0; i < num_return_; ++i) {
    results.push_back({finished_[i].tokens, finished_[i].score});
  }
  return results;
}

}  // namespace hearth::runtime
