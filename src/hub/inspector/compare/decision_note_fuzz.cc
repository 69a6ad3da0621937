#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "hub/inspector/compare/decision_note.h"

namespace {

using namespace hearth;
using namespace hearth::inspector;

void ReadAsInput(const std::string& text) {
  try {
    ToJson(ParseAnswers(Json::Parse(text))).Dump();
  } catch (const Error&) {
  }
  try {
    ParseRepoSpec(text);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  ReadAsInput(text);
  if (size > kMaxAnswerBytes) return 0;
  NoteInput input;
  NoteSubject subject;
  subject.portrait.type = "model";
  subject.portrait.id = "ns/name";
  subject.portrait.Set("licence", {{Json(text), Level::kDeclared, {{text, text, text, ""}}}, text});
  subject.answers["task"] = {text, true};
  input.subjects = {subject, subject};
  input.texts.decision = input.texts.why = input.texts.alternatives = text;
  Json note = MakeNote(input);
  // The only tags are those of the note.
  if (NoteMarkdown(note).find('<') != std::string::npos) abort();
  std::string html = NoteHtml(note);
  for (const char* tag : {"<script", "<img", "<svg", "<iframe", "<a "})
    if (html.find(tag) != std::string::npos) abort();
  return 0;
}
