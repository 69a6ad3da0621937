#include "runtime/grammar/regex_grammar.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "base/error.h"
#include "text/utf8.h"

namespace hearth::runtime {
namespace {

constexpr int kMaxDepth = 100;
constexpr size_t kMaxPatternBytes = 1 << 16;
constexpr size_t kMaxGraphStates = 100'000;
constexpr uint32_t kMaxCount = 10'000;
constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();

const CodePointSet& Digits() {
  static const CodePointSet kSet{{'0', '9'}};
  return kSet;
}
const CodePointSet& WordCharacters() {
  static const CodePointSet kSet{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return kSet;
}
// WhiteSpace and LineTerminator of ECMA 262.
const CodePointSet& Spaces() {
  static const CodePointSet kSet{
      {9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
      {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  return kSet;
}

// The expression as a tree; children are indices of nodes.
struct Node {
  enum class Kind { kSet, kSequence, kAlternatives, kRepeat } kind = Kind::kSequence;
  CodePointSet set;
  std::vector<uint32_t> children;
  uint32_t min = 1, max = 1;  // kRepeat
};

class Parser {
 public:
  Parser(std::string_view pattern, Anchoring anchoring) : pattern_(pattern), anchoring_(anchoring) {
    if (pattern.size() > kMaxPatternBytes) throw Error(Code::kTooLarge, "the regex is too long");
    if (!IsValidUtf8(pattern)) throw Error(Code::kInvalidArgument, "the regex is not UTF-8");
  }

  uint32_t Parse() {
    uint32_t root = Alternatives(0);
    if (at_ != pattern_.size()) Fail("unmatched ')'");
    return root;
  }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  using Kind = Node::Kind;

  [[noreturn]] void Fail(std::string_view what) const {
    throw Error(Code::kInvalidArgument,
                "regex: " + std::string(what) + " at byte " + std::to_string(at_));
  }
  [[noreturn]] void Unsupported(std::string_view what) const {
    throw Error(Code::kUnimplemented, "regex: " + std::string(what) + " at byte " +
                                          std::to_string(at_) + " is not supported in constraints");
  }

  uint32_t Add(Kind kind, std::vector<uint32_t> children = {}) {
    nodes_.push_back({kind, {}, std::move(children), 1, 1});
    return static_cast<uint32_t>(nodes_.size() - 1);
  }
  uint32_t AddSet(CodePointSet set) {
    uint32_t node = Add(Kind::kSet);
    nodes_[node].set = std::move(set);
    return node;
  }
  uint32_t AddRepeat(uint32_t child, uint32_t min, uint32_t max) {
    uint32_t node = Add(Kind::kRepeat, {child});
    nodes_[node].min = min;
    nodes_[node].max = max;
    return node;
  }
  uint32_t Anything() { return AddRepeat(AddSet(CodePointSet::All()), 0, kUnbounded); }

  bool AtEnd() const { return at_ >= pattern_.size(); }
  char Peek() const { return AtEnd() ? '\0' : pattern_[at_]; }
  bool Take(std::string_view text) {
    if (pattern_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }

  uint32_t Alternatives(int depth) {
    if (depth > kMaxDepth) throw Error(Code::kTooLarge, "the regex is nested too deeply");
    std::vector<uint32_t> alternatives;
    do {
      alternatives.push_back(depth == 0 ? Outermost() : Sequence(depth));
    } while (Take("|"));
    return alternatives.size() == 1 ? alternatives[0]
                                    : Add(Kind::kAlternatives, std::move(alternatives));
  }

  // ^ and $ say something only at the ends of the outermost alternatives.
  uint32_t Outermost() {
    std::vector<uint32_t> parts;
    const bool search = anchoring_ == Anchoring::kSearch;
    if (!Take("^") && search) parts.push_back(Anything());
    parts.push_back(Sequence(0));
    if (Take("$")) {
      if (!AtEnd() && Peek() != '|') Unsupported("'$' before the end");
    } else if (search) {
      parts.push_back(Anything());
    }
    return Add(Kind::kSequence, std::move(parts));
  }

  uint32_t Sequence(int depth) {
    std::vector<uint32_t> parts;
    while (!AtEnd() && Peek() != '|' && Peek() != ')' && !(depth == 0 && Peek() == '$')) {
      uint32_t atom = Atom(depth);
      parts.push_back(Quantified(atom));
    }
    return Add(Kind::kSequence, std::move(parts));
  }

  uint32_t Quantified(uint32_t atom) {
    uint32_t min = 0, max = kUnbounded;
    if (Take("*")) {
    } else if (Take("+")) {
      min = 1;
    } else if (Take("?")) {
      max = 1;
    } else if (Take("{")) {
      min = max = Number();
      if (Take(",")) max = Peek() == '}' ? kUnbounded : Number();
      if (!Take("}")) Fail("a count must look like {2}, {2,} or {2,5}");
      if (max < min) Fail("a count whose end is below its begin");
    } else {
      return atom;
    }
    uint32_t repeat = AddRepeat(atom, min, max);
    if (Take("?")) return repeat;  // lazy: the same texts
    if (Peek() == '+') Unsupported("a possessive quantifier");
    if (Peek() == '*' || Peek() == '?' || Peek() == '{')
      Fail("a quantifier with nothing to repeat");
    return repeat;
  }

  uint32_t Number() {
    size_t begin = at_;
    uint32_t value = 0;
    for (; Peek() >= '0' && Peek() <= '9'; ++at_) {
      value = std::min(value * 10 + static_cast<uint32_t>(Peek() - '0'), kMaxCount + 1);
    }
    if (at_ == begin) Fail("a count is missing");
    if (value > kMaxCount) {
      throw Error(Code::kTooLarge,
                  "regex: a count may be " + std::to_string(kMaxCount) + " at most");
    }
    return value;
  }

  uint32_t Atom(int depth) {
    char c = Peek();
    if (c == '(') return Group(depth);
    if (c == '[') return AddSet(Class());
    if (c == '^' || c == '$') Unsupported("an anchor inside the expression");
    if (c == '*' || c == '+' || c == '?') Fail("a quantifier with nothing to repeat");
    if (c == '.') {
      ++at_;
      static const CodePointSet kNoLineEnd =
          CodePointSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.Complement();
      return AddSet(kNoLineEnd);
    }
    if (c == '\\') return AddSet(Escape(/*in_class=*/false));
    CodePoint point = DecodeUtf8(pattern_.substr(at_));
    at_ += point.length;
    return AddSet(One(point.value));
  }

  uint32_t Group(int depth) {
    ++at_;
    if (Take("?")) {
      std::string_view rest = pattern_.substr(at_);
      bool behind = rest.starts_with("<=") || rest.starts_with("<!");
      if (!behind && (Take("P<") || Take("<"))) {
        size_t end = pattern_.find('>', at_);
        if (end == std::string_view::npos) Fail("a group's name has no end");
        at_ = end + 1;
      } else if (!Take(":")) {
        Unsupported("a group of this kind");
      }
    }
    uint32_t inner = Alternatives(depth + 1);
    if (!Take(")")) Fail("a group has no end");
    return inner;
  }

  uint32_t Hex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      char c = Peek();
      uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                       : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a') + 10
                       : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A') + 10
                                              : 16;
      if (digit == 16) Fail("a hexadecimal digit is missing");
      value = value * 16 + digit;
    }
    return value;
  }

  static CodePointSet One(uint32_t c) { return CodePointSet{{c, c}}; }

  CodePointSet Escape(bool in_class) {
    ++at_;
    if (AtEnd()) Fail("a backslash at the end");
    char c = Peek();
    if (c >= '1' && c <= '9') Unsupported("a back reference");
    if ((c == 'b' && !in_class) || c == 'B' || c == 'A' || c == 'Z' || c == 'z' || c == 'G') {
      Unsupported("an anchor");
    }
    if (c == 'p' || c == 'P') Unsupported("\\p");
    CodePoint point = DecodeUtf8(pattern_.substr(at_));
    at_ += point.length;
    switch (c) {
      case 'd':
        return Digits();
      case 'D':
        return Digits().Complement();
      case 'w':
        return WordCharacters();
      case 'W':
        return WordCharacters().Complement();
      case 's':
        return Spaces();
      case 'S':
        return Spaces().Complement();
      case 't':
        return One('\t');
      case 'n':
        return One('\n');
      case 'r':
        return One('\r');
      case 'f':
        return One('\f');
      case 'v':
        return One('\v');
      case 'b':
        return One('\b');
      case '0':
        return One(0);
      case 'x':
        return One(Hex(2));
      case 'u': {
        if (!Take("{")) return Unit(Hex(4));
        size_t end = pattern_.find('}', at_);
        if (end == std::string_view::npos || end - at_ > 6 || end == at_) Fail("a bad \\u{..}");
        uint32_t value = Hex(end - at_);
        ++at_;
        if (value > CodePointSet::kLast) Fail("a character above U+10FFFF");
        return One(value);
      }
      default:
        break;
    }
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) Fail("an unknown escape");
    return One(point.value);
  }

  // A UTF-16 unit; two surrogates in a row are one character.
  CodePointSet Unit(uint32_t unit) {
    if (unit >= 0xD800 && unit <= 0xDBFF && Take("\\u")) {
      uint32_t low = Hex(4);
      if (low < 0xDC00 || low > 0xDFFF) Fail("a lone surrogate");
      return One(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) Fail("a lone surrogate");
    return One(unit);
  }

  CodePointSet ClassItem() {
    if (Peek() == '\\') return Escape(/*in_class=*/true);
    CodePoint point = DecodeUtf8(pattern_.substr(at_));
    at_ += point.length;
    return One(point.value);
  }

  CodePointSet Class() {
    ++at_;
    bool negated = Take("^");
    CodePointSet set;
    while (Peek() != ']') {
      if (AtEnd()) Fail("a class has no end");
      if (Peek() == '[' && pattern_.substr(at_).starts_with("[:")) Unsupported("a POSIX class");
      CodePointSet item = ClassItem();
      bool single = item.ranges().size() == 1 && item.ranges()[0].first == item.ranges()[0].second;
      if (single && Peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        CodePointSet last = ClassItem();
        uint32_t low = item.ranges()[0].first;
        if (last.ranges().size() != 1 || last.ranges()[0].first != last.ranges()[0].second ||
            last.ranges()[0].first < low) {
          Fail("a bad range in a class");
        }
        set.Add(low, last.ranges()[0].first);
      } else {
        set.Add(item);
      }
      if (set.ranges().size() > 4096) throw Error(Code::kTooLarge, "regex: a class is too large");
    }
    ++at_;
    return negated ? set.Complement() : set;
  }

  std::string_view pattern_;
  Anchoring anchoring_;
  size_t at_ = 0;
  std::vector<Node> nodes_;
};

// Lays nodes between two states of a graph.
class Layout {
 public:
  Layout(const std::vector<Node>& nodes, CodePointGraph* graph) : nodes_(nodes), graph_(*graph) {}

  uint32_t AddState() {
    if (graph_.states.size() >= kMaxGraphStates) {
      throw Error(Code::kTooLarge, "the regex has too many states");
    }
    graph_.states.emplace_back();
    return static_cast<uint32_t>(graph_.states.size() - 1);
  }

  void Lay(uint32_t index, uint32_t from, uint32_t to) {
    const Node& node = nodes_[index];
    switch (node.kind) {
      case Node::Kind::kSet:
        return AddEdge(from, to, SetIndex(index));
      case Node::Kind::kRepeat:
        return LayRepeat(node, from, to);
      case Node::Kind::kAlternatives:
        for (uint32_t child : node.children) Lay(child, from, to);
        return;
      case Node::Kind::kSequence:
        for (size_t i = 0; i + 1 < node.children.size(); ++i) {
          uint32_t next = AddState();
          Lay(node.children[i], from, next);
          from = next;
        }
        if (node.children.empty()) return AddEdge(from, to, UINT32_MAX);
        return Lay(node.children.back(), from, to);
    }
  }

 private:
  void AddEdge(uint32_t from, uint32_t to, uint32_t set) {
    if (++edges_ > 4 * kMaxGraphStates) throw Error(Code::kTooLarge, "the regex is too large");
    graph_.states[from].push_back({to, set});
  }

  void LayRepeat(const Node& node, uint32_t from, uint32_t to) {
    uint32_t child = node.children[0];
    for (uint32_t i = 0; i < node.min; ++i) {
      uint32_t next = AddState();
      Lay(child, from, next);
      from = next;
    }
    if (node.max == kUnbounded) {
      uint32_t loop = AddState();
      AddEdge(from, loop, UINT32_MAX);
      Lay(child, loop, loop);
      from = loop;
    } else {
      for (uint32_t i = node.min; i < node.max; ++i) {
        AddEdge(from, to, UINT32_MAX);
        uint32_t next = AddState();
        Lay(child, from, next);
        from = next;
      }
    }
    AddEdge(from, to, UINT32_MAX);
  }

  uint32_t SetIndex(uint32_t node) {
    auto [at, is_new] = set_indices_.try_emplace(node, static_cast<uint32_t>(graph_.sets.size()));
    if (is_new) graph_.sets.push_back(nodes_[node].set);
    return at->second;
  }

  const std::vector<Node>& nodes_;
  CodePointGraph& graph_;
  std::map<uint32_t, uint32_t> set_indices_;
  size_t edges_ = 0;
};

}  // namespace

CodePointGraph ParseRegex(std::string_view pattern, Anchoring anchoring) {
  Parser parser(pattern, anchoring);
  uint32_t root = parser.Parse();
  CodePointGraph graph;
  Layout layout(parser.nodes(), &graph);
  graph.start = layout.AddState();
  graph.end = layout.AddState();
  layout.Lay(root, graph.start, graph.end);
  return graph;
}

void AddGraph(const CodePointGraph& graph, Spelling spelling, const LengthBounds& bounds,
              std::pair<uint32_t, uint32_t> from_to, GrammarBuilder* builder) {
  // The product with a counter of characters: one layer of states per count that matters. Without
  // a maximum all counts from the minimum on are one layer.
  const uint32_t layers = (bounds.max ? *bounds.max : bounds.min) + 1;
  const size_t count = graph.states.size();
  if (layers > GrammarBuilder::kMaxStates / std::max<size_t>(1, count)) {
    throw Error(Code::kTooLarge, "a pattern with these length bounds is too large");
  }
  // Only what can be reached is made.
  std::vector<uint32_t> made(count * layers, UINT32_MAX);
  std::vector<std::pair<uint32_t, uint32_t>> work;
  auto state_of = [&](uint32_t state, uint32_t layer) {
    uint32_t& slot = made[layer * count + state];
    if (slot == UINT32_MAX) {
      slot = builder->AddState();
      work.emplace_back(state, layer);
    }
    return slot;
  };
  builder->AddEmpty(from_to.first, state_of(graph.start, 0));
  while (!work.empty()) {
    auto [state, layer] = work.back();
    work.pop_back();
    uint32_t from = made[layer * count + state];
    if (state == graph.end && layer >= bounds.min) builder->AddEmpty(from, from_to.second);
    for (const CodePointGraph::Edge& edge : graph.states[state]) {
      if (edge.set == UINT32_MAX) {
        builder->AddEmpty(from, state_of(edge.to, layer));
        continue;
      }
      uint32_t next = layer + 1 < layers ? layer + 1 : layer;
      if (next == layer && bounds.max) continue;
      uint32_t to = state_of(edge.to, next);
      if (spelling == Spelling::kUtf8) {
        AddUtf8(graph.sets[edge.set], from, to, builder);
      } else {
        AddJsonSpelled(graph.sets[edge.set], from, to, builder);
      }
    }
  }
}

ByteGrammar RegexGrammar(std::string_view pattern) {
  GrammarBuilder builder;
  uint32_t rule = builder.AddRule();
  AddGraph(ParseRegex(pattern, Anchoring::kWhole), Spelling::kUtf8, {},
           {builder.start(rule), builder.end(rule)}, &builder);
  return builder.Build(rule);
}

ByteGrammar ChoiceGrammar(const std::vector<std::string>& choices) {
  if (choices.empty()) throw Error(Code::kInvalidArgument, "a choice needs at least one text");
  GrammarBuilder builder;
  uint32_t rule = builder.AddRule();
  for (const std::string& choice : choices) {
    builder.AddText(builder.start(rule), builder.end(rule), choice);
  }
  return builder.Build(rule);
}

}  // namespace hearth::runtime
