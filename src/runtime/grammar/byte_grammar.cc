#include "runtime/grammar/byte_grammar.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::runtime {

uint32_t GrammarBuilder::AddState() {
  if (states_.size() >= kMaxStates) throw Error(Code::kTooLarge, "the grammar has too many states");
  states_.emplace_back();
  return static_cast<uint32_t>(states_.size() - 1);
}

uint32_t GrammarBuilder::AddRule() {
  Rule rule;
  rule.start = AddState();
  rule.end = AddState();
  rules_.push_back(rule);
  return static_cast<uint32_t>(rules_.size() - 1);
}

void GrammarBuilder::CountEdge() {
  if (++edges_ > kMaxEdges) throw Error(Code::kTooLarge, "the grammar has too many edges");
}

void GrammarBuilder::AddBytes(uint32_t from, uint32_t to, uint8_t first, uint8_t last) {
  CountEdge();
  states_[from].bytes.push_back({first, last, to});
}

void GrammarBuilder::AddText(uint32_t from, uint32_t to, std::string_view text) {
  if (text.empty()) return AddEmpty(from, to);
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t next = i + 1 == text.size() ? to : AddState();
    AddBytes(from, next, static_cast<uint8_t>(text[i]), static_cast<uint8_t>(text[i]));
    from = next;
  }
}

void GrammarBuilder::AddJump(uint32_t from, uint32_t to, uint32_t rule) {
  CountEdge();
  states_[from].jumps.push_back({to, rule});
}

// A state is useful when its rule's end can be reached from it with calls of useful rules only.
// Backwards from the ends; a call waits at its rule until that proves useful.
std::vector<uint8_t> GrammarBuilder::FindUseful() const {
  std::vector<std::vector<uint32_t>> before(states_.size());
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> calls_to(states_.size());
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> waiting(rules_.size());
  std::vector<std::vector<uint32_t>> rules_at(states_.size());
  for (uint32_t state = 0; state < states_.size(); ++state) {
    for (const auto& edge : states_[state].bytes) before[edge.to].push_back(state);
    for (const auto& jump : states_[state].jumps) {
      if (jump.rule == ByteGrammar::kNoRule) {
        before[jump.to].push_back(state);
      } else {
        calls_to[jump.to].push_back({state, jump.rule});
      }
    }
  }
  for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
    rules_at[rules_[rule].start].push_back(rule);
  }
  std::vector<uint8_t> useful(states_.size());
  std::vector<uint32_t> work;
  auto mark = [&](uint32_t state) {
    if (useful[state]) return;
    useful[state] = 1;
    work.push_back(state);
  };
  for (const Rule& rule : rules_) mark(rule.end);
  while (!work.empty()) {
    uint32_t state = work.back();
    work.pop_back();
    for (uint32_t from : before[state]) mark(from);
    for (auto [from, rule] : calls_to[state]) {
      if (useful[rules_[rule].start]) {
        mark(from);
      } else {
        waiting[rule].push_back({from, state});
      }
    }
    for (uint32_t rule : rules_at[state]) {
      for (auto [from, to] : waiting[rule]) mark(from);
    }
  }
  return useful;
}

// The closure of a state must be finite: following jumps from a rule's start, no rule may be
// entered that is being entered already, unless a byte was taken in between. (A rule that may take
// nothing lets its caller go on, too.)
void GrammarBuilder::RefuseLeftRecursion() const {
  // Which rules can take nothing, by iteration to a fixed point over states.
  std::vector<uint8_t> to_end(states_.size());
  for (const Rule& rule : rules_) to_end[rule.end] = 1;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = static_cast<uint32_t>(states_.size()); i-- > 0;) {
      if (to_end[i]) continue;
      for (const auto& jump : states_[i].jumps) {
        bool passes = jump.rule == ByteGrammar::kNoRule || to_end[rules_[jump.rule].start];
        if (passes && to_end[jump.to]) {
          to_end[i] = 1;
          changed = true;
          break;
        }
      }
    }
  }
  // Rules that each rule enters without a byte.
  std::vector<std::vector<uint32_t>> enters(rules_.size());
  std::vector<uint32_t> seen(states_.size(), UINT32_MAX);
  for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
    std::vector<uint32_t> work{rules_[rule].start};
    seen[work[0]] = rule;
    while (!work.empty()) {
      uint32_t state = work.back();
      work.pop_back();
      for (const auto& jump : states_[state].jumps) {
        bool called = jump.rule != ByteGrammar::kNoRule;
        if (called) enters[rule].push_back(jump.rule);
        if (called && !to_end[rules_[jump.rule].start]) continue;
        if (seen[jump.to] == rule) continue;
        seen[jump.to] = rule;
        work.push_back(jump.to);
      }
    }
  }
  // A circle among them, by depth-first search without recursion.
  std::vector<uint8_t> colour(rules_.size());
  for (uint32_t root = 0; root < rules_.size(); ++root) {
    if (colour[root] != 0) continue;
    std::vector<std::pair<uint32_t, size_t>> path{{root, 0}};
    colour[root] = 1;
    while (!path.empty()) {
      auto& [rule, next] = path.back();
      if (next == enters[rule].size()) {
        colour[rule] = 2;
        path.pop_back();
        continue;
      }
      uint32_t entered = enters[rule][next++];
      if (colour[entered] == 1) {
        throw Error(Code::kUnprocessable, "the grammar refers to itself without any text between");
      }
      if (colour[entered] == 0) {
        colour[entered] = 1;
        path.push_back({entered, 0});
      }
    }
  }
}

ByteGrammar GrammarBuilder::Build(uint32_t root) const {
  std::vector<uint8_t> useful = FindUseful();
  if (!useful[rules_[root].start]) {
    throw Error(Code::kUnprocessable, "no text fits the grammar");
  }
  RefuseLeftRecursion();
  ByteGrammar grammar;
  grammar.root_ = root;
  for (const Rule& rule : rules_) grammar.rule_starts_.push_back(rule.start);
  grammar.ends_.resize(states_.size());
  for (const Rule& rule : rules_) grammar.ends_[rule.end] = 1;
  for (const Edges& state : states_) {
    grammar.byte_begins_.push_back(static_cast<uint32_t>(grammar.byte_edges_.size()));
    grammar.jump_begins_.push_back(static_cast<uint32_t>(grammar.jumps_.size()));
    for (const auto& edge : state.bytes) {
      if (useful[edge.to]) grammar.byte_edges_.push_back(edge);
    }
    for (const auto& jump : state.jumps) {
      bool called = jump.rule == ByteGrammar::kNoRule || useful[rules_[jump.rule].start];
      if (called && useful[jump.to]) grammar.jumps_.push_back(jump);
    }
  }
  grammar.byte_begins_.push_back(static_cast<uint32_t>(grammar.byte_edges_.size()));
  grammar.jump_begins_.push_back(static_cast<uint32_t>(grammar.jumps_.size()));
  return grammar;
}

}  // namespace hearth::runtime
