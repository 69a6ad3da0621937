// A decision that can be read again in a year: which repository was chosen, at which commit, why,
// instead of what, by what it will be judged, and what the inspector knew on that day. One
// document, written as JSON, Markdown and HTML for print. Pure.
//
// Texts of people and of repositories are text in all three: escaped where they are written, in
// Markdown as well as in HTML. The HTML has no script and refers to nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/compare/checklist.h"
#include "hub/inspector/compare/comparison.h"

namespace hearth::inspector {

struct NoteSubject {
  Portrait portrait;
  Answers answers;  // of the checklist, by who writes the note
};

struct NoteTexts {
  std::string title;  // "" = made from the names
  std::string decision, why, alternatives;
  std::optional<size_t> chosen;  // index of a subject; nullopt = none of them
};
inline constexpr size_t kMaxNoteTextBytes = 16'000;

struct NoteInput {
  std::vector<NoteSubject> subjects;  // 1 to kMaxCompared
  NoteTexts texts;
  std::string author;  // "" = not said
  std::string date;    // "2026-01-31"
  std::string hub;     // "https://host" that links lead to; "" = no links
};

// {"schema": "hearth.decision-note/1", "title", "date", "author", "chosen", "decision", "why",
//  "alternatives", "success_criteria", "repositories": [{type, id, commit, spec, url?, checklist,
//  progress}], "comparison"}. Throws kInvalidArgument without subjects or for a `chosen` that is
//  not
// there, kTooLarge for long texts.
Json MakeNote(const NoteInput& input);
// Of what MakeNote made.
std::string NoteMarkdown(const Json& note);
std::string NoteHtml(const Json& note);
// The style sheet in NoteHtml, for the hash in a Content-Security-Policy.
std::string_view NoteStyle();

// Five sentences that the findings give reason for, to begin with: what was chosen for which task,
// why card and files fit the runtime, licence and limitations, hardware, a risk of what was not
// chosen. What is missing is said to be missing.
std::string DraftWhy(const std::vector<Portrait>& portraits, std::optional<size_t> chosen);

// Text as Markdown that shows it as it is, on one line.
std::string MarkdownText(std::string_view text);

}  // namespace hearth::inspector
