// Embeddings are thousands of numbers between 0.001 and 1, for which the shortest text is found
// about twice as fast as by an algorithm for all numbers (Ryu, which std::to_chars is). Scaled to
// nine digits before the point, which tell any two fp32 numbers apart, all that reads back as the
// value lies within half the distance to the next one; the shortest is the nearest multiple of the
// highest power of ten that has one in there. Doubles are exact enough for that but near a border:
// what lies there goes the long way, as does all that is rare, since most of the time of a number
// would be that of a branch that was guessed wrong.
#include "codec/float_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hearth {
namespace {

constexpr int kDigits = 9;
// Above the error of a product below 2^30, which is 2^-24.
constexpr double kMargin = 1e-6;
// By the number of zeros that stand at the end of the nine digits.
constexpr uint32_t kPowers[] = {1, 10, 100};
constexpr double kParts[] = {1, 0.1, 0.01};
// By the number of zeros behind the point.
constexpr double kScales[] = {1e9, 1e10, 1e11};

char* AppendAny(char* at, float value) {
  constexpr std::string_view kNull = "null", kReal = ".0";
  if (!std::isfinite(value)) return std::copy(kNull.begin(), kNull.end(), at);
  char* end = std::to_chars(at, at + kFloatTextBytes, value).ptr;
  bool is_real = std::any_of(at, end, [](char c) { return c == '.' || c == 'e'; });
  return is_real ? end : std::copy(kReal.begin(), kReal.end(), end);
}

// A number cut at its point, and whether it is certain that the cut is right.
struct Cut {
  explicit Cut(double x)
      : whole(static_cast<uint32_t>(static_cast<int32_t>(x))),
        is_sure(std::fabs(x - whole - 0.5) < 0.5 - kMargin) {}
  uint32_t whole;
  bool is_sure;
};

void WriteTwo(char* at, uint32_t number) {
  static constexpr char kPairs[] =
      "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
      "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
      "9293949596979899";
  std::memcpy(at, kPairs + size_t{2} * number, 2);
}

void WriteNine(char* at, uint32_t number) {
  const uint32_t front = number / 10'000, back = number % 10'000;
  at[0] = static_cast<char>('0' + front / 10'000);
  WriteTwo(at + 1, front / 100 % 100);
  WriteTwo(at + 3, front % 100);
  WriteTwo(at + 5, back / 100);
  WriteTwo(at + 7, back % 100);
}

}  // namespace

// In this range the plain form is never longer than that with an exponent.
char* AppendFloat(char* at, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const double size = std::fabs(value);
  const bool is_power_of_two = (bits & 0x7fffff) == 0;  // nearer to the number below
  if (!(size >= 0.001 && size < 1) || is_power_of_two) return AppendAny(at, value);
  const int zeros = int{size < 0.1} + int{size < 0.01};
  const uint64_t half_bits = (((bits >> 23) & 0xff) + (1023 - 127 - 24ull)) << 52;
  double half;  // as a double that is a power of two
  std::memcpy(&half, &half_bits, sizeof half);
  const double scaled = size * kScales[zeros];
  half *= kScales[zeros];
  const Cut low(scaled - half), high(scaled + half);
  auto have = [&](uint32_t power) { return low.whole / power < high.whole / power; };
  const bool is_usual = low.is_sure & high.is_sure & (high.whole < 1'000'000'000) & !have(1000);
  if (!is_usual) return AppendAny(at, value);
  const int dropped = int{have(10)} + int{have(100)};
  const Cut nearest(scaled * kParts[dropped] + 0.5);
  if (!nearest.is_sure) return AppendAny(at, value);
  *at = '-';
  at += bits >> 31;
  std::memcpy(at, "0.00", 4);
  at += 2 + zeros;
  WriteNine(at, nearest.whole * kPowers[dropped]);
  return at + kDigits - dropped;
}

}  // namespace hearth
