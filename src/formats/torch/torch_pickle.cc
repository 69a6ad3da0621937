#include "formats/torch/torch_pickle.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/utf8.h"
#include "formats/pickle/pickle_reader.h"
#include "formats/torch/internal/torch_calls.h"

namespace hearth {
namespace {

using Kind = TorchValue::Kind;

constexpr size_t kMaxStack = 5'000'000;

class Machine {
 public:
  Machine(ByteSource& source, uint64_t begin, const TorchPickleLimits& limits)
      : limits_(limits),
        reader_(source, begin, source.size_bytes(),
                {.max_line_bytes = 4096, .max_kept_bytes = size_t{1} << 30}) {
    none_ = Make(Kind::kNone);
    for (int i = 0; i < 2; ++i) {
      bools_[i] = Make(Kind::kBool);
      bools_[i]->integer = i;
    }
  }

  TorchPickle Run() {
    PickleOp op;
    for (uint64_t ops = 0;; ++ops) {
      if (ops == limits_.max_ops) throw Error(Code::kTooLarge, "the pickle has too many opcodes");
      if (!reader_.Next(&op)) Fail(reader_.problem());
      offset_ = op.offset;
      if (op.code == pickle::kStop) break;
      Step(op);
    }
    result_.root = Pop();
    result_.end = reader_.position();
    return std::move(result_);
  }

 private:
  [[noreturn]] void Fail(const std::string& why) {
    throw Error(Code::kInvalidArgument,
                "invalid PyTorch pickle: at byte " + std::to_string(offset_) + " it " + why);
  }
  [[noreturn]] void Refuse(const std::string& what, const std::string& global) {
    throw Error(Code::kForbidden, "the checkpoint asks for " + what +
                                      ", which is not among what weights need; it is not loaded")
        .With("global", global);
  }

  TorchValue* Make(Kind kind) {
    if (result_.values.size() >= limits_.max_values) {
      throw Error(Code::kTooLarge, "the pickle holds too many values");
    }
    TorchValue& value = result_.values.emplace_back();
    value.kind = kind;
    return &value;
  }
  TorchValue* MakeText(Kind kind, std::string text) {
    text_bytes_ += text.size();
    if (text_bytes_ > limits_.max_text_bytes) {
      throw Error(Code::kTooLarge, "the pickle holds too much text");
    }
    TorchValue* value = Make(kind);
    value->text = std::move(text);
    return value;
  }

  void Push(TorchValue* value) {
    if (stack_.size() >= kMaxStack) throw Error(Code::kTooLarge, "the pickle's stack is too deep");
    stack_.push_back(value);
  }
  size_t Floor() const { return marks_.empty() ? 0 : marks_.back(); }
  TorchValue* Pop() {
    TorchValue* value = Top();
    stack_.pop_back();
    return value;
  }
  TorchValue* Top() {
    if (stack_.size() <= Floor()) Fail("takes a value from an empty stack");
    return stack_.back();
  }
  std::vector<TorchValue*> PopToMark() {
    if (marks_.empty()) Fail("looks for a mark that is not there");
    std::vector<TorchValue*> items(stack_.begin() + static_cast<ptrdiff_t>(marks_.back()),
                                   stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  void PushInteger(int64_t value) {
    TorchValue* integer = Make(Kind::kInt);
    integer->integer = value;
    Push(integer);
  }

  void PushTuple(size_t n) {
    if (stack_.size() - Floor() < n) Fail("takes a value from an empty stack");
    TorchValue* tuple = Make(Kind::kTuple);
    tuple->items.assign(stack_.end() - static_cast<ptrdiff_t>(n), stack_.end());
    stack_.resize(stack_.size() - n);
    Push(tuple);
  }

  void Step(const PickleOp& op);
  void StepLiteral(const PickleOp& op);
  void StepContainer(const PickleOp& op);
  void Global(const PickleOp& op);
  void Reduce();
  void NewObject();
  void Build();
  void Append(TorchValue* list, const std::vector<TorchValue*>& items);
  void SetItems(TorchValue* dict, const std::vector<TorchValue*>& items);
  void PersistentId();

  const TorchPickleLimits& limits_;
  PickleReader reader_;
  TorchPickle result_;
  std::vector<TorchValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, TorchValue*> memo_;
  std::unordered_map<std::string, int64_t> storages_;
  TorchValue* none_;
  std::array<TorchValue*, 2> bools_;
  uint64_t text_bytes_ = 0;
  uint64_t offset_ = 0;
};

void Machine::Step(const PickleOp& op) {
  switch (op.code) {
    case pickle::kProto:
      if (op.number > 5) Fail("has the unknown protocol " + std::to_string(op.number));
      return;
    case pickle::kMark:
      if (marks_.size() >= limits_.max_depth) Fail("nests too deep");
      marks_.push_back(stack_.size());
      return;
    case pickle::kGlobal:
      return Global(op);
    case pickle::kReduce:
      return Reduce();
    case pickle::kNewObj:
      return NewObject();
    case pickle::kBuild:
      return Build();
    case pickle::kBinPersId:
      return PersistentId();
    case pickle::kBinGet:
    case pickle::kLongBinGet: {
      auto found = memo_.find(op.number);
      if (found == memo_.end())
        Fail("gets memo " + std::to_string(op.number) + ", which was not put");
      return Push(found->second);
    }
    case pickle::kBinPut:
    case pickle::kLongBinPut:
      memo_[op.number] = Top();
      return;
    default:
      StepLiteral(op);
  }
}

void Machine::StepLiteral(const PickleOp& op) {
  switch (op.code) {
    case pickle::kNone:
      return Push(none_);
    case pickle::kNewTrue:
      return Push(bools_[1]);
    case pickle::kNewFalse:
      return Push(bools_[0]);
    case pickle::kBinInt:
    case pickle::kBinInt1:
    case pickle::kBinInt2:
      return PushInteger(static_cast<int64_t>(op.number));
    case pickle::kLong1: {
      int64_t value;
      if (PickleLong(op.text, &value)) return PushInteger(value);
      return Push(MakeText(Kind::kBigInt, op.text));
    }
    case pickle::kBinFloat: {
      TorchValue* real = Make(Kind::kFloat);
      real->real = op.real;
      return Push(real);
    }
    case pickle::kBinUnicode:
    case pickle::kShortBinString:
      if (!op.text_is_whole())
        throw Error(Code::kTooLarge, "the pickle holds a string of a gigabyte");
      return Push(MakeText(Kind::kString, op.text));
    default:
      StepContainer(op);
  }
}

void Machine::StepContainer(const PickleOp& op) {
  switch (op.code) {
    case pickle::kEmptyTuple:
      return Push(Make(Kind::kTuple));
    case pickle::kEmptyList:
      return Push(Make(Kind::kList));
    case pickle::kEmptyDict:
      return Push(Make(Kind::kDict));
    case pickle::kEmptySet:
      return Push(Make(Kind::kSet));
    case pickle::kTuple1:
      return PushTuple(1);
    case pickle::kTuple2:
      return PushTuple(2);
    case pickle::kTuple3:
      return PushTuple(3);
    case pickle::kTuple: {
      std::vector<TorchValue*> items = PopToMark();
      TorchValue* tuple = Make(Kind::kTuple);
      tuple->items = std::move(items);
      return Push(tuple);
    }
    case pickle::kAppend: {
      TorchValue* item = Pop();
      return Append(Top(), {item});
    }
    case pickle::kAppends: {
      std::vector<TorchValue*> items = PopToMark();
      return Append(Top(), items);
    }
    case pickle::kSetItem: {
      TorchValue* value = Pop();
      TorchValue* key = Pop();
      return SetItems(Top(), {key, value});
    }
    case pickle::kSetItems: {
      std::vector<TorchValue*> items = PopToMark();
      return SetItems(Top(), items);
    }
    default:
      throw Error(Code::kForbidden,
                  "the checkpoint uses the pickle opcode " + std::to_string(op.code) + " at byte " +
                      std::to_string(op.offset) + ", which weights do not need; it is not loaded");
  }
}

void Machine::Append(TorchValue* list, const std::vector<TorchValue*>& items) {
  if (list->kind != Kind::kList) Fail("appends to something that is not a list");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void Machine::SetItems(TorchValue* dict, const std::vector<TorchValue*>& items) {
  if (dict->kind != Kind::kDict) Fail("sets an item of something that is not a dict");
  if (items.size() % 2 != 0) Fail("sets a key without a value");
  for (size_t i = 0; i < items.size(); i += 2) dict->map.emplace_back(items[i], items[i + 1]);
}

void Machine::Global(const PickleOp& op) {
  if (!IsTorchWeightsGlobal(op.text, op.second)) {
    std::string name = op.text.substr(0, 200) + "." + op.second.substr(0, 200);
    Refuse("the global " + name, name);
  }
  std::string_view module = op.text == "__builtin__" ? "builtins" : std::string_view(op.text);
  Push(MakeText(Kind::kGlobal, std::string(module) + "." + op.second));
}

void Machine::Reduce() {
  TorchValue* arguments = Pop();
  TorchValue* callee = Pop();
  if (callee->kind != Kind::kGlobal) Fail("calls something that is not a global");
  if (arguments->kind != Kind::kTuple) Fail("calls " + callee->text + " without a tuple");
  TorchCallResult made = CallTorchGlobal(callee->text, arguments->items, &result_);
  if (!made.fault.empty()) Fail("calls " + callee->text + " with " + made.fault);
  if (result_.values.size() >= limits_.max_values) {
    throw Error(Code::kTooLarge, "the pickle holds too many values");
  }
  if (made.same != nullptr) return Push(made.same);
  TorchValue* value = Make(made.value.kind);
  *value = std::move(made.value);
  Push(value);
}

void Machine::NewObject() {
  TorchValue* arguments = Pop();
  TorchValue* type = Pop();
  if (type->kind != Kind::kGlobal) Fail("makes an object of something that is not a class");
  if (arguments->kind != Kind::kTuple) Fail("makes an object without a tuple of arguments");
  if (type->text == "collections.OrderedDict" || type->text == "collections.Counter") {
    return Push(Make(Kind::kDict));
  }
  TorchCallResult made = CallTorchGlobal(type->text, arguments->items, &result_);
  if (!made.fault.empty()) Fail("makes a " + type->text + " with " + made.fault);
  if (made.same != nullptr) return Push(made.same);
  TorchValue* value = Make(made.value.kind);
  *value = std::move(made.value);
  Push(value);
}

// State that objects of these kinds carry besides their values (`_metadata` of a state dict) is
// dropped; the oldest tensors get their storage this way.
void Machine::Build() {
  TorchValue* state = Pop();
  TorchValue* object = Top();
  if (object->kind == Kind::kTensor && state->kind == Kind::kTuple && state->items.size() == 4) {
    std::string fault = SetTorchTensor(state->items, &result_.tensors[object->integer]);
    if (!fault.empty()) Fail("sets a tensor with " + fault);
    return;
  }
  if (object->kind != Kind::kDict && object->kind != Kind::kTensor &&
      object->kind != Kind::kOpaque) {
    Fail("sets the state of something that has none");
  }
}

void Machine::PersistentId() {
  TorchValue* id = Pop();
  TorchStorageId storage;
  std::string fault = ParseTorchStorageId(*id, &storage);
  if (!fault.empty()) Fail("has a persistent id with " + fault);
  std::string name = storage.is_view ? storage.key + "\n" + storage.view_key : storage.key;
  // Two dtypes over one storage are two entries: the bytes are the same, the element size is not.
  name += "\n" + storage.type;
  auto [at, fresh] = storages_.emplace(name, static_cast<int64_t>(result_.storages.size()));
  if (fresh) result_.storages.push_back(std::move(storage));
  TorchValue* value = Make(Kind::kStorage);
  value->integer = at->second;
  Push(value);
}

}  // namespace

TorchPickle ReadTorchPickle(ByteSource& source, uint64_t begin, const TorchPickleLimits& limits) {
  return Machine(source, begin, limits).Run();
}

}  // namespace hearth
