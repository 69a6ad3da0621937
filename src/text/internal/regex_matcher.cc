#include "text/internal/regex_matcher.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "text/internal/regex_classes.h"
#include "text/internal/regex_text.h"

namespace hearth::regex_internal {
namespace {

constexpr size_t kUnset = SIZE_MAX;

}  // namespace

Matcher::Matcher(const Program& program, std::string_view text)
    : program_(program),
      text_(text),
      segments_(text),
      slots_(program.slots, kUnset),
      counters_(program.counters) {
  stack_.reserve(64);
}

void Matcher::FailBudget(size_t at) const {
  throw Error(Code::kTooLarge, "regular expression took more than " + std::to_string(budget_) +
                                   " steps at byte " + std::to_string(at));
}

void Matcher::FailMemory(size_t at) const {
  throw Error(Code::kTooLarge, "regular expression needs more than " +
                                   std::to_string(program_.limits.max_stack_bytes) +
                                   " bytes to go back at byte " + std::to_string(at));
}

inline void Matcher::Push(Frame::Kind kind, uint32_t pc, size_t position, size_t extra) {
  if ((stack_.size() + 1) * sizeof(Frame) > program_.limits.max_stack_bytes) FailMemory(position);
  stack_.push_back({kind, pc, position, extra, 0, 0});
}

void Matcher::Undo(const Frame& frame) {
  switch (frame.kind) {
    case Frame::Kind::kRestoreSlot:
      slots_[frame.pc] = frame.extra;
      break;
    case Frame::Kind::kRestoreCounter:
      counters_[frame.pc] = static_cast<uint32_t>(frame.extra);
      break;
    case Frame::Kind::kMark:
    case Frame::Kind::kNegative:
    case Frame::Kind::kBehind:
      mark_ = frame.extra;
      break;
    default:
      break;
  }
}

void Matcher::CutToMark() {
  size_t kept = mark_;
  size_t outer = stack_[mark_].extra;
  for (size_t i = mark_ + 1; i < stack_.size(); ++i) {
    if (stack_[i].kind == Frame::Kind::kRestoreSlot ||
        stack_[i].kind == Frame::Kind::kRestoreCounter) {
      stack_[kept++] = stack_[i];
    }
  }
  stack_.resize(kept);
  mark_ = outer;
}

void Matcher::UnwindToMark() {
  size_t target = mark_;
  while (stack_.size() > target) {
    Undo(stack_.back());
    stack_.pop_back();
  }
}

inline bool Matcher::TakeOne(const CodePointBitmap& set, size_t* at) const {
  if (*at >= text_.size()) return false;
  uint8_t known = set.Byte(static_cast<unsigned char>(text_[*at]));
  if (known != kByteMaybe) {
    *at += known;
    return known != kByteOut;
  }
  Decoded point = DecodeAt(text_, *at);
  if (!set.Has(point.c)) return false;
  *at += point.length;
  return true;
}

inline size_t Matcher::TakeMany(const CodePointBitmap& set, size_t at, uint32_t max) const {
  if (max == kInfinite) {
    size_t size = text_.size();
    const auto* text = reinterpret_cast<const unsigned char*>(text_.data());
    while (true) {
      while (at < size && set.Byte(text[at]) == kByteIn) ++at;
      if (at >= size || set.Byte(text[at]) == kByteOut) return at;
      Decoded point = DecodeAt(text_, at);
      if (!set.Has(point.c)) return at;
      at += point.length;
    }
  }
  for (uint32_t i = 0; i < max && TakeOne(set, &at); ++i) {
  }
  return at;
}

bool Matcher::IsWordAt(size_t at, bool ascii) const {
  if (at >= text_.size()) return false;
  char32_t c = DecodeAt(text_, at).c;
  return (!ascii || c < 0x80) && WordBitmap().Has(c);
}

bool Matcher::IsWordBefore(size_t at, bool ascii) const {
  return at > 0 && IsWordAt(StepBack(text_, at), ascii);
}

bool Matcher::AnchorHolds(Anchor anchor, size_t at) const {
  switch (anchor) {
    case Anchor::kLineBegin:
      return at == 0 || (text_[at - 1] == '\n' && at < text_.size());
    case Anchor::kLineEnd:
      return at == text_.size() || text_[at] == '\n';
    case Anchor::kTextBegin:
      return at == 0;
    case Anchor::kTextEnd:
      return at == text_.size();
    case Anchor::kTextEndOrNewline:
      return at == text_.size() || (at + 1 == text_.size() && text_[at] == '\n');
    case Anchor::kSearchBegin:
      return at == search_begin_;
    case Anchor::kWordBoundary:
      return IsWordBefore(at, false) != IsWordAt(at, false);
    case Anchor::kNotWordBoundary:
      return IsWordBefore(at, false) == IsWordAt(at, false);
    case Anchor::kAsciiWordBoundary:
      return IsWordBefore(at, true) != IsWordAt(at, true);
    case Anchor::kNotAsciiWordBoundary:
      return IsWordBefore(at, true) == IsWordAt(at, true);
    case Anchor::kKeep:
      break;
  }
  return true;
}

bool Matcher::TakeReference(const Instruction& instruction, size_t* at) {
  for (int group : program_.references[instruction.a]) {
    size_t begin = slots_[static_cast<size_t>(2 * group - 1)];
    size_t end = slots_[static_cast<size_t>(2 * group)];
    if (begin == kUnset || end == kUnset || end < begin) continue;
    std::string_view wanted = text_.substr(begin, end - begin);
    steps_ += wanted.size() / 8;
    if (instruction.b == 0) {
      if (text_.substr(*at, wanted.size()) != wanted) continue;
      *at += wanted.size();
      return true;
    }
    // Oniguruma looks at as many bytes as the group took, whatever the case variants need.
    if (text_.size() - *at < wanted.size()) continue;
    size_t limit = *at + wanted.size();
    size_t here = *at;
    size_t there = begin;
    while (there < end && here < limit) {
      Decoded a = DecodeAt(text_, there);
      Decoded b = DecodeAt(text_, here);
      if (here + b.length > limit || SimpleFold(a.c) != SimpleFold(b.c)) break;
      there += a.length;
      here += b.length;
    }
    if (there < end) continue;
    *at = here;
    return true;
  }
  return false;
}

// A round that took nothing ends its loop, unless it changed what a reference will take: Oniguruma
// then goes on when the group had taken something or nothing was known of it, and fails when it had
// taken nothing at another place.
Matcher::EmptyRound Matcher::JudgeEmptyRound(uint32_t loop, size_t at) const {
  if (program_.references.empty()) return EmptyRound::kEnds;
  size_t begin = stack_.size();
  while (begin > 0 &&
         !(stack_[begin - 1].kind == Frame::Kind::kRestoreSlot && stack_[begin - 1].pc == loop)) {
    --begin;
  }
  EmptyRound round = EmptyRound::kEnds;
  for (size_t i = begin; i < stack_.size(); ++i) {
    const Frame& frame = stack_[i];
    uint32_t slot = frame.pc;
    bool opens = frame.kind == Frame::Kind::kRestoreSlot && slot % 2 == 1 &&
                 slot / 2 + 1 < program_.referenced.size() && program_.referenced[slot / 2 + 1];
    if (!opens) continue;
    size_t old_end = slots_[slot + 1];
    for (size_t j = i + 1; j < stack_.size(); ++j) {
      if (stack_[j].kind != Frame::Kind::kRestoreSlot || stack_[j].pc != slot + 1) continue;
      old_end = stack_[j].extra;
      break;
    }
    if (old_end == kUnset || frame.extra != old_end) return EmptyRound::kGoesOn;
    if (old_end != at) round = EmptyRound::kFails;
  }
  return round;
}

// Moves the start one character further back; false when the limits of the look-behind are reached.
bool Matcher::StepBehind(Frame* frame) const {
  const Instruction& look = program_.code[frame->pc];
  if (frame->start == 0 || (look.max != kInfinite && frame->stepped >= look.max)) return false;
  frame->start = StepBack(text_, frame->start);
  ++frame->stepped;
  return true;
}

std::optional<RegexMatch> Matcher::FindLiteral(size_t from) const {
  size_t found = text_.find(program_.whole_literal, from);
  if (found == std::string_view::npos) return std::nullopt;
  return RegexMatch{found, found + program_.whole_literal.size()};
}

std::optional<RegexMatch> Matcher::Find(size_t from) {
  if (from > text_.size()) return std::nullopt;
  if (!program_.whole_literal.empty()) return FindLiteral(from);
  search_begin_ = from;
  steps_ = 0;
  // Looking for a start is linear in the text and must not use the budget up.
  budget_ = program_.limits.max_steps + 32 * (text_.size() - from);
  size_t at = from;
  while (true) {
    if (!program_.can_be_empty) {
      if (program_.only_first >= 0) {
        at = text_.find(static_cast<char>(program_.only_first), at);
      } else {
        while (at < text_.size() && !program_.first[static_cast<unsigned char>(text_[at])]) {
          at += DecodeAt(text_, at).length;
        }
      }
      if (at >= text_.size()) return std::nullopt;
    }
    if (RunAt(at) == Outcome::kMatched) {
      size_t keep = slots_[0];
      // \K in a look-ahead may lie behind the end.
      return RegexMatch{keep == kUnset ? at : std::min(keep, end_), end_};
    }
    if (at >= text_.size()) return std::nullopt;
    at += DecodeAt(text_, at).length;
  }
}

Matcher::Outcome Matcher::RunAt(size_t start) {
  stack_.clear();
  mark_ = kUnset;
  slots_[0] = kUnset;
  if (slots_.size() > 1) std::fill(slots_.begin(), slots_.end(), kUnset);
  const Instruction* code = program_.code.data();
  Cursor cursor{0, start};
  while (true) {
    const Instruction& i = code[cursor.pc];
    if (++steps_ > budget_) FailBudget(cursor.at);
    if (i.op == Op::kMatch) {
      end_ = cursor.at;
      return Outcome::kMatched;
    }
    if (Execute(i, &cursor)) continue;
    Cursor last = cursor;  // a copy, so that the loop's own stays in registers
    if (!BackTrack(&last)) return Outcome::kFailed;
    cursor = last;
  }
}

inline bool Matcher::Execute(const Instruction& i, Cursor* cursor) {
  switch (i.op) {
    case Op::kByte:
      if (cursor->at >= text_.size() || static_cast<unsigned char>(text_[cursor->at]) != i.a) {
        return false;
      }
      ++cursor->at;
      break;
    case Op::kBytes:
      if (text_.size() - cursor->at < i.b ||
          std::memcmp(text_.data() + cursor->at, program_.literals.data() + i.a, i.b) != 0) {
        return false;
      }
      cursor->at += i.b;
      break;
    case Op::kSet:
      if (!TakeOne(program_.sets[i.a], &cursor->at)) return false;
      break;
    case Op::kLoopAtomic:
    case Op::kLoop:
      if (!TakeLoop(i, cursor->pc, &cursor->at)) return false;
      break;
    case Op::kJump:
      cursor->pc = i.a;
      return true;
    case Op::kSplit:
      Push(Frame::Kind::kBranch, i.b, cursor->at);
      cursor->pc = i.a;
      return true;
    case Op::kSwitch:
      return TakeSwitch(program_.switches[i.a], cursor);
    case Op::kSave:
    case Op::kEmptyBegin:
      Push(Frame::Kind::kRestoreSlot, i.a, cursor->at, slots_[i.a]);
      slots_[i.a] = cursor->at;
      break;
    case Op::kAnchor:
      if (!AnchorHolds(static_cast<Anchor>(i.a), cursor->at)) return false;
      break;
    case Op::kPeekSet: {
      size_t next = cursor->at;
      if (TakeOne(program_.sets[i.a], &next) == i.flag) return false;
      break;
    }
    case Op::kPeekBehind: {
      size_t back = cursor->at > 0 ? StepBack(text_, cursor->at) : 0;
      if ((cursor->at > 0 && TakeOne(program_.sets[i.a], &back)) == i.flag) return false;
      break;
    }
    default: {
      Cursor moved = *cursor;
      bool holds = ExecuteRare(i, &moved);
      *cursor = moved;
      return holds;
    }
  }
  ++cursor->pc;
  return true;
}

inline bool Matcher::TakeLoop(const Instruction& i, uint32_t pc, size_t* at) {
  const CodePointBitmap& set = program_.sets[i.a];
  size_t least = *at;
  uint32_t needed = 0;
  while (needed < i.min && TakeOne(set, &least)) ++needed;
  if (needed < i.min) return false;
  size_t most = TakeMany(set, least, i.max == kInfinite ? kInfinite : i.max - i.min);
  steps_ += (most - *at) / 8;
  if (i.op == Op::kLoop && most > least) Push(Frame::Kind::kLoop, pc, most, least);
  *at = most;
  return true;
}

inline bool Matcher::TakeSwitch(const SwitchTable& table, Cursor* cursor) {
  size_t next =
      cursor->at < text_.size() ? static_cast<unsigned char>(text_[cursor->at]) : kEndOfText;
  uint32_t mask = table.masks[next];
  if (mask == 0) return false;
  uint32_t rest = mask & (mask - 1);
  if (rest != 0) Push(Frame::Kind::kSwitch, cursor->pc, cursor->at, rest);
  cursor->pc = table.targets[static_cast<size_t>(__builtin_ctz(mask))];
  return true;
}

// The rest of a cluster is looked at anew from each place where one is begun.
void Matcher::TakeSegment(size_t* at) {
  uint64_t looked_at = 0;
  *at = segments_.End(*at, &looked_at);
  steps_ += looked_at / 8;
}

bool Matcher::ExecuteRare(const Instruction& i, Cursor* cursor) {
  switch (i.op) {
    case Op::kLoopLazy:
      if (!TakeLazyLoop(i, cursor)) return false;
      break;
    case Op::kBackReference:
      if (!TakeReference(i, &cursor->at)) return false;
      break;
    case Op::kGrapheme:
      if (cursor->at >= text_.size()) return false;
      TakeSegment(&cursor->at);
      break;
    case Op::kCounterReset:
      Push(Frame::Kind::kRestoreCounter, i.a, cursor->at, counters_[i.a]);
      counters_[i.a] = 0;
      break;
    case Op::kCounterLoop:
      CountRound(i, cursor);
      return true;
    case Op::kEmptyCheck:
      return CheckEmptyRound(i, cursor);
    case Op::kFail:
      return false;
    default:
      return ExecuteGroup(i, cursor);
  }
  ++cursor->pc;
  return true;
}

// Atomic groups and looks around.
bool Matcher::ExecuteGroup(const Instruction& i, Cursor* cursor) {
  switch (i.op) {
    case Op::kAtomicBegin:
      Push(Frame::Kind::kMark, cursor->pc, cursor->at, mark_);
      mark_ = stack_.size() - 1;
      break;
    case Op::kAtomicEnd:
      CutToMark();
      break;
    case Op::kLookBegin:
      Push(i.flag ? Frame::Kind::kNegative : Frame::Kind::kMark, i.a, cursor->at, mark_);
      mark_ = stack_.size() - 1;
      break;
    case Op::kLookEnd:
      cursor->at = stack_[mark_].position;
      CutToMark();
      break;
    case Op::kLookFail:
      UnwindToMark();
      return false;
    case Op::kBehindBegin:
      if (!BeginBehind(i, cursor)) return false;
      break;
    case Op::kBehindEnd:
      if (cursor->at != stack_[mark_].position) return false;
      CutToMark();
      break;
    default:  // Op::kBehindFail
      if (cursor->at == stack_[mark_].position) UnwindToMark();
      return false;
  }
  ++cursor->pc;
  return true;
}

bool Matcher::TakeLazyLoop(const Instruction& i, Cursor* cursor) {
  const CodePointBitmap& set = program_.sets[i.a];
  uint32_t taken = 0;
  while (taken < i.min && TakeOne(set, &cursor->at)) ++taken;
  if (taken < i.min) return false;
  if (i.max > i.min) Push(Frame::Kind::kLazy, cursor->pc, cursor->at, taken);
  return true;
}

bool Matcher::BeginBehind(const Instruction& i, Cursor* cursor) {
  Push(Frame::Kind::kBehind, cursor->pc, cursor->at, mark_);
  Frame& frame = stack_.back();
  frame.start = cursor->at;
  mark_ = stack_.size() - 1;
  bool reached = true;
  while (reached && frame.stepped < i.min) reached = StepBehind(&frame);
  if (!reached) {
    frame.start = 0;
    frame.stepped = kInfinite;
    return false;
  }
  cursor->at = frame.start;
  return true;
}

void Matcher::CountRound(const Instruction& i, Cursor* cursor) {
  uint32_t count = counters_[i.a];
  bool may_stop = count >= i.min;
  bool may_go = i.max == kInfinite || count < i.max;
  if (may_stop && (i.flag || !may_go)) {
    if (may_go) Push(Frame::Kind::kLazy, cursor->pc, cursor->at, count);
    cursor->pc = i.b;
    return;
  }
  if (may_stop) Push(Frame::Kind::kBranch, i.b, cursor->at);
  Push(Frame::Kind::kRestoreCounter, i.a, cursor->at, count);
  counters_[i.a] = count < kInfinite ? count + 1 : count;
  ++cursor->pc;
}

bool Matcher::CheckEmptyRound(const Instruction& i, Cursor* cursor) {
  bool ends = false;
  if (slots_[i.a] == cursor->at) {
    EmptyRound round = JudgeEmptyRound(i.a, cursor->at);
    if (round == EmptyRound::kFails) return false;
    ends = round == EmptyRound::kEnds;
  }
  cursor->pc = ends ? i.b : cursor->pc + 1;
  return true;
}

bool Matcher::BackTrack(Cursor* cursor) {
  while (!stack_.empty()) {
    if (++steps_ > budget_) FailBudget(cursor->at);
    if (Resume(&stack_.back(), cursor)) return true;
  }
  return false;
}

bool Matcher::Resume(Frame* frame, Cursor* cursor) {
  switch (frame->kind) {
    case Frame::Kind::kBranch:
      *cursor = {frame->pc, frame->position};
      stack_.pop_back();
      return true;
    case Frame::Kind::kSwitch:
      ResumeSwitch(frame, cursor);
      return true;
    case Frame::Kind::kLoop:
      return ResumeLoop(frame, cursor);
    case Frame::Kind::kLazy:
      return ResumeLazy(frame, cursor);
    case Frame::Kind::kNegative:
      *cursor = {frame->pc, frame->position};
      mark_ = frame->extra;
      stack_.pop_back();
      return true;
    case Frame::Kind::kBehind:
      return ResumeBehind(frame, cursor);
    case Frame::Kind::kRestoreSlot:
    case Frame::Kind::kRestoreCounter:
    case Frame::Kind::kMark:
      break;
  }
  Undo(*frame);
  stack_.pop_back();
  return false;
}

void Matcher::ResumeSwitch(Frame* frame, Cursor* cursor) {
  const SwitchTable& table = program_.switches[program_.code[frame->pc].a];
  auto mask = static_cast<uint32_t>(frame->extra);
  *cursor = {table.targets[static_cast<size_t>(__builtin_ctz(mask))], frame->position};
  mask &= mask - 1;
  if (mask == 0) {
    stack_.pop_back();
  } else {
    frame->extra = mask;
  }
}

// Gives characters back up to one that what follows the loop can begin behind.
bool Matcher::ResumeLoop(Frame* frame, Cursor* cursor) {
  const NextBytes& filter = program_.filters[program_.code[frame->pc].b];
  size_t back = frame->position;
  bool found = false;
  while (back > frame->extra && !found) {
    back = StepBack(text_, back);
    found = filter[static_cast<unsigned char>(text_[back])];
    ++steps_;
  }
  *cursor = {frame->pc + 1, back};
  if (back <= frame->extra) {
    stack_.pop_back();
  } else {
    frame->position = back;
  }
  return found;
}

// One round more.
bool Matcher::ResumeLazy(Frame* frame, Cursor* cursor) {
  const Instruction& loop = program_.code[frame->pc];
  *cursor = {frame->pc + 1, frame->position};
  if (loop.op == Op::kCounterLoop) {
    auto count = static_cast<uint32_t>(frame->extra);
    stack_.pop_back();
    Push(Frame::Kind::kRestoreCounter, loop.a, cursor->at, counters_[loop.a]);
    counters_[loop.a] = count + 1;
    return true;
  }
  if (!TakeOne(program_.sets[loop.a], &cursor->at)) {
    stack_.pop_back();
    return false;
  }
  frame->position = cursor->at;
  if (++frame->extra == loop.max) stack_.pop_back();
  return true;
}

bool Matcher::ResumeBehind(Frame* frame, Cursor* cursor) {
  const Instruction& look = program_.code[frame->pc];
  if (frame->stepped != kInfinite && StepBehind(frame)) {
    *cursor = {frame->pc + 1, frame->start};
    mark_ = stack_.size() - 1;
    return true;
  }
  mark_ = frame->extra;
  *cursor = {look.a, frame->position};
  stack_.pop_back();
  return look.flag;
}

}  // namespace hearth::regex_internal
