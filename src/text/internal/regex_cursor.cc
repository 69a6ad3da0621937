#include "text/internal/regex_cursor.h"

#include "base/error.h"
#include "text/internal/regex_classes.h"
#include "text/utf8.h"

namespace hearth::regex_internal {
namespace {

constexpr int kMaxClassDepth = 100;

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int HexValue(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

CodePointSet Ascii() { return CodePointSet::Of({{0, 0x7F}}); }

CodePointSet Limited(const CodePointSet& set, bool ascii) {
  return ascii ? set.Intersection(Ascii()) : set;
}

}  // namespace

std::string EncodeUtf8(char32_t c) {
  std::string bytes;
  AppendUtf8(c, &bytes);
  return bytes;
}

void Cursor::Fail(std::string_view message, size_t position) const {
  throw Error(Code::kInvalidArgument, "regular expression: " + std::string(message) + " at byte " +
                                          std::to_string(position));
}

bool Cursor::Accept(char c) {
  if (AtEnd() || Peek() != c) return false;
  ++at_;
  return true;
}

bool Cursor::AcceptText(std::string_view text) {
  if (pattern_.substr(at_, text.size()) != text) return false;
  at_ += text.size();
  return true;
}

void Cursor::SkipExtended() {
  while (!AtEnd()) {
    char c = Peek();
    if (c == '#') {
      while (!AtEnd() && Peek() != '\n') ++at_;
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      ++at_;
    } else {
      return;
    }
  }
}

void Cursor::SkipComment() {
  size_t start = at_;
  while (!Accept(')')) {
    if (AtEnd()) Fail("end pattern in group", start);
    at_ += Peek() == '\\' ? 2 : 1;
  }
}

std::optional<uint32_t> Cursor::AcceptNumber(uint32_t max) {
  uint64_t value = 0;
  size_t start = at_;
  while (!AtEnd() && Peek() >= '0' && Peek() <= '9') {
    value = value * 10 + static_cast<uint64_t>(Peek() - '0');
    if (value > max) Fail("too big number", start);
    ++at_;
  }
  if (at_ == start) return std::nullopt;
  return static_cast<uint32_t>(value);
}

std::string Cursor::ParseName(char close) {
  size_t start = at_;
  size_t end = pattern_.find(close, at_);
  if (end == std::string_view::npos || end == start) Fail("group name is empty", start);
  std::string name(pattern_.substr(start, end - start));
  if (name[0] >= '0' && name[0] <= '9') Fail("invalid group name <" + name + ">", start);
  for (std::string_view rest = name; !rest.empty();) {
    CodePoint point = DecodeUtf8(rest);
    if (!WordBitmap().Has(point.value)) Fail("invalid char in group name <" + name + ">", start);
    rest.remove_prefix(point.length);
  }
  at_ = end + 1;
  return name;
}

char Cursor::ParseOptions(Options* options) {
  bool on = true;
  size_t start = at_;
  while (!AtEnd()) {
    char c = Peek();
    ++at_;
    switch (c) {
      case ':':
      case ')':
        return c;
      case '-':
        on = false;
        break;
      case 'i':
        options->ignore_case = on;
        break;
      case 'm':
        options->multi_line = on;
        break;
      case 'x':
        options->extended = on;
        break;
      case 'W':
        options->ascii_word = on;
        break;
      case 'D':
        options->ascii_digit = on;
        break;
      case 'S':
        options->ascii_space = on;
        break;
      case 'P':
        options->ascii_posix = options->ascii_word = options->ascii_digit = options->ascii_space =
            on;
        break;
      default:
        Fail("undefined group option", at_ - 1);
    }
  }
  Fail("end pattern in group", start);
}

char32_t Cursor::ParseUtf8() {
  CodePoint point = DecodeUtf8(pattern_.substr(at_));
  if (!point.valid) Fail("invalid UTF-8");
  at_ += point.length;
  return point.value;
}

std::optional<char32_t> Cursor::AcceptLiteral() {
  constexpr std::string_view kNotLiteral = "()[|.*+?^${";
  // Letters behind a backslash that mean more than a character.
  constexpr std::string_view kSpecial = "AzZGKbBNORXkgyYdDwWsShH123456789";
  char c = Peek();
  if (kNotLiteral.find(c) != std::string_view::npos) return std::nullopt;
  if (c != '\\') return ParseUtf8();
  if (at_ + 1 >= pattern_.size()) Fail("end pattern at escape");
  bool property = PeekAt(1) == 'p' || PeekAt(1) == 'P';
  if (property ? PeekAt(2) == '{' : kSpecial.find(PeekAt(1)) != std::string_view::npos) {
    return std::nullopt;
  }
  return ParseCharacterEscape();
}

std::optional<CodePointSet> Cursor::AcceptClassEscape(const Options& options, bool in_class) {
  if (Peek() != '\\') return std::nullopt;
  if (at_ + 1 >= pattern_.size()) Fail("end pattern at escape");
  char letter = PeekAt(1);
  CodePointSet set;
  switch (letter) {
    case 'd':
    case 'D':
      set = Limited(DigitSet(), options.ascii_digit);
      break;
    case 'w':
    case 'W':
      set = Limited(in_class ? WordSet() : BareWordSet(), options.ascii_word);
      break;
    case 's':
    case 'S':
      set = Limited(SpaceSet(), options.ascii_space);
      break;
    case 'h':
    case 'H':
      set = CodePointSet::Of({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
      break;
    case 'p':
    case 'P': {
      if (PeekAt(2) != '{') return std::nullopt;  // \pL is "pL"
      size_t start = at_;
      at_ += 3;
      bool negative = (letter == 'P') != Accept('^');
      size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) Fail("invalid character property name", start);
      std::string_view name = pattern_.substr(at_, end - at_);
      at_ = end + 1;
      std::optional<CodePointSet> found = FindProperty(name);
      if (found && !in_class && *found == WordSet()) found = BareWordSet();
      if (!found) Fail("invalid character property name {" + std::string(name) + "}", start);
      return negative ? found->Negated() : *found;
    }
    default:
      return std::nullopt;
  }
  at_ += 2;
  return letter >= 'a' ? set : set.Negated();
}

char32_t Cursor::ParseHex(size_t min_digits, size_t max_digits) {
  size_t start = at_;
  char32_t value = 0;
  while (!AtEnd() && at_ - start < max_digits && IsHex(Peek())) {
    value = value * 16 + static_cast<char32_t>(HexValue(Peek()));
    ++at_;
  }
  if (at_ - start < min_digits) Fail("too short digits", start);
  return value;
}

char32_t Cursor::ParseOctal(size_t max_digits) {
  size_t start = at_;
  char32_t value = 0;
  while (!AtEnd() && at_ - start < max_digits && IsOctal(Peek()) && value <= kLastCodePoint) {
    value = value * 8 + static_cast<char32_t>(Peek() - '0');
    ++at_;
  }
  return value;
}

char32_t Cursor::ParseBraced(bool octal) {
  size_t start = at_;
  char32_t value = octal ? ParseOctal(11) : ParseHex(1, 8);
  if (!Accept('}')) Fail("invalid code point value", start);
  if (value > kLastCodePoint || (value >= 0xD800 && value < 0xE000)) {
    Fail("invalid code point value", start);
  }
  return value;
}

char32_t Cursor::ParseCharacterEscape() {
  size_t start = at_;
  at_ += 1;
  if (AtEnd()) Fail("end pattern at escape", start);
  char c = Peek();
  if (static_cast<unsigned char>(c) >= 0x80) return ParseUtf8();
  ++at_;
  switch (c) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'a':
      return '\a';
    case 'e':
      return 0x1B;
    case 'u': {
      char32_t value = ParseHex(4, 4);
      if (value >= 0xD800 && value < 0xE000) Fail("invalid code point value", start);
      return value;
    }
    case 'o':
      if (Accept('{')) return ParseBraced(true);
      return 'o';
    case 'x': {
      if (Accept('{')) return ParseBraced(false);
      char32_t value = ParseHex(0, 2);
      if (value < 0x80) return value;
      break;
    }
    case 'c':
      if (AtEnd()) Fail("end pattern at control", start);
      return ParseUtf8() & 0x9F;
    case 'C':
      if (!Accept('-') || AtEnd()) Fail("invalid control-code syntax", start);
      return ParseUtf8() & 0x9F;
    case 'M':
      Fail("meta characters are not supported", start);
    default:
      if (!IsOctal(c)) return static_cast<unsigned char>(c);
      at_ -= 1;
      char32_t value = ParseOctal(3) & 0xFF;
      if (value < 0x80) return value;
      break;
  }
  // Bytes of one UTF-8 character, each written as an escape.
  at_ = start;
  std::string bytes;
  while (bytes.size() < 4 && !AtEnd() && Peek() == '\\') {
    at_ += 1;
    char32_t value = Accept('x') ? ParseHex(1, 2) : ParseOctal(3);
    bytes += static_cast<char>(value);
    CodePoint point = DecodeUtf8(bytes);
    if (point.valid) return point.value;
  }
  Fail("too short multibyte string", start);
}

// --- classes ----------------------------------------------------------------------------------

std::optional<CodePointSet> Cursor::AcceptPosixBracket(const Options& options) {
  size_t start = at_;
  if (!AcceptText("[:")) return std::nullopt;
  bool negative = Accept('^');
  size_t end = pattern_.find(":]", at_);
  if (end != std::string_view::npos && end - at_ <= 20) {
    std::string_view name = pattern_.substr(at_, end - at_);
    if (std::optional<CodePointSet> set = FindPosixBracket(name)) {
      at_ = end + 2;
      bool ascii = options.ascii_posix || (name == "word" && options.ascii_word) ||
                   (name == "digit" && options.ascii_digit) ||
                   (name == "space" && options.ascii_space);
      CodePointSet limited = Limited(*set, ascii);
      return negative ? limited.Negated() : limited;
    }
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
        std::string_view::npos) {
      Fail("invalid POSIX bracket type", start);
    }
  }
  at_ = start;
  return std::nullopt;
}

// Consumes one member: adds a class to the set and returns nullopt, or returns a character (not
// added yet).
std::optional<char32_t> Cursor::ParseClassMember(const Options& options, CodePointSet* set,
                                                 int depth) {
  char c = Peek();
  if (c == '[') {
    if (std::optional<CodePointSet> bracket = AcceptPosixBracket(options)) {
      set->Add(*bracket);
    } else {
      set->Add(ParseClass(options, depth + 1));
    }
    return std::nullopt;
  }
  if (c != '\\') return ParseUtf8();
  if (std::optional<CodePointSet> escape = AcceptClassEscape(options, true)) {
    set->Add(*escape);
    return std::nullopt;
  }
  if (PeekAt(1) == 'b') {
    at_ += 2;
    return 0x08;
  }
  return ParseCharacterEscape();
}

CodePointSet Cursor::ParseClassItems(const Options& options, size_t start, int depth) {
  CodePointSet result;
  CodePointSet current;
  bool intersect = false;
  bool first = true;
  auto close = [&] {
    result = intersect ? result.Intersection(current) : current;
    current = CodePointSet();
  };
  while (true) {
    if (AtEnd()) Fail("premature end of char-class", start);
    // A ']' in front is a member when another one closes the class.
    if (Peek() == ']' && !(first && pattern_.find(']', at_ + 1) != std::string_view::npos)) {
      if (first) Fail("empty char-class", start);
      ++at_;
      close();
      return result;
    }
    first = false;
    if (AcceptText("&&")) {
      close();
      intersect = true;
      continue;
    }
    std::optional<char32_t> low = ParseClassMember(options, &current, depth);
    if (!low) {
      // [\w-x]: behind a class the '-' is a member.
      if (!AtEnd() && Peek() == '-' && PeekAt(1) != ']') {
        ++at_;
        current.Add('-', '-');
      }
      continue;
    }
    if (AtEnd() || Peek() != '-' || PeekAt(1) == ']' || PeekAt(1) == '\0') {
      current.Add(*low, *low);
      continue;
    }
    size_t at = at_++;
    CodePointSet end_class;
    std::optional<char32_t> high = ParseClassMember(options, &end_class, depth);
    if (!high) {  // [a-\d]: three members
      current.Add(*low, *low);
      current.Add('-', '-');
      current.Add(end_class);
      continue;
    }
    if (*high < *low) Fail("empty range in char class", at);
    current.Add(*low, *high);
    // [a-c-e]: the second '-' is a member.
    if (!AtEnd() && Peek() == '-' && PeekAt(1) != ']') {
      ++at_;
      current.Add('-', '-');
    }
  }
}

CodePointSet Cursor::ParseClass(const Options& options, int depth) {
  size_t start = at_;
  if (depth > kMaxClassDepth) Fail("too deeply nested");
  ++at_;
  bool negative = Accept('^');
  CodePointSet set = ParseClassItems(options, start, depth);
  if (options.ignore_case && depth == 0) set = CaseClosure(set);
  last_class_was_negative_ = negative;
  return negative ? set.Negated() : set;
}

}  // namespace hearth::regex_internal
