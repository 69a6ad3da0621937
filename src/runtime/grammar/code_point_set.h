// Sets of code points, and how a grammar takes one of a set: as UTF-8, or as a JSON string spells
// it. Surrogates are in no set. Value type.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/grammar/byte_grammar.h"

namespace hearth::runtime {

class CodePointSet {
 public:
  using Range = std::pair<uint32_t, uint32_t>;  // both ends included
  static constexpr uint32_t kLast = 0x10FFFF;

  CodePointSet() = default;
  CodePointSet(std::initializer_list<Range> ranges) {
    for (const Range& range : ranges) Add(range.first, range.second);
  }
  static CodePointSet All() { return {{0, kLast}}; }

  void Add(uint32_t first, uint32_t last);
  void Add(const CodePointSet& other) {
    for (const Range& range : other.ranges_) Add(range.first, range.second);
  }
  CodePointSet Complement() const;
  CodePointSet Intersection(const CodePointSet& other) const;
  bool Contains(uint32_t c) const;
  bool empty() const { return ranges_.empty(); }
  // Sorted, apart from each other.
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

// One character of the set, in UTF-8.
void AddUtf8(const CodePointSet& set, uint32_t from, uint32_t to, GrammarBuilder* builder);
// One character of the set as it stands inside a JSON string: itself, or where it must be escaped
// its short escape, else \u00XX. No character that needs no escape is escaped.
void AddJsonSpelled(const CodePointSet& set, uint32_t from, uint32_t to, GrammarBuilder* builder);
// Any character of a JSON string, every escape allowed; surrogates come in pairs.
void AddJsonCharacter(uint32_t from, uint32_t to, GrammarBuilder* builder);

}  // namespace hearth::runtime
