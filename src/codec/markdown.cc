#include "codec/markdown.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/error.h"

namespace hearth {
namespace {

// Raw HTML stays (the sanitiser decides); invalid UTF-8 becomes U+FFFD.
constexpr int kCmarkOptions = CMARK_OPT_UNSAFE | CMARK_OPT_FOOTNOTES | CMARK_OPT_VALIDATE_UTF8;

struct ParserDeleter {
  void operator()(cmark_parser* parser) const { cmark_parser_free(parser); }
};
struct NodeDeleter {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};
struct TextDeleter {
  void operator()(char* text) const { std::free(text); }
};

// Quotes and lists opened on one line, as in "> > > - - x". Each costs time on every later line.
std::string LimitMarkers(std::string_view markdown, size_t max_markers) {
  std::string out;
  out.reserve(markdown.size());
  while (!markdown.empty()) {
    size_t end = markdown.find('\n');
    std::string_view line = markdown.substr(0, end == std::string_view::npos ? end : end + 1);
    markdown.remove_prefix(line.size());
    size_t markers = 0, at = 0;
    for (; at < line.size() && markers <= max_markers; ++at) {
      char c = line[at];
      bool digit = c >= '0' && c <= '9';
      bool bullet = c == '-' || c == '+' || c == '*' || c == '.' || c == ')';
      if (c != '>' && !bullet && c != ' ' && c != '\t' && !digit) break;
      bool blank_follows = at + 1 < line.size() && (line[at + 1] == ' ' || line[at + 1] == '\t');
      if (c == '>' || (bullet && blank_follows)) ++markers;
    }
    if (markers <= max_markers) {
      out += line;
      continue;
    }
    // What is left of the line becomes text; a long rule of dashes or stars stays one.
    std::string_view rest = line.substr(at);
    bool is_rule = line.find_first_not_of("-*_ \t\r\n") == std::string_view::npos;
    if (is_rule) {
      out += "---\n";
      continue;
    }
    out += line.substr(0, at - 1);
    out += '\\';
    out += line.substr(at - 1, 1);
    out += rest;
  }
  return out;
}

std::unique_ptr<char, TextDeleter> ToHtml(std::string_view markdown) {
  static std::once_flag registered;
  std::call_once(registered, cmark_gfm_core_extensions_ensure_registered);
  std::unique_ptr<cmark_parser, ParserDeleter> parser(cmark_parser_new(kCmarkOptions));
  for (const char* name : {"table", "strikethrough", "autolink", "tasklist"}) {
    if (cmark_syntax_extension* extension = cmark_find_syntax_extension(name)) {
      cmark_parser_attach_syntax_extension(parser.get(), extension);
    }
  }
  cmark_parser_feed(parser.get(), markdown.data(), markdown.size());
  std::unique_ptr<cmark_node, NodeDeleter> document(cmark_parser_finish(parser.get()));
  return std::unique_ptr<char, TextDeleter>(cmark_render_html(
      document.get(), kCmarkOptions, cmark_parser_get_syntax_extensions(parser.get())));
}

}  // namespace

std::string RenderMarkdown(std::string_view markdown, const MarkdownOptions& options) {
  if (markdown.size() > options.max_input_bytes) {
    throw Error(Code::kTooLarge,
                "the text has more than " + std::to_string(options.max_input_bytes) + " bytes");
  }
  auto html = ToHtml(LimitMarkers(markdown, options.max_depth));
  return SanitizeHtml(html.get(), options);
}

}  // namespace hearth
