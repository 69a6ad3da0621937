// How a file is shown on its page. A viewer is one file of this folder, one line in viewers.inc and
// one template blob/<name>.html: it says whether a file is its own, and fills the data that the
// template shows. Viewers read headers and heads by ranges; whatever lies in a file, they throw
// only Error, and the page then shows the file as text or not at all, with the reason. Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "codec/markdown.h"
#include "formats/source/source.h"

namespace hearth::server {

inline constexpr uint64_t kShownHeadBytes = 512 << 10;

struct BlobSubject {
  std::string path;
  std::string name;    // last part of it
  std::string ending;  // "json", lower case, without the dot; "" = none
  uint64_t size_bytes = 0;
  ByteSource* source = nullptr;  // the whole content
  std::string head;              // its first kShownHeadBytes
  bool binary = false;           // judged by the head
  MarkdownOptions markdown;      // how links of this document are meant
  size_t wanted_line = 1;        // of texts: the page of lines that has it is shown
  bool whole() const { return head.size() == size_bytes; }
};

struct Viewer {
  std::string_view name;
  bool (*accepts)(const BlobSubject& subject);
  void (*fill)(const BlobSubject& subject, Json* data);
};

// All of viewers.inc, in order; the first that accepts a file shows it. The last accepts all.
const std::vector<Viewer>& Viewers();
// The subject, with head, ending and the judgement of its bytes.
BlobSubject MakeSubject(std::string_view path, ByteSource* source);
// Sets "shown_as", and what that viewer gives; with a fault also "fault".
void FillViewer(const BlobSubject& subject, Json* data);

// The name that highlighters know a language by ("python"), from name and ending; "" = none.
std::string_view LanguageOf(const BlobSubject& subject);
// Lines of a text, a page at a time, so that a long file is as quick to open as a short one.
struct ShownText {
  std::string_view text;
  std::string_view language;
  bool whole = true;       // nothing follows the text
  size_t wanted_line = 1;  // from 1; behind the last line: the last page
};
// Sets "lines": [text] of the page that has the wanted line, "first_line", "line_count" (of the
// text), "previous_page" and "next_page" (first lines; absent where there is none), "language",
// "cut" (true when the pages together do not show all).
void FillText(const ShownText& shown, Json* data);
// A value as the text of a cell: nothing for null, texts as they are, else JSON; cut when it is
// long.
std::string CellText(const Json& value);
// Sets "columns": [{name, numeric}], "rows": [[text]], "cut".
void FillTable(const std::vector<std::string>& columns,
               const std::vector<std::vector<std::string>>& rows, bool all, Json* data);

}  // namespace hearth::server
