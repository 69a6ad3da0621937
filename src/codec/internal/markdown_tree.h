// A Markdown text as cmark's tree, with the shapes limited that would cost squares of time. Used by
// the renderer and the outline. Pure, thread-safe.
#pragma once

#include <cmark-gfm.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

// Raw HTML stays (the sanitiser decides); invalid UTF-8 becomes U+FFFD.
inline constexpr int kCmarkOptions =
    CMARK_OPT_UNSAFE | CMARK_OPT_FOOTNOTES | CMARK_OPT_VALIDATE_UTF8;

struct MarkdownTree {
  struct ParserDeleter {
    void operator()(cmark_parser* parser) const { cmark_parser_free(parser); }
  };
  struct NodeDeleter {
    void operator()(cmark_node* node) const { cmark_node_free(node); }
  };
  std::unique_ptr<cmark_parser, ParserDeleter> parser;  // owns the extensions that nodes use
  std::unique_ptr<cmark_node, NodeDeleter> document;
  std::vector<size_t> lines;  // of the text, from 1, for each line that was parsed

  // Where a line of the tree stands in the text.
  size_t LineOf(int parsed) const {
    auto at = static_cast<size_t>(parsed < 1 ? 0 : parsed - 1);
    return at < lines.size() ? lines[at] : lines.empty() ? 1 : lines.back();
  }
};
MarkdownTree ParseMarkdownTree(std::string_view markdown, size_t max_depth);

// The id of a heading with this text, without prefix and number.
std::string HeadingSlug(std::string_view text);

}  // namespace hearth
