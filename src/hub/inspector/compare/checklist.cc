#include "hub/inspector/compare/checklist.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::inspector {
namespace {

struct FieldRow {
  std::string_view field, title, rows, question;
};
constexpr FieldRow kFields[] = {
#define HEARTH_FIELD(field, title, rows, question) {field, title, rows, question},
#include "hub/inspector/compare/checklist_fields.inc"
#undef HEARTH_FIELD
};
static_assert(std::size(kFields) == kChecklistFields);

// Stands in a field's rows for those of the portrait's devices.
constexpr std::string_view kDevices = "devices";

std::vector<std::string> RowsOf(const Portrait& portrait, const FieldRow& field) {
  std::vector<std::string> rows;
  for (std::string_view row : Split(field.rows, ' ')) {
    if (row != kDevices) {
      if (!row.empty()) rows.emplace_back(row);
      continue;
    }
    for (const auto& [device_row, title] : portrait.device_rows) rows.push_back(device_row);
  }
  return rows;
}

std::string TitleOfRow(const Portrait& portrait, std::string_view row) {
  for (const auto& [device_row, title] : portrait.device_rows)
    if (device_row == row) return title;
  for (const PortraitRow& known : PortraitRows())
    if (known.row == row) return std::string(known.title);
  return std::string(row);
}

// A place that several rows name is shown once.
void AddPlace(const Evidence& item, std::vector<Evidence>* places) {
  bool known = std::any_of(places->begin(), places->end(), [&](const Evidence& place) {
    return !item.file.empty() && place.file == item.file && place.place == item.place &&
           place.repo == item.repo;
  });
  if (!known) places->push_back(item);
}

Cell Gather(const Portrait& portrait, const FieldRow& field) {
  Cell cell;
  Json values = Json::Obj();
  bool first = true;
  for (const std::string& row : RowsOf(portrait, field)) {
    const Cell* part = portrait.Find(row);
    if (part == nullptr || part->finding.level == Level::kMissing || part->text.empty()) continue;
    // "Purpose" stands in where no section says what it is meant for.
    if (row == "purpose" && !first) continue;
    std::string text = first ? part->text : TitleOfRow(portrait, row) + ": " + part->text;
    cell.text += (first ? "" : "; ") + text;
    cell.finding.level =
        first ? part->finding.level : std::max(cell.finding.level, part->finding.level);
    if (row == "purpose") cell.finding.level = Level::kInferred;
    for (const Evidence& item : part->finding.evidence) AddPlace(item, &cell.finding.evidence);
    values.Set(row, part->finding.value);
    first = false;
  }
  if (!first) cell.finding.value = std::move(values);
  return cell;
}

bool IsField(std::string_view name) {
  return std::any_of(std::begin(kFields), std::end(kFields),
                     [name](const FieldRow& field) { return field.field == name; });
}

}  // namespace

std::vector<ChecklistField> FillChecklist(const Portrait& portrait) {
  std::vector<ChecklistField> fields;
  for (const FieldRow& row : kFields) {
    fields.push_back({std::string(row.field), std::string(row.title), std::string(row.question),
                      Gather(portrait, row)});
  }
  return fields;
}

Answers ParseAnswers(const Json& json) {
  Answers answers;
  if (json.is_null()) return answers;
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "answers must be an object of fields");
  for (const auto& [field, value] : *json.AsObject()) {
    if (!IsField(field))
      throw Error(Code::kInvalidArgument,
                  "the checklist has no field '" + field.substr(0, 40) + "'");
    if (value.is_null()) continue;
    if (!value.is_object())
      throw Error(Code::kInvalidArgument, field + " must be {\"text\", \"checked\"}");
    Answer answer;
    answer.text = TrimAscii(value.StringField("text").value_or(""));
    answer.checked = value.BoolField("checked").value_or(false);
    if (answer.text.size() > kMaxAnswerBytes)
      throw Error(Code::kTooLarge, "an answer has more than " + std::to_string(kMaxAnswerBytes) +
                                       " bytes: " + field);
    if (!answer.text.empty() || answer.checked) answers[field] = std::move(answer);
  }
  return answers;
}

Json ToJson(const Answers& answers) {
  Json json = Json::Obj();
  for (const auto& [field, answer] : answers)
    json.Set(field, Json::Obj({{"text", answer.text}, {"checked", answer.checked}}));
  return json;
}

Progress ProgressOf(const std::vector<ChecklistField>& fields, const Answers& answers) {
  Progress progress;
  for (const ChecklistField& field : fields) {
    auto answer = answers.find(field.field);
    bool written = answer != answers.end() && !answer->second.text.empty();
    bool found = field.found.finding.level != Level::kMissing;
    if (written || found) ++progress.filled;
    if (written || (answer != answers.end() && answer->second.checked)) ++progress.checked;
  }
  return progress;
}

Json ToJson(const std::vector<ChecklistField>& fields, const Answers& answers) {
  Json list = Json::Arr();
  for (const ChecklistField& field : fields) {
    Json found = ToJson(field.found.finding);
    found.Set("text", field.found.text);
    auto answer = answers.find(field.field);
    Json own;
    if (answer != answers.end())
      own = Json::Obj({{"text", answer->second.text}, {"checked", answer->second.checked}});
    list.Push(Json::Obj({{"field", field.field},
                         {"title", field.title},
                         {"question", field.question},
                         {"found", std::move(found)},
                         {"answer", std::move(own)}}));
  }
  return list;
}

}  // namespace hearth::inspector
