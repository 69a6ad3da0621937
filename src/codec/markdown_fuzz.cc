#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "codec/markdown.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  hearth::MarkdownOptions options;
  options.base_url = size % 2 == 0 ? "/org/model" : "";
  options.folder = "docs";
  options.math = size % 3 != 0;
  try {
    hearth::RenderMarkdown(text, options);
    std::string safe = hearth::SanitizeHtml(text, options);
    // Nothing that was dropped may come to life when the output is read once more.
    for (const char* bad :
         {"<script", "<style", "<iframe", "<svg", "href=\"javascript:", "src=\"javascript:"}) {
      if (safe.find(bad) != std::string::npos) abort();
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
