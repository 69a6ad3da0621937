// Jupyter notebooks, format 4 (nbformat.readthedocs.io): cells in order, with what they printed.
// HTML that a cell made goes through the sanitiser of cards; scripts and widgets are named, not
// run.
#include <algorithm>

#include "base/error.h"
#include "server/pages/viewers/viewer.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxNotebookBytes = 16 << 20;
constexpr size_t kMaxCells = 500;
constexpr size_t kMaxOutputs = 50;            // of one cell
constexpr size_t kMaxOutputBytes = 64 << 10;  // of one printed text
constexpr size_t kMaxPictureBytes = 4 << 20;
constexpr size_t kMaxShownBytes = 12 << 20;  // of all cells together

bool Accepts(const BlobSubject& subject) {
  return subject.ending == "ipynb" && !subject.binary && subject.size_bytes <= kMaxNotebookBytes;
}

// A text, or a list of its lines.
std::string Joined(const Json* value) {
  if (value == nullptr) return "";
  if (const std::string* text = value->AsString()) return *text;
  std::string joined;
  if (const Json::Array* lines = value->AsArray()) {
    for (const Json& line : *lines) {
      if (const std::string* text = line.AsString()) joined += *text;
    }
  }
  return joined;
}

// Terminal colours (ESC [ ... letter) are of no use on a page.
std::string WithoutEscapes(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1B') {
      plain += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && !(text[i] >= '@' && text[i] <= '~')) ++i;
    }
  }
  return plain;
}

std::string Short(std::string text) {
  if (text.size() <= kMaxOutputBytes) return text;
  return std::string(TruncateUtf8Bytes(text, kMaxOutputBytes)) + "\n…";
}

bool IsBase64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
  });
}

std::optional<Json> Picture(const Json& bundle) {
  for (std::string_view type : {"image/png", "image/jpeg", "image/gif"}) {
    std::string bytes = Joined(bundle.Find(type));
    std::erase_if(bytes, [](char c) { return c == '\n' || c == '\r'; });
    if (bytes.empty() || bytes.size() > kMaxPictureBytes || !IsBase64(bytes)) continue;
    return Json::Obj(
        {{"kind", "picture"}, {"source", "data:" + std::string(type) + ";base64," + bytes}});
  }
  return std::nullopt;
}

// The richest form of a result that a page can show.
Json Result(const Json& bundle, const MarkdownOptions& markdown) {
  if (std::optional<Json> picture = Picture(bundle)) return *std::move(picture);
  if (const Json* html = bundle.Find("text/html")) {
    return Json::Obj({{"kind", "html"}, {"html", SanitizeHtml(Joined(html), markdown)}});
  }
  if (const Json* text = bundle.Find("text/markdown"))
    return Json::Obj({{"kind", "html"}, {"html", RenderMarkdown(Joined(text), markdown)}});
  if (const Json* text = bundle.Find("text/plain"))
    return Json::Obj({{"kind", "text"}, {"text", Short(Joined(text))}});
  std::string types;
  if (const Json::Object* members = bundle.AsObject()) {
    for (const auto& [type, value] : *members) types += (types.empty() ? "" : ", ") + type;
  }
  return Json::Obj({{"kind", "other"}, {"text", types}});
}

Json Output(const Json& output, const MarkdownOptions& markdown) {
  std::string type = output.StringField("output_type").value_or("");
  if (type == "stream")
    return Json::Obj(
        {{"kind", "text"}, {"text", Short(WithoutEscapes(Joined(output.Find("text"))))}});
  if (type == "error") {
    std::string trace = WithoutEscapes(Joined(output.Find("traceback")));
    if (const Json* lines = output.Find("traceback");
        lines != nullptr && lines->AsArray() != nullptr) {
      trace.clear();
      for (const Json& line : *lines->AsArray()) {
        if (line.AsString() != nullptr) trace += WithoutEscapes(*line.AsString()) + "\n";
      }
    }
    return Json::Obj({{"kind", "error"}, {"text", Short(std::move(trace))}});
  }
  const Json* bundle = output.Find("data");
  return bundle == nullptr ? Json::Obj({{"kind", "other"}, {"text", type}})
                           : Result(*bundle, markdown);
}

Json Cell(const Json& cell, const MarkdownOptions& markdown) {
  std::string type = cell.StringField("cell_type").value_or("");
  std::string source = Joined(cell.Find("source"));
  if (type == "markdown")
    return Json::Obj({{"kind", "markdown"}, {"html", RenderMarkdown(source, markdown)}});
  Json shown = Json::Obj({{"kind", type == "code" ? "code" : "raw"}, {"source", Short(source)}});
  if (const Json* count = cell.Find("execution_count"); count != nullptr && count->AsInt())
    shown.Set("count", *count->AsInt());
  Json outputs = Json::Arr();
  if (const Json* list = cell.Find("outputs"); list != nullptr && list->AsArray() != nullptr) {
    for (const Json& output : *list->AsArray()) {
      if (outputs.AsArray()->size() == kMaxOutputs) break;
      outputs.Push(Output(output, markdown));
    }
  }
  shown.Set("outputs", std::move(outputs));
  return shown;
}

std::string Language(const Json& notebook) {
  const Json* metadata = notebook.Find("metadata");
  const Json* info = metadata == nullptr ? nullptr : metadata->Find("language_info");
  std::string name = info == nullptr ? "python" : info->StringField("name").value_or("python");
  return name.find("python") != std::string::npos ? "python" : name;
}

void Fill(const BlobSubject& subject, Json* data) {
  std::string text = subject.whole()
                         ? subject.head
                         : subject.source->Read(0, static_cast<size_t>(subject.size_bytes));
  Json notebook = Json::Parse(text);
  const Json* cells = notebook.Find("cells");
  if (cells == nullptr || cells->AsArray() == nullptr)
    throw Error(Code::kInvalidArgument,
                "This notebook has no list of cells (formats before 4 are not shown).");
  Json shown = Json::Arr();
  size_t bytes = 0;
  bool cut = false;
  for (const Json& cell : *cells->AsArray()) {
    Json one = Cell(cell, subject.markdown);
    bytes += one.Dump().size();
    if (shown.AsArray()->size() == kMaxCells || bytes > kMaxShownBytes) {
      cut = true;
      break;
    }
    shown.Push(std::move(one));
  }
  data->Set("cells", std::move(shown));
  data->Set("language", Language(notebook));
  data->Set("cut", cut);
}

}  // namespace

Viewer Make_notebook() { return {"notebook", Accepts, Fill}; }

}  // namespace hearth::server
