// What a Markdown document consists of: headings, text, code and tables in order, as plain text
// with their lines. For programs that read documents; RenderMarkdown is for people. Pure and
// thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct MarkdownBlock {
  enum class Kind {
    kHeading,  // also of raw HTML
    kText,     // a paragraph, of a list item or quotation too; text of raw HTML without its tags
    kCode,     // fenced or indented; text as written
    kTable,    // one row, cells separated by tabs
  };
  Kind kind = Kind::kText;
  int level = 0;         // of a heading, 1 to 6
  size_t line = 1;       // where it starts, from 1
  std::string text;      // without markup
  std::string language;  // of a code block, as written: "python", ""
  // Of a heading: the id that RenderMarkdown gives it ("user-content-..."); "" when not known.
  std::string id;
  std::vector<std::string> links;  // targets of the links and images in it
};

// In document order. Errors: kTooLarge for more than `max_bytes`; every text is valid Markdown.
std::vector<MarkdownBlock> OutlineMarkdown(std::string_view markdown, size_t max_bytes = 1u << 20);

}  // namespace hearth
