#include "hub/inspector/compare/decision_note.h"

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/compare/portrait_parts.h"

namespace hearth::inspector {
namespace {

constexpr std::string_view kSchema = "hearth.decision-note/1";
constexpr size_t kMaxTitleBytes = 200;

void CheckTexts(const NoteInput& input) {
  const NoteTexts& texts = input.texts;
  if (input.subjects.empty())
    throw Error(Code::kInvalidArgument, "a note is about one repository at least");
  if (input.subjects.size() > kMaxCompared)
    throw Error(Code::kInvalidArgument,
                "a note is about " + std::to_string(kMaxCompared) + " repositories at most");
  if (texts.chosen && *texts.chosen >= input.subjects.size())
    throw Error(Code::kInvalidArgument, "what was chosen must be one of the repositories");
  for (const std::string* text : {&texts.decision, &texts.why, &texts.alternatives}) {
    if (text->size() > kMaxNoteTextBytes)
      throw Error(Code::kTooLarge, "a text of the note has more than " +
                                       std::to_string(kMaxNoteTextBytes) + " bytes");
  }
  if (texts.title.size() > kMaxTitleBytes)
    throw Error(Code::kTooLarge, "the title has more than 200 bytes");
}

std::string UsualTitle(const NoteInput& input) {
  const NoteTexts& texts = input.texts;
  if (texts.chosen) return input.subjects[*texts.chosen].portrait.id;
  std::string title;
  for (const NoteSubject& subject : input.subjects)
    title += (title.empty() ? "" : " or ") + subject.portrait.id;
  return title;
}

// "https://host/datasets/ns/name/tree/<commit>"
std::string AddressOf(const std::string& hub, const Portrait& portrait) {
  std::string prefix = portrait.type == "model" ? "" : portrait.type + "s/";
  std::string tail = portrait.commit.empty() ? "" : "/tree/" + portrait.commit;
  return hub + "/" + prefix + portrait.id + tail;
}

std::string OrMissing(const std::string& text) { return text.empty() ? "missing" : text; }

// A sentence ends once.
std::string Sentence(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text + ".";
}

// The first thing that speaks against one that was not chosen.
std::string RiskOf(const Portrait& portrait) {
  if (const Cell* alarms = portrait.Find("alarms"); alarms && alarms->text != "none seen")
    return alarms->text;
  for (const auto& [row, word] : {std::pair{"licence", "its licence is missing"},
                                  std::pair{"limitations", "its limitations are missing"},
                                  std::pair{"example", "it has no example"},
                                  std::pair{"intended_use", "its intended use is missing"}}) {
    if (portrait.Find(row) == nullptr) return word;
  }
  std::string scans = portrait.TextOf("scans");
  for (const char* state : {"unsafe", "suspicious"})
    if (scans.find(state) != std::string::npos) return "scans: " + scans;
  std::string node = portrait.TextOf("node");
  if (node == "no" || node.starts_with("partial")) return "it does not fit this node";
  return "none that the inspector can name";
}

}  // namespace

Json MakeNote(const NoteInput& input) {
  CheckTexts(input);
  const NoteTexts& texts = input.texts;
  Json repositories = Json::Arr();
  std::vector<Portrait> portraits;
  std::string success;
  for (size_t i = 0; i < input.subjects.size(); ++i) {
    const NoteSubject& subject = input.subjects[i];
    const Portrait& portrait = subject.portrait;
    std::vector<ChecklistField> fields = FillChecklist(portrait);
    Progress progress = ProgressOf(fields, subject.answers);
    auto criterion = subject.answers.find("success_criteria");
    bool meant = texts.chosen ? *texts.chosen == i : input.subjects.size() == 1;
    if (meant && criterion != subject.answers.end()) success = criterion->second.text;
    Json json = Json::Obj({{"type", portrait.type},
                           {"id", portrait.id},
                           {"commit", portrait.commit},
                           {"spec", SpecOf(portrait.type, portrait.id, portrait.commit)},
                           {"chosen", texts.chosen == i}});
    if (!input.hub.empty()) json.Set("url", AddressOf(input.hub, portrait));
    json.Set("progress", Json::Obj({{"filled", progress.filled},
                                    {"checked", progress.checked},
                                    {"of", kChecklistFields}}));
    json.Set("checklist", ToJson(fields, subject.answers));
    repositories.Push(std::move(json));
    portraits.push_back(portrait);
  }
  std::string title = Excerpt(texts.title, kMaxTitleBytes);
  Json note = Json::Obj({{"schema", kSchema},
                         {"title", title.empty() ? UsualTitle(input) : title},
                         {"date", input.date},
                         {"author", input.author}});
  note.Set("chosen", texts.chosen ? Json(*texts.chosen) : Json());
  note.Set("decision", TrimAscii(texts.decision)).Set("why", TrimAscii(texts.why));
  note.Set("alternatives", TrimAscii(texts.alternatives)).Set("success_criteria", success);
  note.Set("repositories", std::move(repositories));
  note.Set("comparison", ToJson(Compare(portraits), portraits));
  return note;
}

std::string DraftWhy(const std::vector<Portrait>& portraits, std::optional<size_t> chosen) {
  if (portraits.empty()) return {};
  size_t index = chosen.value_or(0);
  const Portrait& it = portraits[index < portraits.size() ? index : 0];
  std::string text = Sentence(it.id + ", kind: " + OrMissing(it.TextOf("artifact")) +
                              ", looked at for the task " + OrMissing(it.TextOf("task")));
  text += " " + Sentence("Its card has a score of " + OrMissing(it.TextOf("score")) +
                         ", and its files (" + OrMissing(it.TextOf("formats")) + ") load in " +
                         OrMissing(it.TextOf("programs")));
  text += " " + Sentence("Licence: " + OrMissing(it.TextOf("licence")) + ", in effect " +
                         OrMissing(it.TextOf("effective")) +
                         "; limitations: " + OrMissing(it.TextOf("limitations")));
  if (it.type == "model")
    text += " " + Sentence("Hardware: it needs " + OrMissing(it.TextOf("need")) +
                           ", on this node: " + OrMissing(it.TextOf("node")));
  for (size_t i = 0; i < portraits.size(); ++i) {
    if (&portraits[i] == &it) continue;
    text += " " + Sentence("Risk of " + portraits[i].id + ": " + RiskOf(portraits[i]));
  }
  return text;
}

}  // namespace hearth::inspector
