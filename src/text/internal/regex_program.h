// What a pattern compiles to: a flat list of instructions for the backtracking matcher.
//
// The compiler hands each node what can come after it (the set of next bytes, and whether what
// follows can fail at all). From that come the two things that make ordinary tokenizer patterns
// linear: an alternation looks at the next byte and tries only the branches that can begin with it,
// and a loop over one class keeps no way back when nothing behind it could use one.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "text/internal/code_point_set.h"
#include "text/internal/regex_ast.h"
#include "text/regex.h"

namespace hearth::regex_internal {

enum class Op : uint8_t {
  kMatch,
  kFail,
  kByte,         // a: byte
  kBytes,        // a: offset in literals, b: length
  kSet,          // a: set
  kLoop,         // a: set, min, max; greedy, with a way back; b: filter of next bytes
  kLoopAtomic,   // a: set, min, max; no way back
  kLoopLazy,     // a: set, min, max
  kJump,         // a: target
  kSplit,        // a: first choice, b: second
  kSwitch,       // a: switch table: branches by next byte
  kSave,         // a: slot
  kAnchor,       // a: Anchor
  kPeekSet,      // a: set, flag: must not match; the next character, not taken
  kPeekBehind,   // a: set, flag: must not match; the character before
  kAtomicBegin,  // pushes a mark
  kAtomicEnd,    // drops everything above the mark
  kLookBegin,    // pushes a mark with the position; flag: negative, a: where to go on if its body
                 // fails
  kLookEnd,      // position back to the mark's
  kLookFail,     // end of a negative body: drop the mark, fail
  kBehindBegin,  // like kLookBegin; min, max: characters to step back (kInfinite: to the start)
  kBehindEnd,    // fails unless at the mark's position
  kBehindFail,
  kBackReference,  // a: index of references, b: ignore case
  kGrapheme,
  kCounterReset,  // a: counter
  kCounterLoop,   // a: counter, b: body, min, max, flag: lazy; falls through at the end
  kEmptyBegin,    // a: slot of the round's start
  kEmptyCheck,    // a: slot, b: where to go on when the round took nothing
};

struct Instruction {
  Op op = Op::kFail;
  bool flag = false;
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t min = 0;
  uint32_t max = 0;
};

// 256 next bytes and the end of the text.
constexpr size_t kEndOfText = 256;
using NextBytes = std::bitset<257>;

struct SwitchTable {
  std::array<uint32_t, 257> masks = {};  // bit n: branch n can begin with this byte
  std::array<uint32_t, 32> targets = {};
};

struct Program {
  std::string pattern;
  RegexLimits limits;
  std::vector<Instruction> code;
  std::string literals;
  std::vector<CodePointBitmap> sets;
  std::vector<NextBytes> filters;
  std::vector<SwitchTable> switches;
  std::vector<std::vector<int>> references;
  std::vector<bool> referenced;  // by group: some reference may take it
  uint32_t slots = 0;            // of captures and of loop starts
  uint32_t counters = 0;
  std::array<bool, 256> first = {};  // bytes that a match can begin with
  bool can_be_empty = false;         // a match can begin with nothing: `first` does not apply
  int only_first = -1;               // the one byte of `first`, when there is just one
  std::string whole_literal;         // not empty: the pattern is this text
};

// Throws kTooLarge.
Program CompileRegex(const ParsedPattern& parsed);

}  // namespace hearth::regex_internal
