#include "server/pages/viewers/viewer.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/commits.h"
#include "text/utf8.h"

namespace hearth::server {

#define HEARTH_VIEWER(name) Viewer Make_##name();
#include "server/pages/viewers/viewers.inc"
#undef HEARTH_VIEWER

namespace {

// A page of source: compressed about 50 kB at most for ordinary text, beside 60 kB of the site's
// own style and scripts; 120 kB together are there within a second on a slow line.
constexpr size_t kPageLines = 1500;
constexpr size_t kPageBytes = 96 << 10;
constexpr size_t kMaxLineBytes = 20000;
constexpr size_t kMaxCellBytes = 500;

struct Language {
  std::string_view ending;
  std::string_view name;
};
// Sorted by ending. Names of files without an ending stand here whole, in lower case.
constexpr Language kLanguages[] = {{"bash", "bash"},
                                   {"c", "c"},
                                   {"cc", "cpp"},
                                   {"cfg", "ini"},
                                   {"cmake", "cmake"},
                                   {"cpp", "cpp"},
                                   {"css", "css"},
                                   {"cu", "cpp"},
                                   {"cuh", "cpp"},
                                   {"diff", "diff"},
                                   {"dockerfile", "dockerfile"},
                                   {"go", "go"},
                                   {"h", "cpp"},
                                   {"hpp", "cpp"},
                                   {"html", "xml"},
                                   {"ini", "ini"},
                                   {"java", "java"},
                                   {"jinja", "django"},
                                   {"js", "javascript"},
                                   {"json", "json"},
                                   {"jsonl", "json"},
                                   {"jsx", "javascript"},
                                   {"kt", "kotlin"},
                                   {"lua", "lua"},
                                   {"makefile", "makefile"},
                                   {"md", "markdown"},
                                   {"mjs", "javascript"},
                                   {"patch", "diff"},
                                   {"php", "php"},
                                   {"proto", "protobuf"},
                                   {"py", "python"},
                                   {"pyi", "python"},
                                   {"r", "r"},
                                   {"rb", "ruby"},
                                   {"rs", "rust"},
                                   {"scala", "scala"},
                                   {"sh", "bash"},
                                   {"sql", "sql"},
                                   {"svg", "xml"},
                                   {"swift", "swift"},
                                   {"toml", "ini"},
                                   {"ts", "typescript"},
                                   {"tsx", "typescript"},
                                   {"xml", "xml"},
                                   {"yaml", "yaml"},
                                   {"yml", "yaml"},
                                   {"zsh", "bash"}};

bool LooksNumeric(std::string_view cell) {
  if (cell.empty()) return true;
  bool digit = false;
  for (char c : cell) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0)
      digit = true;
    else if (std::string_view("+-.eE%").find(c) == std::string_view::npos)
      return false;
  }
  return digit;
}

}  // namespace

const std::vector<Viewer>& Viewers() {
  static const std::vector<Viewer> viewers = {
#define HEARTH_VIEWER(name) Make_##name(),
#include "server/pages/viewers/viewers.inc"
#undef HEARTH_VIEWER
  };
  return viewers;
}

BlobSubject MakeSubject(std::string_view path, ByteSource* source) {
  BlobSubject subject;
  subject.path = path;
  size_t slash = path.rfind('/');
  subject.name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  size_t dot = subject.name.rfind('.');
  subject.ending = AsciiLower(dot == std::string::npos ? "" : subject.name.substr(dot + 1));
  subject.size_bytes = source->size_bytes();
  subject.source = source;
  subject.head =
      source->Read(0, static_cast<size_t>(std::min<uint64_t>(subject.size_bytes, kShownHeadBytes)));
  subject.binary = hub::LooksBinary(std::string_view(subject.head).substr(0, 8000));
  return subject;
}

void FillViewer(const BlobSubject& subject, Json* data) {
  for (const Viewer& viewer : Viewers()) {
    if (!viewer.accepts(subject)) continue;
    try {
      viewer.fill(subject, data);
      data->Set("shown_as", viewer.name);
      return;
    } catch (const Error& error) {
      // What a viewer refuses is shown by a later one.
      data->Set("fault", error.message());
    }
  }
}

std::string_view LanguageOf(const BlobSubject& subject) {
  std::string key = subject.ending.empty() ? AsciiLower(subject.name) : subject.ending;
  const Language* found =
      std::lower_bound(std::begin(kLanguages), std::end(kLanguages), key,
                       [](const Language& a, std::string_view b) { return a.ending < b; });
  return found != std::end(kLanguages) && found->ending == key ? found->name : std::string_view();
}

void FillText(const ShownText& shown, Json* data) {
  std::string_view rest = shown.text;
  size_t count = 0, page_bytes = 0;
  bool found = false, all = shown.whole;
  std::vector<size_t> starts;  // the first line of each page
  std::vector<std::string_view> page;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMaxLineBytes) {
      line = TruncateUtf8Bytes(line, kMaxLineBytes);
      all = false;
    }
    bool full = starts.empty() || count + 1 - starts.back() >= kPageLines ||
                page_bytes + line.size() > kPageBytes;
    if (full) {
      // The page before has the wanted line: the lines that follow are only counted.
      found = found || (!starts.empty() && shown.wanted_line <= count);
      starts.push_back(count + 1);
      page_bytes = 0;
      if (!found) page.clear();
    }
    ++count;
    page_bytes += line.size();
    if (!found) page.push_back(line);
  }
  auto next =
      std::upper_bound(starts.begin(), starts.end(), std::max<size_t>(1, shown.wanted_line));
  Json lines = Json::Arr();
  for (std::string_view line : page) lines.Push(Utf8Lossy(line));
  data->Set("lines", std::move(lines));
  data->Set("line_count", count);
  data->Set("first_line", next == starts.begin() ? 1 : *(next - 1));
  if (next - starts.begin() >= 2) data->Set("previous_page", *(next - 2));
  if (next != starts.end()) data->Set("next_page", *next);
  data->Set("language", shown.language);
  data->Set("cut", !all);
}

std::string CellText(const Json& value) {
  std::string text = value.is_null()               ? std::string()
                     : value.AsString() != nullptr ? *value.AsString()
                                                   : value.Dump();
  if (text.size() <= kMaxCellBytes) return text;
  return std::string(TruncateUtf8Bytes(text, kMaxCellBytes)) + "…";
}

void FillTable(const std::vector<std::string>& columns,
               const std::vector<std::vector<std::string>>& rows, bool all, Json* data) {
  Json heads = Json::Arr();
  for (size_t column = 0; column < columns.size(); ++column) {
    bool numeric = std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
      return column >= row.size() || LooksNumeric(row[column]);
    });
    heads.Push(Json::Obj({{"name", Utf8Lossy(columns[column])}, {"numeric", numeric}}));
  }
  Json body = Json::Arr();
  for (const std::vector<std::string>& row : rows) {
    Json cells = Json::Arr();
    for (size_t column = 0; column < columns.size(); ++column)
      cells.Push(column < row.size() ? Utf8Lossy(row[column]) : std::string());
    body.Push(std::move(cells));
  }
  data->Set("columns", std::move(heads));
  data->Set("rows", std::move(body));
  data->Set("cut", !all);
}

}  // namespace hearth::server
