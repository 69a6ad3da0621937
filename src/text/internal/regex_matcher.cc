#include "text/internal/regex_matcher.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "text/internal/regex_classes.h"
#include "text/unicode.h"

namespace hearth::regex_internal {
namespace {

constexpr size_t kUnset = SIZE_MAX;

inline bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

struct Decoded {
  char32_t c;
  uint32_t length;
};

// A byte that begins no well-formed character is one U+FFFD.
inline Decoded DecodeAt(std::string_view text, size_t at) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data()) + at;
  size_t left = text.size() - at;
  char32_t lead = p[0];
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xC2 && lead < 0xE0 && left >= 2 && IsContinuation(p[1])) {
    return {((lead & 0x1F) << 6) | (p[1] & 0x3Fu), 2};
  }
  if (lead >= 0xE0 && lead < 0xF0 && left >= 3 && IsContinuation(p[1]) && IsContinuation(p[2])) {
    char32_t c = ((lead & 0x0F) << 12) | ((p[1] & 0x3Fu) << 6) | (p[2] & 0x3Fu);
    if (c >= 0x800 && !(c >= 0xD800 && c < 0xE000)) return {c, 3};
  }
  if (lead >= 0xF0 && lead < 0xF5 && left >= 4 && IsContinuation(p[1]) && IsContinuation(p[2]) &&
      IsContinuation(p[3])) {
    char32_t c =
        ((lead & 0x07) << 18) | ((p[1] & 0x3Fu) << 12) | ((p[2] & 0x3Fu) << 6) | (p[3] & 0x3Fu);
    if (c >= 0x10000 && c <= kLastCodePoint) return {c, 4};
  }
  return {0xFFFD, 1};
}

}  // namespace

Matcher::Matcher(const Program& program, std::string_view text)
    : program_(program), text_(text), slots_(program.slots, kUnset), counters_(program.counters) {
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

// `at` is above zero.
inline size_t Matcher::StepBack(size_t at) const {
  size_t back = at - 1;
  if (static_cast<unsigned char>(text_[back]) < 0x80) return back;
  for (size_t length = 2; length <= 4 && length <= at; ++length) {
    if (IsContinuation(static_cast<unsigned char>(text_[at - length]))) continue;
    if (DecodeAt(text_, at - length).length == length) return at - length;
    break;
  }
  return back;
}

bool Matcher::IsWordAt(size_t at, bool ascii) const {
  if (at >= text_.size()) return false;
  char32_t c = DecodeAt(text_, at).c;
  return (!ascii || c < 0x80) && WordBitmap().Has(c);
}

bool Matcher::IsWordBefore(size_t at, bool ascii) const {
  return at > 0 && IsWordAt(StepBack(at), ascii);
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
  frame->start = StepBack(frame->start);
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
  uint32_t pc = 0;
  size_t at = start;
  while (true) {
    const Instruction& i = code[pc];
    bool fail = false;
    if (++steps_ > budget_) FailBudget(at);
    switch (i.op) {
      case Op::kMatch:
        end_ = at;
        return Outcome::kMatched;
      case Op::kFail:
        fail = true;
        break;
      case Op::kByte:
        if (at < text_.size() && static_cast<unsigned char>(text_[at]) == i.a) {
          ++at;
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kBytes:
        if (text_.size() - at >= i.b &&
            std::memcmp(text_.data() + at, program_.literals.data() + i.a, i.b) == 0) {
          at += i.b;
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kSet:
        if (TakeOne(program_.sets[i.a], &at)) {
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kLoopAtomic:
      case Op::kLoop: {
        const CodePointBitmap& set = program_.sets[i.a];
        size_t least = at;
        uint32_t needed = 0;
        while (needed < i.min && TakeOne(set, &least)) ++needed;
        if (needed < i.min) {
          fail = true;
          break;
        }
        size_t most = TakeMany(set, least, i.max == kInfinite ? kInfinite : i.max - i.min);
        steps_ += (most - at) / 8;
        if (i.op == Op::kLoop && most > least) Push(Frame::Kind::kLoop, pc, most, least);
        at = most;
        ++pc;
        break;
      }
      case Op::kLoopLazy: {
        const CodePointBitmap& set = program_.sets[i.a];
        uint32_t taken = 0;
        while (taken < i.min && TakeOne(set, &at)) ++taken;
        if (taken < i.min) {
          fail = true;
          break;
        }
        if (i.max > i.min) Push(Frame::Kind::kLazy, pc, at, taken);
        ++pc;
        break;
      }
      case Op::kJump:
        pc = i.a;
        break;
      case Op::kSplit:
        Push(Frame::Kind::kBranch, i.b, at);
        pc = i.a;
        break;
      case Op::kSwitch: {
        const SwitchTable& table = program_.switches[i.a];
        size_t next = at < text_.size() ? static_cast<unsigned char>(text_[at]) : kEndOfText;
        uint32_t mask = table.masks[next];
        if (mask == 0) {
          fail = true;
          break;
        }
        uint32_t rest = mask & (mask - 1);
        if (rest != 0) Push(Frame::Kind::kSwitch, pc, at, rest);
        pc = table.targets[static_cast<size_t>(__builtin_ctz(mask))];
        break;
      }
      case Op::kSave:
        Push(Frame::Kind::kRestoreSlot, i.a, at, slots_[i.a]);
        slots_[i.a] = at;
        ++pc;
        break;
      case Op::kAnchor:
        if (AnchorHolds(static_cast<Anchor>(i.a), at)) {
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kPeekSet: {
        size_t next = at;
        if (TakeOne(program_.sets[i.a], &next) != i.flag) {
          ++pc;
        } else {
          fail = true;
        }
        break;
      }
      case Op::kPeekBehind: {
        size_t back = at > 0 ? StepBack(at) : 0;
        if ((at > 0 && TakeOne(program_.sets[i.a], &back)) != i.flag) {
          ++pc;
        } else {
          fail = true;
        }
        break;
      }
      case Op::kAtomicBegin:
        Push(Frame::Kind::kMark, pc, at, mark_);
        mark_ = stack_.size() - 1;
        ++pc;
        break;
      case Op::kAtomicEnd:
        CutToMark();
        ++pc;
        break;
      case Op::kLookBegin:
        Push(i.flag ? Frame::Kind::kNegative : Frame::Kind::kMark, i.a, at, mark_);
        mark_ = stack_.size() - 1;
        ++pc;
        break;
      case Op::kLookEnd:
        at = stack_[mark_].position;
        CutToMark();
        ++pc;
        break;
      case Op::kLookFail:
        UnwindToMark();
        fail = true;
        break;
      case Op::kBehindBegin: {
        Push(Frame::Kind::kBehind, pc, at, mark_);
        Frame& frame = stack_.back();
        frame.start = at;
        mark_ = stack_.size() - 1;
        bool reached = true;
        while (reached && frame.stepped < i.min) reached = StepBehind(&frame);
        if (reached) {
          at = frame.start;
          ++pc;
        } else {
          frame.start = 0;
          frame.stepped = kInfinite;
          fail = true;
        }
        break;
      }
      case Op::kBehindEnd:
        if (at == stack_[mark_].position) {
          CutToMark();
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kBehindFail:
        if (at == stack_[mark_].position) UnwindToMark();
        fail = true;
        break;
      case Op::kBackReference:
        if (TakeReference(i, &at)) {
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kGrapheme:
        if (at < text_.size()) {
          at += NextGraphemeLength(text_.substr(at));
          ++pc;
        } else {
          fail = true;
        }
        break;
      case Op::kCounterReset:
        Push(Frame::Kind::kRestoreCounter, i.a, at, counters_[i.a]);
        counters_[i.a] = 0;
        ++pc;
        break;
      case Op::kCounterLoop: {
        uint32_t count = counters_[i.a];
        bool may_stop = count >= i.min;
        bool may_go = i.max == kInfinite || count < i.max;
        if (may_stop && (i.flag || !may_go)) {
          if (may_go) Push(Frame::Kind::kLazy, pc, at, count);
          pc = i.b;
          break;
        }
        if (may_stop) Push(Frame::Kind::kBranch, i.b, at);
        Push(Frame::Kind::kRestoreCounter, i.a, at, count);
        counters_[i.a] = count < kInfinite ? count + 1 : count;
        ++pc;
        break;
      }
      case Op::kEmptyBegin:
        Push(Frame::Kind::kRestoreSlot, i.a, at, slots_[i.a]);
        slots_[i.a] = at;
        ++pc;
        break;
      case Op::kEmptyCheck:
        if (slots_[i.a] != at) {
          ++pc;
          break;
        }
        switch (JudgeEmptyRound(i.a, at)) {
          case EmptyRound::kEnds:
            pc = i.b;
            break;
          case EmptyRound::kGoesOn:
            ++pc;
            break;
          case EmptyRound::kFails:
            fail = true;
            break;
        }
        break;
    }
    if (!fail) continue;

    // Back to the last choice.
    while (true) {
      if (stack_.empty()) return Outcome::kFailed;
      Frame& frame = stack_.back();
      Frame::Kind kind = frame.kind;
      if (++steps_ > budget_) FailBudget(at);
      if (kind == Frame::Kind::kRestoreSlot || kind == Frame::Kind::kRestoreCounter ||
          kind == Frame::Kind::kMark) {
        Undo(frame);
        stack_.pop_back();
        continue;
      }
      if (kind == Frame::Kind::kBranch) {
        pc = frame.pc;
        at = frame.position;
        stack_.pop_back();
        break;
      }
      if (kind == Frame::Kind::kSwitch) {
        const SwitchTable& table = program_.switches[code[frame.pc].a];
        auto mask = static_cast<uint32_t>(frame.extra);
        at = frame.position;
        pc = table.targets[static_cast<size_t>(__builtin_ctz(mask))];
        mask &= mask - 1;
        if (mask == 0) {
          stack_.pop_back();
        } else {
          frame.extra = mask;
        }
        break;
      }
      if (kind == Frame::Kind::kLoop) {
        const Instruction& loop = code[frame.pc];
        const NextBytes& filter = program_.filters[loop.b];
        size_t back = frame.position;
        bool found = false;
        while (back > frame.extra && !found) {
          back = StepBack(back);
          found = filter[static_cast<unsigned char>(text_[back])];
          ++steps_;
        }
        pc = frame.pc + 1;
        at = back;
        if (back <= frame.extra) {
          stack_.pop_back();
        } else {
          frame.position = back;
        }
        if (!found) continue;
        break;
      }
      if (kind == Frame::Kind::kLazy) {
        const Instruction& loop = code[frame.pc];
        at = frame.position;
        if (loop.op == Op::kCounterLoop) {
          uint32_t count = static_cast<uint32_t>(frame.extra);
          uint32_t body = frame.pc + 1;
          stack_.pop_back();
          Push(Frame::Kind::kRestoreCounter, loop.a, at, counters_[loop.a]);
          counters_[loop.a] = count + 1;
          pc = body;
          break;
        }
        if (!TakeOne(program_.sets[loop.a], &at)) {
          stack_.pop_back();
          continue;
        }
        frame.position = at;
        pc = frame.pc + 1;
        if (++frame.extra == loop.max) stack_.pop_back();
        break;
      }
      if (kind == Frame::Kind::kNegative) {
        pc = frame.pc;
        at = frame.position;
        mark_ = frame.extra;
        stack_.pop_back();
        break;
      }
      // kBehind
      const Instruction& look = code[frame.pc];
      if (frame.stepped != kInfinite && StepBehind(&frame)) {
        at = frame.start;
        pc = frame.pc + 1;
        mark_ = stack_.size() - 1;
        break;
      }
      mark_ = frame.extra;
      at = frame.position;
      stack_.pop_back();
      if (!look.flag) continue;
      pc = look.a;
      break;
    }
  }
}

}  // namespace hearth::regex_internal
