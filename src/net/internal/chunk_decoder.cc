#include "net/internal/chunk_decoder.h"

#include <algorithm>

namespace hearth::net {
namespace {

// 15 hex digits stay below 2^60, so no sum of sizes can wrap.
constexpr int kMaxSizeDigits = 15;
// Extensions and trailers are legal and unused; without a bound they are a way to send for ever
// without reaching any body limit.
constexpr size_t kMaxOverheadBytes = 16 << 10;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

ChunkDecoder::State ChunkDecoder::Advance(char c) {
  switch (state_) {
    case State::kSize: {
      int value = HexValue(c);
      if (value >= 0) {
        if (++digits_ > kMaxSizeDigits) return State::kBad;
        remaining_ = remaining_ * 16 + static_cast<uint64_t>(value);
        return State::kSize;
      }
      if (digits_ == 0) return State::kBad;
      if (c == '\r') return State::kSizeLf;
      return c == ';' ? State::kExtension : State::kBad;
    }
    case State::kExtension:
      if (c == '\r') return State::kSizeLf;
      return IsControl(c) || ++overhead_ > kMaxOverheadBytes ? State::kBad : State::kExtension;
    case State::kSizeLf:
      if (c != '\n') return State::kBad;
      digits_ = 0;
      return remaining_ > 0 ? State::kData : State::kTrailerStart;
    case State::kDataCr:
      return c == '\r' ? State::kDataLf : State::kBad;
    case State::kDataLf:
      return c == '\n' ? State::kSize : State::kBad;
    case State::kTrailerStart:
      if (c == '\r') return State::kEndLf;
      return IsControl(c) || c == ' ' || c == '\t' || c == ':' ? State::kBad : State::kTrailer;
    case State::kTrailer:
      if (c == '\r') return State::kTrailerLf;
      return IsControl(c) || ++overhead_ > kMaxOverheadBytes ? State::kBad : State::kTrailer;
    case State::kTrailerLf:
      return c == '\n' && ++overhead_ <= kMaxOverheadBytes ? State::kTrailerStart : State::kBad;
    case State::kEndLf:
      return c == '\n' ? State::kDone : State::kBad;
    case State::kData:
    case State::kDone:
    case State::kBad:
      break;
  }
  return State::kBad;
}

ChunkDecoder::Step ChunkDecoder::Next(std::string_view input) {
  Step step;
  while (state_ != State::kDone && state_ != State::kBad && step.consumed < input.size()) {
    if (state_ == State::kData) {
      size_t take =
          static_cast<size_t>(std::min<uint64_t>(remaining_, input.size() - step.consumed));
      step.data = input.substr(step.consumed, take);
      step.consumed += take;
      remaining_ -= take;
      if (remaining_ == 0) state_ = State::kDataCr;
      step.status = Status::kData;
      return step;
    }
    state_ = Advance(input[step.consumed++]);
  }
  if (state_ == State::kDone) step.status = Status::kDone;
  if (state_ == State::kBad) step.status = Status::kBad;
  return step;
}

}  // namespace hearth::net
