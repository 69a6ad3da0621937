// What to know of a model before it is used for the first time: fourteen questions, each answered
// by what the inspector found, with evidence, and by the reader in their own words. The last one,
// by what success will be judged, only the reader can answer. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/compare/portrait.h"

namespace hearth::inspector {

inline constexpr size_t kChecklistFields = 14;

struct ChecklistField {
  std::string field;     // "intended_use"
  std::string title;     // "Intended use"
  std::string question;  // what the reader should be able to say
  Cell found;            // level kMissing: nobody says so
};
// In order, kChecklistFields of them.
std::vector<ChecklistField> FillChecklist(const Portrait& portrait);

struct Answer {
  std::string text;      // the reader's words; "" = as it was found
  bool checked = false;  // the reader has looked at it
};
using Answers = std::map<std::string, Answer, std::less<>>;
inline constexpr size_t kMaxAnswerBytes = 4000;

// {"limitations": {"text": "...", "checked": true}, ...}. Empty answers are left out. Throws
// kInvalidArgument for another field and for what is not of this form, kTooLarge for a long text.
Answers ParseAnswers(const Json& json);
Json ToJson(const Answers& answers);

struct Progress {
  size_t filled = 0;   // found, or answered by the reader
  size_t checked = 0;  // ticked, or answered by the reader
};
Progress ProgressOf(const std::vector<ChecklistField>& fields, const Answers& answers);

// [{"field", "title", "question", "found": {value, text, level, evidence}, "answer": {...} | null}]
Json ToJson(const std::vector<ChecklistField>& fields, const Answers& answers);

}  // namespace hearth::inspector
