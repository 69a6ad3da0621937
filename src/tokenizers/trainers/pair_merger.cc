#include "tokenizers/trainers/pair_merger.h"

#include <utility>

namespace hearth::tokenizers {
namespace {

constexpr size_t kFirstPairs = 1 << 12;

int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

size_t HashOf(uint64_t key) {
  key *= 0x9E3779B97F4A7C15u;
  return static_cast<size_t>(key ^ (key >> 32));
}

}  // namespace

void PairMerger::AddWord(const std::vector<uint32_t>& symbols, uint64_t count) {
  starts_.push_back(symbols_.size());
  sizes_.push_back(static_cast<uint32_t>(symbols.size()));
  counts_.push_back(static_cast<int32_t>(static_cast<uint32_t>(count)));
  symbols_.insert(symbols_.end(), symbols.begin(), symbols.end());
  if (max_length_ != SIZE_MAX) lengths_.resize(symbols_.size(), 1);
}

PairMerger::Pair& PairMerger::FindOrAdd(uint64_t key) {
  if ((pair_count_ + 1) * 2 > pairs_.size()) Grow();
  size_t mask = pairs_.size() - 1;
  size_t slot = HashOf(key) & mask;
  while (pairs_[slot].key != key) {
    if (pairs_[slot].key == kEmpty) {
      pairs_[slot].key = key;
      ++pair_count_;
      break;
    }
    slot = (slot + 1) & mask;
  }
  return pairs_[slot];
}

void PairMerger::Grow() {
  std::vector<Pair> old = std::move(pairs_);
  pairs_.assign(old.empty() ? kFirstPairs : old.size() * 2, {});
  size_t mask = pairs_.size() - 1;
  for (const Pair& pair : old) {
    if (pair.key == kEmpty) continue;
    size_t slot = HashOf(pair.key) & mask;
    while (pairs_[slot].key != kEmpty) slot = (slot + 1) & mask;
    pairs_[slot] = pair;
  }
}

uint32_t PairMerger::NewWordList() {
  if (!free_lists_.empty()) {
    uint32_t list = free_lists_.back();
    free_lists_.pop_back();
    return list;
  }
  word_lists_.emplace_back();
  return static_cast<uint32_t>(word_lists_.size() - 1);
}

void PairMerger::AddOccurrence(Pair* pair, uint32_t word) {
  if (pair->fresh == 0) {
    pair->fresh = NewWordList();
    fresh_keys_.push_back(pair->key);
  }
  std::vector<uint32_t>& words = word_lists_[pair->fresh];
  if (words.empty() || words.back() != word) words.push_back(word);
}

void PairMerger::Change(uint64_t key, int32_t change, uint32_t word) {
  Pair& pair = FindOrAdd(key);
  auto by = static_cast<uint32_t>(counts_[word]);
  pair.count = WrappingAdd(pair.count, static_cast<int32_t>(change > 0 ? by : 0 - by));
  if (change > 0) AddOccurrence(&pair, word);
}

void PairMerger::CountPairs() {
  for (uint32_t word = 0; word < sizes_.size(); ++word) {
    const uint32_t* symbols = symbols_.data() + starts_[word];
    for (uint32_t i = 0; i + 1 < sizes_[word]; ++i) {
      Change(KeyOf(symbols[i], symbols[i + 1]), 1, word);
    }
  }
  QueueFreshPairs();
}

void PairMerger::QueueFreshPairs() {
  for (uint64_t key : fresh_keys_) {
    Pair& pair = FindOrAdd(key);
    uint32_t words = std::exchange(pair.fresh, 0);
    if (pair.count > 0) {
      queue_.push({static_cast<uint64_t>(pair.count), key, words});
    } else {
      word_lists_[words].clear();
      free_lists_.push_back(words);
    }
  }
  fresh_keys_.clear();
}

bool PairMerger::PopBest(SymbolPair* pair, uint64_t* count) {
  while (!queue_.empty()) {
    current_ = queue_.top();
    queue_.pop();
    // A count below zero (a length limit makes them) is a huge one: the reference's conversion.
    auto now = static_cast<uint64_t>(int64_t{FindOrAdd(current_.key).count});
    if (current_.count != now) {
      current_.count = now;
      queue_.push(current_);
      continue;
    }
    *pair = {static_cast<uint32_t>(current_.key >> 32), static_cast<uint32_t>(current_.key)};
    *count = now;
    return true;
  }
  return false;
}

void PairMerger::Merge(uint32_t symbol) {
  std::vector<uint32_t> words = std::move(word_lists_[current_.words]);
  for (uint32_t word : words) MergeInWord(word, symbol);
  QueueFreshPairs();
  words.clear();
  word_lists_[current_.words] = std::move(words);
  free_lists_.push_back(current_.words);
}

void PairMerger::MergeInWord(uint32_t word, uint32_t symbol) {
  auto left = static_cast<uint32_t>(current_.key >> 32);
  auto right = static_cast<uint32_t>(current_.key);
  uint32_t* symbols = symbols_.data() + starts_[word];
  uint32_t* lengths = lengths_.empty() ? nullptr : lengths_.data() + starts_[word];
  uint32_t size = sizes_[word];
  uint32_t kept = 0;
  for (uint32_t i = 0; i < size; ++kept) {
    if (i + 1 >= size || symbols[i] != left || symbols[i + 1] != right) {
      if (lengths != nullptr) lengths[kept] = lengths[i];
      symbols[kept] = symbols[i++];
      continue;
    }
    uint32_t length = lengths == nullptr ? 0 : lengths[i] + lengths[i + 1];
    auto fits = [&](uint32_t neighbour) {
      return lengths == nullptr || size_t{lengths[neighbour]} + length < max_length_;
    };
    if (kept > 0) {
      Change(KeyOf(symbols[kept - 1], left), -1, word);
      if (fits(kept - 1)) Change(KeyOf(symbols[kept - 1], symbol), 1, word);
    }
    if (i + 2 < size) {
      Change(KeyOf(right, symbols[i + 2]), -1, word);
      if (fits(i + 2)) Change(KeyOf(symbol, symbols[i + 2]), 1, word);
    }
    symbols[kept] = symbol;
    if (lengths != nullptr) lengths[kept] = length;
    i += 2;
  }
  sizes_[word] = kept;
}

}  // namespace hearth::tokenizers
