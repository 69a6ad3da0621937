#include "tokenizers/trainers/unigram_lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace hearth::tokenizers {
namespace {

// Below e^-50 of the larger term the smaller one does not count.
constexpr double kNegligible = 50;

constexpr uint32_t kNone = UINT32_MAX;

double LogSumExp(double x, double y) {
  double low = std::min(x, y), high = x > y ? x : y;
  if (high > low + kNegligible) return high;
  return high + std::log(std::exp(low - high) + 1.0);
}

std::vector<ByteTrie::Entry> EntriesOf(const std::vector<std::pair<std::string, double>>& pieces) {
  std::vector<ByteTrie::Entry> entries;
  for (uint32_t id = 1; id < pieces.size(); ++id) entries.emplace_back(pieces[id].first, id);
  return entries;
}

}  // namespace

UnigramPieces::UnigramPieces(std::vector<std::pair<std::string, double>> pieces)
    : pieces_(std::move(pieces)),
      trie_(EntriesOf(pieces_)),
      min_score_(std::numeric_limits<double>::infinity()) {
  for (const auto& [text, score] : pieces_) {
    if (score < min_score_) min_score_ = score;
  }
}

void UnigramLattice::Build(std::string_view text) {
  size_ = text.size();
  nodes_.clear();
  first_.assign(size_ + 2, 0);
  first_by_end_.assign(size_ + 2, 0);
  for (size_t start = 0; start < size_;) {
    size_t length = std::max<size_t>(Utf8Length(text.substr(start)), 1);
    auto begin = static_cast<uint32_t>(start);
    bool covered = false;
    pieces_.trie().ForEachPrefix(text.substr(start), [&](size_t bytes, uint32_t id) {
      nodes_.push_back({id, begin, static_cast<uint32_t>(start + bytes), pieces_.score(id)});
      covered |= bytes == length;
    });
    if (!covered) {
      nodes_.push_back({0, begin, static_cast<uint32_t>(start + length), pieces_.unknown_score()});
    }
    for (size_t next = start + 1; next <= start + length; ++next) {
      first_[next] = static_cast<uint32_t>(nodes_.size());
    }
    start += length;
  }
  // By end, keeping the order of starts: a counting sort.
  for (const Node& node : nodes_) ++first_by_end_[node.end + 1];
  for (size_t i = 1; i < first_by_end_.size(); ++i) first_by_end_[i] += first_by_end_[i - 1];
  by_end_.resize(nodes_.size());
  std::vector<uint32_t> next(first_by_end_.begin(), first_by_end_.end());
  for (uint32_t i = 0; i < nodes_.size(); ++i) by_end_[next[nodes_[i].end]++] = i;
}

double UnigramLattice::AddExpected(double frequency, std::vector<double>* expected) {
  forward_.assign(size_ + 1, 0.0);
  backward_.assign(size_ + 1, 0.0);
  for (size_t position = 1; position <= size_; ++position) {
    uint32_t begin = first_by_end_[position], end = first_by_end_[position + 1];
    for (uint32_t i = begin; i < end; ++i) {
      const Node& node = nodes_[by_end_[i]];
      double sum = node.score + forward_[node.start];
      forward_[position] = i == begin ? sum : LogSumExp(forward_[position], sum);
    }
  }
  for (size_t position = size_; position-- > 0;) {
    uint32_t begin = first_[position], end = first_[position + 1];
    for (uint32_t i = begin; i < end; ++i) {
      double sum = nodes_[i].score + backward_[nodes_[i].end];
      backward_[position] = i == begin ? sum : LogSumExp(backward_[position], sum);
    }
  }
  double all = forward_[size_];
  for (const Node& node : nodes_) {
    double share = forward_[node.start] + node.score + backward_[node.end] - all;
    (*expected)[node.id] += frequency * std::exp(share);
  }
  return frequency * all;
}

std::vector<uint32_t> UnigramLattice::BestPath() const {
  // Of each node: the score of the best path that ends with it, and the node before it there.
  std::vector<double> scores(nodes_.size());
  std::vector<uint32_t> previous(nodes_.size(), kNone);
  // Compared after the addition, as the reference does: rounding may make paths equal.
  auto best_before = [&](size_t position, double score, double* best) {
    uint32_t found = kNone;
    for (uint32_t i = first_by_end_[position]; i < first_by_end_[position + 1]; ++i) {
      double sum = scores[by_end_[i]] + score;
      if (found == kNone || sum > *best) {
        found = by_end_[i];
        *best = sum;
      }
    }
    return found;
  };
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    scores[i] = nodes_[i].score;
    if (nodes_[i].start > 0) {
      previous[i] = best_before(nodes_[i].start, nodes_[i].score, &scores[i]);
    }
  }
  std::vector<uint32_t> ids;
  if (size_ == 0) return ids;
  double end_score = 0;
  for (uint32_t i = best_before(size_, 0, &end_score); i != kNone; i = previous[i]) {
    ids.push_back(nodes_[i].id);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

std::vector<std::vector<uint32_t>> UnigramLattice::TwoBestPaths() const {
  struct Way {
    double score;
    uint32_t node;  // the last one; UINT32_MAX at the start of the text
    uint32_t rank;  // of the way to that node's start
  };
  std::vector<std::vector<Way>> ways(size_ + 1);
  ways[0].push_back({0, UINT32_MAX, 0});
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    std::vector<Way>& target = ways[node.end];
    const std::vector<Way>& before = ways[node.start];
    for (uint32_t rank = 0; rank < before.size(); ++rank) {
      Way way{before[rank].score + node.score, i, rank};
      auto worse = std::find_if(target.begin(), target.end(),
                                [&](const Way& other) { return way.score > other.score; });
      target.insert(worse, way);
      if (target.size() > 2) target.pop_back();
    }
  }
  std::vector<std::vector<uint32_t>> paths;
  for (Way way : ways[size_]) {
    std::vector<uint32_t> ids;
    while (way.node != UINT32_MAX) {
      ids.push_back(nodes_[way.node].id);
      way = ways[nodes_[way.node].start][way.rank];
    }
    std::reverse(ids.begin(), ids.end());
    paths.push_back(std::move(ids));
  }
  return paths;
}

}  // namespace hearth::tokenizers
