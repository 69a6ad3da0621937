#include "codec/internal/math_spans.h"

#include <algorithm>

#include "codec/internal/html_tokens.h"

namespace hearth {
namespace {

// Characters for private use; those that an author wrote are taken out first.
constexpr std::string_view kOpen = "\uF8F0", kClose = "\uF8F1";
constexpr size_t kMaxFormulas = 5000;
constexpr size_t kMaxInline = 1000, kMaxDisplay = 10'000;  // bytes of one formula

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c & 0x80) != 0;
}
bool MayPrecede(char c) {
  return IsBlank(c) || std::string_view("([{|>*_\"'-,;:=~").find(c) != std::string_view::npos;
}

std::string WithoutTokens(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    bool token = text.substr(at).starts_with(kOpen) || text.substr(at).starts_with(kClose);
    if (!token) out += text[at];
    at += token ? kOpen.size() : 1;
  }
  return out;
}

// Where the formula that begins with `rest` ends, marks included; 0 = it is none.
size_t EndOf(std::string_view rest, std::string_view close, size_t max_bytes) {
  std::string_view window = rest.substr(0, max_bytes);
  size_t end = window.find(close, close.size());
  size_t paragraph = window.find("\n\n");
  if (end == std::string_view::npos || (paragraph != std::string_view::npos && paragraph < end))
    return 0;
  return end + close.size();
}

size_t EndOfInline(std::string_view rest) {
  if (rest.size() < 3 || IsBlank(rest[1])) return 0;
  std::string_view window = rest.substr(0, kMaxInline);
  for (size_t at = 1; at < window.size() && window[at] != '\n'; ++at) {
    if (window[at] == '\\') {
      ++at;
    } else if (window[at] == '`') {
      return 0;
    } else if (window[at] == '$') {
      bool last = !IsBlank(window[at - 1]) && at > 1;
      bool free = at + 1 >= rest.size() || (!IsWord(rest[at + 1]) && rest[at + 1] != '$');
      if (last && free) return at + 1;
    }
  }
  return 0;
}

// The length of the run of `c` that `text` begins with.
size_t RunOf(std::string_view text, char c) {
  return std::min(text.find_first_not_of(c), text.size());
}

// Follows fences and the code inside of lines.
class CodeFollower {
 public:
  // Of a line's begin: true when the whole line is code or a fence.
  bool IsCodeLine(std::string_view line) {
    std::string_view text = line.substr(std::min(line.find_first_not_of(" \t>"), line.size()));
    for (char mark : {'`', '~'}) {
      size_t run = RunOf(text, mark);
      if (run < 3) continue;
      if (fence_ == '\0') {
        if (mark == '`' && text.find('`', run) != std::string_view::npos) continue;
        fence_ = mark;
        fence_run_ = run;
        return true;
      }
      if (fence_ == mark && run >= fence_run_) {
        fence_ = '\0';
        return true;
      }
    }
    return fence_ != '\0';
  }

 private:
  char fence_ = '\0';
  size_t fence_run_ = 0;
};

}  // namespace

size_t MathSpans::TakeAt(std::string_view rest, char before, std::string* out) {
  size_t end = 0, mark = 0;
  bool display = false;
  if (rest.starts_with("$$")) {
    mark = 2;
    display = true;
    end = EndOf(rest, "$$", kMaxDisplay);
  } else if (rest.starts_with("\\\\(") || rest.starts_with("\\\\[")) {
    mark = 3;
    display = rest[2] == '[';
    end = EndOf(rest, display ? "\\\\]" : "\\\\)", kMaxDisplay);
  } else if (MayPrecede(before)) {
    mark = 1;
    end = EndOfInline(rest);
  }
  if (end <= 2 * mark || formulas_.size() >= kMaxFormulas) return 0;
  *out += std::string(kOpen) + std::to_string(formulas_.size()) + std::string(kClose);
  formulas_.push_back(
      {std::string(rest.substr(0, end)), std::string(rest.substr(mark, end - 2 * mark)), display});
  return end;
}

std::string MathSpans::Take(std::string_view markdown) {
  if (markdown.find('$') == std::string_view::npos &&
      markdown.find("\\\\") == std::string_view::npos)
    return WithoutTokens(markdown);
  std::string text = WithoutTokens(markdown), out;
  out.reserve(text.size());
  CodeFollower code;
  bool at_line = true;
  for (size_t at = 0; at < text.size();) {
    std::string_view rest = std::string_view(text).substr(at);
    if (at_line) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
      if (code.IsCodeLine(line)) {
        out += line;
        at += line.size();
        continue;
      }
    }
    char c = text[at];
    size_t taken = 0;
    if (c == '`') {
      // Code up to the next run of the same length, else the marks themselves.
      size_t run = RunOf(rest, '`');
      size_t end = rest.substr(0, kMaxDisplay).find(std::string(run, '`'), run);
      taken = end == std::string_view::npos ? run : end + run;
      out += rest.substr(0, taken);
    } else if (c == '$' || (c == '\\' && rest.starts_with("\\\\"))) {
      taken = TakeAt(rest, at == 0 ? '\n' : text[at - 1], &out);
      if (taken == 0 && rest.starts_with("$$")) {
        out += "$$";
        taken = 2;
      }
    } else if (c == '\\' && rest.size() > 1) {
      out += rest.substr(0, 2);
      taken = 2;
    }
    if (taken == 0) {
      out += c;
      taken = 1;
    }
    at_line = text[at + taken - 1] == '\n';
    at += taken;
  }
  return out;
}

std::string MathSpans::PutBack(std::string html) const {
  if (formulas_.empty()) return html;
  std::string out;
  out.reserve(html.size());
  bool in_tag = false;
  size_t in_code = 0;
  for (size_t at = 0; at < html.size();) {
    std::string_view rest = std::string_view(html).substr(at);
    if (rest.starts_with(kOpen)) {
      size_t end = rest.find(kClose);
      size_t number = 0;
      for (char c : rest.substr(kOpen.size(), std::min<size_t>(end, 16) - kOpen.size()))
        number = c >= '0' && c <= '9' ? number * 10 + static_cast<size_t>(c - '0') : number;
      if (end == std::string_view::npos || number >= formulas_.size()) {
        at += kOpen.size();
        continue;
      }
      const Formula& formula = formulas_[number];
      bool draw = !in_tag && in_code == 0;
      if (draw) out += formula.display ? "<span class=\"math display\">" : "<span class=\"math\">";
      html::AppendAttributeValue(draw ? formula.tex : formula.source, &out);
      if (draw) out += "</span>";
      at += end + kClose.size();
      continue;
    }
    if (rest[0] == '<') {
      in_tag = true;
      if (rest.starts_with("<code>") || rest.starts_with("<code ") || rest.starts_with("<pre>") ||
          rest.starts_with("<pre "))
        ++in_code;
      if ((rest.starts_with("</code>") || rest.starts_with("</pre>")) && in_code > 0) --in_code;
    } else if (rest[0] == '>') {
      in_tag = false;
    }
    out += rest[0];
    ++at;
  }
  return out;
}

}  // namespace hearth
