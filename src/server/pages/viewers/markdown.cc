// Markdown, rendered; the source is one click away.
#include "codec/yaml.h"
#include "server/pages/kept_markdown.h"
#include "server/pages/viewers/viewer.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject& subject) {
  return (subject.ending == "md" || subject.ending == "markdown" || subject.ending == "mdx") &&
         !subject.binary && subject.whole();
}

void Fill(const BlobSubject& subject, Json* data) {
  FrontMatter parts = SplitFrontMatter(subject.head);
  MarkdownOptions options = subject.markdown;
  options.math = true;
  data->Set("markdown", KeptMarkdown(parts.body, options));
  FillText({subject.head, "markdown", true, subject.wanted_line}, data);
}

}  // namespace

Viewer Make_markdown() { return {"markdown", Accepts, Fill}; }

}  // namespace hearth::server
