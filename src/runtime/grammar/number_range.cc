#include "runtime/grammar/number_range.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"

namespace hearth::runtime {
namespace {

constexpr size_t kMaxDigits = 60;

// Not negative, with bounds that are not negative either: reads digit by digit and remembers
// whether all so far are those of a bound ("tight").
class DigitAutomaton {
 public:
  DigitAutomaton(NumberBound min, std::optional<NumberBound> max, bool integer, uint32_t to,
                 GrammarBuilder* builder)
      : min_(std::move(min)), max_(std::move(max)), integer_(integer), to_(to), builder_(*builder) {
    fraction_length_ = min_.value.fraction.size();
    if (max_) fraction_length_ = std::max(fraction_length_, max_->value.fraction.size());
  }

  void AddFrom(uint32_t from) {
    const size_t shortest = min_.value.whole.size();
    const size_t longest = max_ ? max_->value.whole.size() : shortest;
    for (size_t length = shortest; length <= longest; ++length) {
      Tight tight{length == shortest, max_.has_value() && length == longest};
      AddWhole(length, from, tight);
    }
    if (max_) return;
    // Longer than the minimum without a maximum: any digits.
    uint32_t at = builder_.AddState();
    builder_.AddBytes(from, at, '1', '9');
    for (size_t i = 1; i <= shortest; ++i) {
      uint32_t next = builder_.AddState();
      builder_.AddBytes(at, next, '0', '9');
      at = next;
    }
    builder_.AddBytes(at, at, '0', '9');
    builder_.AddEmpty(at, AfterWhole({false, false}));
  }

 private:
  struct Tight {
    bool min = false, max = false;
  };

  void AddWhole(size_t length, uint32_t from, Tight tight) {
    // States by (digits read, tightness).
    std::map<std::tuple<size_t, bool, bool>, uint32_t> made;
    auto state_of = [&](size_t read, Tight t) {
      if (read == length) return AfterWhole(t);
      auto [at, is_new] = made.try_emplace({read, t.min, t.max}, 0);
      if (is_new) at->second = builder_.AddState();
      return at->second;
    };
    for (size_t read = 0; read < length; ++read) {
      for (int which = 0; which < 4; ++which) {
        Tight t{(which & 1) != 0, (which & 2) != 0};
        uint32_t at = 0;
        if (read == 0) {
          if (t.min != tight.min || t.max != tight.max) continue;
          at = from;
        } else {
          auto known = made.find({read, t.min, t.max});
          if (known == made.end()) continue;
          at = known->second;
        }
        char least = read == 0 && length > 1 ? '1' : '0';
        AddDigits(at, t, t.min ? min_.value.whole[read] : '0',
                  t.max ? max_->value.whole[read] : '9', least,
                  [&](Tight next) { return state_of(read + 1, next); });
      }
    }
  }

  // Edges for the digits that keep inside the bounds, whose digits here are low and high.
  template <typename Next>
  void AddDigits(uint32_t at, Tight tight, char low, char high, char least, Next next) {
    for (char digit = std::max(low, least); digit <= high; ++digit) {
      Tight after{tight.min && digit == low, tight.max && digit == high};
      builder_.AddBytes(at, next(after), static_cast<uint8_t>(digit), static_cast<uint8_t>(digit));
    }
  }

  static bool AllZero(const std::string& digits, size_t from) {
    return digits.find_first_not_of('0', std::min(from, digits.size())) == std::string::npos;
  }

  // Whether a number may end here: its digits are those of the tight bounds, the rest being zero.
  bool MayEnd(Tight tight, size_t fraction_read) const {
    if (tight.min) {
      bool equal = AllZero(min_.value.fraction, fraction_read);
      if (!equal || min_.exclusive) return false;
    }
    if (tight.max && max_->exclusive && AllZero(max_->value.fraction, fraction_read)) return false;
    return true;
  }

  uint32_t AfterWhole(Tight tight) {
    auto [at, is_new] = after_whole_.try_emplace({tight.min, tight.max}, 0);
    if (!is_new) return at->second;
    uint32_t state = builder_.AddState();
    at->second = state;
    if (MayEnd(tight, 0)) builder_.AddEmpty(state, to_);
    if (integer_) return state;
    uint32_t point = builder_.AddState();
    builder_.AddBytes(state, point, '.', '.');
    AddFractionDigit(point, 0, tight);
    return state;
  }

  void AddFractionDigit(uint32_t at, size_t read, Tight tight) {
    auto digit_of = [&](const Decimal& bound) {
      return read < bound.fraction.size() ? bound.fraction[read] : '0';
    };
    AddDigits(at, tight, tight.min ? digit_of(min_.value) : '0',
              tight.max ? digit_of(max_->value) : '9', '0',
              [&](Tight next) { return Fraction(read + 1, next); });
  }

  uint32_t Fraction(size_t read, Tight tight) {
    // Behind the bounds' last digits all places are alike.
    size_t place = std::min(read, fraction_length_ + 1);
    auto [at, is_new] = fractions_.try_emplace({place, tight.min, tight.max}, 0);
    if (!is_new) return at->second;
    uint32_t state = builder_.AddState();
    at->second = state;
    if (MayEnd(tight, place)) builder_.AddEmpty(state, to_);
    AddFractionDigit(state, place, tight);
    return state;
  }

  NumberBound min_;
  std::optional<NumberBound> max_;
  bool integer_;
  uint32_t to_;
  GrammarBuilder& builder_;
  size_t fraction_length_ = 0;
  std::map<std::pair<bool, bool>, uint32_t> after_whole_;
  std::map<std::tuple<size_t, bool, bool>, uint32_t> fractions_;
};

Decimal Negated(Decimal value) {
  value.negative = !value.negative && !value.is_zero();
  return value;
}

}  // namespace

Decimal Decimal::FromJson(const Json& number) {
  if (!number.is_number()) throw Error(Code::kInvalidArgument, "must be a number");
  std::string text = number.Dump();
  Decimal decimal;
  size_t at = 0;
  if (text[at] == '-') decimal.negative = true, ++at;
  std::string digits;
  int64_t point = -1;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      point = static_cast<int64_t>(digits.size());
    } else {
      digits.push_back(text[at]);
    }
  }
  if (point < 0) point = static_cast<int64_t>(digits.size());
  if (at < text.size()) point += std::stoi(text.substr(at + 1));
  constexpr auto kMost = static_cast<int64_t>(kMaxDigits);
  if (point > kMost || point < -kMost || digits.size() > kMaxDigits) {
    throw Error(Code::kTooLarge, "a bound has too many digits");
  }
  if (point < 0) {
    digits.insert(0, static_cast<size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<size_t>(point) > digits.size()) digits.append(point - digits.size(), '0');
  decimal.whole = digits.substr(0, point);
  decimal.fraction = digits.substr(point);
  decimal.whole.erase(0, std::min(decimal.whole.find_first_not_of('0'), decimal.whole.size()));
  if (decimal.whole.empty()) decimal.whole = "0";
  decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
  if (decimal.is_zero()) decimal.negative = false;
  return decimal;
}

int Decimal::Compare(const Decimal& other) const {
  if (negative != other.negative) return negative ? -1 : 1;
  int magnitude = 0;
  if (whole.size() != other.whole.size()) {
    magnitude = whole.size() < other.whole.size() ? -1 : 1;
  } else {
    magnitude = whole.compare(other.whole);
    // Digits behind the point compare as texts: a shorter one continues with zeros.
    if (magnitude == 0) magnitude = fraction.compare(other.fraction);
  }
  return negative ? -magnitude : magnitude;
}

void AddNumberRange(const NumberRange& range, uint32_t from, uint32_t to, GrammarBuilder* builder) {
  // Not negative numbers.
  bool reaches_up = !range.max || !range.max->value.negative;
  if (reaches_up) {
    NumberBound low{};
    if (range.min && !range.min->value.negative) low = *range.min;
    DigitAutomaton(low, range.max, range.integer, to, builder).AddFrom(from);
  }
  // Negative ones: the same of their magnitudes, the bounds exchanged.
  bool reaches_down = !range.min || range.min->value.negative;
  if (reaches_down) {
    uint32_t minus = builder->AddState();
    builder->AddBytes(from, minus, '-', '-');
    NumberBound low{};
    // "-0" is 0 and must keep the maximum.
    if (range.max && (range.max->value.negative || range.max->value.is_zero())) {
      low = {Negated(range.max->value), range.max->exclusive};
    }
    std::optional<NumberBound> high;
    if (range.min) high = NumberBound{Negated(range.min->value), range.min->exclusive};
    DigitAutomaton(low, high, range.integer, to, builder).AddFrom(minus);
  }
}

}  // namespace hearth::runtime
