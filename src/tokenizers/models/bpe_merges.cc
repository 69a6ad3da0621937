#include "tokenizers/models/bpe_merges.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <queue>

#include "base/error.h"
#include "tokenizers/internal/same_bytes.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kNone = SIZE_MAX;
// How many merges ahead the memory of the index is asked for.
constexpr size_t kAhead = 12;

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
      if (auto rank = merges_.FindRank(symbols_[i].id, symbols_[i + 1].id)) {
        first.push_back({*rank, merges_[*rank].new_id, i});
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
    auto rank = merges_.FindRank(symbols_[at].id, symbols_[right].id);
    if (!rank || merges_[*rank].new_id != candidate.new_id) return;
    symbols_[at] = {candidate.new_id, symbols_[at].bytes + symbols_[right].bytes};
    symbols_[right].bytes = 0;
    next_[at] = next_[right];
    if (next_[at] != kNone) previous_[next_[at]] = at;
    if (previous_[at] != kNone) PushPair(previous_[at], at);
    if (next_[at] != kNone) PushPair(at, next_[at]);
  }

 private:
  void PushPair(size_t left, size_t right) {
    if (auto rank = merges_.FindRank(symbols_[left].id, symbols_[right].id)) {
      queue_.push({*rank, merges_[*rank].new_id, left});
    }
  }

  const BpeMerges& merges_;
  std::vector<BpeSymbol>& symbols_;
  std::vector<size_t> previous_;
  std::vector<size_t> next_;
  Queue queue_;
};

}  // namespace

struct BpeMerges::Shared {
  std::once_flag loaded, indexed;
  std::atomic<bool> has_list = false, has_index = false;
  std::function<List()> load;
  List list;
  std::vector<uint32_t> slots;  // rank + 1; 0 is empty; at most half full
  int shift = 63;

  size_t SlotOf(uint32_t left, uint32_t right) const {
    return static_cast<size_t>(((uint64_t{left} << 32) | right) * 0x9E3779B97F4A7C15u >> shift);
  }

  size_t Find(uint32_t left, uint32_t right) const {
    size_t slot = SlotOf(left, right);
    while (slots[slot] != 0) {
      const BpeMerge& merge = list.by_rank[slots[slot] - 1];
      if (merge.left == left && merge.right == right) break;
      slot = (slot + 1) & (slots.size() - 1);
    }
    return slot;
  }

  void Index() {
    std::span<const BpeMerge> merges = list.by_rank;
    size_t size = std::bit_ceil(std::max<size_t>(merges.size() * 2, 2));
    slots.assign(size, 0);
    shift = 64 - std::countr_zero(size);
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      if (rank + kAhead < merges.size()) {
        const BpeMerge& next = merges[rank + kAhead];
        __builtin_prefetch(&slots[SlotOf(next.left, next.right)]);
      }
      slots[Find(merges[rank].left, merges[rank].right)] = static_cast<uint32_t>(rank + 1);
    }
  }
};

BpeMerges::BpeMerges(internal::PageVector<BpeMerge> by_rank) : shared_(std::make_shared<Shared>()) {
  auto owned = std::make_shared<const internal::PageVector<BpeMerge>>(std::move(by_rank));
  shared_->list = {*owned, owned};
  shared_->has_list = true;
}

BpeMerges::BpeMerges(std::function<List()> load) : shared_(std::make_shared<Shared>()) {
  shared_->load = std::move(load);
}

std::span<const BpeMerge> BpeMerges::by_rank() const {
  if (!shared_->has_list.load(std::memory_order_acquire)) {
    std::call_once(shared_->loaded, [this] {
      shared_->list = shared_->load();
      shared_->load = nullptr;
      shared_->has_list.store(true, std::memory_order_release);
    });
  }
  return shared_->list.by_rank;
}

std::optional<uint32_t> BpeMerges::FindRank(uint32_t left, uint32_t right) const {
  if (!shared_->has_index.load(std::memory_order_acquire)) {
    by_rank();
    std::call_once(shared_->indexed, [this] {
      shared_->Index();
      shared_->has_index.store(true, std::memory_order_release);
    });
  }
  uint32_t entry = shared_->slots[shared_->Find(left, right)];
  if (entry == 0) return std::nullopt;
  return entry - 1;
}

void BpeMergeReader::Add(std::string_view left, std::string_view right) {
  if (right.size() < prefix_bytes_) {
    LookUp();
    throw Error(Code::kInvalidArgument,
                "Merges text file invalid at line " + std::to_string(merges_.size() + 1));
  }
  Waiting& one = waiting_[waiting_count_];
  one.left = {left, HashToken(left)};
  one.right = {right, HashToken(right)};
  vocab_.Prefetch(one.left.hash);
  vocab_.Prefetch(one.right.hash);
  if (++waiting_count_ == kWaiting) LookUp();
}

uint32_t BpeMergeReader::Position(const Part& part) const {
  if (part.position < vocab_.size() &&
      internal::SameText(vocab_.TextAt(part.position), part.text)) {
    return part.position;
  }
  if (auto position = vocab_.FindPosition(part.text, part.hash)) return *position;
  throw Error(Code::kInvalidArgument, "Token `" + std::string(part.text) + "` out of vocabulary");
}

// Merges mostly join to tokens in the order of the vocabulary, several to each.
uint32_t BpeMergeReader::PositionOfJoined(std::string_view left, std::string_view right) {
  for (uint32_t guess = last_joined_; guess < vocab_.size() && guess <= last_joined_ + 1; ++guess) {
    std::string_view token = vocab_.TextAt(guess);
    if (token.size() == left.size() + right.size() &&
        internal::SameBytes(token.data(), left.data(), left.size()) &&
        internal::SameBytes(token.data() + left.size(), right.data(), right.size())) {
      return guess;
    }
  }
  joined_.assign(left).append(right);
  return Position({joined_, HashToken(joined_), 0});
}

// Each pass asks for the memory that the next one reads.
void BpeMergeReader::LookUp() {
  std::span waiting(waiting_.data(), waiting_count_);
  for (Waiting& one : waiting) {
    one.left.position = vocab_.GuessPosition(one.left.hash);
    one.right.position = vocab_.GuessPosition(one.right.hash);
  }
  for (Waiting& one : waiting) {
    vocab_.PrefetchText(one.left.position);
    vocab_.PrefetchText(one.right.position);
  }
  for (Waiting& one : waiting) {
    uint32_t left = Position(one.left);
    uint32_t right = Position(one.right);
    last_joined_ = PositionOfJoined(one.left.text, one.right.text.substr(prefix_bytes_));
    merges_.push_back({vocab_.IdAt(left), vocab_.IdAt(right), vocab_.IdAt(last_joined_)});
  }
  waiting_count_ = 0;
}

BpeMerges BpeMergeReader::Finish() {
  LookUp();
  return BpeMerges(std::move(merges_));
}

void ApplyMerges(const BpeMerges& merges, const std::function<bool()>& drop,
                 std::vector<BpeSymbol>* symbols) {
  if (symbols->size() < 2) return;
  Chain chain(merges, symbols);
  std::vector<Candidate> waiting;
  while (!chain.empty()) {
    Candidate top = chain.Pop();
    if (drop && drop()) {
      waiting.push_back(top);
      continue;
    }
    for (const Candidate& candidate : waiting) chain.Push(candidate);
    waiting.clear();
    chain.Apply(top);
  }
  std::erase_if(*symbols, [](const BpeSymbol& symbol) { return symbol.bytes == 0; });
}

}  // namespace hearth::tokenizers
