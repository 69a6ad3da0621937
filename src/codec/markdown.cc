#include "codec/markdown.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "codec/internal/markdown_tree.h"
#include "codec/internal/math_spans.h"

namespace hearth {
namespace {

struct TextDeleter {
  void operator()(char* text) const { std::free(text); }
};

// Block parsing takes time for every open container on every line, and a table allocates every cell
// of its width for every row, written or not. A few shapes make that square; no author writes them.
constexpr size_t kMaxBlankRun = 20;         // blank lines keep all lists open
constexpr size_t kMaxIndent = 200;          // columns before a list marker: a hundred nested lists
constexpr size_t kMaxTableCells = 200'000;  // of all tables of a document, some 60 MB

// Every use of a reference copies its URL and title: all copies together may take this much.
constexpr size_t kMaxReferenceBytes = 16u << 20;
// The autolink extension rescans its paragraph for every "@".
constexpr size_t kMaxAtSigns = 2000;

// Rewrites those shapes line by line; other text passes unchanged.
class ShapeLimiter {
 public:
  ShapeLimiter(std::string_view markdown, size_t max_markers)
      : rest_(markdown), max_markers_(max_markers) {}

  // `lines` gets the number of each line that stays, from 1.
  std::string Run(std::vector<size_t>* lines) {
    out_.reserve(rest_.size());
    for (size_t number = 1; !rest_.empty(); ++number) {
      std::string_view line = TakeLine();
      if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        if (++blank_run_ > kMaxBlankRun) continue;
        out_ += line;
      } else {
        blank_run_ = 0;
        Line(line);
      }
      lines->push_back(number);
    }
    return std::move(out_);
  }

 private:
  std::string_view TakeLine() {
    size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end == std::string_view::npos ? end : end + 1);
    rest_.remove_prefix(line.size());
    return line;
  }

  void Line(std::string_view line) {
    if (IsDelimiterRow(line) && !TableFits(line)) {
      // Any character that a delimiter row may not have makes it text.
      size_t start = line.find_first_of("|-:");
      out_ += line.substr(0, start);
      out_ += '\\';
      out_ += line.substr(start);
      return;
    }
    Markers(line);
  }

  static bool IsDelimiterRow(std::string_view line) {
    return line.find_first_not_of("|:- \t\r\n>+*.)0123456789") == std::string_view::npos &&
           line.find('|') != std::string_view::npos && line.find('-') != std::string_view::npos;
  }

  // Counts the rows up to the next blank line; more than are in the table, never fewer.
  bool TableFits(std::string_view delimiter) {
    size_t columns = 1 + static_cast<size_t>(std::count(delimiter.begin(), delimiter.end(), '|'));
    size_t left = kMaxTableCells - cells_;
    size_t rows = 2;
    for (std::string_view rest = rest_; !rest.empty() && rows * columns <= left; ++rows) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) break;
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (rows * columns > left) return false;
    cells_ += rows * columns;
    return true;
  }

  // "> > > - - x" and markers far to the right.
  void Markers(std::string_view line) {
    size_t markers = 0, at = 0;
    for (; at < line.size() && markers <= max_markers_; ++at) {
      char c = line[at];
      bool digit = c >= '0' && c <= '9';
      bool bullet = c == '-' || c == '+' || c == '*' || c == '.' || c == ')';
      if (c != '>' && !bullet && c != ' ' && c != '\t' && !digit) break;
      bool blank_follows = at + 1 >= line.size() || line[at + 1] == ' ' || line[at + 1] == '\t' ||
                           line[at + 1] == '\n' || line[at + 1] == '\r';
      char before = at == 0 ? ' ' : line[at - 1];
      bool starts_here = before == ' ' || before == '\t' || before == '>' || c == '.' || c == ')';
      if (c == '>' || (bullet && blank_follows && starts_here)) {
        ++markers;
        if (at > kMaxIndent) markers = max_markers_ + 1;
      }
    }
    if (markers <= max_markers_) {
      out_ += line;
    } else if (line.find_first_not_of("-*_ \t\r\n") == std::string_view::npos) {
      out_ += "---\n";  // a long rule stays one
    } else {
      out_ += line.substr(0, at - 1);
      out_ += '\\';
      out_ += line.substr(at - 1);
    }
  }

  std::string_view rest_;
  size_t max_markers_;
  size_t blank_run_ = 0;
  size_t cells_ = 0;
  std::string out_;
};

// How much a definition whose "]:" was just passed can hold, at least up to `limit`.
size_t DefinitionBytes(std::string_view text, size_t limit) {
  constexpr std::string_view kSkipped = " \t\r\n>";
  text = text.substr(0, 2 * limit + 256);
  size_t url = std::min(text.find_first_not_of(kSkipped), text.size());
  bool angled = url < text.size() && text[url] == '<';
  size_t end = std::min(text.find_first_of(angled ? ">\n" : " \t\r\n", url), text.size());
  size_t bytes = end - url;
  size_t title = text.find_first_not_of(kSkipped, end);
  if (title == std::string_view::npos) return bytes;
  char quote = text[title];
  if (quote != '"' && quote != '\'' && quote != '(') return bytes;
  size_t close = std::min(text.find(quote == '(' ? ')' : quote, title + 1), text.size());
  return bytes + close - title;
}

// Turns definitions into text that would be copied too often for their size.
std::string LimitReferences(std::string markdown) {
  auto uses = static_cast<size_t>(std::count(markdown.begin(), markdown.end(), '['));
  size_t limit = kMaxReferenceBytes / (uses + 1);
  // Nothing can be longer than the text.
  if (limit >= markdown.size()) return markdown;
  std::string out;
  std::string_view rest = markdown;
  while (true) {
    size_t at = rest.find("]:");
    if (at == std::string_view::npos) break;
    out += rest.substr(0, at);
    rest.remove_prefix(at + 2);
    out += DefinitionBytes(rest, limit) > limit ? "\\]:" : "]:";
  }
  out += rest;
  return out;
}

bool HasManyAtSigns(std::string_view markdown) {
  size_t count = 0;
  char before = '\0';
  for (char c : markdown) {
    if (c == '@' && ++count > kMaxAtSigns) return true;
    if (c == '\n' && before == '\n') count = 0;
    before = c;
  }
  return false;
}

}  // namespace

MarkdownTree ParseMarkdownTree(std::string_view markdown, size_t max_depth) {
  static std::once_flag registered;
  std::call_once(registered, cmark_gfm_core_extensions_ensure_registered);
  MarkdownTree tree;
  std::string text = LimitReferences(ShapeLimiter(markdown, max_depth).Run(&tree.lines));
  tree.parser.reset(cmark_parser_new(kCmarkOptions));
  bool no_autolink = HasManyAtSigns(text);
  for (const char* name : {"table", "strikethrough", "autolink", "tasklist"}) {
    if (no_autolink && std::string_view(name) == "autolink") continue;
    if (cmark_syntax_extension* extension = cmark_find_syntax_extension(name)) {
      cmark_parser_attach_syntax_extension(tree.parser.get(), extension);
    }
  }
  cmark_parser_feed(tree.parser.get(), text.data(), text.size());
  tree.document.reset(cmark_parser_finish(tree.parser.get()));
  return tree;
}

std::string RenderMarkdown(std::string_view markdown, const MarkdownOptions& options) {
  if (markdown.size() > options.max_input_bytes) {
    throw Error(Code::kTooLarge,
                "the text has more than " + std::to_string(options.max_input_bytes) + " bytes");
  }
  MathSpans math;
  std::string kept;
  if (options.math) {
    kept = math.Take(markdown);
    markdown = kept;
  }
  MarkdownTree tree = ParseMarkdownTree(markdown, options.max_depth);
  std::unique_ptr<char, TextDeleter> html(cmark_render_html(
      tree.document.get(), kCmarkOptions, cmark_parser_get_syntax_extensions(tree.parser.get())));
  return math.PutBack(SanitizeHtml(html.get(), options));
}

}  // namespace hearth
