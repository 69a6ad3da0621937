#include "text/internal/template_lexer.h"

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

std::string NormaliseNewlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  return out;
}

class Lexer {
 public:
  Lexer(std::string source, const TemplateOptions& options)
      : source_(std::move(source)), options_(options) {}

  std::vector<Token> Run() {
    while (at_ < source_.size()) Data();
    Push(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool StartsWith(std::string_view text) const {
    return source_.compare(at_, text.size(), text) == 0;
  }

  [[noreturn]] void Fail(const std::string& why) const { FailAt(options_, line_, why); }

  void Push(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  // Moves on and counts lines.
  void Advance(size_t n) {
    n = std::min(n, source_.size() - at_);
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(at_),
                                         source_.begin() + static_cast<ptrdiff_t>(at_ + n), '\n'));
    at_ += n;
    if (n > 0) line_starting_ = source_[at_ - 1] == '\n';
  }

  void SkipBlanks() {
    size_t end = at_;
    while (end < source_.size() && IsBlank(source_[end])) ++end;
    Advance(end - at_);
  }

  // Strips the data before a tag as its sign or lstrip_blocks says.
  void EmitData(size_t start, size_t end, char sign, bool is_variable) {
    std::string_view data = std::string_view(source_).substr(start, end - start);
    if (sign == '-') {
      while (!data.empty() && IsBlank(data.back())) data.remove_suffix(1);
    } else if (options_.lstrip_blocks && sign != '+' && !is_variable) {
      size_t newline = data.rfind('\n');
      size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
      bool at_line_start = line_start > 0 || line_starting_;
      if (at_line_start &&
          data.substr(line_start).find_first_not_of(kBlanks) == std::string::npos) {
        data = data.substr(0, line_start);
      }
    }
    if (!data.empty()) Push(TokenKind::kData, std::string(data));
  }

  static char SignOf(char c) { return c == '-' || c == '+' ? c : '\0'; }

  // After "%}" or "#}" (with its sign before it): what follows on the line.
  void AfterBlock(char sign) {
    if (sign == '-') {
      SkipBlanks();
    } else if (options_.trim_blocks && sign != '+' && Peek() == '\n') {
      Advance(1);
    }
  }

  void Data() {
    size_t start = at_;
    size_t tag = start;
    while (true) {
      tag = source_.find('{', tag);
      if (tag == std::string::npos || tag + 1 >= source_.size()) {
        Push(TokenKind::kData, source_.substr(start));
        Advance(source_.size() - start);
        return;
      }
      char next = source_[tag + 1];
      if (next == '{' || next == '%' || next == '#') break;
      ++tag;
    }
    char type = source_[tag + 1];
    char sign = SignOf(tag + 2 < source_.size() ? source_[tag + 2] : '\0');
    EmitData(start, tag, sign, type == '{');
    Advance(tag - start + 2 + (sign != '\0' ? 1 : 0));
    if (type == '#') {
      Comment();
    } else if (type == '{') {
      Push(TokenKind::kVariableBegin, "");
      Tag(/*is_variable=*/true);
    } else if (!Raw()) {
      Push(TokenKind::kBlockBegin, "");
      Tag(/*is_variable=*/false);
    }
  }

  void Comment() {
    size_t end = source_.find("#}", at_);
    if (end == std::string::npos) Fail("a comment is not closed");
    char sign = end > at_ ? SignOf(source_[end - 1]) : '\0';
    Advance(end + 2 - at_);
    AfterBlock(sign);
  }

  // "{% raw %}" is decided here: nothing in it is a tag.
  bool Raw() {
    size_t p = at_;
    while (p < source_.size() && IsBlank(source_[p])) ++p;
    if (source_.compare(p, 3, "raw") != 0) return false;
    p += 3;
    while (p < source_.size() && IsBlank(source_[p])) ++p;
    bool strip = p < source_.size() && source_[p] == '-';
    if (strip) ++p;
    if (source_.compare(p, 2, "%}") != 0) return false;
    Advance(p + 2 - at_);
    if (strip) SkipBlanks();
    size_t start = at_;
    for (size_t tag = source_.find("{%", at_); tag != std::string::npos;
         tag = source_.find("{%", tag + 2)) {
      size_t q = tag + 2;
      char sign = SignOf(q < source_.size() ? source_[q] : '\0');
      if (sign != '\0') ++q;
      while (q < source_.size() && IsBlank(source_[q])) ++q;
      if (source_.compare(q, 6, "endraw") != 0) continue;
      q += 6;
      while (q < source_.size() && IsBlank(source_[q])) ++q;
      char end_sign = SignOf(q < source_.size() ? source_[q] : '\0');
      if (end_sign != '\0') ++q;
      if (source_.compare(q, 2, "%}") != 0) continue;
      EmitData(start, tag, sign, /*is_variable=*/false);
      Advance(q + 2 - at_);
      AfterBlock(end_sign);
      return true;
    }
    Fail("a raw block is not closed");
  }

  void Tag(bool is_variable) {
    std::string_view close = is_variable ? "}}" : "%}";
    std::string open_brackets;
    while (true) {
      SkipBlanks();
      if (at_ >= source_.size()) Fail(is_variable ? "'{{' is not closed" : "'{%' is not closed");
      // A sign belongs to the end of the tag only when the end follows at once.
      char sign = SignOf(Peek());
      size_t skip = sign != '\0' ? 1 : 0;
      if (open_brackets.empty() && source_.compare(at_ + skip, 2, close) == 0 &&
          !(is_variable && sign == '+')) {
        Push(is_variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd, "");
        Advance(skip + 2);
        if (!is_variable) {
          AfterBlock(sign);
        } else if (sign == '-') {
          SkipBlanks();
        }
        return;
      }
      OneToken(&open_brackets);
    }
  }

  void OneToken(std::string* open_brackets) {
    char c = Peek();
    if (c == '"' || c == '\'') return String(c);
    if (IsDigit(c)) return Number();
    if (IsNameStart(c)) {
      size_t end = at_;
      while (end < source_.size() && IsNamePart(source_[end])) ++end;
      Push(TokenKind::kName, source_.substr(at_, end - at_));
      return Advance(end - at_);
    }
    for (std::string_view op : {"**", "//", "==", "!=", "<=", ">="}) {
      if (!StartsWith(op)) continue;
      Push(TokenKind::kOperator, std::string(op));
      return Advance(2);
    }
    if (std::string_view("+-*/%~<>=.,:|()[]{}").find(c) == std::string_view::npos) {
      Fail(std::string("unexpected character '") + c + "'");
    }
    if (c == '(' || c == '[' || c == '{') *open_brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open_brackets->empty() || open_brackets->back() != c) {
        Fail(std::string("unexpected '") + c + "'");
      }
      open_brackets->pop_back();
    }
    Push(TokenKind::kOperator, std::string(1, c));
    Advance(1);
  }

  void Number() {
    std::string digits;
    bool is_float = false;
    size_t p = at_;
    auto take_digits = [&] {
      while (p < source_.size() && (IsDigit(source_[p]) || source_[p] == '_')) {
        if (source_[p] != '_') digits += source_[p];
        ++p;
      }
    };
    auto at = [&](size_t i) { return i < source_.size() ? source_[i] : '\0'; };
    take_digits();
    if (at(p) == '.' && IsDigit(at(p + 1))) {
      is_float = true;
      digits += '.';
      ++p;
      take_digits();
    }
    size_t sign = at(p + 1) == '+' || at(p + 1) == '-' ? 1 : 0;
    if ((at(p) == 'e' || at(p) == 'E') && IsDigit(at(p + 1 + sign))) {
      is_float = true;
      digits += 'e';
      if (sign == 1 && at(p + 1) == '-') digits += '-';
      p += 1 + sign;
      take_digits();
    }
    Push(is_float ? TokenKind::kFloat : TokenKind::kInteger, digits);
    Advance(p - at_);
  }

  void String(char quote) {
    std::string text;
    size_t p = at_ + 1;
    while (true) {
      if (p >= source_.size()) Fail("a string is not closed");
      char c = source_[p++];
      if (c == quote) break;
      if (c != '\\') {
        text += c;
        continue;
      }
      if (p >= source_.size()) Fail("a string is not closed");
      Escape(&p, &text);
    }
    Push(TokenKind::kString, std::move(text));
    Advance(p - at_);
  }

  // As in Python string literals; an unknown escape keeps its backslash.
  void Escape(size_t* p, std::string* text) {
    char c = source_[(*p)++];
    switch (c) {
      case 'n':
        *text += '\n';
        return;
      case 't':
        *text += '\t';
        return;
      case 'r':
        *text += '\r';
        return;
      case 'b':
        *text += '\b';
        return;
      case 'f':
        *text += '\f';
        return;
      case 'v':
        *text += '\v';
        return;
      case 'a':
        *text += '\a';
        return;
      case '0':
        *text += '\0';
        return;
      case '\\':
      case '\'':
      case '"':
        *text += c;
        return;
      case '\n':
        return;
      case 'x':
        return CodePointEscape(p, 2, text);
      case 'u':
        return CodePointEscape(p, 4, text);
      case 'U':
        return CodePointEscape(p, 8, text);
      default:
        (*text += '\\') += c;
    }
  }

  void CodePointEscape(size_t* p, size_t digits, std::string* text) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      char c = *p < source_.size() ? source_[(*p)++] : '\0';
      int digit = IsDigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c - 'A' + 10;
      if (digit < 0 || digit > 15) Fail("a bad escape in a string");
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    AppendUtf8(value, text);
  }

  std::string source_;
  const TemplateOptions& options_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
};

}  // namespace

void FailAt(const TemplateOptions& options, int line, const std::string& why) {
  throw Error(Code::kInvalidArgument,
              "template " + options.name + ", line " + std::to_string(line) + ": " + why);
}

std::vector<Token> Tokenize(std::string_view source, const TemplateOptions& options) {
  if (source.size() > options.max_source_bytes) {
    throw Error(Code::kTooLarge, "template " + options.name + " is too large");
  }
  std::string text = NormaliseNewlines(source);
  if (!options.keep_trailing_newline && text.ends_with('\n')) text.pop_back();
  return Lexer(std::move(text), options).Run();
}

}  // namespace hearth::tmpl
