#include <algorithm>

#include "base/error.h"
#include "text/internal/regex_classes.h"
#include "text/internal/regex_program.h"
#include "text/utf8.h"

namespace hearth::regex_internal {
namespace {

constexpr size_t kMaxInstructions = 200'000;
constexpr size_t kMaxSets = 4096;      // 9 kB each and more, and each is compared with the others
constexpr size_t kMaxSwitches = 2000;  // 1.2 kB each; a pattern with more uses plain splits
constexpr size_t kBranchesPerSwitch = 32;  // bits of a mask
constexpr size_t kMaxUnrolledNodes = 400;  // a larger repeat counts at run time

struct Follow {
  NextBytes next;           // what can come behind
  bool infallible = false;  // what comes behind matches whatever the text is
};

struct Length {
  uint32_t min = 0;
  uint32_t max = 0;  // characters; kInfinite
};

uint32_t AddLength(uint32_t a, uint32_t b) {
  return a == kInfinite || b == kInfinite || a + b > kInfinite / 4 ? kInfinite : a + b;
}

uint32_t TimesLength(uint32_t a, uint32_t times) {
  if (a == 0 || times == 0) return 0;
  if (a == kInfinite || times == kInfinite || uint64_t{a} * times > kInfinite / 4) return kInfinite;
  return a * times;
}

Length CharacterLength(const Node& node) {
  switch (node.kind) {
    case NodeKind::kBytes: {
      auto count = static_cast<uint32_t>(CountCodePoints(node.bytes));
      return {count, count};
    }
    case NodeKind::kSet:
      return {1, 1};
    case NodeKind::kGrapheme:
      return {1, kInfinite};
    case NodeKind::kBackReference:
      return {0, kInfinite};
    case NodeKind::kSequence: {
      Length total;
      for (const NodePtr& child : node.children) {
        Length length = CharacterLength(*child);
        total = {AddLength(total.min, length.min), AddLength(total.max, length.max)};
      }
      if (total.min == kInfinite) total.min = kInfinite / 4;
      return total;
    }
    case NodeKind::kAlternate: {
      Length either = CharacterLength(*node.children[0]);
      for (const NodePtr& child : node.children) {
        Length length = CharacterLength(*child);
        either = {std::min(either.min, length.min), std::max(either.max, length.max)};
      }
      return either;
    }
    case NodeKind::kRepeat: {
      Length once = CharacterLength(*node.children[0]);
      uint32_t min = TimesLength(once.min, node.min);
      return {min == kInfinite ? kInfinite / 4 : min, TimesLength(once.max, node.max)};
    }
    case NodeKind::kCapture:
    case NodeKind::kAtomic:
      return CharacterLength(*node.children[0]);
    default:
      return {};
  }
}

bool IsNullable(const Node& node) {
  switch (node.kind) {
    case NodeKind::kBytes:
      return node.bytes.empty();
    case NodeKind::kSet:
    case NodeKind::kGrapheme:
      return false;
    case NodeKind::kSequence:
      return std::all_of(node.children.begin(), node.children.end(),
                         [](const NodePtr& child) { return IsNullable(*child); });
    case NodeKind::kAlternate:
      return std::any_of(node.children.begin(), node.children.end(),
                         [](const NodePtr& child) { return IsNullable(*child); });
    case NodeKind::kRepeat:
      return node.min == 0 || IsNullable(*node.children[0]);
    case NodeKind::kCapture:
    case NodeKind::kAtomic:
      return IsNullable(*node.children[0]);
    default:
      return true;
  }
}

// Matches at every position of every text.
bool IsInfallible(const Node& node) {
  switch (node.kind) {
    case NodeKind::kEmpty:
      return true;
    case NodeKind::kSequence:
      return std::all_of(node.children.begin(), node.children.end(),
                         [](const NodePtr& child) { return IsInfallible(*child); });
    case NodeKind::kAlternate:
      return IsInfallible(*node.children.back());
    case NodeKind::kRepeat:
      return node.min == 0 || IsInfallible(*node.children[0]);
    case NodeKind::kCapture:
    case NodeKind::kAtomic:
      return IsInfallible(*node.children[0]);
    case NodeKind::kAnchor:
      return node.anchor == Anchor::kKeep;
    default:
      return false;
  }
}

size_t CountNodes(const Node& node) {
  size_t count = 1;
  for (const NodePtr& child : node.children) count += CountNodes(*child);
  return count;
}

NextBytes SetBytes(const CodePointSet& set) {
  std::array<uint8_t, 256> known = LeadBytes(set);
  NextBytes bytes;
  for (size_t b = 0; b < 256; ++b) bytes[b] = known[b] != kByteOut;
  return bytes;
}

NextBytes FirstBytes(const Node& node, const NextBytes& follow) {
  switch (node.kind) {
    case NodeKind::kBytes: {
      if (node.bytes.empty()) return follow;
      NextBytes bytes;
      bytes[static_cast<unsigned char>(node.bytes[0])] = true;
      return bytes;
    }
    case NodeKind::kSet:
      return SetBytes(node.set);
    case NodeKind::kGrapheme: {
      NextBytes bytes;
      bytes.set();
      bytes[kEndOfText] = false;
      return bytes;
    }
    case NodeKind::kSequence: {
      NextBytes next = follow;
      for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
        next = FirstBytes(**child, next);
      }
      return next;
    }
    case NodeKind::kAlternate: {
      NextBytes bytes;
      for (const NodePtr& child : node.children) bytes |= FirstBytes(*child, follow);
      return bytes;
    }
    case NodeKind::kRepeat: {
      NextBytes bytes = FirstBytes(*node.children[0], follow);
      return node.min == 0 ? bytes | follow : bytes;
    }
    case NodeKind::kCapture:
    case NodeKind::kAtomic:
      return FirstBytes(*node.children[0], follow);
    case NodeKind::kBackReference: {
      NextBytes all;
      return all.set();
    }
    default:
      return follow;
  }
}

class Compiler {
 public:
  explicit Compiler(const ParsedPattern& parsed) : parsed_(parsed) {}

  Program Run() {
    program_.slots = 1 + 2 * static_cast<uint32_t>(parsed_.groups);
    program_.referenced.resize(static_cast<size_t>(parsed_.groups) + 1);
    NextBytes anything;
    anything.set();
    Emit(*parsed_.root, {anything, true});
    Add(Op::kMatch);
    FillFirst();
    if (parsed_.root->kind == NodeKind::kSequence || parsed_.root->kind == NodeKind::kBytes) {
      FindWholeLiteral();
    }
    return std::move(program_);
  }

 private:
  void FillFirst() {
    NextBytes nothing;
    program_.can_be_empty = IsNullable(*parsed_.root);
    NextBytes first = FirstBytes(*parsed_.root, nothing);
    for (size_t b = 0; b < 256; ++b) {
      program_.first[b] = first[b];
      if (first[b]) program_.only_first = static_cast<int>(b);
    }
    first[kEndOfText] = false;
    if (first.count() != 1) program_.only_first = -1;
  }

  void FindWholeLiteral() {
    std::string text = parsed_.root->bytes;
    for (const NodePtr& child : parsed_.root->children) {
      if (child->kind != NodeKind::kBytes) return;
      text += child->bytes;
    }
    program_.whole_literal = std::move(text);
  }

  uint32_t Here() const { return static_cast<uint32_t>(program_.code.size()); }

  uint32_t Add(Op op, uint32_t a = 0, uint32_t b = 0) {
    if (program_.code.size() >= kMaxInstructions) {
      throw Error(Code::kTooLarge, "regular expression compiles to too many instructions");
    }
    Instruction instruction;
    instruction.op = op;
    instruction.a = a;
    instruction.b = b;
    program_.code.push_back(instruction);
    return Here() - 1;
  }

  Instruction& At(uint32_t index) { return program_.code[index]; }

  uint32_t SetIndex(const CodePointSet& set) {
    for (size_t i = 0; i < known_sets_.size(); ++i) {
      if (known_sets_[i] == set) return static_cast<uint32_t>(i);
    }
    if (known_sets_.size() >= kMaxSets) {
      throw Error(Code::kTooLarge, "regular expression has more than " + std::to_string(kMaxSets) +
                                       " different character classes");
    }
    known_sets_.push_back(set);
    program_.sets.emplace_back(set);
    return static_cast<uint32_t>(known_sets_.size() - 1);
  }

  void Emit(const Node& node, const Follow& follow) {
    switch (node.kind) {
      case NodeKind::kEmpty:
        return;
      case NodeKind::kBytes:
        return EmitBytes(node.bytes);
      case NodeKind::kSet:
        Add(Op::kSet, SetIndex(node.set));
        return;
      case NodeKind::kSequence:
        return EmitSequence(node, follow);
      case NodeKind::kAlternate:
        return EmitAlternate(node, follow);
      case NodeKind::kRepeat:
        return EmitRepeat(node, follow);
      case NodeKind::kCapture:
        return EmitCapture(node, follow);
      case NodeKind::kAtomic:
        return EmitAtomic(*node.children[0]);
      case NodeKind::kLook:
        return EmitLook(node);
      case NodeKind::kAnchor:
        if (node.anchor == Anchor::kKeep) {
          Add(Op::kSave, 0);
        } else {
          Add(Op::kAnchor, static_cast<uint32_t>(node.anchor));
        }
        return;
      case NodeKind::kBackReference:
        program_.references.push_back(node.groups);
        for (int group : node.groups) program_.referenced[static_cast<size_t>(group)] = true;
        Add(Op::kBackReference, static_cast<uint32_t>(program_.references.size() - 1),
            node.ignore_case);
        return;
      case NodeKind::kGrapheme:
        Add(Op::kGrapheme);
        return;
    }
  }

  void EmitBytes(std::string_view bytes) {
    if (bytes.size() == 1) {
      Add(Op::kByte, static_cast<unsigned char>(bytes[0]));
      return;
    }
    // Neighbours join into one comparison.
    Add(Op::kBytes, static_cast<uint32_t>(program_.literals.size()),
        static_cast<uint32_t>(bytes.size()));
    program_.literals += bytes;
  }

  void EmitSequence(const Node& node, const Follow& follow) {
    size_t count = node.children.size();
    std::vector<Follow> behind(count);
    Follow next = follow;
    for (size_t i = count; i-- > 0;) {
      behind[i] = next;
      next.next = FirstBytes(*node.children[i], next.next);
      next.infallible = next.infallible && IsInfallible(*node.children[i]);
    }
    for (size_t i = 0; i < count;) {
      std::string bytes;
      size_t j = i;
      while (j < count && node.children[j]->kind == NodeKind::kBytes)
        bytes += node.children[j++]->bytes;
      if (j > i) {
        EmitBytes(bytes);
        i = j;
      } else {
        Emit(*node.children[i], behind[i]);
        ++i;
      }
    }
  }

  // Branches in order of preference; each is emitted by its function and then jumps behind them
  // all.
  struct Branch {
    NextBytes first;
    const Node* node;  // nullptr: nothing
  };

  void EmitChoice(const std::vector<Branch>& branches, size_t from, const Follow& follow) {
    size_t count = branches.size() - from;
    if (count == 1) {
      if (branches[from].node != nullptr) Emit(*branches[from].node, follow);
      return;
    }
    size_t direct = std::min(count, kBranchesPerSwitch);
    bool chained = direct < count;
    if (chained) --direct;
    std::vector<uint32_t> jumps;
    bool use_switch = program_.switches.size() < kMaxSwitches;
    if (!use_switch) {
      direct = 1;
      chained = count > 1;
    }
    size_t table = program_.switches.size();
    uint32_t choice = Add(use_switch ? Op::kSwitch : Op::kSplit, static_cast<uint32_t>(table));
    if (use_switch) program_.switches.emplace_back();
    if (!use_switch) At(choice).a = Here();
    for (size_t i = 0; i < direct; ++i) {
      if (use_switch) AddBranch(table, i, branches[from + i].first);
      if (branches[from + i].node != nullptr) Emit(*branches[from + i].node, follow);
      if (i + 1 < direct || chained) jumps.push_back(Add(Op::kJump));
    }
    if (chained) {
      NextBytes rest;
      for (size_t i = from + direct; i < branches.size(); ++i) rest |= branches[i].first;
      if (use_switch) {
        AddBranch(table, direct, rest);
      } else {
        At(choice).b = Here();
      }
      EmitChoice(branches, from + direct, follow);
    }
    for (uint32_t jump : jumps) At(jump).a = Here();
  }

  void AddBranch(size_t table, size_t number, const NextBytes& first) {
    SwitchTable& entry = program_.switches[table];
    entry.targets[number] = Here();
    for (size_t b = 0; b < entry.masks.size(); ++b) {
      if (first[b]) entry.masks[b] |= 1u << number;
    }
  }

  void EmitAlternate(const Node& node, const Follow& follow) {
    std::vector<Branch> branches;
    for (const NodePtr& child : node.children) {
      branches.push_back({FirstBytes(*child, follow.next), child.get()});
    }
    EmitChoice(branches, 0, follow);
  }

  // --- repeats ----------------------------------------------------------------------------------

  void EmitRepeat(const Node& node, const Follow& follow) {
    const Node& body = *node.children[0];
    if (node.max == 0) return;
    if (body.kind == NodeKind::kSet) return EmitLoop(node, body.set, follow);
    if (body.kind == NodeKind::kBytes && CountCodePoints(body.bytes) == 1 &&
        IsValidUtf8(body.bytes)) {
      char32_t c = DecodeUtf8(body.bytes).value;
      return EmitLoop(node, CodePointSet::Of({{c, c}}), follow);
    }
    if (node.greed == Greed::kPossessive) {
      Add(Op::kAtomicBegin);
      NextBytes anything;
      EmitGeneralRepeat(node, {anything.set(), true});
      Add(Op::kAtomicEnd);
      return;
    }
    EmitGeneralRepeat(node, follow);
  }

  void EmitLoop(const Node& node, const CodePointSet& set, const Follow& follow) {
    NextBytes own = SetBytes(set);
    bool atomic = node.greed == Greed::kPossessive || node.min == node.max;
    uint32_t max = node.max;
    if (!atomic && node.greed == Greed::kLazy && follow.infallible) {
      atomic = true;  // what is behind takes over at once
      max = node.min;
    }
    if (!atomic && node.greed == Greed::kGreedy) {
      atomic = follow.infallible || (own & follow.next).none();
    }
    if (max == 1 && node.min == 1) {
      Add(Op::kSet, SetIndex(set));
      return;
    }
    Op op = atomic ? Op::kLoopAtomic : node.greed == Greed::kLazy ? Op::kLoopLazy : Op::kLoop;
    uint32_t loop = Add(op, SetIndex(set), FilterIndex(follow.next));
    At(loop).min = node.min;
    At(loop).max = max;
  }

  uint32_t FilterIndex(const NextBytes& next) {
    for (size_t i = 0; i < program_.filters.size(); ++i) {
      if (program_.filters[i] == next) return static_cast<uint32_t>(i);
    }
    program_.filters.push_back(next);
    return static_cast<uint32_t>(program_.filters.size() - 1);
  }

  void EmitGeneralRepeat(const Node& node, const Follow& follow) {
    const Node& body = *node.children[0];
    Follow inside{FirstBytes(body, follow.next) | follow.next, follow.infallible};
    uint64_t copies = node.max == kInfinite ? uint64_t{node.min} + 1 : node.max;
    if (copies > 1 && (copies - 1) * CountNodes(body) > kMaxUnrolledNodes) {
      return EmitCounted(node, {inside.next, false});
    }
    for (uint32_t i = 0; i < node.min; ++i) {
      bool last = i + 1 == node.min;
      bool infallible = follow.infallible && (last || IsInfallible(body));
      Emit(body, {inside.next, infallible});
    }
    if (node.max == kInfinite) return EmitStar(node, inside, follow);
    EmitOptional(node, node.max - node.min, inside, follow);
  }

  // The choice between another round and going on; returns the instruction to patch with the way
  // out.
  struct RoundChoice {
    uint32_t instruction;
    size_t table;
    bool is_switch;
    bool lazy;
  };

  RoundChoice AddRoundChoice(const Node& node, const NextBytes& body_first) {
    RoundChoice choice{0, program_.switches.size(), program_.switches.size() < kMaxSwitches,
                       node.greed == Greed::kLazy};
    if (choice.is_switch) {
      choice.instruction = Add(Op::kSwitch, static_cast<uint32_t>(choice.table));
      program_.switches.emplace_back();
      AddBranch(choice.table, choice.lazy ? 1 : 0, body_first);
    } else {
      choice.instruction = Add(Op::kSplit);
      (choice.lazy ? At(choice.instruction).b : At(choice.instruction).a) = Here();
    }
    return choice;
  }

  void PatchWayOut(const RoundChoice& choice, const NextBytes& next) {
    if (choice.is_switch) {
      AddBranch(choice.table, choice.lazy ? 0 : 1, next);
    } else {
      (choice.lazy ? At(choice.instruction).a : At(choice.instruction).b) = Here();
    }
  }

  void EmitStar(const Node& node, const Follow& inside, const Follow& follow) {
    const Node& body = *node.children[0];
    uint32_t start = Here();
    RoundChoice choice = AddRoundChoice(node, FirstBytes(body, inside.next));
    uint32_t check = EmitRound(body, inside);
    Add(Op::kJump, start);
    if (check != 0) At(check).b = Here();
    PatchWayOut(choice, follow.next);
  }

  // The body, guarded against rounds that take nothing; returns the check to patch, 0 for none.
  uint32_t EmitRound(const Node& body, const Follow& inside) {
    if (!IsNullable(body)) {
      Emit(body, inside);
      return 0;
    }
    uint32_t slot = program_.slots++;
    Add(Op::kEmptyBegin, slot);
    Emit(body, inside);
    return Add(Op::kEmptyCheck, slot);
  }

  void EmitOptional(const Node& node, uint32_t times, const Follow& inside, const Follow& follow) {
    const Node& body = *node.children[0];
    std::vector<RoundChoice> choices;
    NextBytes first = FirstBytes(body, inside.next);
    for (uint32_t i = 0; i < times; ++i) {
      choices.push_back(AddRoundChoice(node, first));
      Emit(body, inside);
    }
    for (const RoundChoice& choice : choices) PatchWayOut(choice, follow.next);
  }

  void EmitCounted(const Node& node, const Follow& inside) {
    uint32_t counter = program_.counters++;
    Add(Op::kCounterReset, counter);
    uint32_t loop = Add(Op::kCounterLoop, counter);
    At(loop).min = node.min;
    At(loop).max = node.max;
    At(loop).flag = node.greed == Greed::kLazy;
    uint32_t check = EmitRound(*node.children[0], inside);
    Add(Op::kJump, loop);
    if (check != 0) At(check).b = Here();
    At(loop).b = Here();
  }

  // --- groups
  // -------------------------------------------------------------------------------------

  void EmitCapture(const Node& node, const Follow& follow) {
    if (!parsed_.has_back_references) return Emit(*node.children[0], follow);
    auto slot = static_cast<uint32_t>(2 * node.number - 1);
    Add(Op::kSave, slot);
    Emit(*node.children[0], follow);
    Add(Op::kSave, slot + 1);
  }

  void EmitAtomic(const Node& body) {
    NextBytes anything;
    Add(Op::kAtomicBegin);
    Emit(body, {anything.set(), true});
    Add(Op::kAtomicEnd);
  }

  void EmitLook(const Node& node) {
    const Node& body = *node.children[0];
    if (body.kind == NodeKind::kSet) {
      uint32_t peek = Add(node.behind ? Op::kPeekBehind : Op::kPeekSet, SetIndex(body.set));
      At(peek).flag = node.negative;
      return;
    }
    NextBytes anything;
    anything.set();
    uint32_t begin = Add(node.behind ? Op::kBehindBegin : Op::kLookBegin);
    At(begin).flag = node.negative;
    if (node.behind) {
      Length length = CharacterLength(body);
      At(begin).min = length.min;
      At(begin).max = length.max;
      Emit(body, {anything, false});
      Add(node.negative ? Op::kBehindFail : Op::kBehindEnd);
    } else {
      Emit(body, {anything, true});
      Add(node.negative ? Op::kLookFail : Op::kLookEnd);
    }
    At(begin).a = Here();
  }

  const ParsedPattern& parsed_;
  Program program_;
  std::vector<CodePointSet> known_sets_;
};

}  // namespace

Program CompileRegex(const ParsedPattern& parsed) { return Compiler(parsed).Run(); }

}  // namespace hearth::regex_internal
