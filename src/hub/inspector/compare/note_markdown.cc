// The decision note as Markdown.
#include "base/bytes.h"
#include "hub/inspector/compare/decision_note.h"
#include "text/utf8.h"

namespace hearth::inspector {
namespace {

constexpr size_t kShownPlaces = 3;
constexpr size_t kCellBytes = 400;

std::string Word(const Json& json, std::string_view key) {
  const Json* value = json.Find(key);
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::string() : *text;
}

const Json::Array& List(const Json& json, std::string_view key) {
  static const Json::Array nothing;
  const Json* value = json.Find(key);
  const Json::Array* list = value == nullptr ? nullptr : value->AsArray();
  return list == nullptr ? nothing : *list;
}

// Paragraphs of a person: line ends stay, and no line begins something.
std::string Paragraphs(std::string_view text) {
  std::string out;
  for (std::string_view line : Split(text, '\n')) out += MarkdownText(line) + "\n";
  while (out.ends_with('\n')) out.pop_back();
  return out + "\n";
}

std::string Short(std::string_view text) {
  if (text.size() <= kCellBytes) return std::string(text);
  return std::string(TruncateUtf8Bytes(text, kCellBytes)) + "…";
}

std::string Places(const Json& finding) {
  std::string text;
  size_t shown = 0;
  const Json::Array& evidence = List(finding, "evidence");
  for (const Json& item : evidence) {
    std::string place = Word(item, "repo");
    for (const char* key : {"file", "place"}) {
      std::string part = Word(item, key);
      if (!part.empty()) place += (place.empty() ? "" : " ") + part;
    }
    if (place.empty()) place = Word(item, "rule");
    if (place.empty() || shown == kShownPlaces) continue;
    text += (shown++ > 0 ? "; " : "") + MarkdownText(place);
  }
  if (evidence.size() > shown && shown == kShownPlaces)
    text += "; " + std::to_string(evidence.size() - shown) + " more";
  return text;
}

// "mit (declared)"
std::string FoundText(const Json& finding) {
  std::string level = Word(finding, "level");
  if (level == "missing" || level.empty()) return "missing";
  return MarkdownText(Short(Word(finding, "text"))) + " (" + level + ")";
}

std::string Head(const Json& note) {
  std::string text = "# Decision: " + MarkdownText(Word(note, "title")) + "\n\n";
  std::string author = Word(note, "author");
  text += MarkdownText(Word(note, "date"));
  if (!author.empty()) text += ", by " + MarkdownText(author);
  return text + "\n\n";
}

std::string Repositories(const Json& note) {
  std::string text = "## Repositories\n\n";
  for (const Json& repo : List(note, "repositories")) {
    std::string name = MarkdownText(Word(repo, "id"));
    std::string url = Word(repo, "url");
    bool chosen = repo.BoolField("chosen").value_or(false);
    text += std::string("- ") + (chosen ? "**chosen:** " : "") + Word(repo, "type") + " ";
    text += url.empty() ? name : "[" + name + "](<" + url + ">)";
    std::string commit = Word(repo, "commit");
    text += commit.empty() ? "\n" : " at commit `" + commit + "`\n";
  }
  return text + "\n";
}

std::string Checklist(const Json& repo) {
  const Json* progress = repo.Find("progress");
  std::string counts;
  if (progress != nullptr)
    counts = std::to_string(progress->IntField("filled").value_or(0)) + " of " +
             std::to_string(progress->IntField("of").value_or(0)) + " known, " +
             std::to_string(progress->IntField("checked").value_or(0)) + " looked at.\n\n";
  std::string text = "## Checklist of " + MarkdownText(Word(repo, "id")) + "\n\n" + counts +
                     "| | Found | Where | Answer |\n|---|---|---|---|\n";
  for (const Json& field : List(repo, "checklist")) {
    const Json* found = field.Find("found");
    const Json* answer = field.Find("answer");
    std::string own = answer == nullptr ? "" : MarkdownText(Word(*answer, "text"));
    if (own.empty() && answer != nullptr && answer->is_object() &&
        answer->BoolField("checked").value_or(false))
      own = "agreed";
    text += "| " + MarkdownText(Word(field, "title")) + " | " + FoundText(*found) + " | " +
            Places(*found) + " | " + own + " |\n";
  }
  return text + "\n";
}

std::string ComparisonTable(const Json& note) {
  const Json* comparison = note.Find("comparison");
  const Json::Array& repos = List(note, "repositories");
  if (comparison == nullptr || repos.size() < 2) return {};
  std::string text = "## Side by side\n\nRows in bold differ.\n\n| |";
  std::string rule = "|---|";
  for (const Json& repo : repos) {
    text += " " + MarkdownText(Word(repo, "id")) + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const Json& group : List(*comparison, "groups")) {
    for (const Json& row : List(group, "rows")) {
      std::string title = MarkdownText(Word(row, "title"));
      bool differs = row.BoolField("differs").value_or(false);
      text += "| " + (differs ? "**" + title + "**" : title) + " |";
      for (const Json& cell : List(row, "cells"))
        text += " " + (cell.BoolField("applies").value_or(true) ? FoundText(cell) : "-") + " |";
      text += "\n";
    }
  }
  return text + "\n";
}

}  // namespace

std::string MarkdownText(std::string_view raw) {
  std::string text = Utf8Lossy(TrimAscii(raw));
  std::string out;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    unsigned char byte = static_cast<unsigned char>(c);
    bool first = i == 0;
    bool of_list = (c == '.' || c == ')') && digits > 0 && digits == i;
    if (byte < ' ' || byte == 0x7F) {
      out += ' ';
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (std::string_view("\\`*_[]|~$!").find(c) != std::string_view::npos || of_list ||
               (first && std::string_view("#+-=:").find(c) != std::string_view::npos)) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
    if (c >= '0' && c <= '9' && digits == i) ++digits;
  }
  return out;
}

std::string NoteMarkdown(const Json& note) {
  std::string text = Head(note);
  for (const auto& [key, title] :
       {std::pair{"decision", "Decision"}, std::pair{"why", "Why"},
        std::pair{"alternatives", "Alternatives"}, std::pair{"success_criteria", "Judged by"}}) {
    std::string said = Word(note, key);
    text += std::string("## ") + title + "\n\n";
    text += said.empty() ? "*missing*\n\n" : Paragraphs(said) + "\n";
  }
  text += Repositories(note);
  for (const Json& repo : List(note, "repositories")) text += Checklist(repo);
  text += ComparisonTable(note);
  text +=
      "What is not said is missing, never guessed. Likes and downloads play no part. What is said "
      "of licences is a reading aid, not legal advice.\n";
  return text;
}

}  // namespace hearth::inspector
