#include "tokenizers/models/bpe_merges.h"

#include <algorithm>
#include <bit>
#include <queue>

#include "tokenizers/internal/bpe_windows.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kNone = SIZE_MAX;
// Longer words are merged in windows of so many symbols, whose queue stays in the first-level
// cache.
constexpr size_t kWindow = 256;

struct Candidate {
  uint32_t rank;
  uint32_t new_id;
  size_t position;
};

struct Later {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
};

using Queue = std::priority_queue<Candidate, std::vector<Candidate>, Later>;

// The symbols as a doubly linked list over the word's own array; merged-away ones have no bytes.
class Chain {
 public:
  Chain(const BpeMerges& merges, std::vector<BpeSymbol>* symbols)
      : merges_(merges), symbols_(*symbols), previous_(symbols->size()), next_(symbols->size()) {
    std::vector<Candidate> first;
    first.reserve(symbols_.size());
    for (size_t i = 0; i < symbols_.size(); ++i) {
      previous_[i] = i == 0 ? kNone : i - 1;
      next_[i] = i + 1 < symbols_.size() ? i + 1 : kNone;
    }
    for (size_t i = 0; i + 1 < symbols_.size(); ++i) {
      if (const BpeMerge* merge = merges_.Find(symbols_[i].id, symbols_[i + 1].id)) {
        first.push_back({merge->rank, merge->new_id, i});
      }
    }
    queue_ = Queue(Later(), std::move(first));
  }

  bool empty() const { return queue_.empty(); }
  void Push(const Candidate& candidate) { queue_.push(candidate); }
  Candidate Pop() {
    Candidate top = queue_.top();
    queue_.pop();
    return top;
  }

  void Apply(const Candidate& candidate) {
    size_t at = candidate.position;
    if (symbols_[at].bytes == 0 || next_[at] == kNone) return;
    size_t right = next_[at];
    // The neighbours may have changed since the candidate was queued.
    const BpeMerge* merge = merges_.Find(symbols_[at].id, symbols_[right].id);
    if (merge == nullptr || merge->new_id != candidate.new_id) return;
    symbols_[at] = {candidate.new_id, symbols_[at].bytes + symbols_[right].bytes};
    symbols_[right].bytes = 0;
    next_[at] = next_[right];
    if (next_[at] != kNone) previous_[next_[at]] = at;
    if (previous_[at] != kNone) PushPair(previous_[at], at);
    if (next_[at] != kNone) PushPair(at, next_[at]);
  }

 private:
  void PushPair(size_t left, size_t right) {
    if (const BpeMerge* merge = merges_.Find(symbols_[left].id, symbols_[right].id)) {
      queue_.push({merge->rank, merge->new_id, left});
    }
  }

  const BpeMerges& merges_;
  std::vector<BpeSymbol>& symbols_;
  std::vector<size_t> previous_;
  std::vector<size_t> next_;
  Queue queue_;
};

void ApplyAll(const BpeMerges& merges, std::vector<BpeSymbol>* symbols) {
  Chain chain(merges, symbols);
  while (!chain.empty()) chain.Apply(chain.Pop());
}

void ApplyInWindows(const BpeMerges& merges, std::vector<BpeSymbol>* symbols) {
  std::vector<internal::BpeToken> tokens, fresh;
  std::vector<BpeSymbol> window;
  internal::MergeByWindows(symbols->size(), kWindow, &tokens, &fresh,
                           [&](size_t begin, size_t end, std::vector<internal::BpeToken>* out) {
                             window.assign(symbols->begin() + static_cast<std::ptrdiff_t>(begin),
                                           symbols->begin() + static_cast<std::ptrdiff_t>(end));
                             ApplyAll(merges, &window);
                             for (size_t i = 0; i < window.size(); ++i) {
                               if (window[i].bytes != 0)
                                 out->push_back({window[i].id, static_cast<uint32_t>(begin + i)});
                             }
                           });
  for (size_t i = 0; i < tokens.size(); ++i) {
    size_t end = i + 1 < tokens.size() ? tokens[i + 1].begin : symbols->size();
    BpeSymbol whole = {tokens[i].id, 0};
    for (size_t k = tokens[i].begin; k < end; ++k) whole.bytes += (*symbols)[k].bytes;
    (*symbols)[i] = whole;
  }
  symbols->resize(tokens.size());
}

void ApplyWithDropout(const BpeMerges& merges, const std::function<bool()>& drop,
                      std::vector<BpeSymbol>* symbols) {
  Chain chain(merges, symbols);
  std::vector<Candidate> waiting;
  while (!chain.empty()) {
    Candidate top = chain.Pop();
    if (drop()) {
      waiting.push_back(top);
      continue;
    }
    for (const Candidate& candidate : waiting) chain.Push(candidate);
    waiting.clear();
    chain.Apply(top);
  }
}

}  // namespace

BpeMerges::BpeMerges(size_t expected) {
  merges_.reserve(expected);
  slots_.resize(std::bit_ceil(std::max<size_t>(expected * 2, 2)));
}

size_t BpeMerges::FindSlot(uint32_t left, uint32_t right) const {
  uint64_t hash = ((uint64_t{left} << 32) | right) * 0x9E3779B97F4A7C15u;
  size_t mask = slots_.size() - 1;
  size_t slot = (hash ^ (hash >> 32)) & mask;
  while (slots_[slot] != 0) {
    const BpeMerge& merge = merges_[slots_[slot] - 1];
    if (merge.left == left && merge.right == right) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void BpeMerges::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (size_t i = 0; i < merges_.size(); ++i) {
    slots_[FindSlot(merges_[i].left, merges_[i].right)] = static_cast<uint32_t>(i + 1);
  }
}

void BpeMerges::Add(const BpeMerge& merge) {
  if ((merges_.size() + 1) * 2 > slots_.size()) Grow();
  size_t slot = FindSlot(merge.left, merge.right);
  if (slots_[slot] != 0) {
    merges_[slots_[slot] - 1] = merge;
    return;
  }
  merges_.push_back(merge);
  slots_[slot] = static_cast<uint32_t>(merges_.size());
}

const BpeMerge* BpeMerges::Find(uint32_t left, uint32_t right) const {
  uint32_t entry = slots_[FindSlot(left, right)];
  return entry == 0 ? nullptr : &merges_[entry - 1];
}

std::vector<BpeMerge> BpeMerges::SortedByRank() const {
  std::vector<BpeMerge> sorted = merges_;
  std::sort(sorted.begin(), sorted.end(),
            [](const BpeMerge& a, const BpeMerge& b) { return a.rank < b.rank; });
  return sorted;
}

void ApplyMerges(const BpeMerges& merges, const std::function<bool()>& drop,
                 std::vector<BpeSymbol>* symbols) {
  if (symbols->size() < 2) return;
  if (drop) {
    ApplyWithDropout(merges, drop, symbols);
  } else if (symbols->size() > kWindow && symbols->size() <= UINT32_MAX) {
    return ApplyInWindows(merges, symbols);
  } else {
    ApplyAll(merges, symbols);
  }
  std::erase_if(*symbols, [](const BpeSymbol& symbol) { return symbol.bytes == 0; });
}

}  // namespace hearth::tokenizers
