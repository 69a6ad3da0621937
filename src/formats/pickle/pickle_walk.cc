#include "formats/pickle/pickle_walk.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/pickle/internal/pickle_machine.h"

namespace hearth {
namespace {

constexpr size_t kMaxTextBytes = 256;  // of a literal that is followed: names are shorter
constexpr size_t kMaxIssues = 200;
constexpr size_t kMaxLiterals = 10'000;
constexpr size_t kMaxChoices = 4;  // of a name that loaders read differently

bool IsIdentifierPath(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
}

// GLOBAL or INST with two lines of identifiers at text[at].
bool IsOldGlobal(std::string_view text, size_t at) {
  if (at >= text.size() || (text[at] != 'c' && text[at] != 'i')) return false;
  size_t first = text.find('\n', at);
  if (first == std::string_view::npos) return false;
  size_t second = text.find('\n', first + 1);
  if (second == std::string_view::npos) return false;
  return IsIdentifierPath(text.substr(at + 1, first - at - 1)) &&
         IsIdentifierPath(text.substr(first + 1, second - first - 1));
}

bool IsBase64Pickle(std::string_view text) {
  return text.size() >= 16 && text.substr(0, 2) == "gA" && text[2] >= 'I' && text[2] <= 'X';
}

}  // namespace

bool HasPickleHeader(std::string_view first) {
  return first.size() >= 2 && first[0] == '\x80' && static_cast<unsigned char>(first[1]) <= 5;
}

bool LooksLikePickle(std::string_view first) {
  if (HasPickleHeader(first)) return true;
  // Protocols 0 and 1: a container, a global or a call at the start.
  size_t at = 0;
  while (at < first.size() && at < 4 && (first[at] == '(' || first[at] == ']' || first[at] == '}'))
    ++at;
  if (IsOldGlobal(first, at)) return true;
  return at > 0 && at < first.size() && first.size() > at + 1 &&
         PickleArgumentOf(static_cast<uint8_t>(first[at])) != PickleArgument::kInvalid &&
         (first.substr(at, 2) == "lp" || first.substr(at, 2) == "dp" || first[at] == 'q' ||
          first[at] == 'X' || first[at] == 'U' || first.substr(at, 2) == "S'" || first[at] == 'V');
}

GlobalClass PickleReport::worst() const {
  GlobalClass worst = GlobalClass::kSafe;
  for (const PickleGlobal& global : globals) worst = std::max(worst, global.cls);
  return worst;
}

PickleWalker::PickleWalker(ByteSource& source, const PickleWalkLimits& limits)
    : machine_(std::make_unique<Machine>(source, limits, 0)) {}
PickleWalker::~PickleWalker() = default;

PickleReport PickleWalker::Walk(uint64_t begin, uint64_t end) { return machine_->Walk(begin, end); }

// --- the loop ---------------------------------------------------------------------------------

PickleReport PickleWalker::Machine::Walk(uint64_t begin, uint64_t end) {
  report_ = {};
  sound_ = true;
  globals_.clear();
  stack_.clear();
  marks_.clear();
  for (const auto& [key, memo] : memo_) old_memo_[key] = memo;
  memo_.clear();
  end_ = std::min(end, source_.size_bytes());
  PickleReader reader(source_, begin, end_, {.max_line_bytes = 64 << 10, .max_kept_bytes = 4096});
  reader_ = &reader;
  PickleOp op;
  while (true) {
    offset_ = reader.position();
    if (report_.ops++ >= limits_.max_ops) {
      Issue(Severity::kSuspicious, "pickle-too-long", "the walk stopped at its limit of opcodes");
      break;
    }
    if (!reader.Next(&op)) {
      Malformed("the pickle " + reader.problem());
      break;
    }
    if (!Step(op)) {
      report_.complete = true;
      break;
    }
  }
  report_.end = reader.position();
  reader_ = nullptr;
  return std::move(report_);
}

void PickleWalker::Machine::Issue(Severity severity, const char* kind, std::string text) {
  if (report_.issues.size() >= kMaxIssues) return;
  // One of a kind is enough, unless the words differ.
  for (const PickleIssue& other : report_.issues) {
    if (other.kind == kind && other.text == text) return;
  }
  report_.issues.push_back({severity, kind, offset_, std::move(text)});
}

// --- opcodes ----------------------------------------------------------------------------------

bool PickleWalker::Machine::Step(const PickleOp& op) {
  switch (op.code) {
    case pickle::kStop:
      Pop();
      return false;
    case pickle::kProto:
      report_.has_proto = report_.has_proto || op.number <= 5;
      if (op.number > 5) Malformed("the pickle has protocol " + std::to_string(op.number));
      return true;
    case pickle::kFrame:
      return true;
    case pickle::kMark:
      marks_.push_back(stack_.size());
      return true;
    case pickle::kPop:
      // At a mark it takes the mark.
      if (!marks_.empty() && stack_.size() == marks_.back()) {
        marks_.pop_back();
      } else {
        Pop();
      }
      return true;
    case pickle::kPopMark:
      PopToMark();
      return true;
    case pickle::kDup:
      Push(Top());
      return true;
    case pickle::kGet:
    case pickle::kBinGet:
    case pickle::kLongBinGet:
    case pickle::kPut:
    case pickle::kBinPut:
    case pickle::kLongBinPut:
    case pickle::kMemoize:
      StepMemo(op);
      return true;
    default:
      StepObject(op);
      return true;
  }
}

void PickleWalker::Machine::StepObject(const PickleOp& op) {
  switch (op.code) {
    case pickle::kGlobal:
      return PushGlobal(op.text, op.second);
    case pickle::kStackGlobal:
      return StackGlobal();
    case pickle::kExt1:
    case pickle::kExt2:
    case pickle::kExt4:
      Issue(Severity::kSuspicious, "pickle-extension",
            "extension code " + std::to_string(op.number) +
                ": what it imports depends on the loader");
      return Push({});
    case pickle::kReduce:
    case pickle::kNewObj: {
      PickleValue arguments = Pop();
      return Call(Pop(), arguments);
    }
    case pickle::kNewObjEx: {
      PickleValue named = Pop();
      PickleValue arguments = Pop();
      return Call(Pop(), MakeContainer(Kind::kTuple, {arguments, named}));
    }
    case pickle::kInst: {
      PickleValue arguments = MakeContainer(Kind::kTuple, PopToMark());
      PushGlobal(op.text, op.second);
      return Call(Pop(), arguments);
    }
    case pickle::kObj: {
      std::vector<PickleValue> items = PopToMark();
      PickleValue callee = items.empty() ? PickleValue() : items.front();
      if (!items.empty()) items.erase(items.begin());
      return Call(callee, MakeContainer(Kind::kTuple, items));
    }
    case pickle::kBuild:
      return Build();
    case pickle::kBinPersId:
      Pop();
      return Push({Kind::kPersistent, 0});
    case pickle::kPersId:
      return Push({Kind::kPersistent, 0});
    default:
      StepLiteral(op);
  }
}

void PickleWalker::Machine::StepLiteral(const PickleOp& op) {
  switch (op.code) {
    case pickle::kNone:
      return Push({Kind::kNone, 0});
    case pickle::kNewTrue:
      return Push({Kind::kBool, 1});
    case pickle::kNewFalse:
      return Push({Kind::kBool, 0});
    case pickle::kBinInt:
    case pickle::kBinInt1:
    case pickle::kBinInt2:
      return Push({Kind::kInt, static_cast<int64_t>(op.number)});
    case pickle::kInt:
    case pickle::kLong: {
      std::string_view digits = TrimAscii(op.text);
      if (!digits.empty() && digits.back() == 'L') digits.remove_suffix(1);
      std::optional<int64_t> value = ParseInt(digits);
      return Push(value ? PickleValue{Kind::kInt, *value} : PickleValue());
    }
    case pickle::kLong1:
    case pickle::kLong4: {
      int64_t value;
      bool fits = op.text_is_whole() && PickleLong(op.text, &value);
      return Push(fits ? PickleValue{Kind::kInt, value} : PickleValue());
    }
    case pickle::kFloat:
    case pickle::kBinFloat:
      return Push({Kind::kFloat, 0});
    case pickle::kString:
    case pickle::kBinString:
    case pickle::kShortBinString:
    case pickle::kUnicode:
    case pickle::kBinUnicode:
    case pickle::kShortBinUnicode:
    case pickle::kBinUnicode8:
    case pickle::kBinBytes:
    case pickle::kShortBinBytes:
    case pickle::kBinBytes8:
    case pickle::kByteArray8:
      return Literal(op);
    default:
      StepContainer(op);
  }
}

void PickleWalker::Machine::StepContainer(const PickleOp& op) {
  auto tuple = [&](size_t n) {
    std::vector<PickleValue> items(n);
    for (size_t i = n; i-- > 0;) items[i] = Pop();
    Push(MakeContainer(Kind::kTuple, items));
  };
  switch (op.code) {
    case pickle::kEmptyTuple:
      return Push(MakeContainer(Kind::kTuple, {}));
    case pickle::kEmptyList:
      return Push(MakeContainer(Kind::kList, {}));
    case pickle::kEmptyDict:
      return Push(MakeContainer(Kind::kDict, {}));
    case pickle::kEmptySet:
      return Push(MakeContainer(Kind::kSet, {}));
    case pickle::kTuple:
      return Push(MakeContainer(Kind::kTuple, PopToMark()));
    case pickle::kList:
      return Push(MakeContainer(Kind::kList, PopToMark()));
    case pickle::kDict:
      return Push(MakeContainer(Kind::kDict, PopToMark()));
    case pickle::kFrozenSet:
      return Push(MakeContainer(Kind::kSet, PopToMark()));
    case pickle::kTuple1:
      return tuple(1);
    case pickle::kTuple2:
      return tuple(2);
    case pickle::kTuple3:
      return tuple(3);
    case pickle::kNextBuffer:
      return Push({});
    case pickle::kReadonlyBuffer:
      return;
    case pickle::kAppend:
    case pickle::kSetItem: {
      PickleValue value = Pop();
      PickleValue key = op.code == pickle::kSetItem ? Pop() : value;
      PickleValue target = Top();
      if (target.kind == Kind::kDict) {
        std::vector<PickleValue>& items = nodes_[static_cast<size_t>(target.number)].items;
        if (items.size() < kMaxPickleItems) items.insert(items.end(), {key, value});
      }
      return Change(target, "sets an item of");
    }
    case pickle::kAppends:
    case pickle::kAddItems:
    case pickle::kSetItems: {
      std::vector<PickleValue> added = PopToMark();
      PickleValue target = Top();
      if (op.code == pickle::kSetItems && target.kind == Kind::kDict) {
        std::vector<PickleValue>& items = nodes_[static_cast<size_t>(target.number)].items;
        for (size_t i = 0; i + 1 < added.size() && items.size() < kMaxPickleItems; i += 2) {
          items.insert(items.end(), {added[i], added[i + 1]});
        }
      }
      return Change(target, "adds items to");
    }
    default:
      return;
  }
}

void PickleWalker::Machine::Literal(const PickleOp& op) {
  bool is_bytes = op.code == pickle::kBinBytes || op.code == pickle::kShortBinBytes ||
                  op.code == pickle::kBinBytes8 || op.code == pickle::kByteArray8;
  std::string text = op.text;
  if (op.code == pickle::kString && !DecodePickleString(op.text, &text)) {
    Malformed("a string is not quoted");
    text = op.text;
  }
  if (op.code == pickle::kUnicode) text = DecodePickleUnicode(op.text);
  NoteLiteral(op, text, is_bytes);
  PickleNode node;
  node.data_offset = op.data_offset;
  node.data_bytes = op.data_bytes;
  node.is_bytes = is_bytes;
  bool line = op.code == pickle::kString || op.code == pickle::kUnicode;
  node.whole = (line || op.text_is_whole()) && text.size() <= kMaxTextBytes;
  if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);
  node.text = std::move(text);
  Push(MakeNode(Kind::kText, std::move(node)));
}

// Keeps the place of literals that start like a pickle, an archive or a compressed stream.
void PickleWalker::Machine::NoteLiteral(const PickleOp& op, std::string_view first, bool is_bytes) {
  if (first.size() < 6 || report_.literals.size() >= kMaxLiterals) return;
  PickleLiteral literal{.offset = op.data_offset, .bytes = op.data_bytes};
  bool header =
      HasPickleHeader(first) || IsOldGlobal(first, 0) || IsOldGlobal(first, 1) ||
      first.substr(0, 2) == "PK" || first.substr(0, 2) == "\x1f\x8b" ||
      first.substr(0, 3) == "BZh" || first.substr(1, 5) == "NUMPY" || first.substr(0, 2) == "7z" ||
      first.substr(0, 4) == "\x28\xB5\x2F\xFD" ||
      first.substr(0, 3) ==
          "\xFD"
          "7z" ||
      (is_bytes && first[0] == 'x' &&
       (first[1] == '\x9c' || first[1] == '\xda' || first[1] == '\x01' || first[1] == '\x5e'));
  // A byte of 0x80 as a code point.
  literal.latin1 = !header && first.substr(0, 2) == "\xC2\x80";
  literal.base64 = !header && IsBase64Pickle(first);
  if (header || literal.latin1 || literal.base64) report_.literals.push_back(literal);
}

void PickleWalker::Machine::PushGlobal(std::string_view module, std::string_view name) {
  std::string key = std::string(module) + "\n" + std::string(name);
  auto found = globals_.find(key);
  if (found == globals_.end()) {
    if (report_.globals.size() >= limits_.max_globals) {
      Issue(Severity::kSuspicious, "pickle-too-many-globals", "more globals than are listed");
      return Push({});
    }
    found = globals_.emplace(std::move(key), report_.globals.size()).first;
    PickleGlobal global;
    global.module = module;
    global.name = name;
    global.cls = ClassifyGlobal(module, name);
    global.offset = offset_;
    report_.globals.push_back(std::move(global));
  }
  ++report_.globals[found->second].count;
  PickleNode node;
  node.text = module;
  node.second = name;
  Push(MakeNode(Kind::kGlobal, std::move(node)));
}

void PickleWalker::Machine::StackGlobal() {
  std::vector<std::string> names = Strings(Pop());
  std::vector<std::string> modules = Strings(Pop());
  if (names.empty() || modules.empty()) {
    Issue(Severity::kDangerous, "pickle-computed-name",
          "imports a global whose name is made while the pickle is loaded");
    return Push({});
  }
  std::vector<PickleValue> choices;
  for (const std::string& module : modules) {
    for (const std::string& name : names) {
      if (choices.size() >= kMaxChoices) break;
      PushGlobal(module, name);
      choices.push_back(Pop());
    }
  }
  Push(choices.size() == 1 ? choices[0] : MakeContainer(Kind::kEither, choices));
}

void PickleWalker::Machine::Call(PickleValue callee, PickleValue arguments) {
  const PickleNode* node = NodeOf(callee);
  std::vector<PickleValue> callees = {callee};
  if (callee.kind == Kind::kEither) callees = node->items;
  for (PickleValue one : callees) {
    const PickleNode* global = NodeOf(one);
    if (one.kind != Kind::kGlobal) {
      Issue(Severity::kSuspicious, "pickle-unknown-call",
            "calls " + Describe(one, 1).substr(0, 100) + ", which is not a global");
      continue;
    }
    auto found = globals_.find(global->text + "\n" + global->second);
    if (found == globals_.end()) continue;
    PickleGlobal& entry = report_.globals[found->second];
    entry.runs = entry.runs || sound_;
    if (entry.cls != GlobalClass::kSafe && entry.use.empty()) {
      entry.use = "called with " + Describe(arguments, 0);
    }
  }
  PickleValue call = MakeContainer(Kind::kCall, {callee, arguments});
  bool encodes = callee.kind == Kind::kGlobal && arguments.kind == Kind::kTuple &&
                 NodeOf(callee)->text == "_codecs" && NodeOf(callee)->second == "encode";
  Push(encodes ? Encode(call, *NodeOf(arguments)) : call);
}

// _codecs.encode(text, codec): how protocol 2 writes bytes. Codecs that do more than that can put a
// name together.
PickleValue PickleWalker::Machine::Encode(PickleValue call, const PickleNode& arguments) {
  std::string codec = "utf-8";
  if (arguments.items.size() > 1) {
    std::vector<std::string> names = Strings(arguments.items[1]);
    codec = names.empty() ? "?" : AsciiLower(names[0]);
  }
  static constexpr std::string_view kPlain[] = {
      "latin1", "latin-1", "latin_1", "iso-8859-1", "iso8859-1", "utf-8", "utf8", "utf_8", "ascii"};
  if (std::find(std::begin(kPlain), std::end(kPlain), codec) == std::end(kPlain)) {
    Issue(Severity::kSuspicious, "pickle-codec",
          "encodes text with the codec \"" + codec.substr(0, 40) + "\"");
    return {};
  }
  if (arguments.items.empty() || arguments.items[0].kind != Kind::kText) return call;
  PickleNode node = *NodeOf(arguments.items[0]);
  node.is_bytes = true;
  return MakeNode(Kind::kText, std::move(node));
}

void PickleWalker::Machine::Change(PickleValue target, const char* how) {
  if (target.kind != Kind::kGlobal) return;
  const PickleNode* global = NodeOf(target);
  auto found = globals_.find(global->text + "\n" + global->second);
  if (found != globals_.end() && sound_) report_.globals[found->second].runs = true;
  Issue(Severity::kDangerous, "pickle-changes-global",
        std::string(how) + " " + Describe(target, 0) + ", which the whole process shares");
}

void PickleWalker::Machine::Build() {
  PickleValue state = Pop();
  PickleValue object = Top();
  Change(object, "sets the state of");
  const PickleNode* given = NodeOf(state);
  if (state.kind == Kind::kTuple && given->items.size() == 2 &&
      given->items[1].kind == Kind::kDict) {
    const std::vector<PickleValue>& slots = NodeOf(given->items[1])->items;
    for (size_t i = 0; i < slots.size(); i += 2) {
      for (const std::string& name : Strings(slots[i])) {
        if (name.substr(0, 2) == "__") {
          Issue(Severity::kDangerous, "pickle-sets-dunder",
                "sets the attribute " + name.substr(0, 60));
        }
      }
    }
  }
  if (object.kind != Kind::kCall) return;
  PickleNode& node = nodes_[static_cast<size_t>(object.number)];
  if (node.items.size() < 3) node.items.push_back(state);
  if (state.kind == Kind::kDict && ReadWrapper(node)) SkipArray(node, *NodeOf(state));
}

}  // namespace hearth
