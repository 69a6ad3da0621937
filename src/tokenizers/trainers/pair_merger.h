// The core of BPE training: words as sequences of symbols, of which the most frequent neighbours
// are joined again and again.
//
// Follows the reference step by step, its corners included: counts are 32-bit and wrap; a pair that
// arises again after its merge is merged again and takes the later rank; ties go to the smaller
// pair of ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <queue>
#include <vector>

namespace hearth::tokenizers {

struct SymbolPair {
  uint32_t left = 0;
  uint32_t right = 0;
};

class PairMerger {
 public:
  // `max_length`: characters of a symbol; SIZE_MAX for no limit.
  explicit PairMerger(size_t max_length) : max_length_(max_length) {}

  void AddWord(const std::vector<uint32_t>& symbols, uint64_t count);
  size_t words() const { return counts_.size(); }
  // Counts the pairs of all words; once, after the last word.
  void CountPairs();
  // The pair to merge next and its count; false when none is left.
  bool PopBest(SymbolPair* pair, uint64_t* count);
  // Joins the pair that PopBest gave into `symbol` wherever it stands.
  void Merge(uint32_t symbol);

 private:
  // A pair with the words that it is to be merged in. A pair has several when it arose at several
  // times.
  struct Candidate {
    uint64_t count;
    uint64_t key;
    uint32_t words;  // index into word_lists_
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : key > other.key;
    }
  };
  struct Pair {
    uint64_t key = kEmpty;
    int32_t count = 0;
    uint32_t fresh = 0;  // word list of the step in progress; 0 is none
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;

  static uint64_t KeyOf(uint32_t left, uint32_t right) { return (uint64_t{left} << 32) | right; }
  Pair& FindOrAdd(uint64_t key);
  void Grow();
  void Change(uint64_t key, int32_t change, uint32_t word);
  void AddOccurrence(Pair* pair, uint32_t word);
  void MergeInWord(uint32_t word, uint32_t symbol);
  void QueueFreshPairs();
  uint32_t NewWordList();

  size_t max_length_;
  std::vector<uint32_t> symbols_;  // of all words, one after another
  std::vector<uint32_t> lengths_;  // of each symbol, in characters; kept only under a limit
  std::vector<size_t> starts_;     // of each word in symbols_
  std::vector<uint32_t> sizes_;    // symbols of each word now
  std::vector<int32_t> counts_;    // of each word

  std::vector<Pair> pairs_;  // open addressing, a power of two
  size_t pair_count_ = 0;
  std::vector<std::vector<uint32_t>> word_lists_ = {{}};
  std::vector<uint32_t> free_lists_;
  std::vector<uint64_t> fresh_keys_;
  std::priority_queue<Candidate> queue_;
  Candidate current_{};
};

}  // namespace hearth::tokenizers
