#include "formats/pickle/internal/pickle_value.h"

#include <charconv>

#include "base/bytes.h"

namespace hearth {
namespace {

void AppendUtf8(uint32_t code, std::string* text) {
  if (code < 0x80) {
    text->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text->push_back(static_cast<char>(0xC0 | code >> 6));
    text->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    text->push_back(static_cast<char>(0xE0 | code >> 12));
    text->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    text->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    text->push_back(static_cast<char>(0xF0 | (code >> 18 & 7)));
    text->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    text->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    text->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// `digits` characters of the given base from text[at]; false when they are not there.
bool ReadDigits(std::string_view text, size_t at, size_t digits, int base, uint32_t* value) {
  if (text.size() - at < digits) return false;
  const char* begin = text.data() + at;
  auto [end, fault] = std::from_chars(begin, begin + digits, *value, base);
  return fault == std::errc() && end == begin + digits;
}

// The escape after a backslash at text[at]; moves *at behind it.
bool ReadEscape(std::string_view text, size_t* at, std::string* out) {
  if (*at >= text.size()) return false;
  char c = text[(*at)++];
  static constexpr std::string_view kNames = "abfnrtv\\'\"";
  static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
  size_t known = kNames.find(c);
  if (known != std::string_view::npos) {
    out->push_back(kValues[known]);
    return true;
  }
  if (c == '\n') return true;
  uint32_t code;
  if (c == 'x') {
    if (!ReadDigits(text, *at, 2, 16, &code)) return false;
    *at += 2;
    AppendUtf8(code, out);
    return true;
  }
  if (c >= '0' && c <= '7') {
    size_t n = 1;
    while (n < 3 && *at - 1 + n < text.size() && text[*at - 1 + n] >= '0' &&
           text[*at - 1 + n] <= '7')
      ++n;
    ReadDigits(text, *at - 1, n, 8, &code);
    *at += n - 1;
    AppendUtf8(code & 0xFF, out);
    return true;
  }
  out->push_back('\\');
  out->push_back(c);
  return true;
}

}  // namespace

bool DecodePickleString(std::string_view argument, std::string* text) {
  text->clear();
  argument = TrimAscii(argument);
  bool quoted = argument.size() >= 2 && argument.front() == argument.back() &&
                (argument.front() == '\'' || argument.front() == '"');
  if (!quoted) return false;
  argument = argument.substr(1, argument.size() - 2);
  for (size_t i = 0; i < argument.size();) {
    char c = argument[i++];
    if (c != '\\') {
      text->push_back(c);
    } else if (!ReadEscape(argument, &i, text)) {
      return false;
    }
  }
  return true;
}

std::string DecodePickleUnicode(std::string_view argument) {
  std::string text;
  for (size_t i = 0; i < argument.size(); ++i) {
    uint32_t code;
    bool escape = argument[i] == '\\' && i + 1 < argument.size();
    if (escape && argument[i + 1] == 'u' && ReadDigits(argument, i + 2, 4, 16, &code)) {
      AppendUtf8(code, &text);
      i += 5;
    } else if (escape && argument[i + 1] == 'U' && ReadDigits(argument, i + 2, 8, 16, &code)) {
      AppendUtf8(code, &text);
      i += 9;
    } else {
      // The codec is latin-1 outside of escapes.
      AppendUtf8(static_cast<unsigned char>(argument[i]), &text);
    }
  }
  return text;
}

bool ParsePickleKey(std::string_view text, int64_t* key, bool* odd) {
  if (std::optional<int64_t> plain = ParseInt(text)) {
    *key = *plain;
    *odd = *plain < 0 || (text.size() > 1 && text[0] == '0');
    return true;
  }
  *odd = true;
  std::string digits;
  for (char c : TrimAscii(text)) {
    if (c != '_') digits.push_back(c);
  }
  if (!digits.empty() && digits[0] == '+') digits.erase(0, 1);
  std::optional<int64_t> value = ParseInt(digits);
  if (!value) return false;
  *key = *value;
  return true;
}

}  // namespace hearth
