// Markdown as safe HTML, kept in memory for the next reader: rendering is bounded but not free, and
// the same texts are shown again and again. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "codec/markdown.h"

namespace hearth::server {

// What RenderMarkdown gives, errors included.
std::string KeptMarkdown(std::string_view markdown, const MarkdownOptions& options);

}  // namespace hearth::server
