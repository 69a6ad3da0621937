#include <cstdio>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/portraits.h"
#include "hub/inspector/compare/decision_note.h"

namespace hearth::cli {
namespace {

constexpr uint64_t kMaxAnswersBytes = 1 << 20;

struct NoteCommand {
  std::vector<std::string> targets;
  std::vector<std::string> devices;
  std::string format;
  std::string out;
  std::string answers;
  std::string author;
  inspector::NoteTexts texts;
  size_t chosen = 0;  // from 1; 0 = not said
};

std::string FormatOf(const NoteCommand& command) {
  if (!command.format.empty()) return command.format;
  if (command.out.ends_with(".json")) return "json";
  if (command.out.ends_with(".html")) return "html";
  return "markdown";
}

// The answers of the checklist of the first repository, as GET .../checklist or PUT takes them.
inspector::Answers ReadAnswers(const std::string& path) {
  if (path.empty()) return {};
  Json json = Json::Parse(ReadFile(path, kMaxAnswersBytes));
  const Json* answers = json.Find("answers");
  return inspector::ParseAnswers(answers != nullptr ? *answers : json);
}

std::string Render(const Json& note, const std::string& format) {
  if (format == "json") return note.Dump(2) + "\n";
  if (format == "html") return inspector::NoteHtml(note);
  return inspector::NoteMarkdown(note);
}

// What was chosen, from 0. One repository alone is what the note is about; among several nobody but
// the author can say, so the note leaves it open.
std::optional<size_t> ChosenOf(const NoteCommand& command, size_t count) {
  if (command.chosen == 0) return count == 1 ? std::optional<size_t>(0) : std::nullopt;
  if (command.chosen > count)
    throw Error(Code::kInvalidArgument, "--chosen must be a number from 1 to " +
                                            std::to_string(count) + ", in the order given");
  return command.chosen - 1;
}

void Run(const NoteCommand& command) {
  std::vector<inspector::Portrait> portraits = ReadPortraits(command.targets, command.devices);
  inspector::NoteInput input;
  input.texts = command.texts;
  input.texts.chosen = ChosenOf(command, portraits.size());
  if (!input.texts.chosen) {
    if (!command.answers.empty())
      throw Error(Code::kInvalidArgument,
                  "--answers are of what was chosen: say it with --chosen N");
    std::fprintf(stderr,
                 "Nothing is chosen: the note leaves the choice open. Say which with --chosen N, "
                 "from 1 to %zu in the order given, and why it was is drafted.\n",
                 portraits.size());
  }
  if (input.texts.why.empty() && input.texts.chosen)
    input.texts.why = inspector::DraftWhy(portraits, input.texts.chosen);
  input.author = command.author;
  input.date = FormatIso8601(Clock::System().Now()).substr(0, 10);
  for (inspector::Portrait& portrait : portraits)
    input.subjects.push_back({std::move(portrait), {}});
  size_t answered = input.texts.chosen.value_or(0);
  if (answered < input.subjects.size())
    input.subjects[answered].answers = ReadAnswers(command.answers);
  std::string text = Render(inspector::MakeNote(input), FormatOf(command));
  if (command.out.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  } else {
    WriteFileDurably(command.out, text);
  }
}

}  // namespace

void AddNoteCommand(CLI::App& app, Outcome* outcome) {
  (void)outcome;
  auto options = std::make_shared<NoteCommand>();
  CLI::App* command = app.add_subcommand(
      "note",
      "Write a decision note on one or more repositories: what the inspector found, the checklist "
      "of fourteen questions, and your reasons, as Markdown, JSON or a page for print");
  command->add_option("target", options->targets, "Folders, or addresses of repositories on a hub")
      ->required();
  command->add_option(
      "--chosen", options->chosen,
      "Which of them was chosen, from 1; of several the choice stays open without it");
  command->add_option("--title", options->texts.title, "Its title; else made from the names");
  command->add_option("--decision", options->texts.decision, "What was decided");
  command->add_option("--why", options->texts.why, "Why; else a draft from what was found");
  command->add_option("--alternatives", options->texts.alternatives, "What else was looked at");
  command->add_option("--answers", options->answers,
                      "A JSON file of answers to the checklist of what was chosen: "
                      "{\"licence\": {\"text\": \"...\", \"checked\": true}}");
  command->add_option("--author", options->author, "Who decides");
  command
      ->add_option("--device", options->devices,
                   "Does it fit \"RTX 4090\" or name:24GiB; several times")
      ->expected(1)
      ->take_all();
  command->add_option("--format", options->format, "Else by the ending of --out, else markdown")
      ->check(CLI::IsMember({"markdown", "json", "html"}));
  command->add_option("--out", options->out, "Write to this file, not to the terminal");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
