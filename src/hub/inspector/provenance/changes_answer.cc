// ChangesReport for programs and for people.
#include <cstdio>

#include "hub/inspector/provenance/changes.h"

namespace hearth::inspector {
namespace {

constexpr size_t kShownHeaders = 20;
constexpr size_t kShownFields = 40;

std::string_view MeaningOf(std::string_view pointer) {
  struct Word {
    std::string_view field, meaning;
  };
  static constexpr Word kWords[] = {
#define HEARTH_WORD(field, meaning) {field, meaning},
#include "hub/inspector/provenance/config_words.inc"
#undef HEARTH_WORD
  };
  for (const Word& word : kWords) {
    std::string in = "/" + std::string(word.field);
    bool inside = pointer.find(in + "/") != std::string_view::npos;
    if (pointer.ends_with(in) || inside) return word.meaning;
  }
  return {};
}

Json FieldsJson(const std::vector<ValueChange>& changes) {
  Json rows = ToJson(changes);
  for (size_t i = 0; i < changes.size(); ++i) {
    std::string_view meaning = MeaningOf(changes[i].pointer);
    if (!meaning.empty()) (*rows.AsArray())[i].Set("meaning", meaning);
  }
  return rows;
}

Json AdapterJson(const AdapterFacts& adapter) {
  return Json::Obj({{"method", adapter.method},
                    {"rank", adapter.rank},
                    {"alpha", adapter.alpha},
                    {"scale", adapter.scale},
                    {"targets", Json(adapter.targets)},
                    {"parameters", adapter.parameters},
                    {"share_of_base", adapter.share_of_base}});
}

}  // namespace

Json ToJson(const ChangesReport& report) {
  Json answers = Json::Obj(), headers = Json::Arr();
  for (const ChangeAnswer& answer : report.answers) {
    Json row = Json::Obj({{"answer", answer.answer}});
    Json finding = ToJson(answer.finding);
    for (const auto& [key, value] : *finding.AsObject()) row.Set(key, value);
    answers.Set(answer.question, std::move(row));
  }
  for (const HeaderChange& change : report.headers) {
    Json row = Json::Obj({{"name", change.name}, {"what", change.what}});
    if (!change.from_name.empty()) row.Set("from_name", change.from_name);
    if (!change.before.empty()) row.Set("before", change.before);
    if (!change.after.empty()) row.Set("after", change.after);
    headers.Push(std::move(row));
  }
  Json json = Json::Obj({{"from", report.from},
                         {"to", report.to},
                         {"answers", std::move(answers)},
                         {"from_weights", report.from_weights},
                         {"to_weights", report.to_weights},
                         {"header_changes", report.header_changes},
                         {"headers", std::move(headers)},
                         {"config", FieldsJson(report.config)},
                         {"generation_config", FieldsJson(report.generation)},
                         {"tokenizer", report.tokenizer.is_null() ? Json::Obj() : report.tokenizer},
                         {"chat_template", ToJson(report.chat_template)}});
  if (report.vocabulary)
    json.Set("vocabulary", Json::Arr({report.vocabulary->first, report.vocabulary->second}));
  if (report.adapter) json.Set("adapter", AdapterJson(*report.adapter));
  return json;
}

std::string ChangesText(const ChangesReport& report) {
  std::string text = "from " + report.from + "\nto   " + report.to + "\n\n";
  for (const ChangeAnswer& answer : report.answers) {
    std::string question = answer.question;
    question.resize(11, ' ');
    std::string word = answer.answer;
    word.resize(11, ' ');
    const std::string* sentence = answer.finding.value.AsString();
    text += question + word + (sentence == nullptr ? "" : *sentence);
    if (answer.finding.level != Level::kMissing)
      text += " (" + std::string(LevelName(answer.finding.level)) + ")";
    text += "\n";
  }
  if (report.vocabulary) {
    text += "\nvocabulary " + std::to_string(report.vocabulary->first) + " -> " +
            std::to_string(report.vocabulary->second) + "\n";
  }
  if (report.adapter) {
    char line[200];
    std::snprintf(
        line, sizeof line, "\nadapter %s rank %llu alpha %g scale %g, %.3g %% of the base\n",
        report.adapter->method.c_str(), static_cast<unsigned long long>(report.adapter->rank),
        report.adapter->alpha, report.adapter->scale, 100 * report.adapter->share_of_base);
    text += line;
  }
  for (size_t i = 0; i < report.headers.size() && i < kShownHeaders; ++i) {
    const HeaderChange& change = report.headers[i];
    text += (i == 0 ? "\n" : "") + std::string("  ") + change.what + " " + change.name + " " +
            change.before + (change.before.empty() || change.after.empty() ? "" : " -> ") +
            change.after + "\n";
  }
  if (report.header_changes > kShownHeaders)
    text += "  ... " + std::to_string(report.header_changes - kShownHeaders) + " more\n";
  for (size_t i = 0; i < report.config.size() && i < kShownFields; ++i) {
    const ValueChange& change = report.config[i];
    std::string_view meaning = MeaningOf(change.pointer);
    text += (i == 0 ? "\n" : "") + std::string("  ") + change.pointer + ": " +
            (change.added ? "-" : change.before.Dump()) + " -> " +
            (change.removed ? "-" : change.after.Dump()) +
            (meaning.empty() ? "" : "  (" + std::string(meaning) + ")") + "\n";
  }
  for (size_t i = 0; i < report.chat_template.size(); ++i) {
    text += (i == 0 ? "\nchat template\n" : "") + std::string("  ") + report.chat_template[i].kind +
            " " + report.chat_template[i].text + "\n";
  }
  return text;
}

}  // namespace hearth::inspector
