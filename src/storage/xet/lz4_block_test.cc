#include "storage/xet/internal/lz4_block.h"

#include <gtest/gtest.h>
#include <lz4.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace hearth::storage::internal {
namespace {

using Random = std::mt19937;

std::string Encode(const std::string& bytes) {
  std::string out(static_cast<size_t>(LZ4_compressBound(static_cast<int>(bytes.size()))), '\0');
  int written = LZ4_compress_default(bytes.data(), out.data(), static_cast<int>(bytes.size()),
                                     static_cast<int>(out.size()));
  out.resize(static_cast<size_t>(written));
  return out;
}

std::string Noise(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// The bytes of normally distributed bfloat16 weights: first the low ones, then the high ones.
std::string Planes(Random& random, size_t size) {
  std::normal_distribution<float> normal(0, 0.02f);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size / 2; ++i) {
    float value = normal(random);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bytes[i] = static_cast<char>(bits >> 16);
    bytes[size / 2 + i] = static_cast<char>(bits >> 24);
  }
  return bytes;
}

// Repetitions with every short period, and noise between.
std::string Periods(Random& random, size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    std::string once = Noise(random, 1 + random() % 40);
    for (size_t times = random() % 30; times > 0; --times) bytes += once;
    bytes += once;
  }
  bytes.resize(size);
  return bytes;
}

std::string Content(Random& random, size_t size) {
  switch (random() % 4) {
    case 0:
      return Noise(random, size);
    case 1:
      return Planes(random, size);
    case 2:
      return Periods(random, size);
    default:
      return std::string(size, 'a');
  }
}

// What the library makes of the block in `room` bytes; its verdict is that of the last argument.
std::string ByLibrary(const std::string& packed, size_t room, ptrdiff_t* produced) {
  std::string out(room, '\0');
  int result = LZ4_decompress_safe(packed.data(), out.data(), static_cast<int>(packed.size()),
                                   static_cast<int>(room));
  *produced = result < 0 ? -1 : result;
  out.resize(result < 0 ? 0 : static_cast<size_t>(result));
  return out;
}

struct Case {
  std::string packed;
  size_t room;
};

// Strictly, a block with an offset of 0 is refused; any other is taken as by the library.
void CompareStrict(const Case& each, const std::string& bytes, ptrdiff_t expected) {
  std::string memory(each.room + 64, 'z');
  Lz4Block block{each.packed, memory.data(), each.room};
  DecodeStrictly(block);
  EXPECT_EQ(memory.substr(each.room), std::string(64, 'z'));
  bool takes = expected >= 0 && !HasOffsetOfZero(each.packed);
  ASSERT_EQ(block.produced, takes ? expected : -1);
  if (takes) EXPECT_TRUE(std::string_view(memory).substr(0, bytes.size()) == bytes);
}

// Decodes all in one call, each right behind the other, and compares with the library; how many
// blocks were taken.
int Compare(const std::vector<Case>& cases) {
  size_t all = 0;
  for (const Case& each : cases) all += each.room;
  std::string memory(all, 'z');
  std::vector<Lz4Block> blocks;
  size_t at = 0;
  for (const Case& each : cases) {
    blocks.push_back({each.packed, memory.data() + at, each.room});
    at += each.room;
  }
  DecodeBlocks(blocks);
  int taken = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    ptrdiff_t expected;
    std::string bytes = ByLibrary(cases[i].packed, cases[i].room, &expected);
    EXPECT_EQ(blocks[i].produced, expected);
    CompareStrict(cases[i], bytes, expected);
    if (expected < 0 || blocks[i].produced != expected) continue;
    // A neighbour that had written too much would have spoilt it.
    EXPECT_TRUE(std::string_view(blocks[i].out, bytes.size()) == bytes);
    ++taken;
  }
  return taken;
}

TEST(Lz4BlockTest, DecodesWhatTheLibraryEncodes) {
  Random random(1);
  for (size_t count : {0, 1, 2, 3, 4, 9}) {
    for (size_t largest : {1, 30, 300, 5000, 70'000, 131'072}) {
      std::vector<Case> cases;
      for (size_t i = 0; i < count; ++i) {
        std::string bytes = Content(random, 1 + random() % largest);
        cases.push_back({Encode(bytes), bytes.size()});
      }
      EXPECT_EQ(Compare(cases), static_cast<int>(count));
    }
  }
}

void AppendLength(size_t length, std::string& out) {
  for (; length >= 255; length -= 255) out += '\xff';
  out += static_cast<char>(length);
}

// The token, its literals and, unless `match` is 0, its match.
void AppendToken(Random& random, size_t literals, size_t offset, size_t match, Case& made) {
  size_t rest = match == 0 ? 0 : match - 4;
  made.packed +=
      static_cast<char>(std::min<size_t>(literals, 15) << 4 | std::min<size_t>(rest, 15));
  if (literals >= 15) AppendLength(literals - 15, made.packed);
  made.packed += Noise(random, literals);
  made.room += literals + match;
  if (match == 0) return;
  made.packed += static_cast<char>(offset);
  made.packed += static_cast<char>(offset >> 8);
  if (rest >= 15) AppendLength(rest - 15, made.packed);
}

// A row of tokens such as no encoder writes: any lengths, any offsets that reach into the output,
// and now and then one that does not, or none.
Case MakeUp(Random& random) {
  Case made{"", 0};
  for (size_t tokens = random() % 60; tokens > 0; --tokens) {
    size_t literals = random() % 4 > 0 ? random() % 15 : random() % 700;
    size_t match = 4 + (random() % 4 > 0 ? random() % 15 : random() % 700);
    size_t reach = made.room + literals;
    size_t offset = 1 + random() % std::max<size_t>(reach, 1);
    if (random() % 2 > 0) offset = 1 + random() % 20;
    if (random() % 400 == 0) offset = random() % 3 * reach;
    AppendToken(random, literals, offset, match, made);
  }
  AppendToken(random, random() % 100, 0, 0, made);
  return made;
}

// Long runs without a token that leaves the fast path, and the longest matches that do not.
Case MakeUpFast(Random& random) {
  Case made{"", 0};
  AppendToken(random, 300 + random() % 300, 20, 4, made);
  for (size_t tokens = random() % 300; tokens > 0; --tokens) {
    size_t match = random() % 3 > 0 ? 4 + random() % 15 : 19 + random() % 255;
    AppendToken(random, random() % 33, 16 + random() % 250, match, made);
  }
  AppendToken(random, random() % 100, 0, 0, made);
  return made;
}

TEST(Lz4BlockTest, AgreesWithTheLibraryOnAnyRowOfTokens) {
  Random random(2);
  int taken = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Case> cases;
    for (size_t count = 1 + random() % 4; count > 0; --count) {
      cases.push_back(random() % 2 > 0 ? MakeUp(random) : MakeUpFast(random));
      if (random() % 8 == 0) cases.back().room += random() % 200;
      if (random() % 8 == 0) cases.back().room -= random() % (cases.back().room + 1);
    }
    taken += Compare(cases);
  }
  EXPECT_GE(taken, 3000);
}

// Where the fast path runs, near the end, and behind what it leaves to the library.
TEST(Lz4BlockTest, FindsAnOffsetOfZeroAnywhere) {
  Random random(5);
  for (size_t before : {0, 1, 40, 400}) {
    for (size_t behind : {0, 1, 40, 400}) {
      for (size_t offset : {0, 20}) {
        Case made{"", 0};
        AppendToken(random, 40, 20, 4, made);
        for (size_t i = 0; i < before; ++i) AppendToken(random, i % 33, 20, 4 + i % 40, made);
        AppendToken(random, 3, offset, 30, made);
        for (size_t i = 0; i < behind; ++i) AppendToken(random, i % 33, 20, 4 + i % 40, made);
        AppendToken(random, 30, 0, 0, made);
        EXPECT_EQ(HasOffsetOfZero(made.packed), offset == 0);
        EXPECT_EQ(Compare({made}), 1) << "the library takes it for zeros";
      }
    }
  }
}

TEST(Lz4BlockTest, AgreesWithTheLibraryOnDamagedBlocks) {
  Random random(3);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Case> cases;
    for (size_t count = 1 + random() % 3; count > 0; --count) {
      std::string bytes = Content(random, 1 + random() % 3000);
      std::string packed = Encode(bytes);
      if (random() % 2 > 0) packed.resize(random() % (packed.size() + 1));
      for (size_t flips = random() % 3; flips > 0 && !packed.empty(); --flips) {
        packed[random() % packed.size()] ^= static_cast<char>(1 << random() % 8);
      }
      cases.push_back({packed, bytes.size()});
    }
    Compare(cases);
  }
}

// Whatever ends a block, and however little room there is: nothing behind the room is touched.
TEST(Lz4BlockTest, WritesNothingBehindItsRoom) {
  Random random(4);
  for (int round = 0; round < 2000; ++round) {
    Case made = random() % 2 > 0 ? MakeUp(random) : MakeUpFast(random);
    size_t room = random() % (made.room + 100);
    std::string memory(room + 200, 'z');
    Lz4Block block{made.packed, memory.data(), room};
    DecodeBlocks({&block, 1});
    EXPECT_EQ(memory.substr(room), std::string(200, 'z'));
  }
}

}  // namespace
}  // namespace hearth::storage::internal
