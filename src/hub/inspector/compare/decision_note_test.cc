#include "hub/inspector/compare/decision_note.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "codec/markdown.h"

namespace hearth::inspector {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostile[] = {
    "<script>hit(1)</script>",
    "<img src=x onerror=hit(1)>",
    "[click](javascript:hit(1))",
    "![x](https://evil.example/x.png)",
    "| a | b |\n|---|---|",
    "# heading\n## heading\n---\n===",
    "```\ncode\n```",
    "\"><svg onload=hit(1)>",
    "{{ 7 * 7 }} {% include 'x' %}",
    "</style><script>hit(1)</script>",
    "1. list\n- list\n+ list\n> quote\n    code",
    "<https://evil.example> &lt;b&gt; $x$ ~~gone~~ __bold__",
    "a\x01\x7f"
    "b\r\nc",
};

Portrait Of(const std::string& id, const std::string& text) {
  Portrait portrait;
  portrait.type = "model";
  portrait.id = id;
  portrait.commit = std::string(40, 'b');
  portrait.Set("licence", {{Json(text), Level::kDeclared, {{text, text, text, ""}}}, text});
  portrait.Set("artifact", {{Json("base"), Level::kInferred, {}}, "a whole model"});
  return portrait;
}

NoteInput Input(const std::string& text) {
  NoteInput input;
  NoteSubject first, second;
  first.portrait = Of("ada/first", text);
  first.answers["success_criteria"] = {text, false};
  first.answers["task"] = {text, true};
  first.answers["publisher"] = {"", true};
  second.portrait = Of("ada/second", "mit");
  input.subjects = {first, second};
  input.texts.decision = input.texts.why = input.texts.alternatives = text;
  input.texts.chosen = 0;
  input.author = "ada";
  input.date = "2026-01-31";
  input.hub = "https://hub.example";
  return input;
}

TEST(DecisionNoteTest, HoldsPinnedCommitsTextsChecklistAndComparison) {
  Json note = MakeNote(Input("Fast enough."));
  EXPECT_EQ(note.RequireString("schema"), "hearth.decision-note/1");
  EXPECT_EQ(note.RequireString("title"), "ada/first");
  EXPECT_EQ(note.RequireString("success_criteria"), "Fast enough.");
  const Json& first = note.RequireArray("repositories")[0];
  EXPECT_EQ(first.RequireString("url"),
            "https://hub.example/ada/first/tree/" + std::string(40, 'b'));
  EXPECT_EQ(first.RequireArray("checklist").size(), kChecklistFields);
  EXPECT_EQ(note.Find("comparison")->RequireArray("repositories").size(), 2u);

  std::string markdown = NoteMarkdown(note);
  EXPECT_THAT(markdown, HasSubstr("# Decision: ada/first"));
  EXPECT_THAT(markdown, HasSubstr("at commit `" + std::string(40, 'b') + "`"));
  EXPECT_THAT(markdown, HasSubstr("agreed"));
  std::string html = NoteHtml(note);
  EXPECT_THAT(html, HasSubstr("<h1>Decision: ada/first</h1>"));
  EXPECT_THAT(html, HasSubstr("@media print"));
  EXPECT_THAT(html, HasSubstr("Side by side"));
}

TEST(DecisionNoteTest, TextsAreTextInEveryForm) {
  for (const char* text : kHostile) {
    NoteInput input = Input(text);
    input.texts.title = std::string(text).substr(0, 200);
    Json note = MakeNote(input);
    EXPECT_EQ(Json::Parse(note.Dump(2)), note) << text;

    std::string html = NoteHtml(note);
    for (const char* tag : {"<script", "<img", "<svg", "<b>", "49"})
      EXPECT_THAT(html, Not(HasSubstr(tag))) << text;
    size_t styles = 0;
    for (size_t at = html.find("</style>"); at != std::string::npos;
         at = html.find("</style>", at + 1))
      ++styles;
    EXPECT_EQ(styles, 1u) << text;

    // Rendered, the Markdown has the headings, lists and links that the note makes, and no others.
    std::string plain = RenderMarkdown(NoteMarkdown(MakeNote(Input("plain"))), {});
    std::string shown = RenderMarkdown(NoteMarkdown(note), {});
    for (const char* tag : {"<h1", "<h2", "<li", "<table", "<blockquote", "<img", "<a ", "<pre",
                            "<script", "<del", "<hr", "<tr", "<td"}) {
      auto count = [tag](const std::string& page) {
        size_t found = 0;
        for (size_t at = page.find(tag); at != std::string::npos; at = page.find(tag, at + 1))
          ++found;
        return found;
      };
      // A bare address becomes a link of its own, to nowhere else than it says.
      if (std::string_view(tag) == "<a " &&
          std::string_view(text).find("https://") != std::string_view::npos)
        continue;
      EXPECT_EQ(count(shown), count(plain)) << tag << " of " << text << "\n" << NoteMarkdown(note);
    }
  }
}

TEST(DecisionNoteTest, OneRepositoryNeedsNoTable) {
  NoteInput input = Input("x");
  input.subjects.resize(1);
  std::string markdown = NoteMarkdown(MakeNote(input));
  EXPECT_THAT(markdown, Not(HasSubstr("Side by side")));
  input.texts = {};
  EXPECT_THAT(NoteMarkdown(MakeNote(input)), HasSubstr("*missing*"));
}

TEST(DecisionNoteTest, WhatCannotBeIsRefused) {
  NoteInput input = Input("x");
  input.texts.chosen = 2;
  EXPECT_THROW(MakeNote(input), Error);
  input = Input(std::string(kMaxNoteTextBytes + 1, 'x'));
  input.subjects[0].answers.clear();
  EXPECT_THROW(MakeNote(input), Error);
  input = Input("x");
  input.subjects.clear();
  EXPECT_THROW(MakeNote(input), Error);
  input = Input("x");
  input.subjects.assign(kMaxCompared + 1,
                        input.subjects.empty() ? NoteSubject{} : input.subjects[0]);
  EXPECT_THROW(MakeNote(input), Error);
}

TEST(DecisionNoteTest, TheDraftSaysWhatIsMissing) {
  std::string draft = DraftWhy({Of("ada/first", "mit"), Of("ada/second", "mit")}, 0);
  EXPECT_THAT(draft, HasSubstr("ada/first, kind: a whole model"));
  EXPECT_THAT(draft, HasSubstr("limitations: missing"));
  EXPECT_THAT(draft, HasSubstr("Risk of ada/second: its limitations are missing."));
}

}  // namespace
}  // namespace hearth::inspector
