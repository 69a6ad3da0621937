#include "formats/scan/internal/template_code.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace hearth {
namespace {

using Kind = TemplateToken::Kind;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsWordByte(char c) {
  return c == '_' || IsDigit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Reads one part from behind its opening; `at` moves behind its end.
class PartReader {
 public:
  PartReader(std::string_view text, size_t* at, bool statement) : text_(text), at_(*at), out_(at) {
    part_.statement = statement;
  }

  TemplatePart Read() {
    size_t begin = at_;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
    while (at_ < text_.size() && !AtEnd()) ReadToken();
    part_.source = text_.substr(begin, at_ - begin);
    at_ = std::min(text_.size(), at_ + end_bytes_);
    *out_ = at_;
    return std::move(part_);
  }

 private:
  bool AtEnd() {
    if (depth_ > 0) return false;
    std::string_view end = part_.statement ? "%}" : "}}";
    bool trims = text_[at_] == '-' || (part_.statement && text_[at_] == '+');
    size_t skip = trims ? 1 : 0;
    if (text_.substr(at_ + skip, 2) != end) return false;
    end_bytes_ = skip + 2;
    return true;
  }

  void Add(Kind kind, std::string text) { part_.tokens.push_back({kind, std::move(text)}); }

  void ReadToken() {
    char c = text_[at_];
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      ++at_;
    } else if (c == '\'' || c == '"') {
      ReadString(c);
    } else if (IsWordByte(c)) {
      size_t begin = at_;
      bool number = IsDigit(c);
      while (at_ < text_.size() &&
             (IsWordByte(text_[at_]) ||
              (number && text_[at_] == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1])))) {
        ++at_;
      }
      Add(number ? Kind::kNumber : Kind::kName, std::string(text_.substr(begin, at_ - begin)));
    } else {
      ReadPunct(c);
    }
  }

  void ReadString(char quote) {
    size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
    Add(Kind::kString, DecodeTemplateEscapes(text_.substr(begin, at_ - begin)));
    if (at_ < text_.size()) ++at_;
  }

  void ReadPunct(char c) {
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if ((c == ')' || c == ']' || c == '}') && depth_ > 0) --depth_;
    for (std::string_view two : {"//", "**", "==", "!=", "<=", ">="}) {
      if (text_.substr(at_, 2) != two) continue;
      at_ += 2;
      return Add(Kind::kPunct, std::string(two));
    }
    ++at_;
    Add(Kind::kPunct, std::string(1, c));
  }

  std::string_view text_;
  size_t at_;
  size_t* out_;
  size_t end_bytes_ = 0;
  int depth_ = 0;
  TemplatePart part_;
};

// Where the block after {% raw %} ends. Blanks beyond ASCII are blanks for Jinja: `odd` then.
size_t EndOfRaw(std::string_view text, size_t at, bool* odd) {
  constexpr std::string_view kBlanks = " \n\r\t\v\f";
  auto skip = [&](size_t from) {
    while (from < text.size() && kBlanks.find(text[from]) != std::string_view::npos) ++from;
    return from;
  };
  auto is_odd = [&](size_t from) {
    auto byte = from < text.size() ? static_cast<unsigned char>(text[from]) : 0;
    return byte >= 0x80 || (byte >= 0x1C && byte <= 0x1F);
  };
  for (size_t open = text.find("{%", at); open != std::string_view::npos;
       open = text.find("{%", open + 2)) {
    size_t word = open + 2;
    if (word < text.size() && (text[word] == '-' || text[word] == '+')) ++word;
    word = skip(word);
    *odd = *odd || is_odd(word);
    if (text.substr(word, 6) != "endraw") continue;
    size_t end = skip(word + 6);
    *odd = *odd || is_odd(end);
    if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
    if (text.substr(end, 2) == "%}") return open;
  }
  return text.size();
}

std::optional<uint32_t> HexValue(std::string_view digits) {
  uint32_t code = 0;
  for (char c : digits) {
    std::string_view hex = "0123456789abcdef";
    size_t value = hex.find(IsDigit(c) ? c : static_cast<char>(c | 0x20));
    if (value == std::string_view::npos) return std::nullopt;
    code = code * 16 + static_cast<uint32_t>(value);
  }
  return code;
}

}  // namespace

std::string DecodeTemplateEscapes(std::string_view text) {
  constexpr std::string_view kLowLine = "{low line}";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out.push_back(text[i]);
      continue;
    }
    char kind = text[i + 1];
    size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    std::optional<uint32_t> code;
    if (digits > 0 && i + 2 + digits <= text.size()) code = HexValue(text.substr(i + 2, digits));
    if (code && *code < 0x80) {
      out.push_back(static_cast<char>(*code));
      i += 1 + digits;
    } else if (kind >= '0' && kind <= '7') {
      uint32_t value = 0;
      size_t k = 1;
      while (k <= 3 && i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7') {
        value = value * 8 + static_cast<uint32_t>(text[i + k] - '0');
        ++k;
      }
      out.push_back(static_cast<char>(value));
      i += k - 1;
    } else if (kind == '\n') {
      ++i;
    } else if (kind == 'N') {
      std::string name(text.substr(i + 2, kLowLine.size()));
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      if (name == kLowLine) {
        out.push_back('_');
        i += 1 + kLowLine.size();
      } else {
        out.push_back(text[i]);
      }
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<TemplatePart> ReadTemplateParts(std::string_view text) {
  std::vector<TemplatePart> parts;
  size_t at = 0;
  while ((at = text.find('{', at)) != std::string_view::npos && at + 1 < text.size()) {
    char kind = text[at + 1];
    if (kind == '#') {
      size_t end = text.find("#}", at + 2);
      if (end == std::string_view::npos) break;
      at = end + 2;
    } else if (kind == '{' || kind == '%') {
      at += 2;
      parts.push_back(PartReader(text, &at, kind == '%').Read());
      TemplatePart& part = parts.back();
      if (part.statement && part.tokens.size() == 1 && part.tokens[0].IsName("raw"))
        at = EndOfRaw(text, at, &part.odd);
    } else {
      ++at;
    }
  }
  return parts;
}

}  // namespace hearth
