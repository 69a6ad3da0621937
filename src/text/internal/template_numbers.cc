// The filters int and float: numbers out of text as Python's int() and float() read them, in any
// script's digits and with "_" between them.

#include <cmath>
#include <cstdlib>

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"

namespace hearth::tmpl {
namespace {

// Decimals as ASCII, other characters beyond ASCII as what no number has, and no white space around
// (to these two functions the separators of ASCII are none).
std::string AsciiDigits(std::string_view text) {
  std::string out;
  AllCharacters(text, [&](char32_t c) {
    int decimal = DecimalValue(c);
    bool is_blank = IsSpace(c) && (c < 0x1C || c > 0x1F);
    out += decimal >= 0 ? static_cast<char>('0' + decimal)
           : is_blank   ? ' '
           : c < 0x80   ? static_cast<char>(c)
                        : '?';
    return true;
  });
  size_t begin = out.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return out.substr(begin, out.find_last_not_of(' ') + 1 - begin);
}

// 36 and more: no digit.
int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 36;
}

std::optional<int64_t> ParseInteger(Interp& interp, std::string_view text, int64_t base) {
  std::string digits = AsciiDigits(text);
  std::string_view rest = digits;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  if (rest.size() >= 2 && rest[0] == '0') {
    int64_t named = (rest[1] | 0x20) == 'x'   ? 16
                    : (rest[1] | 0x20) == 'o' ? 8
                    : (rest[1] | 0x20) == 'b' ? 2
                                              : 0;
    if (named != 0 && (base == 0 || base == named)) {
      base = named;
      rest.remove_prefix(2);
      if (rest.starts_with('_')) rest.remove_prefix(1);
    }
  }
  bool leading_zero = base == 0 && rest.starts_with('0');
  if (base == 0) base = 10;
  int64_t value = 0;
  bool overflow = false, after_digit = false;
  for (char c : rest) {
    if (c == '_' && after_digit) {
      after_digit = false;
      continue;
    }
    int digit = DigitValue(c);
    if (digit >= base) return std::nullopt;
    after_digit = true;
    overflow = overflow || __builtin_mul_overflow(value, base, &value) ||
               __builtin_sub_overflow(value, digit, &value);  // below zero there is one more
  }
  if (!after_digit) return std::nullopt;
  if (leading_zero && (value != 0 || overflow)) return std::nullopt;
  if (overflow || (!negative && __builtin_sub_overflow(int64_t{0}, value, &value))) {
    interp.Fail("integer overflow");
  }
  return value;
}

std::optional<double> ParseFloat(std::string_view text) {
  std::string digits = AsciiDigits(text), plain;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] != '_') {
      plain += digits[i];
    } else if (i == 0 || i + 1 == digits.size() || DigitValue(digits[i - 1]) > 9 ||
               DigitValue(digits[i + 1]) > 9) {
      return std::nullopt;
    }
  }
  // strtod also reads hexadecimal, nan(...) and white space in front, and stops at a zero byte.
  for (char c : plain) {
    bool belongs = DigitValue(c) < 10 || c == '+' || c == '-' || c == '.' ||
                   std::string_view("infatyINFATYeE").find(c) != std::string_view::npos;
    if (!belongs) return std::nullopt;
  }
  char* end = nullptr;
  double value = std::strtod(plain.c_str(), &end);
  if (plain.empty() || end != plain.c_str() + plain.size()) return std::nullopt;
  return value;
}

// Python's float() of a value; nothing for what it refuses.
std::optional<double> ToNumber(Interp& interp, const Value& self) {
  if (self.is_undefined()) interp.Fail("'" + std::string(self.str()) + "' is undefined");
  if (self.is_number()) return self.AsDouble();
  return self.is_string() ? ParseFloat(self.str()) : std::nullopt;
}

}  // namespace

double NumberArgument(Interp& interp, const Value& value) {
  std::optional<double> number = ToNumber(interp, value);
  if (!number) interp.Fail(std::string("a number is needed, not ") + TypeName(value));
  return *number;
}

Value IntFilter(Interp& interp, const Value& self, Args& args) {
  const Value* fallback = args.Get(0, "default");
  int64_t base = IntArgument(interp, args, 1, "base", 10);
  if (self.is_integral()) return Value::Int(self.AsInt());
  if (self.is_string()) {
    if (std::optional<int64_t> value = ParseInteger(interp, self.str(), base)) {
      return Value::Int(*value);
    }
  }
  std::optional<double> number = ToNumber(interp, self);
  if (!number || !std::isfinite(*number)) return fallback != nullptr ? *fallback : Value::Int(0);
  if (std::fabs(*number) >= 0x1p63) interp.Fail("integer overflow");
  return Value::Int(static_cast<int64_t>(*number));
}

Value FloatFilter(Interp& interp, const Value& self, Args& args) {
  if (std::optional<double> number = ToNumber(interp, self)) return Value::Float(*number);
  const Value* fallback = args.Get(0, "default");
  return fallback != nullptr ? *fallback : Value::Float(0);
}

}  // namespace hearth::tmpl
