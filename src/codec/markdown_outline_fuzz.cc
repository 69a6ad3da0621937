#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "codec/markdown.h"
#include "codec/markdown_outline.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    std::string page;
    for (const hearth::MarkdownBlock& block : hearth::OutlineMarkdown(text)) {
      if (block.id.empty()) continue;
      // A link that is given leads somewhere.
      if (page.empty()) page = hearth::RenderMarkdown(text);
      if (page.find("id=\"" + block.id + "\"") == std::string::npos) abort();
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
