#include "tokenizers/json_text.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace hearth::tokenizers {
namespace {

// Control characters have a short form where JSON knows one; nothing beyond ASCII is escaped.
void WriteString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text, copied, i - copied);
    copied = i + 1;
    *out += '\\';
    constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
    size_t index = kShort.find(static_cast<char>(c));
    if (index != std::string_view::npos) {
      *out += "bfnrt\"\\"[index];
    } else {
      *out += "u00";
      *out += kHex[c >> 4];
      *out += kHex[c & 15];
    }
  }
  out->append(text, copied);
  *out += '"';
}

// The shortest digits that give the number back. From 1e16 on and below 1e-5 with an exponent,
// which has a sign and no leading zero; else with at least one digit behind the point.
void WriteDouble(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  double size = std::fabs(value);
  bool exponent = size != 0 && (size >= 1e16 || size < 1e-5);
  char text[64];
  auto end = std::to_chars(text, text + sizeof text, value,
                           exponent ? std::chars_format::scientific : std::chars_format::fixed)
                 .ptr;
  std::string_view digits(text, static_cast<size_t>(end - text));
  if (!exponent) {
    out->append(digits);
    if (digits.find('.') == std::string_view::npos) *out += ".0";
    return;
  }
  size_t e = digits.find('e');
  out->append(digits, 0, e + 1);
  digits.remove_prefix(e + 1);
  *out += digits.front();  // the sign
  digits.remove_prefix(digits.find_first_not_of("+-0"));
  out->append(digits);
}

class Writer {
 public:
  Writer(bool pretty, std::string* out) : pretty_(pretty), out_(out) {}

  void Write(const Json& value) {
    if (const std::string* text = value.AsString()) return WriteString(*text, out_);
    if (const Json::Array* items = value.AsArray()) {
      return WriteList('[', ']', *items, [this](const Json& item) { Write(item); });
    }
    if (const Json::Object* members = value.AsObject()) {
      return WriteList('{', '}', *members, [this](const Json::Member& member) {
        WriteString(member.first, out_);
        *out_ += pretty_ ? ": " : ":";
        Write(member.second);
      });
    }
    if (value.is_number() && !value.is_int() && !value.is_unsigned()) {
      return WriteDouble(*value.AsDouble(), out_);
    }
    *out_ += value.Dump();
  }

 private:
  template <typename List, typename WriteItem>
  void WriteList(char open, char close, const List& list, WriteItem&& write_item) {
    *out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : list) {
      if (!first) *out_ += ',';
      first = false;
      NewLine();
      write_item(item);
    }
    --depth_;
    if (!first) NewLine();
    *out_ += close;
  }

  void NewLine() {
    if (!pretty_) return;
    *out_ += '\n';
    out_->append(2 * depth_, ' ');
  }

  bool pretty_;
  std::string* out_;
  size_t depth_ = 0;
};

}  // namespace

std::string WriteJson(const Json& value, bool pretty) {
  std::string text;
  Writer(pretty, &text).Write(value);
  return text;
}

}  // namespace hearth::tokenizers
