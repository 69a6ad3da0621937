#include "text/internal/regex_segments.h"

#include "text/internal/regex_text.h"
#include "text/internal/unicode_tables.h"

namespace hearth::regex_internal {

using unicode_internal::kSegmentPictographic;
using unicode_internal::kSegmentTrie;
using unicode_internal::Segment;

namespace {

struct Kind {
  Segment segment;
  bool pictographic;
};

Kind KindOf(char32_t c) {
  unsigned value = kSegmentTrie.Get(c);
  return {static_cast<Segment>(value & (kSegmentPictographic - 1)),
          (value & kSegmentPictographic) != 0};
}

bool IsControl(Segment segment) { return segment >= Segment::kCr && segment <= Segment::kControl; }

bool IsHangul(Segment segment) { return segment >= Segment::kL; }

bool HangulJoins(Segment left, Segment right) {
  switch (left) {
    case Segment::kL:
      return right != Segment::kT;
    case Segment::kLv:
    case Segment::kV:
      return right == Segment::kV || right == Segment::kT;
    default:
      return right == Segment::kT;
  }
}

// Of the rules that look at two characters only.
bool NeighboursJoin(Segment left, Segment right) {
  if (left == Segment::kCr && right == Segment::kLf) return true;
  if (IsControl(left) || IsControl(right)) return false;
  if (IsHangul(left) && IsHangul(right)) return HangulJoins(left, right);
  return right == Segment::kExtend || right == Segment::kZwj || right == Segment::kSpacingMark ||
         left == Segment::kPrepend;
}

}  // namespace

size_t TextSegments::End(size_t at, uint64_t* looked_at) {
  Decoded point = DecodeAt(text_, at);
  Kind left = KindOf(point.c);
  size_t left_begin = at;
  at += point.length;
  for (; at < text_.size(); ++*looked_at) {
    point = DecodeAt(text_, at);
    Kind right = KindOf(point.c);
    bool joins = NeighboursJoin(left.segment, right.segment);
    if (!joins && left.segment == Segment::kZwj && right.pictographic) {
      joins = IsJoinerOfPictographs(left_begin, looked_at);
    } else if (!joins && left.segment == Segment::kRegionalIndicator &&
               right.segment == Segment::kRegionalIndicator) {
      joins = IsInsidePair(at, looked_at);
    }
    if (!joins) return at;
    left = right;
    left_begin = at;
    at += point.length;
  }
  return at;
}

bool TextSegments::IsJoinerOfPictographs(size_t at, uint64_t* looked_at) const {
  for (; at > 0; ++*looked_at) {
    at = StepBack(text_, at);
    Kind kind = KindOf(DecodeAt(text_, at).c);
    if (kind.pictographic) return true;
    if (kind.segment != Segment::kExtend) return false;
  }
  return false;
}

bool TextSegments::IsInsidePair(size_t at, uint64_t* looked_at) {
  bool odd = false;
  for (size_t back = at; back > 0; ++*looked_at) {
    if (back == indicators_end_) {
      odd ^= indicators_odd_;
      break;
    }
    back = StepBack(text_, back);
    if (KindOf(DecodeAt(text_, back).c).segment != Segment::kRegionalIndicator) break;
    odd = !odd;
  }
  indicators_end_ = at;
  indicators_odd_ = odd;
  return odd;
}

}  // namespace hearth::regex_internal
