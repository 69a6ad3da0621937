#include "hub/inspector/reading_order.h"

#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/card/card_example.h"
#include "hub/inspector/quantity_text.h"
#include "text/utf8.h"

namespace hearth::inspector {
namespace {

constexpr size_t kPurposeBytes = 240;

ReadingStep OfCard(const char* step, const char* title, const TopicText& text,
                   const char* prevents) {
  ReadingStep made;
  made.step = step;
  made.title = title;
  made.state = text.presence;
  made.prevents = prevents;
  if (text.presence == Presence::kMissing) {
    if (text.residue) made.evidence.push_back(EvidenceOf(text, "only what the template left"));
    return made;
  }
  made.where = "card";
  made.anchor = text.anchor;
  made.line = text.line;
  made.evidence.push_back(EvidenceOf(text, CountOf(text.words, "word")));
  return made;
}

// An identifier on the card is enough to know the terms; a text of them may be a file.
ReadingStep Licence(const RepoView& repo, const CardDocument& card) {
  TopicText text = FindTopic(card, CardTopic::kLicence);
  ReadingStep step =
      OfCard("licence", "Licence", text,
             "using, changing or passing on what the terms do not allow, or owing a duty unawares");
  if (!CardList(card.data, "license").empty()) {
    step.state = Presence::kFound;
    step.where = "card";
    step.evidence.insert(step.evidence.begin(), {.file = "README.md",
                                                 .place = card.PlaceOf("license"),
                                                 .rule = "named in the front matter",
                                                 .repo = ""});
  }
  for (const RepoFile& file : repo.files()) {
    std::string lower = AsciiLower(file.path);
    bool licence = lower == "license" || lower == "licence" || lower == "copying" ||
                   lower.starts_with("license.") || lower.starts_with("licence.");
    if (!licence || file.size_bytes == 0) continue;
    step.evidence.push_back({.file = file.path, .place = "", .rule = "its text", .repo = ""});
    step.state = Presence::kFound;
    if (step.where.empty()) step.where = file.path;
    break;
  }
  return step;
}

ReadingStep Files(const RepoView& repo, const Classification& kinds) {
  ReadingStep step;
  step.step = "files";
  step.title = "Files";
  step.prevents = "downloading the wrong format or size, and running code that nobody looked at";
  const std::vector<RepoFile>& files = repo.files();
  size_t content = 0;
  for (const RepoFile& file : files) {
    std::string lower = AsciiLower(file.path);
    if (!lower.ends_with(".md") && !lower.starts_with(".git")) ++content;
  }
  if (content == 0) return step;
  step.where = "files";
  bool usable = !kinds.kinds.empty() && !kinds.Is("shell");
  step.state = usable ? Presence::kFound : Presence::kThin;
  step.evidence.push_back(
      {.file = "", .place = "", .rule = CountOf(files.size(), "file"), .repo = ""});
  return step;
}

ReadingStep ExampleStep(const CardDocument& card, const CardContext& context) {
  ReadingStep step;
  step.step = "example";
  step.title = "Example";
  step.prevents = "guessing at the loader, the prompt and the form of the input";
  ExampleCheck check = CheckExample(card, context);
  step.state = check.presence;
  if (check.line > 0) {
    step.where = "card";
    step.anchor = check.anchor;
    step.line = check.line;
    step.evidence.push_back({.file = "README.md",
                             .place = "line " + std::to_string(check.line),
                             .rule = check.rule,
                             .repo = ""});
  } else if (!check.notebook.empty()) {
    step.where = check.notebook;
    step.evidence.push_back({.file = check.notebook, .place = "", .rule = check.rule, .repo = ""});
  }
  return step;
}

std::string FactText(const KindFinding& kind, std::string_view key) {
  return CardText(kind.facts, key);
}

std::string With(std::string text, const std::string& detail) {
  return detail.empty() ? text : text + " (" + detail + ")";
}

std::string PhraseOf(const KindFinding& kind) {
  static const std::pair<std::string_view, std::string_view> kPhrases[] = {
      {"adapter", "adapter"},
      {"quantized", "quantized model"},
      {"merged", "merged model"},
      {"finetune", "fine-tuned model"},
      {"copy", "copy"},
      {"converted", "converted model"},
      {"base", "model"},
      {"pipeline", "pipeline"},
      {"embedding", "embedding model"},
      {"reranker", "reranker"},
      {"reward", "reward model"},
      {"scorer", "model with one score"},
      {"classifier", "classifier"},
      {"tokenizer", "tokenizer"},
      {"checkpoint", "training checkpoint"},
      {"shell", "empty shell"},
      {"remote_code", "code of its own"},
      {"dataset", "data set"},
      {"benchmark", "benchmark"},
      {"space", "app"},
      {"library", "library"}};
  for (const auto& [name, phrase] : kPhrases) {
    if (name != kind.kind) continue;
    std::string detail;
    if (name == "adapter") detail = FactText(kind, "peft_type");
    if (name == "quantized" || name == "merged") detail = FactText(kind, "method");
    if (name == "converted") detail = FactText(kind, "format");
    if (name == "pipeline") detail = FactText(kind, "class");
    if (name == "space") detail = FactText(kind, "sdk");
    return With(std::string(phrase), detail);
  }
  return kind.kind;
}

// The first sentence of the summary.
std::string FirstSentence(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  size_t end = text.find(". ");
  if (end != std::string_view::npos && end > 20) text = text.substr(0, end + 1);
  std::string_view cut = TruncateUtf8Bytes(text, kPurposeBytes);
  return std::string(cut) + (cut.size() < text.size() ? "..." : "");
}

NoteLine Purpose(const CardDocument& card, const TopicText& summary) {
  NoteLine line{.line = "purpose", .title = "Purpose", .text = "", .evidence = {}};
  std::string task = CardText(card.data, "pipeline_tag");
  if (task.empty() && !CardList(card.data, "task_categories").empty())
    task = CardList(card.data, "task_categories")[0];
  if (summary.words > 0) {
    line.text = FirstSentence(summary.text);
    line.evidence.push_back(EvidenceOf(summary, "the first sentence of the summary"));
  } else if (std::string text = CardText(card.data, "short_description"); !text.empty()) {
    line.text = text;
    line.evidence.push_back({.file = "README.md",
                             .place = card.PlaceOf("short_description"),
                             .rule = "short description",
                             .repo = ""});
  } else if (!task.empty()) {
    line.text = task;
    line.evidence.push_back({.file = "README.md",
                             .place = card.PlaceOf("pipeline_tag"),
                             .rule = "the declared task",
                             .repo = ""});
  }
  if (!line.text.empty()) line.level = Level::kDeclared;
  return line;
}

NoteLine Publisher(const RepoView& repo) {
  NoteLine line{.line = "publisher", .title = "Publisher", .text = "", .evidence = {}};
  std::string id = repo.id();
  size_t slash = id.find('/');
  if (slash == std::string::npos) return line;
  line.text = id.substr(0, slash);
  line.level = Level::kProved;
  line.evidence.push_back({.file = "", .place = "", .rule = "the owner of the name", .repo = ""});
  return line;
}

NoteLine NextDocumentation(const CardDocument& card, const Classification& kinds) {
  NoteLine line{.line = "next_documentation", .title = "Read next", .text = "", .evidence = {}};
  line.level = Level::kInferred;
  std::string library = CardText(card.data, "library_name");
  std::string loader = library.empty() ? "the loader" : library;
  if (kinds.Is("space")) {
    line.text = "the code of the app, then the cards of the models that it loads";
  } else if (kinds.Is("dataset")) {
    line.text = "the card, then the rows in the viewer";
  } else if (kinds.Is("library")) {
    line.text = "how it is installed, then its API";
  } else if (kinds.Is("adapter")) {
    line.text = "the card of the base model, then how " + loader + " puts the adapter on it";
  } else if (kinds.Is("quantized") || kinds.Is("converted")) {
    line.text = "the card of the base model, then what the runtime of this format needs";
  } else if (kinds.Is("tokenizer")) {
    line.text = "the documentation of the tokenizer library";
  } else if (kinds.Is("pipeline")) {
    line.text = "the card, then how diffusers runs the pipeline";
  } else if (kinds.Is("merged") || kinds.Is("finetune") || kinds.Is("copy")) {
    line.text = "the card, the card of its base, then the documentation of " + loader;
  } else if (kinds.Is("shell") || kinds.kinds.empty()) {
    line.level = Level::kMissing;
    line.text.clear();
  } else {
    line.text = "the card, then the documentation of " + loader;
  }
  return line;
}

Json EvidenceList(const std::vector<Evidence>& evidence) {
  Json list = Json::Arr();
  for (const Evidence& item : evidence) list.Push(ToJson(item));
  return list;
}

}  // namespace

std::string ArtifactPhrase(const Classification& kinds) {
  std::string phrase;
  size_t named = 0;
  for (const KindFinding& kind : kinds.kinds) {
    if (kind.kind == "remote_code" || named == 3) continue;
    if (named++ > 0) phrase += ", ";
    phrase += PhraseOf(kind);
  }
  return phrase;
}

ReadingOrder OrderReading(const RepoView& repo, const CardDocument& card,
                          const CardContext& context, const Classification& kinds) {
  ReadingOrder order;
  TopicText summary = FindTopic(card, CardTopic::kSummary);
  order.steps.push_back(
      OfCard("summary", "Summary", summary, "choosing something that is made for another purpose"));
  order.steps.push_back(OfCard("intended_use", "Intended use",
                               FindTopic(card, CardTopic::kIntendedUse),
                               "using it where nobody meant it or tested it"));
  order.steps.push_back(OfCard("limitations", "Limitations",
                               FindTopic(card, CardTopic::kLimitations),
                               "trusting it where it is known to fail, and harming whom it treats "
                               "worse"));
  order.steps.push_back(Licence(repo, card));
  order.steps.push_back(Files(repo, kinds));
  order.steps.push_back(ExampleStep(card, context));

  NoteLine type{.line = "artifact_type", .title = "Artifact type", .text = "", .evidence = {}};
  type.text = ArtifactPhrase(kinds);
  if (!kinds.kinds.empty()) {
    type.level = kinds.kinds[0].level;
    type.evidence = kinds.kinds[0].evidence;
  }
  order.note = {std::move(type), Purpose(card, summary), Publisher(repo),
                NextDocumentation(card, kinds)};
  return order;
}

Json ToJson(const ReadingOrder& order) {
  Json steps = Json::Arr();
  for (const ReadingStep& step : order.steps) {
    Json jump;
    if (!step.where.empty()) {
      jump = Json::Obj({{"where", step.where}});
      if (!step.anchor.empty()) jump.Set("anchor", step.anchor);
      if (step.line > 0) jump.Set("line", step.line);
    }
    steps.Push(Json::Obj({{"step", step.step},
                          {"title", step.title},
                          {"state", std::string(PresenceName(step.state))},
                          {"jump", std::move(jump)},
                          {"prevents", step.prevents},
                          {"evidence", EvidenceList(step.evidence)}}));
  }
  Json note = Json::Arr();
  for (const NoteLine& line : order.note) {
    note.Push(Json::Obj({{"line", line.line},
                         {"title", line.title},
                         {"value", line.text.empty() ? Json() : Json(line.text)},
                         {"level", std::string(LevelName(line.level))},
                         {"evidence", EvidenceList(line.evidence)}}));
  }
  return Json::Obj({{"steps", std::move(steps)}, {"note", std::move(note)}});
}

}  // namespace hearth::inspector
