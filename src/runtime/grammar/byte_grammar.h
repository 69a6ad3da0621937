// A grammar over bytes: what regular expressions, JSON schemas and lists of choices become before
// they are matched against a vocabulary.
//
// It is a recursive transition network. A rule is a graph of states from a start to an end; an
// edge takes a byte of a range, nothing, or whatever another rule takes. Rules may call each other
// in circles, which gives nesting without a limit; everything else is as regular expressions are.
//
// Thread rule: a ByteGrammar is immutable and may be shared; a builder serves one thread.
// Errors: kTooLarge past the limits; kUnprocessable from Build where no text fits the grammar or
// where a rule calls itself before it takes a byte.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hearth::runtime {

class ByteGrammar {
 public:
  static constexpr uint32_t kNoRule = UINT32_MAX;
  struct ByteEdge {
    uint8_t first = 0;  // the range, both ends included
    uint8_t last = 0;
    uint32_t to = 0;
  };
  struct Jump {  // takes no byte itself
    uint32_t to = 0;
    uint32_t rule = kNoRule;  // takes what this rule takes, first
  };

  uint32_t start() const { return rule_starts_[root_]; }
  uint32_t rule_start(uint32_t rule) const { return rule_starts_[rule]; }
  size_t state_count() const { return ends_.size(); }
  // Whether a rule may be left in this state.
  bool is_end(uint32_t state) const { return ends_[state] != 0; }
  std::span<const ByteEdge> byte_edges(uint32_t state) const {
    return {byte_edges_.data() + byte_begins_[state],
            byte_begins_[state + 1] - byte_begins_[state]};
  }
  std::span<const Jump> jumps(uint32_t state) const {
    return {jumps_.data() + jump_begins_[state], jump_begins_[state + 1] - jump_begins_[state]};
  }

 private:
  friend class GrammarBuilder;
  uint32_t root_ = 0;
  std::vector<uint32_t> rule_starts_;
  std::vector<uint8_t> ends_;
  std::vector<uint32_t> byte_begins_, jump_begins_;
  std::vector<ByteEdge> byte_edges_;
  std::vector<Jump> jumps_;
};

class GrammarBuilder {
 public:
  // A state with its edges takes some 30 bytes: tens of megabytes at most for one grammar.
  static constexpr size_t kMaxStates = 300'000;
  static constexpr size_t kMaxEdges = 1'500'000;

  uint32_t AddState();
  uint32_t AddRule();  // with a start and an end
  uint32_t start(uint32_t rule) const { return rules_[rule].start; }
  uint32_t end(uint32_t rule) const { return rules_[rule].end; }

  void AddBytes(uint32_t from, uint32_t to, uint8_t first, uint8_t last);
  void AddText(uint32_t from, uint32_t to, std::string_view text);
  void AddEmpty(uint32_t from, uint32_t to) { AddJump(from, to, ByteGrammar::kNoRule); }
  void AddCall(uint32_t from, uint32_t to, uint32_t rule) { AddJump(from, to, rule); }

  // Leaves out every edge that cannot lead to the end, so that a text that was begun can always be
  // completed.
  ByteGrammar Build(uint32_t root) const;

 private:
  struct Rule {
    uint32_t start = 0, end = 0;
  };
  struct Edges {
    std::vector<ByteGrammar::ByteEdge> bytes;
    std::vector<ByteGrammar::Jump> jumps;
  };

  void AddJump(uint32_t from, uint32_t to, uint32_t rule);
  void CountEdge();
  std::vector<uint8_t> FindUseful() const;
  void RefuseLeftRecursion() const;

  std::vector<Edges> states_;
  std::vector<Rule> rules_;
  size_t edges_ = 0;
};

}  // namespace hearth::runtime
