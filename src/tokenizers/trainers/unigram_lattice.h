// All ways to segment a text into pieces of a vocabulary, with the sums that training needs.
//
// Positions are bytes. A character without a piece of its own gets an unknown one. Sums over paths
// to a position are the same for every piece that starts there, so they are kept once per position;
// the order of additions is the reference's, and so are the bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizers/models/byte_trie.h"

namespace hearth::tokenizers {

// Pieces with log probabilities; the first is the unknown piece, whatever its text.
class UnigramPieces {
 public:
  explicit UnigramPieces(std::vector<std::pair<std::string, double>> pieces);

  const std::vector<std::pair<std::string, double>>& pieces() const { return pieces_; }
  size_t size() const { return pieces_.size(); }
  double score(uint32_t id) const { return pieces_[id].second; }
  double min_score() const { return min_score_; }
  double unknown_score() const { return min_score_ - 10; }
  const ByteTrie& trie() const { return trie_; }

 private:
  std::vector<std::pair<std::string, double>> pieces_;
  ByteTrie trie_;
  double min_score_;
};

// Reused from text to text to save allocations. Not thread-safe.
class UnigramLattice {
 public:
  explicit UnigramLattice(const UnigramPieces& pieces) : pieces_(pieces) {}

  void Build(std::string_view text);
  // Adds `frequency` x (probability that a piece is used) to expected[id]. Returns the log
  // likelihood of the text; NaN when it is too long for doubles.
  double AddExpected(double frequency, std::vector<double>* expected);
  // Ids of the best path; of equal ones that whose pieces start first.
  std::vector<uint32_t> BestPath() const;
  // The best and, where there is one, the second best path.
  std::vector<std::vector<uint32_t>> TwoBestPaths() const;

 private:
  struct Node {
    uint32_t id;
    uint32_t start;
    uint32_t end;
    double score;
  };

  const UnigramPieces& pieces_;
  size_t size_ = 0;
  std::vector<Node> nodes_;       // by start, then by length
  std::vector<uint32_t> first_;   // by position: its first node; size_ + 1 entries
  std::vector<uint32_t> by_end_;  // nodes by end, then by start
  std::vector<uint32_t> first_by_end_;
  std::vector<double> forward_;
  std::vector<double> backward_;
};

}  // namespace hearth::tokenizers
