#include "runtime/grammar/code_point_set.h"

#include <algorithm>
#include <map>
#include <string>

#include "text/utf8.h"

namespace hearth::runtime {
namespace {

constexpr uint32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF;

// States that take the rest of a character, shared by all beginnings with the same rest.
class Utf8Adder {
 public:
  Utf8Adder(uint32_t from, uint32_t to, GrammarBuilder* builder)
      : from_(from), to_(to), builder_(builder) {}

  void Add(uint32_t first, uint32_t last) {
    for (uint32_t bound : {0x7Fu, 0x7FFu, 0xFFFFu}) {
      if (first <= bound && bound < last) {
        Add(first, bound);
        Add(bound + 1, last);
        return;
      }
    }
    // Apart until every byte's range is independent of the bytes before it.
    int bytes = first <= 0x7F ? 1 : first <= 0x7FF ? 2 : first <= 0xFFFF ? 3 : 4;
    for (int i = 1; i < bytes; ++i) {
      uint32_t mask = (1u << (6 * i)) - 1;
      if ((first & ~mask) == (last & ~mask)) continue;
      if ((first & mask) != 0) {
        Add(first, first | mask);
        Add((first | mask) + 1, last);
        return;
      }
      if ((last & mask) != mask) {
        Add(first, (last & ~mask) - 1);
        Add(last & ~mask, last);
        return;
      }
    }
    std::string low, high;
    AppendUtf8(first, &low);
    AppendUtf8(last, &high);
    uint32_t next = Rest(low.substr(1), high.substr(1));
    builder_->AddBytes(from_, next, static_cast<uint8_t>(low[0]), static_cast<uint8_t>(high[0]));
  }

 private:
  // The state from which the bytes between low and high lead to the end.
  uint32_t Rest(const std::string& low, const std::string& high) {
    if (low.empty()) return to_;
    auto [at, is_new] = rests_.try_emplace({low, high}, 0);
    if (!is_new) return at->second;
    uint32_t next = Rest(low.substr(1), high.substr(1));
    uint32_t state = builder_->AddState();
    builder_->AddBytes(state, next, static_cast<uint8_t>(low[0]), static_cast<uint8_t>(high[0]));
    rests_[{low, high}] = state;
    return state;
  }

  uint32_t from_, to_;
  GrammarBuilder* builder_;
  std::map<std::pair<std::string, std::string>, uint32_t> rests_;
};

void AddHexDigit(uint32_t from, uint32_t to, uint32_t digit, GrammarBuilder* builder) {
  constexpr char kLower[] = "0123456789abcdef";
  char c = kLower[digit];
  builder->AddBytes(from, to, static_cast<uint8_t>(c), static_cast<uint8_t>(c));
  if (digit >= 10) {
    builder->AddBytes(from, to, static_cast<uint8_t>(c - 32), static_cast<uint8_t>(c - 32));
  }
}

void AddAnyHexDigit(uint32_t from, uint32_t to, GrammarBuilder* builder) {
  builder->AddBytes(from, to, '0', '9');
  builder->AddBytes(from, to, 'a', 'f');
  builder->AddBytes(from, to, 'A', 'F');
}

}  // namespace

void CodePointSet::Add(uint32_t first, uint32_t last) {
  if (first < kFirstSurrogate && last >= kFirstSurrogate) {
    Add(first, kFirstSurrogate - 1);
    first = kFirstSurrogate;
  }
  if (first >= kFirstSurrogate && first <= kLastSurrogate) first = kLastSurrogate + 1;
  last = std::min(last, kLast);
  if (first > last) return;
  // Joins what overlaps or touches.
  auto at = std::lower_bound(ranges_.begin(), ranges_.end(), first,
                             [](const Range& r, uint32_t c) { return r.second + 1 < c; });
  auto end = at;
  for (; end != ranges_.end() && end->first <= last + 1; ++end) {
    first = std::min(first, end->first);
    last = std::max(last, end->second);
  }
  at = ranges_.erase(at, end);
  ranges_.insert(at, {first, last});
}

CodePointSet CodePointSet::Complement() const {
  CodePointSet result;
  uint32_t next = 0;
  for (const Range& range : ranges_) {
    if (next < range.first) result.Add(next, range.first - 1);
    next = range.second + 1;
  }
  if (next <= kLast) result.Add(next, kLast);
  return result;
}

CodePointSet CodePointSet::Intersection(const CodePointSet& other) const {
  CodePointSet result;
  for (const Range& a : ranges_) {
    for (const Range& b : other.ranges_) {
      uint32_t first = std::max(a.first, b.first), last = std::min(a.second, b.second);
      if (first <= last) result.Add(first, last);
    }
  }
  return result;
}

bool CodePointSet::Contains(uint32_t c) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const Range& r) { return r.first <= c && c <= r.second; });
}

void AddUtf8(const CodePointSet& set, uint32_t from, uint32_t to, GrammarBuilder* builder) {
  Utf8Adder adder(from, to, builder);
  for (const auto& [first, last] : set.ranges()) adder.Add(first, last);
}

void AddJsonSpelled(const CodePointSet& set, uint32_t from, uint32_t to, GrammarBuilder* builder) {
  static const CodePointSet kPlain{{0x20, 0x21}, {0x23, 0x5B}, {0x5D, CodePointSet::kLast}};
  AddUtf8(set.Intersection(kPlain), from, to, builder);
  constexpr std::pair<char, char> kShort[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                              {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
  uint32_t escape = UINT32_MAX;
  auto escaped = [&] {
    if (escape == UINT32_MAX) {
      escape = builder->AddState();
      builder->AddBytes(from, escape, '\\', '\\');
    }
    return escape;
  };
  for (auto [c, letter] : kShort) {
    if (!set.Contains(static_cast<uint8_t>(c))) continue;
    builder->AddBytes(escaped(), to, static_cast<uint8_t>(letter), static_cast<uint8_t>(letter));
  }
  uint32_t tens[2] = {UINT32_MAX, UINT32_MAX};
  uint32_t prefix = UINT32_MAX;
  for (uint32_t c = 0; c < 0x20; ++c) {
    bool is_short = c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t';
    if (is_short || !set.Contains(c)) continue;
    if (prefix == UINT32_MAX) builder->AddText(escaped(), prefix = builder->AddState(), "u00");
    uint32_t& ten = tens[c >> 4];
    if (ten == UINT32_MAX) AddHexDigit(prefix, ten = builder->AddState(), c >> 4, builder);
    AddHexDigit(ten, to, c & 15, builder);
  }
}

void AddJsonCharacter(uint32_t from, uint32_t to, GrammarBuilder* builder) {
  static const CodePointSet kPlain{{0x20, 0x21}, {0x23, 0x5B}, {0x5D, CodePointSet::kLast}};
  AddUtf8(kPlain, from, to, builder);
  auto add_state = [&] { return builder->AddState(); };
  uint32_t escape = add_state();
  builder->AddBytes(from, escape, '\\', '\\');
  for (char letter : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) {
    builder->AddBytes(escape, to, static_cast<uint8_t>(letter), static_cast<uint8_t>(letter));
  }
  // \uXXXX: D000-D7FF and all that begin otherwise stand alone; D800-DBFF need a second one from
  // DC00 on.
  uint32_t u = add_state(), second = add_state(), third = add_state(), fourth = add_state();
  uint32_t d = add_state();
  builder->AddBytes(escape, u, 'u', 'u');
  builder->AddBytes(u, second, '0', '9');
  for (uint8_t base : {'a', 'A'}) {
    builder->AddBytes(u, second, base, static_cast<uint8_t>(base + 2));
    builder->AddBytes(u, d, static_cast<uint8_t>(base + 3), static_cast<uint8_t>(base + 3));
    builder->AddBytes(u, second, static_cast<uint8_t>(base + 4), static_cast<uint8_t>(base + 5));
  }
  AddAnyHexDigit(second, third, builder);
  AddAnyHexDigit(third, fourth, builder);
  AddAnyHexDigit(fourth, to, builder);
  builder->AddBytes(d, third, '0', '7');
  uint32_t high3 = add_state(), high4 = add_state(), pair = add_state(), low = add_state();
  builder->AddBytes(d, high3, '8', '9');
  builder->AddBytes(d, high3, 'a', 'b');
  builder->AddBytes(d, high3, 'A', 'B');
  AddAnyHexDigit(high3, high4, builder);
  AddAnyHexDigit(high4, pair, builder);
  builder->AddText(pair, low, "\\u");
  uint32_t low_d = add_state();
  builder->AddBytes(low, low_d, 'd', 'd');
  builder->AddBytes(low, low_d, 'D', 'D');
  builder->AddBytes(low_d, third, 'c', 'f');
  builder->AddBytes(low_d, third, 'C', 'F');
}

}  // namespace hearth::runtime
