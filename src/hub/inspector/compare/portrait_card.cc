// Rows that stand on the card and in its front matter, and those of data sets.
#include <algorithm>

#include "hub/inspector/card/card_topics.h"
#include "hub/inspector/compare/portrait_parts.h"

namespace hearth::inspector {
namespace {

constexpr size_t kExcerptBytes = 280;
constexpr size_t kPurposeBytes = 220;

const Json* ItemOf(const Json& reading, std::string_view list, std::string_view key,
                   std::string_view name) {
  const Json* items = reading.Find(list);
  if (items == nullptr || items->AsArray() == nullptr) return nullptr;
  for (const Json& item : *items->AsArray())
    if (item.StringField(key).value_or("") == name) return &item;
  return nullptr;
}

// A line of the four-line note.
void SetNoteLine(const PortraitInput& input, std::string_view line, std::string_view row,
                 Portrait* portrait) {
  const Json* item = ItemOf(input.reading_order, "note", "line", line);
  if (item == nullptr) return;
  std::string text = Excerpt(item->StringField("value").value_or(""), kPurposeBytes);
  if (text.empty()) return;
  portrait->Set(row, MakeCell(text, LevelOfName(item->StringField("level").value_or("")),
                              EvidenceOfJson(*item)));
}

// One value or a list of the front matter.
void SetDeclared(const CardDocument& card, std::string_view key, std::string_view row,
                 Portrait* portrait) {
  std::vector<std::string> values = CardList(card.data, key);
  for (std::string& value : values) value = Excerpt(value, 80);
  std::erase(values, "");
  if (values.empty()) return;
  Json value = values.size() == 1 ? Json(values[0]) : Json(values);
  portrait->Set(
      row,
      MakeCell(Joined(values, 8), std::move(value), Level::kDeclared,
               {At("README.md", card.PlaceOf(key), std::string(key) + " of the front matter")}));
}

void SetTopic(const CardDocument& card, CardTopic topic, std::string_view row, Portrait* portrait) {
  TopicText found = FindTopic(card, topic);
  if (found.presence == Presence::kMissing) return;
  std::string text = Excerpt(found.text, kExcerptBytes);
  if (text.empty()) return;
  if (found.presence == Presence::kThin) text = "thin: " + text;
  Json value = Json::Obj({{"state", PresenceName(found.presence)}, {"words", found.words}});
  portrait->Set(row, MakeCell(std::move(text), std::move(value),
                              found.by_text ? Level::kInferred : Level::kDeclared,
                              {EvidenceOf(found, "what the card says of it")}));
}

void SetScore(const PortraitInput& input, Portrait* portrait) {
  std::optional<int64_t> score = input.card_score.IntField("score");
  if (!score) return;
  std::vector<Evidence> evidence = {
      At("README.md", "", "the sum of the lines of the card's score")};
  portrait->Set("score", MakeCell(std::to_string(*score) + " of 100", Json(*score), Level::kProved,
                                  std::move(evidence)));
}

// A row of the score that is no section alone: evaluation, training data, example.
void SetScoreRow(const PortraitInput& input, std::string_view name, Portrait* portrait) {
  const Json* row = ItemOf(input.card_score, "rows", "row", name);
  if (row == nullptr) return;
  std::string state = row->StringField("state").value_or("missing");
  if (state == "missing") return;
  std::vector<Evidence> evidence = EvidenceOfJson(*row);
  portrait->Set(name, MakeCell(state, Level::kDeclared, std::move(evidence)));
}

void SetExample(const PortraitInput& input, Portrait* portrait) {
  const Json* step = ItemOf(input.reading_order, "steps", "step", "example");
  if (step == nullptr) return;
  std::string state = step->StringField("state").value_or("missing");
  if (state == "missing") return;
  std::vector<Evidence> evidence = EvidenceOfJson(*step);
  std::string text = state;
  if (!evidence.empty() && !evidence[0].rule.empty()) text += ": " + evidence[0].rule;
  portrait->Set("example",
                MakeCell(Excerpt(text, kExcerptBytes), Json(state), Level::kDeclared, evidence));
}

}  // namespace

void DescribeCard(const PortraitInput& input, const CardDocument& card, Portrait* portrait) {
  SetNoteLine(input, "purpose", "purpose", portrait);
  SetNoteLine(input, "publisher", "publisher", portrait);
  bool data = portrait->type == "dataset";
  SetDeclared(card, data ? "task_categories" : "pipeline_tag", "task", portrait);
  SetDeclared(card, "library_name", "library", portrait);
  SetDeclared(card, "language", "language", portrait);
  if (portrait->type == "space") SetDeclared(card, "sdk", "sdk", portrait);
  SetScore(input, portrait);
  SetTopic(card, CardTopic::kIntendedUse, "intended_use", portrait);
  SetTopic(card, CardTopic::kLimitations, "limitations", portrait);
  SetTopic(card, CardTopic::kTrainingData, "training_data", portrait);
  if (portrait->Find("training_data") == nullptr) SetScoreRow(input, "training_data", portrait);
  SetScoreRow(input, "evaluation", portrait);
  SetExample(input, portrait);
}

void DescribeData(const PortraitInput&, const CardDocument& card, Portrait* portrait) {
  SetDeclared(card, "size_categories", "rows", portrait);
  const Json* info = card.data.Find("dataset_info");
  if (info != nullptr && info->AsArray() != nullptr && info->size() > 0)
    info = &info->AsArray()->front();  // of several configurations the first
  if (info == nullptr || !info->is_object()) return;
  for (const auto& [key, row] : {std::pair{"features", "columns"}, std::pair{"splits", "splits"}}) {
    const Json* list = info->Find(key);
    if (list == nullptr || list->AsArray() == nullptr) continue;
    std::vector<std::string> names;
    for (const Json& item : *list->AsArray()) {
      const Json* name = item.Find("name");
      if (name != nullptr && name->AsString() != nullptr)
        names.push_back(Excerpt(*name->AsString(), 60));
    }
    if (names.empty()) continue;
    portrait->Set(row, MakeCell(Joined(names), Json(names), Level::kDeclared,
                                {At("README.md", card.PlaceOf("dataset_info"),
                                    std::string(key) + " of dataset_info")}));
  }
}

}  // namespace hearth::inspector
