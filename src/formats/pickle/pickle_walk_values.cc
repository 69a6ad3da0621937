// Values, stack and memo of the abstract pickle machine; the opcodes are in pickle_walk.cc.
#include <algorithm>

#include "formats/pickle/internal/pickle_machine.h"

namespace hearth {
namespace {

constexpr size_t kMaxTextBytes = 256;  // of a literal that is followed: names are shorter
constexpr size_t kMaxDescribed = 200;  // of the evidence for people

}  // namespace

// --- values -----------------------------------------------------------------------------------

PickleValue PickleWalker::Machine::MakeNode(Kind kind, PickleNode node) {
  if (nodes_.size() >= limits_.max_values) return {};
  nodes_.push_back(std::move(node));
  return {kind, static_cast<int64_t>(nodes_.size() - 1)};
}

PickleValue PickleWalker::Machine::MakeText(std::string text, bool is_bytes) {
  PickleNode node;
  node.whole = text.size() <= kMaxTextBytes;
  if (!node.whole) text.resize(kMaxTextBytes);
  node.text = std::move(text);
  node.is_bytes = is_bytes;
  return MakeNode(Kind::kText, std::move(node));
}

PickleValue PickleWalker::Machine::MakeContainer(Kind kind, const std::vector<PickleValue>& items) {
  PickleNode node;
  node.items.assign(items.begin(), items.begin() + static_cast<ptrdiff_t>(
                                                       std::min(items.size(), kMaxPickleItems)));
  return MakeNode(kind, std::move(node));
}

const PickleNode* PickleWalker::Machine::NodeOf(PickleValue value) const {
  switch (value.kind) {
    case Kind::kUnknown:
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kPersistent:
      return nullptr;
    default:
      return &nodes_[static_cast<size_t>(value.number)];
  }
}

bool PickleWalker::Machine::IsGlobalNamed(PickleValue value, std::string_view name) const {
  return value.kind == Kind::kGlobal && NodeOf(value)->second == name;
}

std::vector<std::string> PickleWalker::Machine::Strings(PickleValue value) const {
  const PickleNode* node = NodeOf(value);
  if (value.kind == Kind::kText)
    return node->whole ? std::vector{node->text} : std::vector<std::string>();
  if (value.kind != Kind::kEither) return {};
  std::vector<std::string> all;
  for (PickleValue choice : node->items) {
    std::vector<std::string> some =
        choice.kind == Kind::kEither ? std::vector<std::string>() : Strings(choice);
    if (some.empty()) return {};
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string PickleWalker::Machine::Describe(PickleValue value, int depth) const {
  const PickleNode* node = NodeOf(value);
  switch (value.kind) {
    case Kind::kUnknown:
      return "?";
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.number != 0 ? "True" : "False";
    case Kind::kInt:
      return std::to_string(value.number);
    case Kind::kFloat:
      return "a float";
    case Kind::kPersistent:
      return "a persistent object";
    case Kind::kText:
      return (node->is_bytes ? "b'" : "'") + node->text.substr(0, 120) +
             (node->whole ? "'" : "...'");
    case Kind::kGlobal:
      return node->text + "." + node->second;
    default:
      break;
  }
  if (depth >= 3) return "...";
  bool call = value.kind == Kind::kCall;
  std::string text = call                         ? ""
                     : value.kind == Kind::kTuple ? "("
                     : value.kind == Kind::kList  ? "["
                                                  : "{";
  for (size_t i = 0; i < node->items.size() && text.size() < kMaxDescribed; ++i) {
    if (i > 0 && !call) text += ", ";
    text += Describe(node->items[i], depth + 1);
  }
  if (!call) text += value.kind == Kind::kTuple ? ")" : value.kind == Kind::kList ? "]" : "}";
  return text.substr(0, kMaxDescribed);
}

// --- the stack --------------------------------------------------------------------------------

void PickleWalker::Machine::Push(PickleValue value) {
  if (stack_.size() >= limits_.max_stack) {
    Issue(Severity::kSuspicious, "pickle-too-deep", "the stack grew beyond its limit");
    stack_.clear();
    marks_.clear();
  }
  stack_.push_back(value);
}

PickleValue PickleWalker::Machine::Top() {
  size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() > floor) return stack_.back();
  Malformed("the pickle takes a value from an empty stack");
  return {};
}

PickleValue PickleWalker::Machine::Pop() {
  size_t floor = marks_.empty() ? 0 : marks_.back();
  PickleValue value = Top();
  if (stack_.size() > floor) stack_.pop_back();
  return value;
}

std::vector<PickleValue> PickleWalker::Machine::PopToMark() {
  if (marks_.empty()) {
    Malformed("the pickle looks for a mark that is not there");
    std::vector<PickleValue> items;
    items.swap(stack_);
    return items;
  }
  std::vector<PickleValue> items(stack_.begin() + static_cast<ptrdiff_t>(marks_.back()),
                                 stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

// --- the memo ---------------------------------------------------------------------------------

void PickleWalker::Machine::Remember(int64_t key, bool by_number) {
  if (memo_.size() < limits_.max_stack) memo_[key] = {Top(), by_number};
}

PickleValue PickleWalker::Machine::Recall(int64_t key) {
  auto now = memo_.find(key);
  auto before = old_memo_.find(key);
  if (now != memo_.end()) {
    if (!now->second.by_number || before == old_memo_.end()) return now->second.value;
    // A loader that keeps its memo numbers on, so this key is still the older value there.
    return MakeContainer(Kind::kEither, {now->second.value, before->second.value});
  }
  if (before != old_memo_.end()) return before->second.value;
  auto moved = memo_.find(key - static_cast<int64_t>(old_memo_.size()));
  if (moved != memo_.end()) return moved->second.value;
  Malformed("the pickle gets memo " + std::to_string(key) + ", which was not put");
  return {};
}

void PickleWalker::Machine::StepMemo(const PickleOp& op) {
  switch (op.code) {
    case pickle::kBinGet:
    case pickle::kLongBinGet:
      return Push(Recall(static_cast<int64_t>(op.number)));
    case pickle::kBinPut:
    case pickle::kLongBinPut:
      return Remember(static_cast<int64_t>(op.number), false);
    case pickle::kMemoize:
      return Remember(static_cast<int64_t>(memo_.size()), true);
    default:
      break;
  }
  int64_t key = 0;
  bool odd = false;
  if (!ParsePickleKey(op.text, &key, &odd)) {
    Malformed("a memo key is not a number");
    if (op.code == pickle::kGet) Push({});
    return;
  }
  if (odd)
    Issue(Severity::kSuspicious, "pickle-odd-memo-key",
          "memo key \"" + op.text.substr(0, 40) + "\"");
  if (op.code == pickle::kGet) {
    Push(Recall(key));
  } else {
    Remember(key, false);
  }
}

}  // namespace hearth
