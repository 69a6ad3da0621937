#include "runtime/grammar/token_constraint.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

constexpr uint32_t kDead = UINT32_MAX;         // no configuration: the text cannot go on so
constexpr uint32_t kUnknown = UINT32_MAX - 1;  // not computed yet
constexpr uint32_t kEmptyStack = 0;
// A configuration with more items comes from an ambiguous grammar that would be slow at each step.
constexpr size_t kMaxItems = 20'000;
constexpr size_t kMaxForcedBytes = 4096;

// A place in the grammar and the rules that will be returned to.
struct Item {
  uint32_t stack = 0;
  uint32_t state = 0;
  bool operator==(const Item&) const = default;
  bool operator<(const Item& other) const {
    return stack != other.stack ? stack < other.stack : state < other.state;
  }
  uint64_t key() const { return (uint64_t{stack} << 32) | state; }
};

struct Configuration {
  std::vector<Item> items;  // sorted; each has an edge that takes a byte
  bool complete = false;    // the text may end here (of a rule alone: the rule may be left)
  std::unique_ptr<std::array<uint32_t, 256>> next;  // made at the first move
};

struct StackNode {
  uint32_t return_state = 0;
  uint32_t below = kEmptyStack;
  uint32_t depth = 0;
};

// The walk of the vocabulary from a configuration with nothing below it on the stack.
struct LocalMask {
  std::vector<uint64_t> bits;
  std::vector<uint32_t> exits;  // trie nodes below the root at which the rule can be left
};

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9E3779B97F4A7C15u + (hash << 6) + (hash >> 2);
  return hash * 0xD6E8FEB86659FD93u;
}

}  // namespace

class TokenConstraint::Automaton {
 public:
  Automaton(std::shared_ptr<const TokenVocabulary> vocabulary, ByteGrammar grammar,
            const Options& options)
      : vocabulary_(std::move(vocabulary)), grammar_(std::move(grammar)), options_(options) {
    Clear();
  }

  const TokenVocabulary& vocabulary() const { return *vocabulary_; }
  std::mutex& mutex() { return mutex_; }

  // To be called first in each public operation.
  void Enter(State* state) {
    work_ = 0;
    if (cache_bytes_ > options_.max_cache_bytes) Clear();
    if (state->epoch_ == epoch_) return;
    uint32_t configuration = start_;
    for (char c : state->text_) configuration = Next(configuration, static_cast<uint8_t>(c));
    state->configuration_ = configuration;
    state->epoch_ = epoch_;
  }

  uint32_t Walk(uint32_t configuration, std::string_view text) {
    for (char c : text) {
      configuration = Next(configuration, static_cast<uint8_t>(c));
      if (configuration == kDead) break;
    }
    return configuration;
  }

  bool IsComplete(uint32_t configuration) const { return configurations_[configuration].complete; }

  // The one byte that can follow; nothing when there are several or the text may end.
  int OnlyByte(uint32_t configuration) const {
    if (configurations_[configuration].complete) return -1;
    int only = -1;
    for (const Item& item : configurations_[configuration].items) {
      for (const auto& edge : grammar_.byte_edges(item.state)) {
        if (edge.first != edge.last || (only >= 0 && only != edge.first)) return -1;
        only = edge.first;
      }
    }
    return only;
  }

  std::string ShortestCompletion(uint32_t configuration) {
    if (configurations_[configuration].complete) return {};
    if (distances_.empty()) MeasureDistances();
    uint64_t best = UINT64_MAX;
    Item from;
    for (const Item& item : configurations_[configuration].items) {
      uint64_t length = distances_[item.state];
      for (uint32_t at = item.stack; at != kEmptyStack; at = stacks_[at].below) {
        length += distances_[stacks_[at].return_state];
      }
      if (length < best) {
        best = length;
        from = item;
      }
    }
    std::string text;
    // States to lead to the end of their rule, the next one last.
    std::vector<uint32_t> rest{};
    for (uint32_t at = from.stack; at != kEmptyStack; at = stacks_[at].below) {
      rest.push_back(stacks_[at].return_state);
    }
    std::reverse(rest.begin(), rest.end());
    rest.push_back(from.state);
    while (!rest.empty() && text.size() < kMaxCompletionBytes) {
      uint32_t state = rest.back();
      rest.pop_back();
      if (grammar_.is_end(state)) continue;
      TakeShortestEdge(state, &text, &rest);
    }
    return text;
  }

  const std::vector<uint64_t>& Mask(uint32_t configuration) {
    auto at = masks_.find(configuration);
    if (at != masks_.end()) return at->second;
    std::vector<uint64_t> mask(words(), 0);
    // Items of one stack at a time; they are sorted by it.
    const std::vector<Item> items = configurations_[configuration].items;
    for (size_t begin = 0; begin < items.size();) {
      const uint32_t stack = items[begin].stack;
      std::vector<Item> local;
      for (; begin < items.size() && items[begin].stack == stack; ++begin) {
        local.push_back({kEmptyStack, items[begin].state});
      }
      const LocalMask& part = Local(Intern(std::move(local), false));
      for (size_t word = 0; word < mask.size(); ++word) mask[word] |= part.bits[word];
      if (stack == kEmptyStack) continue;
      uint32_t after = Return(stack);
      if (after == kDead) continue;
      for (uint32_t node : part.exits) WalkTrie(node, after, &mask, nullptr);
    }
    if (configurations_[configuration].complete) {
      for (uint32_t token : vocabulary_->eos()) {
        if (token < vocabulary_->size()) mask[token / 64] |= uint64_t{1} << (token % 64);
      }
    }
    cache_bytes_ += mask.size() * sizeof(uint64_t);
    return masks_.emplace(configuration, std::move(mask)).first->second;
  }

 private:
  static constexpr uint32_t kFar = 1u << 30;
  static constexpr size_t kMaxCompletionBytes = 1u << 20;

  uint32_t JumpLength(const ByteGrammar::Jump& jump) const {
    uint32_t inside =
        jump.rule == ByteGrammar::kNoRule ? 0 : distances_[grammar_.rule_start(jump.rule)];
    return std::min(kFar, inside + distances_[jump.to]);
  }

  // Bytes from each state to the end of its rule, by passes until nothing changes. States mostly
  // lead to later ones, so that passes from the back are few. The edge that gave a state its
  // length is kept: it was taken for being strictly shorter, so that these edges make no circle,
  // as edges of equal lengths could.
  void MeasureDistances() {
    distances_.assign(grammar_.state_count(), kFar);
    nearest_.assign(grammar_.state_count(), 0);
    for (uint32_t i = 0; i < distances_.size(); ++i) {
      if (grammar_.is_end(i)) distances_[i] = 0;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (auto i = static_cast<uint32_t>(distances_.size()); i-- > 0;) {
        auto bytes = grammar_.byte_edges(i);
        auto jumps = grammar_.jumps(i);
        auto offer = [&](uint32_t length, size_t edge) {
          if (length >= distances_[i]) return;
          distances_[i] = length;
          nearest_[i] = static_cast<uint32_t>(edge);
          changed = true;
        };
        for (size_t e = 0; e < bytes.size(); ++e) offer(1 + distances_[bytes[e].to], e);
        for (size_t e = 0; e < jumps.size(); ++e) offer(JumpLength(jumps[e]), bytes.size() + e);
      }
    }
  }

  void TakeShortestEdge(uint32_t state, std::string* text, std::vector<uint32_t>* rest) const {
    auto bytes = grammar_.byte_edges(state);
    uint32_t edge = nearest_[state];
    if (edge < bytes.size()) {
      text->push_back(static_cast<char>(bytes[edge].first));
      rest->push_back(bytes[edge].to);
      return;
    }
    const ByteGrammar::Jump& jump = grammar_.jumps(state)[edge - bytes.size()];
    rest->push_back(jump.to);
    if (jump.rule != ByteGrammar::kNoRule) rest->push_back(grammar_.rule_start(jump.rule));
  }

  size_t words() const { return (vocabulary_->size() + 63) / 64; }

  void Clear() {
    configurations_.clear();
    by_hash_.clear();
    stacks_.assign(1, {});
    stack_ids_.clear();
    masks_.clear();
    locals_.clear();
    returns_.clear();
    cache_bytes_ = 0;
    ++epoch_;
    std::vector<Item> seeds{{kEmptyStack, grammar_.start()}};
    bool complete = Close(&seeds);
    start_ = Intern(std::move(seeds), complete);
  }

  void Count(size_t edges) {
    work_ += edges;
    if (work_ > options_.max_step_work) {
      throw Error(Code::kTooLarge, "the grammar is too ambiguous: a step takes too much work");
    }
  }

  // kDead: too deep.
  uint32_t Push(uint32_t return_state, uint32_t below) {
    // Where nothing follows in the caller, the callee may return past it.
    if (grammar_.is_end(return_state) && grammar_.jumps(return_state).empty() &&
        grammar_.byte_edges(return_state).empty()) {
      if (below == kEmptyStack) return kEmptyStack;
      return below;
    }
    uint32_t depth = stacks_[below].depth + 1;
    if (depth > options_.max_stack) return kDead;
    uint64_t key = (uint64_t{below} << 32) | return_state;
    auto [at, is_new] = stack_ids_.try_emplace(key, static_cast<uint32_t>(stacks_.size()));
    if (is_new) {
      stacks_.push_back({return_state, below, depth});
      cache_bytes_ += 64;
    }
    return at->second;
  }

  // Follows all edges that take nothing; leaves the items that take a byte, sorted. Returns whether
  // the text may end.
  bool Close(std::vector<Item>* items) {
    bool complete = false;
    seen_.clear();
    std::vector<Item> work;
    work.swap(*items);
    for (const Item& item : work) seen_.insert(item.key());
    auto add = [&](uint32_t stack, uint32_t state) {
      Item item{stack, state};
      if (seen_.insert(item.key()).second) work.push_back(item);
    };
    while (!work.empty()) {
      Item item = work.back();
      work.pop_back();
      auto jumps = grammar_.jumps(item.state);
      Count(jumps.size() + 1);
      if (!grammar_.byte_edges(item.state).empty()) items->push_back(item);
      if (items->size() > kMaxItems) {
        throw Error(Code::kTooLarge,
                    "the grammar is too ambiguous: too many ways to read the text");
      }
      if (grammar_.is_end(item.state)) {
        if (item.stack == kEmptyStack) {
          complete = true;
        } else {
          add(stacks_[item.stack].below, stacks_[item.stack].return_state);
        }
      }
      for (const auto& jump : jumps) {
        if (jump.rule == ByteGrammar::kNoRule) {
          add(item.stack, jump.to);
        } else if (uint32_t stack = Push(jump.to, item.stack); stack != kDead) {
          add(stack, grammar_.rule_start(jump.rule));
        }
      }
    }
    std::sort(items->begin(), items->end());
    return complete;
  }

  uint32_t Intern(std::vector<Item> items, bool complete) {
    if (items.empty() && !complete) return kDead;
    uint64_t hash = complete ? 1 : 0;
    for (const Item& item : items) hash = Mix(hash, item.key());
    auto [begin, end] = by_hash_.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      const Configuration& known = configurations_[at->second];
      if (known.complete == complete && known.items == items) return at->second;
    }
    auto id = static_cast<uint32_t>(configurations_.size());
    cache_bytes_ += 128 + items.size() * sizeof(Item);
    configurations_.push_back({std::move(items), complete, nullptr});
    by_hash_.emplace(hash, id);
    return id;
  }

  uint32_t Next(uint32_t configuration, uint8_t byte) {
    if (configuration == kDead) return kDead;
    auto& table = configurations_[configuration].next;
    if (table == nullptr) {
      table = std::make_unique<std::array<uint32_t, 256>>();
      table->fill(kUnknown);
      cache_bytes_ += sizeof(*table);
    }
    uint32_t known = (*table)[byte];
    return known != kUnknown ? known : ComputeNext(configuration, byte);
  }

  uint32_t ComputeNext(uint32_t configuration, uint8_t byte) {
    std::vector<Item> items;
    for (const Item& item : configurations_[configuration].items) {
      auto edges = grammar_.byte_edges(item.state);
      Count(edges.size());
      for (const auto& edge : edges) {
        if (edge.first <= byte && byte <= edge.last) items.push_back({item.stack, edge.to});
      }
    }
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    bool complete = Close(&items);
    uint32_t next = Intern(std::move(items), complete);
    (*configurations_[configuration].next)[byte] = next;
    return next;
  }

  // The configuration after the rule at the top of this stack is left.
  uint32_t Return(uint32_t stack) {
    auto at = returns_.find(stack);
    if (at != returns_.end()) return at->second;
    std::vector<Item> items{{stacks_[stack].below, stacks_[stack].return_state}};
    bool complete = Close(&items);
    uint32_t after = Intern(std::move(items), complete);
    returns_.emplace(stack, after);
    return after;
  }

  const LocalMask& Local(uint32_t configuration) {
    auto at = locals_.find(configuration);
    if (at != locals_.end()) return at->second;
    LocalMask local;
    local.bits.assign(words(), 0);
    WalkTrie(0, configuration, &local.bits, &local.exits);
    cache_bytes_ += local.bits.size() * sizeof(uint64_t) + local.exits.size() * sizeof(uint32_t);
    return locals_.emplace(configuration, std::move(local)).first->second;
  }

  // Sets the bits of all tokens below the node that the configuration takes; notes the nodes where
  // it is complete.
  void WalkTrie(uint32_t root, uint32_t configuration, std::vector<uint64_t>* mask,
                std::vector<uint32_t>* exits) {
    const TokenVocabulary::Node* nodes = vocabulary_->nodes().data();
    const uint32_t end = nodes[root].end;
    const uint32_t base = nodes[root].depth;
    if (root + 1 == end) return;
    path_.resize(vocabulary_->max_depth() + 1);
    path_[base] = configuration;
    Count(16);
    size_t visited = 0;
    for (uint32_t i = root + 1; i < end;) {
      const TokenVocabulary::Node& node = nodes[i];
      ++visited;
      uint32_t next = Next(path_[node.depth - 1], node.byte);
      if (next == kDead) {
        i = node.end;
        continue;
      }
      path_[node.depth] = next;
      for (uint32_t token = node.token; token != TokenVocabulary::kNoToken;
           token = vocabulary_->NextTwin(token)) {
        (*mask)[token / 64] |= uint64_t{1} << (token % 64);
      }
      if (exits != nullptr && configurations_[next].complete) exits->push_back(i);
      ++i;
    }
    Count(visited);
  }

  std::shared_ptr<const TokenVocabulary> vocabulary_;
  ByteGrammar grammar_;
  Options options_;
  std::mutex mutex_;

  std::vector<Configuration> configurations_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;
  std::vector<StackNode> stacks_;
  std::unordered_map<uint64_t, uint32_t> stack_ids_;
  std::unordered_map<uint32_t, std::vector<uint64_t>> masks_;
  std::unordered_map<uint32_t, LocalMask> locals_;
  std::unordered_map<uint32_t, uint32_t> returns_;
  uint32_t start_ = 0;
  uint64_t epoch_ = 0;
  size_t cache_bytes_ = 0;
  size_t work_ = 0;
  std::unordered_set<uint64_t> seen_;
  std::vector<uint32_t> path_;
  std::vector<uint32_t> nearest_;    // the edge to take: byte edges first, then jumps
  std::vector<uint32_t> distances_;  // of ShortestCompletion; empty until it is asked
};

TokenConstraint::TokenConstraint(std::shared_ptr<const TokenVocabulary> vocabulary,
                                 ByteGrammar grammar, const Options& options)
    : automaton_(std::make_unique<Automaton>(std::move(vocabulary), std::move(grammar), options)) {}

TokenConstraint::~TokenConstraint() = default;

const TokenVocabulary& TokenConstraint::vocabulary() const { return automaton_->vocabulary(); }

void TokenConstraint::FillMask(State* state, std::vector<uint64_t>* mask) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  if (state->finished_) {
    mask->assign((automaton_->vocabulary().size() + 63) / 64, 0);
    return;
  }
  *mask = automaton_->Mask(state->configuration_);
}

bool TokenConstraint::Accept(State* state, uint32_t token) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  const TokenVocabulary& vocabulary = automaton_->vocabulary();
  if (state->finished_) return false;
  auto eos = vocabulary.eos();
  if (std::find(eos.begin(), eos.end(), token) != eos.end()) {
    state->finished_ = automaton_->IsComplete(state->configuration_);
    return state->finished_;
  }
  if (token >= vocabulary.size() || vocabulary.bytes(token).empty()) return false;
  uint32_t next = automaton_->Walk(state->configuration_, vocabulary.bytes(token));
  if (next == kDead) return false;
  state->configuration_ = next;
  state->text_ += vocabulary.bytes(token);
  return true;
}

bool TokenConstraint::AcceptText(State* state, std::string_view text) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  if (state->finished_) return false;
  uint32_t next = automaton_->Walk(state->configuration_, text);
  if (next == kDead) return false;
  state->configuration_ = next;
  state->text_ += text;
  return true;
}

bool TokenConstraint::IsComplete(State* state) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  return state->finished_ || automaton_->IsComplete(state->configuration_);
}

std::string TokenConstraint::ForcedText(State* state) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  std::string forced;
  uint32_t configuration = state->configuration_;
  while (!state->finished_ && forced.size() < kMaxForcedBytes) {
    int byte = automaton_->OnlyByte(configuration);
    if (byte < 0) break;
    char c = static_cast<char>(byte);
    configuration = automaton_->Walk(configuration, {&c, 1});
    forced.push_back(c);
  }
  return forced;
}

std::string TokenConstraint::ShortestCompletion(State* state) {
  std::lock_guard lock(automaton_->mutex());
  automaton_->Enter(state);
  return state->finished_ ? std::string() : automaton_->ShortestCompletion(state->configuration_);
}

}  // namespace hearth::runtime
