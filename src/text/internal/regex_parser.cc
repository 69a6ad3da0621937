#include <algorithm>

#include "base/error.h"
#include "text/internal/regex_ast.h"
#include "text/internal/regex_cursor.h"
#include "text/internal/regex_folding.h"

namespace hearth::regex_internal {
namespace {

constexpr size_t kMaxPatternBytes = 1u << 20;
constexpr int kMaxDepth = 250;            // of nested groups: the parser and the compiler recurse
constexpr uint32_t kMaxRepeat = 100'000;  // Oniguruma's

struct Quantifier {
  uint32_t min = 0;
  uint32_t max = 0;
  Greed greed = Greed::kGreedy;
  bool fixed_interval = false;  // {n}: a following ? is another quantifier
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : cursor_(pattern) {}

  ParsedPattern Run() {
    named_only_ = HasNamedGroup();
    ParsedPattern parsed;
    parsed.root = ParseAlternatives(Options{}, 0);
    if (!cursor_.AtEnd()) cursor_.Fail("unmatched close parenthesis");
    ResolveReferences();
    parsed.groups = groups_;
    parsed.has_back_references = !references_.empty();
    return parsed;
  }

 private:
  struct PendingReference {
    Node* node;
    std::string name;  // or
    int number = 0;    // 0 with a name
    size_t position;
  };

  // Plain (...) groups do not capture when the pattern has a named group.
  bool HasNamedGroup() const {
    std::string_view text = cursor_.pattern();
    for (size_t i = 0; i + 3 < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '(' && text[i + 1] == '?' &&
                 (text[i + 2] == '\'' ||
                  (text[i + 2] == '<' && text[i + 3] != '=' && text[i + 3] != '!'))) {
        return true;
      }
    }
    return false;
  }

  NodePtr ParseAlternatives(Options options, int depth) {
    if (depth > kMaxDepth) cursor_.Fail("too deeply nested");
    std::vector<NodePtr> branches;
    branches.push_back(ParseBranch(options, depth));
    while (cursor_.Accept('|')) branches.push_back(ParseBranch(options, depth));
    if (branches.size() == 1) return std::move(branches[0]);
    NodePtr node = MakeNode(NodeKind::kAlternate);
    node->children = std::move(branches);
    return node;
  }

  NodePtr ParseBranch(Options options, int depth) {
    NodePtr sequence = MakeNode(NodeKind::kSequence);
    FoldedText pending;  // literal characters under (?i), not folded yet
    auto flush = [&] {
      if (!pending.empty()) FoldInto(&pending, in_look_behind_ > 0, sequence.get());
    };
    while (true) {
      if (options.extended) cursor_.SkipExtended();
      if (cursor_.AtEnd() || cursor_.Peek() == '|' || cursor_.Peek() == ')') break;
      if (cursor_.AcceptText("(?#")) {
        cursor_.SkipComment();
        continue;
      }
      Options inner = options;
      if (AcceptIsolatedOptions(&inner)) {
        flush();
        // They reach to the end of the group, over every following '|'.
        sequence->children.push_back(ParseAlternatives(inner, depth + 1));
        break;
      }
      size_t at = cursor_.position();
      std::optional<char32_t> literal = cursor_.AcceptLiteral();
      NodePtr atom = literal ? nullptr : ParseAtom(options, depth);
      std::optional<Quantifier> quantifier = AcceptQuantifier(options);
      if (literal && !quantifier && options.ignore_case && *literal != 0xFFFD) {
        pending.push_back(*literal);
        continue;
      }
      flush();
      if (literal) atom = LiteralNode(*literal, options);
      while (quantifier) {
        if (!IsRepeatable(*atom)) {
          cursor_.Fail("target of repeat operator is invalid", at);
        }
        atom = Repeat(std::move(atom), *quantifier);
        quantifier = AcceptQuantifier(options);
      }
      sequence->children.push_back(std::move(atom));
    }
    flush();
    if (sequence->children.empty()) return MakeNode(NodeKind::kEmpty);
    if (sequence->children.size() == 1) return std::move(sequence->children[0]);
    return sequence;
  }

  NodePtr LiteralNode(char32_t c, const Options& options) {
    // Not as bytes: it stands for every byte that is no UTF-8, too.
    if (c == 0xFFFD) return MakeSet(CodePointSet::Of({{c, c}}));
    if (!options.ignore_case) return MakeBytes(EncodeUtf8(c));
    FoldedText one{c};
    NodePtr sequence = MakeNode(NodeKind::kSequence);
    FoldInto(&one, in_look_behind_ > 0, sequence.get());
    return sequence->children.size() == 1 ? std::move(sequence->children[0]) : std::move(sequence);
  }

  // What takes nothing cannot be repeated, unless it stands in a group that does more than to hold
  // it together.
  static bool IsRepeatable(const Node& atom) {
    if (atom.kind == NodeKind::kAnchor || atom.kind == NodeKind::kLook) return false;
    return atom.kind != NodeKind::kAlternate ||
           std::all_of(atom.children.begin(), atom.children.end(),
                       [](const NodePtr& child) { return IsRepeatable(*child); });
  }

  // (?:x*)+ is x*, and so on for the greedy ?, * and +: taken literally, such a pair backtracks for
  // ever.
  static bool Reduces(const Node& inner, const Quantifier& outer) {
    if (inner.kind != NodeKind::kRepeat || inner.greed != Greed::kGreedy || inner.min > 1)
      return false;
    if (outer.greed != Greed::kGreedy || outer.min > 1) return false;
    if (inner.max == kInfinite) return outer.max == kInfinite || outer.max == 1;
    return inner.min == 0 && inner.max == 1 && outer.max == kInfinite;
  }

  static NodePtr Repeat(NodePtr atom, const Quantifier& quantifier) {
    if (Reduces(*atom, quantifier)) {
      atom->min *= quantifier.min;
      atom->max = kInfinite;
      return atom;
    }
    NodePtr node = MakeParent(NodeKind::kRepeat, std::move(atom));
    node->min = quantifier.min;
    node->max = quantifier.max;
    node->greed = quantifier.greed;
    return node;
  }

  std::optional<Quantifier> AcceptQuantifier(const Options& options) {
    if (options.extended) cursor_.SkipExtended();
    Quantifier quantifier;
    bool interval = false;
    if (cursor_.Accept('*')) {
      quantifier = {0, kInfinite};
    } else if (cursor_.Accept('+')) {
      quantifier = {1, kInfinite};
    } else if (cursor_.Accept('?')) {
      quantifier = {0, 1};
    } else if (!cursor_.AtEnd() && cursor_.Peek() == '{') {
      std::optional<Quantifier> braces = AcceptInterval();
      if (!braces) return std::nullopt;
      quantifier = *braces;
      interval = true;
    } else {
      return std::nullopt;
    }
    if (quantifier.greed == Greed::kPossessive) return quantifier;
    if (!quantifier.fixed_interval && cursor_.Accept('?')) {
      quantifier.greed = Greed::kLazy;
    } else if (!interval && cursor_.Accept('+')) {
      quantifier.greed = Greed::kPossessive;
    }
    return quantifier;
  }

  // {n}, {n,}, {n,m}, {,m}; anything else is literal text. {n,m} with n > m is {m,n} without a way
  // back.
  std::optional<Quantifier> AcceptInterval() {
    size_t start = cursor_.position();
    cursor_.Skip(1);
    std::optional<uint32_t> low = cursor_.AcceptNumber(kMaxRepeat);
    std::optional<uint32_t> high = low;
    bool comma = cursor_.Accept(',');
    if (comma) high = cursor_.AcceptNumber(kMaxRepeat);
    if ((!low && !high) || !cursor_.Accept('}')) {
      cursor_.MoveTo(start);
      return std::nullopt;
    }
    Quantifier quantifier{low.value_or(0), high.value_or(kInfinite)};
    quantifier.fixed_interval = !comma;
    if (quantifier.min > quantifier.max) {
      std::swap(quantifier.min, quantifier.max);
      quantifier.greed = Greed::kPossessive;
    }
    return quantifier;
  }

  NodePtr ParseAtom(const Options& options, int depth) {
    size_t at = cursor_.position();
    char c = cursor_.Peek();
    switch (c) {
      case '(':
        return ParseGroup(options, depth);
      case '[':
        return ParseClassNode(options);
      case '.':
        cursor_.Skip(1);
        return AnyCharacter(options.multi_line);
      case '^':
        cursor_.Skip(1);
        return AnchorNode(Anchor::kLineBegin);
      case '$':
        cursor_.Skip(1);
        return AnchorNode(Anchor::kLineEnd);
      case '*':
      case '+':
      case '?':
        cursor_.Fail("target of repeat operator is not specified", at);
      case '\\':
        return ParseEscape(options);
      default:  // '{' that opens an interval
        if (AcceptInterval()) cursor_.Fail("target of repeat operator is not specified", at);
        cursor_.Skip(1);
        return LiteralNode(static_cast<unsigned char>(c), options);
    }
  }

  NodePtr ParseClassNode(const Options& options) {
    CodePointSet set = cursor_.ParseClass(options);
    if (!options.ignore_case) return MakeSet(std::move(set));
    return FoldClass(std::move(set), cursor_.last_class_was_negative());
  }

  static NodePtr AnyCharacter(bool with_newline) {
    return MakeSet(with_newline ? CodePointSet::All() : CodePointSet::Of({{'\n', '\n'}}).Negated());
  }

  static NodePtr AnchorNode(Anchor anchor) {
    NodePtr node = MakeNode(NodeKind::kAnchor);
    node->anchor = anchor;
    return node;
  }

  NodePtr ParseEscape(const Options& options) {
    size_t at = cursor_.position();
    if (std::optional<CodePointSet> set = cursor_.AcceptClassEscape(options, false)) {
      return MakeSet(std::move(*set));
    }
    char c = cursor_.PeekAt(1);
    cursor_.Skip(2);
    switch (c) {
      case 'A':
        return AnchorNode(Anchor::kTextBegin);
      case 'z':
        return AnchorNode(Anchor::kTextEnd);
      case 'Z':
        return AnchorNode(Anchor::kTextEndOrNewline);
      case 'G':
        return AnchorNode(Anchor::kSearchBegin);
      case 'K':
        return AnchorNode(Anchor::kKeep);
      case 'b':
        return AnchorNode(options.ascii_word ? Anchor::kAsciiWordBoundary : Anchor::kWordBoundary);
      case 'B':
        return AnchorNode(options.ascii_word ? Anchor::kNotAsciiWordBoundary
                                             : Anchor::kNotWordBoundary);
      case 'N':
        return AnyCharacter(false);
      case 'O':
        return AnyCharacter(true);
      case 'R':
        return GeneralNewline();
      case 'X':
        return MakeNode(NodeKind::kGrapheme);
      case 'k':
        return ParseNamedReference(options, at);
      case 'g':
        cursor_.Fail("subexpression calls are not supported", at);
      case 'y':
      case 'Y':
        cursor_.Fail("text segment boundaries are not supported", at);
      default:
        break;
    }
    if (c >= '1' && c <= '9') {
      cursor_.MoveTo(at + 1);
      if (std::optional<NodePtr> node = AcceptNumberedReference(options, at)) {
        return std::move(*node);
      }
    }
    cursor_.MoveTo(at);
    return LiteralNode(cursor_.ParseCharacterEscape(), options);
  }

  // (?>\r\n|[\n-\r\x85\u2028\u2029])
  static NodePtr GeneralNewline() {
    NodePtr either = MakeNode(NodeKind::kAlternate);
    either->children.push_back(MakeBytes("\r\n"));
    either->children.push_back(
        MakeSet(CodePointSet::Of({{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}})));
    return MakeParent(NodeKind::kAtomic, std::move(either));
  }

  // --- groups ---------------------------------------------------------------------------------

  NodePtr ParseGroup(const Options& options, int depth) {
    size_t at = cursor_.position();
    cursor_.Skip(1);
    if (!cursor_.AcceptText("?")) {
      if (!cursor_.AtEnd() && cursor_.Peek() == '*') cursor_.Fail("callouts are not supported", at);
      if (named_only_) return Wrapped(NodeKind::kSequence, options, depth, at);
      return Capture(++groups_, options, depth, at);
    }
    if (cursor_.Accept(':')) return FinishGroup(ParseAlternatives(options, depth + 1), at);
    if (cursor_.Accept('>')) return Wrapped(NodeKind::kAtomic, options, depth, at);
    if (cursor_.Accept('=')) return Look(false, false, options, depth, at);
    if (cursor_.Accept('!')) return Look(false, true, options, depth, at);
    if (cursor_.AcceptText("<=")) return Look(true, false, options, depth, at);
    if (cursor_.AcceptText("<!")) return Look(true, true, options, depth, at);
    if (cursor_.Accept('<')) return NamedGroup('>', options, depth, at);
    if (cursor_.Accept('\'')) return NamedGroup('\'', options, depth, at);
    Options inner = options;
    if (cursor_.ParseOptions(&inner) != ':') cursor_.Fail("undefined group option", at);
    // A group of its own, for IsRepeatable.
    return MakeParent(NodeKind::kSequence, FinishGroup(ParseAlternatives(inner, depth + 1), at));
  }

  NodePtr FinishGroup(NodePtr body, size_t at) {
    if (!cursor_.Accept(')')) cursor_.Fail("end pattern with unmatched parenthesis", at);
    return body;
  }

  NodePtr Wrapped(NodeKind kind, const Options& options, int depth, size_t at) {
    return MakeParent(kind, FinishGroup(ParseAlternatives(options, depth + 1), at));
  }

  NodePtr Capture(int number, const Options& options, int depth, size_t at) {
    NodePtr node = Wrapped(NodeKind::kCapture, options, depth, at);
    node->number = number;
    return node;
  }

  NodePtr NamedGroup(char close, const Options& options, int depth, size_t at) {
    std::string name = cursor_.ParseName(close);
    names_.emplace_back(name, ++groups_);
    return Capture(groups_, options, depth, at);
  }

  NodePtr Look(bool behind, bool negative, const Options& options, int depth, size_t at) {
    in_look_behind_ += behind;
    NodePtr node = Wrapped(NodeKind::kLook, options, depth, at);
    in_look_behind_ -= behind;
    node->behind = behind;
    node->negative = negative;
    return node;
  }

  // (?i) without ':'; leaves the cursor behind it.
  bool AcceptIsolatedOptions(Options* options) {
    size_t start = cursor_.position();
    if (!cursor_.AcceptText("(?")) return false;
    if (!cursor_.AtEnd() &&
        std::string_view("imxWDSP-").find(cursor_.Peek()) != std::string_view::npos &&
        cursor_.ParseOptions(options) == ')') {
      return true;
    }
    cursor_.MoveTo(start);
    return false;
  }

  // --- back references --------------------------------------------------------------------------

  NodePtr Reference(PendingReference reference, const Options& options) {
    NodePtr node = MakeNode(NodeKind::kBackReference);
    node->ignore_case = options.ignore_case;
    reference.node = node.get();
    references_.push_back(std::move(reference));
    return node;
  }

  // \12 is a reference when it is below ten or so many groups exist, else an octal escape.
  std::optional<NodePtr> AcceptNumberedReference(const Options& options, size_t at) {
    std::optional<uint32_t> number = cursor_.AcceptNumber(1000);
    if (!number || (*number > 9 && static_cast<int>(*number) > groups_)) return std::nullopt;
    if (named_only_) cursor_.Fail("numbered backref/call is not allowed (use name)", at);
    return Reference({nullptr, "", static_cast<int>(*number), at}, options);
  }

  NodePtr ParseNamedReference(const Options& options, size_t at) {
    char close = 0;
    if (cursor_.Accept('<')) close = '>';
    if (close == 0 && cursor_.Accept('\'')) close = '\'';
    if (close == 0) return LiteralNode('k', options);
    bool back = cursor_.Accept('-');
    bool ahead = !back && cursor_.Accept('+');
    if (std::optional<uint32_t> number = cursor_.AcceptNumber(1000)) {
      if (!cursor_.Accept(close)) cursor_.Fail("invalid backref number/name", at);
      if (named_only_) cursor_.Fail("numbered backref/call is not allowed (use name)", at);
      int index = static_cast<int>(*number);
      if (back) index = groups_ + 1 - index;
      if (ahead) index = groups_ + index;
      if (index <= 0) cursor_.Fail("invalid backref number/name", at);
      return Reference({nullptr, "", index, at}, options);
    }
    if (back || ahead) cursor_.Fail("invalid backref number/name", at);
    return Reference({nullptr, cursor_.ParseName(close), 0, at}, options);
  }

  void ResolveReferences() {
    for (PendingReference& reference : references_) {
      if (reference.number > 0) {
        if (reference.number > groups_)
          cursor_.Fail("invalid backref number/name", reference.position);
        reference.node->groups.push_back(reference.number);
        continue;
      }
      for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
        if (name->first == reference.name) reference.node->groups.push_back(name->second);
      }
      if (reference.node->groups.empty()) {
        cursor_.Fail("undefined name <" + reference.name + "> reference", reference.position);
      }
    }
  }

  Cursor cursor_;
  int groups_ = 0;
  int in_look_behind_ = 0;
  bool named_only_ = false;
  std::vector<std::pair<std::string, int>> names_;
  std::vector<PendingReference> references_;
};

}  // namespace

NodePtr MakeNode(NodeKind kind) { return std::make_unique<Node>(kind); }

NodePtr MakeBytes(std::string_view bytes) {
  NodePtr node = MakeNode(NodeKind::kBytes);
  node->bytes = bytes;
  return node;
}

NodePtr MakeSet(CodePointSet set) {
  NodePtr node = MakeNode(NodeKind::kSet);
  node->set = std::move(set);
  return node;
}

NodePtr MakeParent(NodeKind kind, NodePtr child) {
  NodePtr node = MakeNode(kind);
  node->children.push_back(std::move(child));
  return node;
}

ParsedPattern ParseRegex(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    throw Error(Code::kTooLarge, "regular expression of more than 1 MiB");
  }
  return Parser(pattern).Run();
}

}  // namespace hearth::regex_internal
