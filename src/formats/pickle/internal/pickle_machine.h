// The abstract machine behind PickleWalker; see pickle_walk.h.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "formats/pickle/internal/pickle_value.h"
#include "formats/pickle/pickle_reader.h"
#include "formats/pickle/pickle_walk.h"

namespace hearth {

class PickleWalker::Machine {
 public:
  Machine(ByteSource& source, const PickleWalkLimits& limits, int depth)
      : source_(source), limits_(limits), depth_(depth) {}
  PickleReport Walk(uint64_t begin, uint64_t end);

 private:
  using Kind = PickleValue::Kind;

  // Values.
  PickleValue MakeNode(Kind kind, PickleNode node);
  PickleValue MakeText(std::string text, bool is_bytes);
  PickleValue MakeContainer(Kind kind, const std::vector<PickleValue>& items);
  const PickleNode* NodeOf(PickleValue value) const;
  bool IsGlobalNamed(PickleValue value, std::string_view name) const;
  // What the value may be as a string; empty when it is not known.
  std::vector<std::string> Strings(PickleValue value) const;
  std::string Describe(PickleValue value, int depth) const;

  // The stack.
  void Push(PickleValue value);
  PickleValue Pop();
  PickleValue Top();
  std::vector<PickleValue> PopToMark();

  // Opcodes.
  bool Step(const PickleOp& op);  // false after STOP
  void StepLiteral(const PickleOp& op);
  void StepContainer(const PickleOp& op);
  void StepMemo(const PickleOp& op);
  void StepObject(const PickleOp& op);
  void Literal(const PickleOp& op);
  void NoteLiteral(const PickleOp& op, std::string_view first, bool is_bytes);
  void PushGlobal(std::string_view module, std::string_view name);
  void StackGlobal();
  void Call(PickleValue callee, PickleValue arguments);
  PickleValue Encode(PickleValue call, const PickleNode& arguments);
  void Build();
  void Change(PickleValue target, const char* how);
  PickleValue Recall(int64_t key);
  void Remember(int64_t key, bool by_number);

  // joblib: array bytes that follow a BUILD.
  bool ReadWrapper(const PickleNode& wrapper);
  void SkipArray(const PickleNode& wrapper, const PickleNode& state);
  // Bytes of one element; 0 for Python objects, -1 when unknown.
  int64_t ElementBytes(PickleValue dtype, int depth) const;
  int64_t RecordBytes(const PickleNode& dtype, int64_t size, int depth) const;

  void Issue(Severity severity, const char* kind, std::string text);
  void Malformed(std::string text) {
    sound_ = false;
    Issue(Severity::kSuspicious, "pickle-malformed", std::move(text));
  }

  ByteSource& source_;
  PickleWalkLimits limits_;
  int depth_;
  PickleReader* reader_ = nullptr;
  PickleReport report_;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  bool sound_ = true;  // nothing was malformed so far
  std::vector<PickleNode> nodes_;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;
  struct Memo {
    PickleValue value;
    bool by_number =
        false;  // MEMOIZE: its key is a count, which differs when the memo is carried on
  };
  std::unordered_map<int64_t, Memo> memo_;
  std::unordered_map<int64_t, Memo> old_memo_;  // of the pickles before this one
  std::unordered_map<std::string, size_t> globals_;
};

}  // namespace hearth
