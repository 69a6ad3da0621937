#include "hub/internal/search_document.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/internal/card_fields.h"
#include "hub/internal/card_tables.h"
#include "hub/tasks.h"
#include "text/utf8.h"

namespace hearth::hub {
namespace {

using search::Document;
using search::Field;

constexpr uint64_t kMaxFileBytes = 64 << 10;
constexpr size_t kMaxFiles = 60;
constexpr std::string_view kTextEndings[] = {
    ".py",  ".ipynb", ".js",  ".ts",   ".tsx", ".jsx", ".sh",    ".r",    ".jl",  ".rs", ".go",
    ".cc",  ".cpp",   ".c",   ".h",    ".hpp", ".cu",  ".java",  ".html", ".css", ".md", ".txt",
    ".rst", ".yaml",  ".yml", ".toml", ".cfg", ".ini", ".jinja", ".sql",  ".lua", ".rb"};

bool IsTextFile(std::string_view path) {
  if (path == "README.md") return false;  // the card itself
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "Dockerfile" || name == "Makefile") return true;
  // Vocabularies and lists of requirements are lists of words, not texts.
  if (name == "vocab.txt" || name == "merges.txt") return false;
  std::string lower = AsciiLower(name);
  return std::any_of(std::begin(kTextEndings), std::end(kTextEndings),
                     [&lower](std::string_view ending) { return lower.ends_with(ending); });
}

uint64_t HashText(std::string_view text, uint64_t hash) {
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return (hash ^ 0xFF) * 0x100000001B3u;
}

void AddLine(std::string_view text, std::string* out) {
  if (text.empty()) return;
  *out += text;
  *out += '\n';
}

// Tags as they are, and the words that people use for them.
std::string TagText(const RepoFacts& facts) {
  std::string text;
  for (const std::string& tag : facts.tags) {
    AddLine(tag, &text);
    std::string_view bare = std::string_view(tag).substr(tag.find(':') + 1);
    if (std::string_view language = LanguageName(bare); !language.empty()) AddLine(language, &text);
  }
  if (const TaskEntry* task = FindTask(facts.pipeline_tag)) AddLine(task->label, &text);
  return text;
}

std::string FileNames(const RepoFacts& facts) {
  std::string names;
  for (const Sibling& file : facts.siblings) {
    if (file.path == ".gitattributes" || file.path == "README.md") continue;
    if (names.size() > search::RuleOf(Field::kFiles).max_bytes) break;
    AddLine(file.path, &names);
  }
  return names;
}

std::string CodeOf(const RepoHandle& repo, const RepoFacts& facts) {
  std::string code;
  size_t files = 0;
  std::optional<storage::GitRepository> git;
  for (const Sibling& file : facts.siblings) {
    if (file.lfs || file.size_bytes > kMaxFileBytes || !IsTextFile(file.path)) continue;
    if (code.size() > search::RuleOf(Field::kCode).max_bytes || ++files > kMaxFiles) break;
    try {
      if (!git) git = storage::GitRepository::Open(repo.git_folder());
      std::string text = git->ReadBlob(file.blob, kMaxFileBytes);
      if (text.find('\0') != std::string::npos || !IsValidUtf8(text)) continue;
      std::replace(text.begin(), text.end(), kFileMark, ' ');
      code += kFileMark;
      AddLine(file.path, &code);
      AddLine(text, &code);
    } catch (const Error&) {
      // A file that cannot be read is not searched; fsck says what is wrong with it.
    }
  }
  return code;
}

bool IsMark(char c) { return std::strchr("#*_`~>|", c) != nullptr && c != '\0'; }

}  // namespace

uint64_t DocumentStamp(const RepoRecord& repo) {
  uint64_t hash = HashText(repo.FullName(), 0xCBF29CE484222325u);
  if (repo.head) hash = HashText(repo.head->raw(), hash);
  hash = HashText(SingularName(repo.type), hash);
  return HashText(repo.gated == Gated::kOff ? "" : "gated", hash);
}

std::string PlainText(std::string_view markdown) {
  std::string text;
  text.reserve(markdown.size());
  bool line_start = true;
  for (size_t at = 0; at < markdown.size(); ++at) {
    char c = markdown[at];
    if (c == '<' && at + 1 < markdown.size() &&
        (std::isalpha(static_cast<unsigned char>(markdown[at + 1])) != 0 ||
         markdown[at + 1] == '/' || markdown[at + 1] == '!')) {
      size_t end = markdown.find('>', at);
      if (end != std::string_view::npos && end - at < 2000) {
        text += ' ';
        at = end;
        continue;
      }
    }
    if (c == ']' && at + 1 < markdown.size() && markdown[at + 1] == '(') {
      size_t end = markdown.find(')', at);
      if (end != std::string_view::npos && end - at < 2000) {
        at = end;
        continue;
      }
    }
    if (c == '[' || (c == '!' && at + 1 < markdown.size() && markdown[at + 1] == '[')) continue;
    if (c == '\n') {
      if (!text.empty() && text.back() != '\n') text += '\n';
      line_start = true;
      continue;
    }
    // "_" inside of words stays: "snake_case".
    bool inner =
        c == '_' && at > 0 && std::isalnum(static_cast<unsigned char>(markdown[at - 1])) != 0;
    if (IsMark(c) && !inner) {
      if (c == '|') text += ' ';
      continue;
    }
    if (line_start && (c == ' ' || c == '-' || c == '=' || c == ':')) continue;
    line_start = false;
    text += c;
  }
  return text;
}

std::string HeadingsOf(std::string_view markdown) {
  std::string headings;
  bool fenced = false;
  for (std::string_view line : Split(markdown, '\n')) {
    if (line.starts_with("```") || line.starts_with("~~~")) fenced = !fenced;
    if (fenced || !line.starts_with('#')) continue;
    AddLine(PlainText(line), &headings);
  }
  return headings;
}

Document MakeDocument(const RepoHandle& repo, const RepoFacts& facts) {
  const RepoRecord& record = repo.record();
  Document document;
  document.id = static_cast<uint32_t>(record.id);
  document.stamp = DocumentStamp(record);
  document[Field::kName] = record.FullName();
  document[Field::kTags] = TagText(facts);
  std::string title = TextOf(facts.space, "title");
  document[Field::kHeadings] = (title.empty() ? "" : title + "\n") + HeadingsOf(facts.card_text);
  document[Field::kBody] = PlainText(facts.card_text);
  std::string description = TextOf(facts.space, "short_description");
  if (!description.empty()) document[Field::kBody].insert(0, description + "\n");
  document[Field::kFiles] = FileNames(facts);
  if (record.gated == Gated::kOff) document[Field::kCode] = CodeOf(repo, facts);
  return document;
}

}  // namespace hearth::hub
