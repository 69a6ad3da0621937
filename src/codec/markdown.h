// Markdown (GitHub flavoured) to HTML that is safe to put into a page.
//
// cmark-gfm renders (tables, strikethrough, autolinks, task lists, footnotes, raw HTML kept); its
// output is read again tag by tag, and only what an allow-list names is written: an element,
// attribute or URL scheme that is not listed does not exist, every tag that opens is closed, text
// is escaped. One pass without a tree, so neither depth nor misnesting of the input costs stack or
// squares. Pure and thread-safe. Dialect: https://github.github.com/gfm/
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth {

struct MarkdownOptions {
  // Where relative links and images point, usually "/{namespace}/{name}" and a revision, which give
  // "{base_url}/blob/{revision}/path" for links and "{base_url}/resolve/{revision}/path" for
  // images. Empty base_url: relative ones stay as written.
  std::string base_url;
  std::string revision = "main";
  std::string folder;                   // folder of the document inside the repository; "" = root
  size_t max_input_bytes = 1u << 20;    // longer text is kTooLarge
  size_t max_output_bytes = 16u << 20;  // more HTML than this is kTooLarge
  size_t max_depth = 100;               // elements nested deeper are flattened to their text
  // Formulas between dollar signs become <span class="math">TeX</span> (internal/math_spans.h).
  bool math = false;
};

// Renders and sanitises. Headings get an id and an anchor link (class "anchor"); ids of the
// document get the prefix "user-content-" so that they cannot collide with the page's own; fragment
// links follow. Errors: kTooLarge only; every text is valid Markdown. Invalid UTF-8 becomes U+FFFD.
std::string RenderMarkdown(std::string_view markdown, const MarkdownOptions& options = {});

// The second half alone, for HTML from elsewhere.
std::string SanitizeHtml(std::string_view html, const MarkdownOptions& options = {});

}  // namespace hearth
