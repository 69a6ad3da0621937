#include "codec/internal/html_tokens.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "base/utf8.h"

namespace hearth::html {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f";
constexpr size_t kMaxAttributes = 64;

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

void SkipBlanks(std::string_view* text) {
  size_t at = text->find_first_not_of(kBlanks);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at);
}

std::string_view TakeUntil(std::string_view* text, std::string_view ends) {
  size_t at = std::min(text->find_first_of(ends), text->size());
  std::string_view piece = text->substr(0, at);
  text->remove_prefix(at);
  return piece;
}

// "&#123;" or "&#x1F;": the bytes used, semicolon optional; 0 when it is none.
size_t NumericReference(std::string_view text, std::string* out) {
  if (!text.starts_with("&#")) return 0;
  size_t at = 2;
  uint32_t base = 10;
  if (at < text.size() && (text[at] == 'x' || text[at] == 'X')) {
    base = 16;
    ++at;
  }
  uint32_t value = 0;
  size_t start = at;
  for (; at < text.size(); ++at) {
    char c = text[at];
    uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                            : 16;
    if (digit >= base) break;
    if (value <= 0x110000) value = value * base + digit;
  }
  if (at == start) return 0;
  if (at < text.size() && text[at] == ';') ++at;
  AppendUtf8(value == 0 ? kReplacementCharacter : value, out);
  return at;
}

struct Named {
  std::string_view name;
  std::string_view text;
};

constexpr Named kNamed[] = {
    {"&amp;", "&"},         {"&lt;", "<"},       {"&gt;", ">"},   {"&quot;", "\""},
    {"&apos;", "'"},        {"&colon;", ":"},    {"&sol;", "/"},  {"&bsol;", "\\"},
    {"&Tab;", "\t"},        {"&NewLine;", "\n"}, {"&num;", "#"},  {"&period;", "."},
    {"&quest;", "?"},       {"&percnt;", "%"},   {"&lpar;", "("}, {"&rpar;", ")"},
    {"&nbsp;", "\xC2\xA0"}, {"&comma;", ","},    {"&semi;", ";"}, {"&equals;", "="},
};

// Length of a well-formed "&name;" or "&#123;" at the front, or 0.
size_t ReferenceLength(std::string_view text) {
  size_t at = 1;
  if (at < text.size() && text[at] == '#') ++at;
  size_t start = at;
  // The longest name of the standard has 31 characters.
  while (at < text.size() && at - start < 32 &&
         (IsAlpha(text[at]) || (text[at] >= '0' && text[at] <= '9'))) {
    ++at;
  }
  return at > start && at < text.size() && text[at] == ';' ? at + 1 : 0;
}

}  // namespace

Tokenizer::Kind Tokenizer::Next() {
  while (!rest_.empty()) {
    if (rest_[0] == '<' && rest_.size() > 1) {
      char next = rest_[1];
      if (IsAlpha(next) || (next == '/' && rest_.size() > 2 && IsAlpha(rest_[2]))) {
        ReadTag();
        return Kind::kTag;
      }
      if (next == '!' || next == '?' || next == '/') {
        SkipComment();
        continue;
      }
    }
    size_t end = rest_.find('<', 1);
    text_ = rest_.substr(0, end);
    rest_.remove_prefix(text_.size());
    return Kind::kText;
  }
  return Kind::kEnd;
}

void Tokenizer::SkipComment() {
  size_t end;
  if (rest_.starts_with("<!--")) {
    // "<!-->" and "<!--->" end at once.
    end = rest_.find("-->", 2);
    size_t bang = rest_.find("--!>", 2);
    if (bang < end) end = bang + 1;
    end = end == std::string_view::npos ? end : end + 3;
  } else if (rest_.starts_with("<![CDATA[")) {
    end = rest_.find('>');
    end = end == std::string_view::npos ? end : end + 1;
  } else {
    end = rest_.find('>');
    end = end == std::string_view::npos ? end : end + 1;
  }
  rest_.remove_prefix(std::min(end, rest_.size()));
}

void Tokenizer::ReadTag() {
  tag_ = {};
  tag_.closing = rest_[1] == '/';
  rest_.remove_prefix(tag_.closing ? 2 : 1);
  tag_.name = AsciiLower(TakeUntil(&rest_, " \t\n\r\f/>"));
  ReadAttributes();
}

void Tokenizer::ReadAttributes() {
  while (true) {
    size_t at = rest_.find_first_not_of(" \t\n\r\f/");
    rest_.remove_prefix(std::min(at, rest_.size()));
    if (rest_.empty()) return;
    if (rest_[0] == '>') {
      rest_.remove_prefix(1);
      return;
    }
    // A name may start with '=', as the standard says.
    std::string name(rest_.substr(0, 1));
    rest_.remove_prefix(1);
    name += TakeUntil(&rest_, " \t\n\r\f/>=");
    name = AsciiLower(name);
    std::string_view after = rest_;
    SkipBlanks(&after);
    std::string_view value;
    if (after.starts_with('=')) {
      rest_ = after.substr(1);
      SkipBlanks(&rest_);
      if (rest_.starts_with('"') || rest_.starts_with('\'')) {
        char quote = rest_[0];
        rest_.remove_prefix(1);
        value = TakeUntil(&rest_, std::string_view(&quote, 1));
        rest_.remove_prefix(std::min<size_t>(1, rest_.size()));
      } else {
        value = TakeUntil(&rest_, " \t\n\r\f>");
      }
    }
    bool known = std::any_of(tag_.attributes.begin(), tag_.attributes.end(),
                             [&](const auto& attribute) { return attribute.first == name; });
    if (!known && tag_.attributes.size() < kMaxAttributes) {
      tag_.attributes.emplace_back(std::move(name), value);
    }
  }
}

void Tokenizer::SkipRawText(std::string_view name) {
  while (!rest_.empty()) {
    size_t at = rest_.find("</");
    if (at == std::string_view::npos) break;
    rest_.remove_prefix(at + 2);
    if (rest_.size() <= name.size() || !AsciiEqualsIgnoreCase(rest_.substr(0, name.size()), name)) {
      continue;
    }
    char after = rest_[name.size()];
    if (!IsBlank(after) && after != '/' && after != '>') continue;
    size_t end = rest_.find('>');
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return;
  }
  rest_ = {};
}

std::string DecodeReferences(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text[0] != '&') {
      out += TakeUntil(&text, "&");
      continue;
    }
    size_t used = NumericReference(text, &out);
    for (const Named& named : kNamed) {
      if (used > 0 || !text.starts_with(named.name)) continue;
      out += named.text;
      used = named.name.size();
    }
    if (used == 0) {
      out += '&';
      used = 1;
    }
    text.remove_prefix(used);
  }
  return out;
}

void AppendText(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '<':
        *out += "&lt;";
        break;
      case '>':
        *out += "&gt;";
        break;
      case '"':
        *out += "&quot;";
        break;
      case '\0':
        *out += "\xEF\xBF\xBD";
        break;
      case '&':
        *out += ReferenceLength(text.substr(i)) > 0 ? "&" : "&amp;";
        break;
      default:
        *out += text[i];
    }
  }
}

void AppendAttributeValue(std::string_view text, std::string* out) {
  for (char c : text) {
    switch (c) {
      case '<':
        *out += "&lt;";
        break;
      case '>':
        *out += "&gt;";
        break;
      case '"':
        *out += "&quot;";
        break;
      case '\'':
        *out += "&#39;";
        break;
      case '&':
        *out += "&amp;";
        break;
      case '\0':
        *out += "\xEF\xBF\xBD";
        break;
      default:
        *out += c;
    }
  }
}

}  // namespace hearth::html
