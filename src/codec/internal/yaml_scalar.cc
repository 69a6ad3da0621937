#include "codec/internal/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace hearth::yaml {
namespace {

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllOf(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

std::optional<Json> FromDigits(std::string_view digits, int base, bool negative) {
  std::string plain = WithoutUnderscores(digits);
  uint64_t value = 0;
  const char* end = plain.data() + plain.size();
  auto result = std::from_chars(plain.data(), end, value, base);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  constexpr auto kMinMagnitude = uint64_t{1} << 63;
  if (!negative) return Json(value);
  if (value > kMinMagnitude) return std::nullopt;
  return Json(static_cast<int64_t>(0 - value));
}

// [0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)? or \.[0-9][0-9_]*([eE][-+][0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789_";
  size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.size() < 2 || (power[0] != '+' && power[0] != '-')) return false;
    if (!AllOf(power.substr(1), "0123456789")) return false;
    text = text.substr(0, exponent);
  }
  size_t dot = text.find('.');
  if (dot == std::string_view::npos) return false;
  std::string_view whole = text.substr(0, dot);
  std::string_view fraction = text.substr(dot + 1);
  if (!AllOf(whole, kDigits) || !AllOf(fraction, kDigits)) return false;
  if (whole.empty()) return !fraction.empty() && IsDigit(fraction[0]);
  return IsDigit(whole[0]);
}

}  // namespace

bool IsNull(std::string_view text) { return IsOneOf(text, {"", "~", "null", "Null", "NULL"}); }

std::optional<bool> ParseBool(std::string_view text) {
  if (IsOneOf(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) {
    return false;
  }
  return std::nullopt;
}

std::optional<Json> ParseInteger(std::string_view text) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || !IsDigit(text[0])) return std::nullopt;
  if (text.size() > 2 && text[0] == '0' && text[1] == 'x') {
    return FromDigits(text.substr(2), 16, negative);
  }
  if (text.size() > 2 && text[0] == '0' && text[1] == 'b') {
    return FromDigits(text.substr(2), 2, negative);
  }
  if (!AllOf(text, "0123456789_")) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return FromDigits(text, 8, negative);
  return FromDigits(text, 10, negative);
}

std::optional<double> ParseFloat(std::string_view text) {
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (IsOneOf(text, {".inf", ".Inf", ".INF"})) return negative ? -HUGE_VAL : HUGE_VAL;
  if (!LooksLikeFloat(text)) return std::nullopt;
  std::string plain = WithoutUnderscores(text);
  double value = 0;
  auto result = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // Overflow or underflow: the sign of the exponent says which.
    value = plain.find("e-") != std::string::npos || plain.find("E-") != std::string::npos
                ? 0
                : HUGE_VAL;
  } else if (result.ec != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

Json Resolve(std::string_view text) {
  if (IsNull(text)) return Json();
  if (auto value = ParseBool(text)) return Json(*value);
  if (auto value = ParseInteger(text)) return *value;
  if (auto value = ParseFloat(text)) return Json(*value);
  return Json(text);
}

bool IsAmbiguous(std::string_view text) {
  if (IsNull(text) || ParseBool(text) || ParseFloat(text)) return true;
  // Any start that a number, date, time, special float or merge key could have: quoting too much is
  // harmless, quoting too little changes a value.
  if (IsDigit(text[0]) || text[0] == '.' || text[0] == '+' || text[0] == '=' || text[0] == '<') {
    return true;
  }
  return IsOneOf(text, {"y", "Y", "n", "N"});
}

}  // namespace hearth::yaml
