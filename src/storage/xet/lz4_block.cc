// A block is a row of tokens, each followed by literals, an offset of two bytes and, for lengths
// that the token has no room for, bytes that go on counting. Cursor::Take is the fast path, for two
// blocks in turn and far from the ends of all buffers; TakeUnusual takes what that does not. What
// neither takes is left to the library, from that token to the end, with what was decoded as its
// dictionary: the rules for the end of a block and every refusal are thus the library's own. So is
// a block without a partner, which it decodes as fast.
#include "storage/xet/internal/lz4_block.h"

#include <lz4.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace hearth::storage::internal {
namespace {

// A token's two halves: how many literals, and how much longer than kMinMatch the match is.
constexpr size_t kMaxNibble = 15;
constexpr size_t kMinMatch = 4;
constexpr size_t kOffsetBytes = 2;
// What a token takes of the input and adds to the output is counted in shares of 32 bytes.
constexpr int kShareShift = 5;
// How far from the ends the fast path stays. The library has rules of its own for the last 32 bytes
// of the input and 64 of the output; a token takes up to 37 bytes and adds up to 305, and copies
// write up to 31 too many.
constexpr size_t kInputMargin = 96;
constexpr size_t kOutputMargin = 384;

// A register's worth. Every 64-bit processor copies it with two instructions.
typedef char Vector __attribute__((vector_size(16)));

Vector Load(const uint8_t* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void Store(Vector value, uint8_t* to) { std::memcpy(to, &value, sizeof value); }

uint64_t Load64(const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void Store64(uint64_t value, uint8_t* to) { std::memcpy(to, &value, sizeof value); }

size_t LoadOffset(const uint8_t* from) {
  uint16_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Where a block's decoding stands: before a token.
struct Lane {
  const uint8_t* in;
  uint8_t* out;
};

struct Ends {
  explicit Ends(const Lz4Block& block)
      : in_end(reinterpret_cast<const uint8_t*>(block.packed.data()) + block.packed.size()),
        out_begin(reinterpret_cast<uint8_t*>(block.out)),
        out_end(out_begin + block.room) {
    in_fast = in_end - std::min(block.packed.size(), kInputMargin);
    out_fast = out_end - std::min(block.room, kOutputMargin);
  }
  // How many shares the fast path may take before this must be asked again.
  ptrdiff_t Shares(const Lane& lane) const {
    ptrdiff_t bytes = std::min(in_fast - lane.in, out_fast - lane.out);
    return (bytes + (1 << kShareShift) - 1) >> kShareShift;
  }

  const uint8_t* in_end;
  const uint8_t* in_fast;  // tokens before this one and
  uint8_t* out_begin;
  uint8_t* out_end;
  uint8_t* out_fast;  // output before this one are far from the ends
};

Lane Start(const Lz4Block& block) {
  return {reinterpret_cast<const uint8_t*>(block.packed.data()),
          reinterpret_cast<uint8_t*>(block.out)};
}

// A lane inside the fast path: the token is loaded already, which takes one step out of the chain
// from token to token that everything waits for.
class Cursor {
 public:
  explicit Cursor(const Lane& lane) : token_(*lane.in), in_(lane.in + 1), out_(lane.out) {}
  Lane lane() const { return {in_ - 1, out_}; }

  // Takes a token of one share, or one of more that it subtracts from `left`; false for a token
  // that it does not take: the cursor has not moved then. The stores stand between the tests to
  // keep them apart: joined ones take more instructions than they save.
  [[gnu::always_inline]] bool Take(const uint8_t* out_begin, ptrdiff_t& left) {
    size_t length = token_ >> 4;
    const uint8_t* behind = in_ + length;
    if (length < kMaxNibble) [[likely]] {
      Store(Load(in_), out_);
    } else {
      length += *in_;
      if (length > 2 * sizeof(Vector)) return false;
      Store(Load(in_ + 1), out_);
      Store(Load(in_ + 1 + sizeof(Vector)), out_ + sizeof(Vector));
      behind = in_ + 1 + length;
      --left;
    }
    size_t offset = LoadOffset(behind);
    uint8_t* to = out_ + length;
    const uint8_t* from = to - offset;
    if (from < out_begin) [[unlikely]]
      return false;
    // In halves, since one load of bytes that come from two stores of late waits for both.
    uint64_t half = Load64(from);
    if (offset < sizeof half) [[unlikely]]
      return false;
    Store64(half, to);
    Store64(Load64(from + sizeof half), to + sizeof half);
    length = (token_ & kMaxNibble) + kMinMatch;
    if (length > sizeof(Vector)) [[unlikely]]
      return TakeLong(length, from, to, behind + kOffsetBytes, left);
    token_ = behind[kOffsetBytes];
    in_ = behind + kOffsetBytes + 1;
    out_ = to + length;
    return true;
  }

 private:
  // A match of more than 16 bytes, the first of which are copied, before `in`.
  [[gnu::always_inline]] bool TakeLong(size_t length, const uint8_t* from, uint8_t* to,
                                       const uint8_t* in, ptrdiff_t& left) {
    if (to - from < static_cast<ptrdiff_t>(sizeof(Vector))) return false;
    if (length == kMaxNibble + kMinMatch) {
      if (*in == 0xff) return false;
      length += *in++;
    }
    size_t copied = sizeof(Vector);
    do {
      Store(Load(from + copied), to + copied);
      Store(Load(from + copied + sizeof(Vector)), to + copied + sizeof(Vector));
      copied += 2 * sizeof(Vector);
    } while (copied < length);
    left -= static_cast<ptrdiff_t>((length + kMaxNibble - 2) >> kShareShift);
    token_ = *in;
    in_ = in + 1;
    out_ = to + length;
    return true;
  }

  size_t token_;
  const uint8_t* in_;  // behind the token
  uint8_t* out_;
};

// For repetitions of 1 to 7 bytes: the factor that repeats the lowest bytes of a word, and how far
// back the next word is the same, which is the first multiple of the offset that reaches eight.
constexpr uint64_t kFactor[8] = {0,
                                 0x0101010101010101,
                                 0x0001000100010001,
                                 0x0001000001000001,
                                 0x0000000100000001,
                                 0x0000010000000001,
                                 0x0001000000000001,
                                 0x0100000000000001};
constexpr uint8_t kBack[8] = {0, 8, 8, 9, 8, 10, 12, 14};

// Writes [to, end) and up to 15 bytes more as a repetition of the `offset` bytes before `to`, 1 to
// 15.
void Repeat(size_t offset, uint8_t* to, uint8_t* end) {
  uint64_t word = Load64(to - offset);
  size_t back = offset;
  if (offset < 8) {
    word = (word & ((uint64_t{1} << 8 * offset) - 1)) * kFactor[offset];
    back = kBack[offset];
  }
  Store64(word, to);
  Store64(Load64(to + 8 - back), to + 8);
  if (end - to <= static_cast<ptrdiff_t>(sizeof(Vector))) return;
  Vector pattern = Load(to);
  size_t whole = sizeof(Vector) / offset * offset;
  for (to += whole; to < end; to += whole) Store(pattern, to);
}

// Adds the bytes that go on counting where `length` is a full nibble; false: too near to the end.
bool ReadLength(const Ends& ends, const uint8_t*& in, size_t& length) {
  if (length != kMaxNibble) return true;
  while (true) {
    if (in >= ends.in_fast) return false;
    uint8_t more = *in++;
    length += more;
    if (more != 0xff) return true;
  }
}

// Takes a token of any kind that is not near the ends of the buffers; null where it is, or where
// the token is not one that may stand there.
[[gnu::noinline]] Lane TakeUnusual(Lane lane, const Ends& ends) {
  constexpr Lane kLeft{nullptr, nullptr};
  auto [in, out] = lane;
  size_t token = *in++;
  size_t length = token >> 4;
  if (!ReadLength(ends, in, length)) return kLeft;
  if (length + 2 * sizeof(Vector) > static_cast<size_t>(ends.in_end - in)) return kLeft;
  if (length + kOutputMargin > static_cast<size_t>(ends.out_end - out)) return kLeft;
  Store(Load(in), out);
  Store(Load(in + sizeof(Vector)), out + sizeof(Vector));
  // Most have ended here; a whole plane of mantissas has not.
  if (length > 2 * sizeof(Vector)) std::memcpy(out, in, length);
  in += length;
  out += length;
  size_t offset = LoadOffset(in);
  in += kOffsetBytes;
  length = token & kMaxNibble;
  if (!ReadLength(ends, in, length)) return kLeft;
  length += kMinMatch;
  if (length + kOutputMargin > static_cast<size_t>(ends.out_end - out)) return kLeft;
  if (offset == 0 || offset > static_cast<size_t>(out - ends.out_begin)) return kLeft;
  if (offset < sizeof(Vector)) {
    Repeat(offset, out, out + length);
  } else {
    const uint8_t* from = out - offset;
    for (size_t i = 0; i < length; i += sizeof(Vector)) Store(Load(from + i), out + i);
  }
  return {in, out + length};
}

// Whether the cursor went past the token that it could not take.
[[gnu::always_inline]] inline bool Pass(Cursor& cursor, const Ends& ends) {
  Lane next = TakeUnusual(cursor.lane(), ends);
  if (next.in == nullptr) return false;
  cursor = Cursor(next);
  return true;
}

// Both in turn, until one of them, whose number is returned, goes no further.
size_t RunPair(Lane (&lanes)[2], const Ends (&ends)[2]) {
  Lane lane0 = lanes[0], lane1 = lanes[1];
  bool passed0 = true, passed1 = true;
  while (passed0 && passed1) {
    ptrdiff_t left0 = ends[0].Shares(lane0), left1 = ends[1].Shares(lane1);
    if (left0 <= 0) passed0 = false;
    if (left1 <= 0) passed1 = false;
    if (!passed0 || !passed1) break;
    Cursor cursor0(lane0), cursor1(lane1);
    for (ptrdiff_t left = std::min(left0, left1); left > 0; --left) {
      if (!cursor0.Take(ends[0].out_begin, left)) {
        passed0 = Pass(cursor0, ends[0]);
        break;
      }
      if (!cursor1.Take(ends[1].out_begin, left)) {
        passed1 = Pass(cursor1, ends[1]);
        break;
      }
    }
    lane0 = cursor0.lane();
    lane1 = cursor1.lane();
  }
  lanes[0] = lane0;
  lanes[1] = lane1;
  return passed0 ? 1 : 0;
}

// One block, as far as it goes.
void RunAlone(Lane& lane, const Ends& ends) {
  for (bool passed = true; passed;) {
    ptrdiff_t left = ends.Shares(lane);
    if (left <= 0) return;
    Cursor cursor(lane);
    for (; left > 0; --left) {
      if (!cursor.Take(ends.out_begin, left)) {
        passed = Pass(cursor, ends);
        break;
      }
    }
    lane = cursor.lane();
  }
}

void Finish(const Lane& lane, const Ends& ends, Lz4Block& block) {
  auto done = reinterpret_cast<char*>(lane.out) - block.out;
  int rest = ::LZ4_decompress_safe_usingDict(
      reinterpret_cast<const char*>(lane.in), reinterpret_cast<char*>(lane.out),
      static_cast<int>(ends.in_end - lane.in), static_cast<int>(ends.out_end - lane.out), block.out,
      static_cast<int>(done));
  block.produced = rest < 0 ? -1 : done + rest;
}

// Adds the bytes that go on counting where `length` is a full nibble; false at the end of the
// block.
bool AddLength(std::string_view& block, size_t& length) {
  if (length != kMaxNibble) return true;
  while (!block.empty()) {
    auto more = static_cast<uint8_t>(block.front());
    block.remove_prefix(1);
    length += more;
    if (more != 0xff) return true;
  }
  return false;
}

}  // namespace

bool HasOffsetOfZero(std::string_view block) {
  while (!block.empty()) {
    auto token = static_cast<uint8_t>(block.front());
    block.remove_prefix(1);
    size_t literals = token >> 4, match = token & kMaxNibble;
    if (!AddLength(block, literals)) return false;
    if (literals > block.size() || block.size() - literals < kOffsetBytes) return false;
    block.remove_prefix(literals);
    if (block[0] == 0 && block[1] == 0) return true;
    block.remove_prefix(kOffsetBytes);
    if (!AddLength(block, match)) return false;
  }
  return false;
}

void DecodeStrictly(Lz4Block& block) {
  Lane lane = Start(block);
  Ends ends(block);
  RunAlone(lane, ends);
  auto in = reinterpret_cast<const char*>(lane.in);
  if (HasOffsetOfZero({in, static_cast<size_t>(block.packed.end() - in)})) {
    block.produced = -1;
  } else {
    Finish(lane, ends, block);
  }
}

void DecodeBlocks(std::span<Lz4Block> blocks) {
  if (blocks.empty()) return;
  size_t next = 1;
  size_t running[2] = {0, 0};  // positions in `blocks`
  Lane lanes[2] = {Start(blocks[0]), Start(blocks[0])};
  Ends ends[2] = {Ends(blocks[0]), Ends(blocks[0])};
  size_t idle = 1;
  for (; next < blocks.size(); ++next) {
    running[idle] = next;
    lanes[idle] = Start(blocks[next]);
    ends[idle] = Ends(blocks[next]);
    idle = RunPair(lanes, ends);
    Finish(lanes[idle], ends[idle], blocks[running[idle]]);
  }
  size_t last = 1 - idle;
  Finish(lanes[last], ends[last], blocks[running[last]]);
}

}  // namespace hearth::storage::internal
