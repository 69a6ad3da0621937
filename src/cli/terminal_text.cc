#include "cli/terminal_text.h"

#include "base/utf8.h"

namespace hearth::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Code point of a well-formed sequence of two or three bytes.
unsigned CodePoint(std::string_view character) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 2) return (at(0) & 0x1Fu) << 6 | (at(1) & 0x3Fu);
  return (at(0) & 0x0Fu) << 12 | (at(1) & 0x3Fu) << 6 | (at(2) & 0x3Fu);
}

// C1 controls; the Bidi_Control characters of Unicode; separators that end a line.
bool Steers(unsigned c) {
  return (c >= 0x80 && c < 0xA0) || c == 0x61C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void AppendSymbol(unsigned char control, std::string* out) {
  out->append("\xE2\x90");
  out->push_back(static_cast<char>(control == 0x7F ? 0xA1 : 0x80 + control));
}

std::string Neutral(std::string_view text, bool one_line) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto first = static_cast<unsigned char>(text[0]);
    size_t length = Utf8Length(text);
    std::string_view character = text.substr(0, length);
    bool blank = (first == '\n' || first == '\t') && !one_line;
    if (length == 0) {
      out += kReplacement;
    } else if (length == 1 && (first < 0x20 || first == 0x7F) && !blank) {
      AppendSymbol(first, &out);
    } else if ((length == 2 || length == 3) && Steers(CodePoint(character))) {
      out += kReplacement;
    } else {
      out += character;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

std::string TerminalText(std::string_view text) { return Neutral(text, false); }

std::string TerminalLine(std::string_view text) { return Neutral(text, true); }

}  // namespace hearth::cli
