#include "hub/inspector/card/card_score.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "hub/inspector/card/card_example.h"
#include "hub/inspector/card/card_task.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::inspector {
namespace {

// Below this the writer is told what is missing.
constexpr int kGoodScore = 70;
constexpr size_t kHintedRows = 4;

Evidence FrontMatterAt(const CardDocument& card, std::string_view key, std::string rule) {
  return {.file = "README.md", .place = card.PlaceOf(key), .rule = std::move(rule), .repo = ""};
}

class Scorer {
 public:
  Scorer(const CardDocument& card, const CardContext& context) : card_(card), context_(context) {}

  CardScore Run() {
    score_.problems = card_.problems;
    if (context_.type == "dataset") {
      Dataset();
    } else if (context_.type == "space") {
      Space();
    } else {
      Model();
    }
    double points = 0;
    for (ScoreRow& row : score_.rows) {
      if (row.state == Presence::kFound) row.points = row.of;
      if (row.state == Presence::kThin) row.points = row.of / 2.0;
      points += row.points;
    }
    score_.score = static_cast<int>(std::floor(points + 0.5));
    return std::move(score_);
  }

 private:
  ScoreRow& Row(const char* row, const char* title, int of) {
    ScoreRow& added = score_.rows.emplace_back();
    added.row = row;
    added.title = title;
    added.of = of;
    return added;
  }

  // A row that a section of the card fills.
  ScoreRow& Section(const char* row, const char* title, int of, CardTopic topic,
                    const std::string& hint) {
    ScoreRow& added = Row(row, title, of);
    TopicText text = FindTopic(card_, topic);
    added.state = text.presence;
    added.anchor = text.anchor;
    if (text.presence != Presence::kMissing) {
      std::string rule = CountOf(text.words, "word") + " ";
      rule += text.by_text ? "in paragraphs that speak of it" : "under this heading";
      added.evidence.push_back(EvidenceOf(text, rule));
    } else if (text.residue) {
      added.evidence.push_back(EvidenceOf(text, "only what the template left"));
    }
    if (text.presence == Presence::kThin) {
      added.hint = "fewer than 20 words: " + hint;
    } else if (text.presence == Presence::kMissing) {
      added.hint = hint;
    }
    return added;
  }

  void Model() {
    bool derivative = context_.derivative || !CardList(card_.data, "base_model").empty();
    score_.variant = derivative ? "derivative" : "model";
    Section("summary", "Summary", 10, CardTopic::kSummary,
            "say in a few sentences what the model is and does");
    Task();
    Section("intended_use", "Intended use", 15, CardTopic::kIntendedUse,
            "a section \"Intended use\": for whom, for what, in which languages");
    Section("out_of_scope", "Out of scope", 5, CardTopic::kOutOfScope,
            "a section \"Out-of-scope use\": what it should not be used for");
    Section("limitations", "Limitations and bias", 15, CardTopic::kLimitations,
            "a section \"Limitations\": where it fails, and whom that may harm");
    Licence();
    TrainingData(derivative ? 5 : 10);
    Evaluation(derivative ? 5 : 10);
    if (derivative) Derivative();
    Example();
  }

  void Dataset() {
    score_.variant = "dataset";
    Section("source", "Source", 15, CardTopic::kSource, "say where the data come from");
    Structure();
    Section("collection", "Collection", 15, CardTopic::kCollection,
            "say how, when and why the data were collected");
    Section("annotators", "Annotators", 10, CardTopic::kAnnotators,
            "say who labelled the data and how, or that nobody did");
    Section("personal_data", "Personal data", 10, CardTopic::kPersonalData,
            "say whether people can be recognised in the data");
    Section("bias", "Bias and limitations", 15, CardTopic::kLimitations,
            "say whom or what the data leave out");
    Licence();
  }

  void Space() {
    score_.variant = "space";
    ScoreRow& summary = Section("summary", "Summary", 30, CardTopic::kSummary,
                                "say in a few sentences what the app does");
    if (!CardText(card_.data, "short_description").empty() && summary.state != Presence::kFound) {
      summary.state = Presence::kThin;
      summary.evidence.push_back(FrontMatterAt(card_, "short_description", "a short description"));
    }
    Keyed("sdk", "SDK", 20, "sdk", "sdk: gradio, docker or static");
    Keyed("title", "Title", 10, "title", "title: a name for people");
    ScoreRow& links = Row("links", "Models and data sets", 25);
    for (const char* key : {"models", "datasets"}) {
      if (CardList(card_.data, key).empty()) continue;
      links.state = Presence::kFound;
      links.evidence.push_back(FrontMatterAt(card_, key, "named in the front matter"));
    }
    if (links.state == Presence::kMissing)
      links.hint = "name the models and data sets that the app uses (models:, datasets:)";
    Licence();
  }

  void Keyed(const char* row, const char* title, int of, std::string_view key,
             const std::string& hint) {
    ScoreRow& added = Row(row, title, of);
    if (CardText(card_.data, key).empty()) {
      added.hint = hint;
      return;
    }
    added.state = Presence::kFound;
    added.evidence.push_back(FrontMatterAt(card_, key, "declared in the front matter"));
  }

  Json Config() const {
    if (context_.repo == nullptr) return {};
    std::optional<std::string> text = context_.repo->ReadText("config.json");
    if (!text) return {};
    try {
      return Json::Parse(*text);
    } catch (const Error&) {
      return {};
    }
  }

  void Task() {
    ScoreRow& row = Row("task", "Task", 10);
    TaskCheck check = CheckTask(CardText(card_.data, "pipeline_tag"), Config());
    if (check.declared.empty()) {
      row.hint = check.implied.empty() ? "pipeline_tag: the task that the model is for"
                                       : "pipeline_tag: " + check.implied +
                                             ", as config.json has " + check.architecture;
      return;
    }
    row.evidence.push_back(FrontMatterAt(card_, "pipeline_tag", "the task is declared"));
    bool known = !context_.words.is_task || context_.words.is_task(check.declared);
    row.state = known && !check.conflict ? Presence::kFound : Presence::kThin;
    if (!known) row.hint = "\"" + check.declared + "\" is no task that the hub knows";
    if (check.conflict) {
      row.evidence.push_back({.file = "config.json",
                              .place = "/architectures/0",
                              .rule = check.architecture + " is not made for " + check.declared,
                              .repo = ""});
      row.hint = "config.json has " + check.architecture + ", which is for " + check.implied;
    }
  }

  void Licence() {
    ScoreRow& row = Row("licence", "Licence", 15);
    std::vector<std::string> ids = CardList(card_.data, "license");
    std::string name = CardText(card_.data, "license_name");
    std::string link = CardText(card_.data, "license_link");
    std::string file = LicenceFile();
    TopicText text = FindTopic(card_, CardTopic::kLicence);
    if (!ids.empty()) row.evidence.push_back(FrontMatterAt(card_, "license", "a licence is named"));
    if (!file.empty())
      row.evidence.push_back(
          {.file = file, .place = "", .rule = "the text of a licence", .repo = ""});
    if (!link.empty())
      row.evidence.push_back(FrontMatterAt(card_, "license_link", "a link to its text"));
    bool said = text.presence != Presence::kMissing;
    if (said) {
      row.anchor = text.anchor;
      row.evidence.push_back(EvidenceOf(text, "the card speaks of the licence"));
    }
    bool valid = !ids.empty() && std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
      if (id == "other") return !name.empty() || !file.empty() || !link.empty();
      return !context_.words.is_licence || context_.words.is_licence(id);
    });
    // "other" says nothing by itself; an identifier of the list names one text.
    bool has_text = !file.empty() || !link.empty() || !text.links.empty();
    if (valid && has_text) {
      row.state = Presence::kFound;
    } else if (valid || has_text || said) {
      row.state = Presence::kThin;
    }
    if (!valid) {
      row.hint = ids.empty() ? "license: an identifier such as apache-2.0, or other with "
                               "license_name and license_link"
                             : "\"" + ids[0] + "\" does not say which licence that is";
    } else if (!has_text) {
      row.hint = "add its text as LICENSE, or license_link";
    }
  }

  std::string LicenceFile() const {
    if (context_.repo == nullptr) return {};
    for (const char* name : {"LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md",
                             "LICENCE.txt", "COPYING", "license", "license.md", "license.txt"}) {
      const RepoFile* file = context_.repo->Find(name);
      if (file != nullptr && file->size_bytes > 0) return file->path;
    }
    return {};
  }

  void TrainingData(int of) {
    ScoreRow& row = Section("training_data", "Training data", of, CardTopic::kTrainingData,
                            "name the data that it was trained on (datasets:, or a section)");
    if (CardList(card_.data, "datasets").empty()) return;
    row.state = Presence::kFound;
    row.hint.clear();
    row.evidence.push_back(FrontMatterAt(card_, "datasets", "data sets are named"));
  }

  // model-index: a result with data set, metric and value.
  bool HasMeasuredResult() const {
    const Json* index = card_.data.Find("model-index");
    if (index == nullptr || !index->is_array()) return false;
    for (const Json& model : *index->AsArray()) {
      const Json* results = model.Find("results");
      if (results == nullptr || !results->is_array()) continue;
      for (const Json& result : *results->AsArray()) {
        const Json* dataset = result.Find("dataset");
        const Json* metrics = result.Find("metrics");
        if (dataset == nullptr || metrics == nullptr || !metrics->is_array()) continue;
        bool named = !CardText(*dataset, "name").empty() || !CardText(*dataset, "type").empty();
        for (const Json& metric : *metrics->AsArray()) {
          const Json* value = metric.Find("value");
          if (named && value != nullptr && !value->is_null() && !CardText(metric, "type").empty())
            return true;
        }
      }
    }
    return false;
  }

  void Evaluation(int of) {
    ScoreRow& row = Row("evaluation", "Evaluation", of);
    TopicText text = FindTopic(card_, CardTopic::kEvaluation);
    bool numbers = text.table_rows >= 1 || std::any_of(text.text.begin(), text.text.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
    if (HasMeasuredResult()) {
      row.state = Presence::kFound;
      row.evidence.push_back(
          FrontMatterAt(card_, "model-index", "a result with data set, metric and value"));
      return;
    }
    row.anchor = text.anchor;
    if (text.presence == Presence::kMissing && text.table_rows == 0) {
      row.hint = "results with data set, metric and value (model-index, or a table)";
      return;
    }
    bool full = numbers && (text.presence == Presence::kFound || text.table_rows >= 2);
    row.state = full ? Presence::kFound : Presence::kThin;
    row.evidence.push_back(EvidenceOf(
        text, numbers ? "a section with results in numbers" : "a section without a number"));
    if (!full) row.hint = "say on which data, by which metric, and how much";
  }

  void Derivative() {
    ScoreRow& base = Row("base_model", "Base model named", 4);
    if (CardList(card_.data, "base_model").empty()) {
      base.hint = "base_model: the repository that this was made of";
    } else {
      base.state = Presence::kFound;
      base.evidence.push_back(FrontMatterAt(card_, "base_model", "named in the front matter"));
    }
    Section("method", "Method named", 4, CardTopic::kMethod,
            "say how it was made: training, merging or quantising method and settings");
    ScoreRow& loading =
        Section("loading", "Change of loader or prompt named", 2, CardTopic::kPrompt,
                "say whether loader or prompt template differ from the base");
    if (loading.state == Presence::kFound) return;
    ExampleCheck example = CheckExample(card_, context_);
    if (example.presence != Presence::kFound) return;
    loading.state = Presence::kFound;
    loading.hint.clear();
    loading.anchor = example.anchor;
    loading.evidence.push_back({.file = "README.md",
                                .place = "line " + std::to_string(example.line),
                                .rule = "code shows how it is loaded",
                                .repo = ""});
  }

  void Structure() {
    ScoreRow& row = Section("structure", "Structure", 20, CardTopic::kStructure,
                            "name the columns and splits (a section, or dataset_info:)");
    for (const char* key : {"dataset_info", "configs"}) {
      const Json* value = card_.data.Find(key);
      if (value == nullptr || value->size() == 0) continue;
      row.evidence.push_back(FrontMatterAt(card_, key, "declared in the front matter"));
      bool columns = std::string_view(key) == "dataset_info";
      if (columns || row.state == Presence::kThin) {
        row.state = Presence::kFound;
        row.hint.clear();
      } else if (row.state == Presence::kMissing) {
        row.state = Presence::kThin;
        row.hint = "the files of the splits are named, the columns are not";
      }
    }
  }

  void Example() {
    ScoreRow& row = Row("example", "Runnable example", 10);
    ExampleCheck check = CheckExample(card_, context_);
    row.state = check.presence;
    row.anchor = check.anchor;
    row.hint = check.hint;
    if (check.line > 0) {
      row.evidence.push_back({.file = "README.md",
                              .place = "line " + std::to_string(check.line),
                              .rule = check.rule,
                              .repo = ""});
    } else if (!check.notebook.empty()) {
      row.evidence.push_back({.file = check.notebook, .place = "", .rule = check.rule, .repo = ""});
    }
  }

  const CardDocument& card_;
  const CardContext& context_;
  CardScore score_;
};

}  // namespace

CardScore ScoreCard(const CardDocument& card, const CardContext& context) {
  return Scorer(card, context).Run();
}

Json ToJson(const CardScore& score) {
  Json rows = Json::Arr();
  for (const ScoreRow& row : score.rows) {
    Json evidence = Json::Arr();
    for (const Evidence& item : row.evidence) evidence.Push(ToJson(item));
    Json json = Json::Obj({{"row", row.row},
                           {"title", row.title},
                           {"points", row.points},
                           {"of", row.of},
                           {"state", std::string(PresenceName(row.state))}});
    if (!row.anchor.empty()) json.Set("anchor", row.anchor);
    json.Set("evidence", std::move(evidence));
    if (!row.hint.empty()) json.Set("hint", row.hint);
    rows.Push(std::move(json));
  }
  Json problems = Json::Arr();
  for (const std::string& problem : score.problems) problems.Push(problem);
  return Json::Obj({{"score", score.score},
                    {"of", 100},
                    {"variant", score.variant},
                    {"rows", std::move(rows)},
                    {"problems", std::move(problems)}});
}

std::string CommitHint(const CardScore& score) {
  if (score.score >= kGoodScore) return {};
  // What would help most comes first.
  std::vector<const ScoreRow*> rows;
  for (const ScoreRow& row : score.rows) {
    if (row.points < row.of) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ScoreRow* a, const ScoreRow* b) {
    return a->of - a->points > b->of - b->points;
  });
  std::string text = "card score " + std::to_string(score.score) + " of 100";
  for (size_t i = 0; i < rows.size() && i < kHintedRows; ++i) {
    text += i == 0 ? "; " : ", ";
    text += std::string(PresenceName(rows[i]->state)) + ": " + rows[i]->title;
  }
  return text;
}

}  // namespace hearth::inspector
