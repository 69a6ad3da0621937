// The backtracking matcher. One object serves many searches in one text; not thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "text/internal/regex_program.h"
#include "text/internal/regex_segments.h"

namespace hearth::regex_internal {

// A way back, or something to undo on the way.
struct Frame {
  enum class Kind : uint32_t {
    kBranch,          // go on at pc, position
    kSwitch,          // the branches left in `extra` of the switch at pc
    kLoop,            // the loop at pc ended at position; extra: as far back as it may go
    kLazy,            // the loop at pc may take one more at position; extra: taken so far
    kRestoreSlot,     // slot pc was extra
    kRestoreCounter,  // counter pc was extra
    kMark,            // an atomic group or a look-around began; extra: the mark before it
    kNegative,        // a negative look-around: when its body fails, go on at pc, position
    kBehind,          // the look-behind at pc may begin one character before `start`
  };
  Kind kind;
  uint32_t pc;
  size_t position;
  size_t extra;
  size_t start;
  uint32_t stepped;  // kBehind: characters stepped back
};

class Matcher {
 public:
  Matcher(const Program& program, std::string_view text);

  std::optional<RegexMatch> Find(size_t from);

 private:
  enum class Outcome { kMatched, kFailed };

  std::optional<RegexMatch> FindLiteral(size_t from) const;
  // Where a run is: the next instruction, and its place in the text.
  struct Cursor {
    uint32_t pc;
    size_t at;
  };
  Outcome RunAt(size_t start);
  // One instruction; false: it does not match, and the last choice is to be taken back.
  bool Execute(const Instruction& instruction, Cursor* cursor);
  bool ExecuteRare(const Instruction& instruction, Cursor* cursor);
  bool ExecuteGroup(const Instruction& instruction, Cursor* cursor);
  bool TakeLoop(const Instruction& instruction, uint32_t pc, size_t* at);
  bool TakeLazyLoop(const Instruction& instruction, Cursor* cursor);
  bool TakeSwitch(const SwitchTable& table, Cursor* cursor);
  bool BeginBehind(const Instruction& instruction, Cursor* cursor);
  void CountRound(const Instruction& instruction, Cursor* cursor);
  bool CheckEmptyRound(const Instruction& instruction, Cursor* cursor);
  // To the last choice that leaves another way; false: there is none.
  bool BackTrack(Cursor* cursor);
  // Takes the way that the last frame leaves, or drops the frame.
  bool Resume(Frame* frame, Cursor* cursor);
  void ResumeSwitch(Frame* frame, Cursor* cursor);
  bool ResumeLoop(Frame* frame, Cursor* cursor);
  bool ResumeLazy(Frame* frame, Cursor* cursor);
  bool ResumeBehind(Frame* frame, Cursor* cursor);
  bool TakeOne(const CodePointBitmap& set, size_t* at) const;
  size_t TakeMany(const CodePointBitmap& set, size_t at, uint32_t max) const;
  bool AnchorHolds(Anchor anchor, size_t at) const;
  bool IsWordAt(size_t at, bool ascii) const;
  bool IsWordBefore(size_t at, bool ascii) const;
  // What a round of the loop with the start slot `loop` that took nothing means.
  enum class EmptyRound { kEnds, kGoesOn, kFails };
  EmptyRound JudgeEmptyRound(uint32_t loop, size_t at) const;
  void TakeSegment(size_t* at);
  bool TakeReference(const Instruction& instruction, size_t* at);
  bool StepBehind(Frame* frame) const;
  void Push(Frame::Kind kind, uint32_t pc, size_t position, size_t extra = 0);
  void CutToMark();     // keeps what must be undone later
  void UnwindToMark();  // undoes everything above the mark
  [[noreturn]] void FailBudget(size_t at) const;
  [[noreturn]] void FailMemory(size_t at) const;
  void Undo(const Frame& frame);

  const Program& program_;
  std::string_view text_;
  TextSegments segments_;
  std::vector<Frame> stack_;
  std::vector<size_t> slots_;
  std::vector<uint32_t> counters_;
  size_t mark_ = SIZE_MAX;
  size_t search_begin_ = 0;
  size_t end_ = 0;  // of the match
  uint64_t steps_ = 0;
  uint64_t budget_ = 0;
};

}  // namespace hearth::regex_internal
