#include "hub/inspector/compare/scores.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

enum Rule { kSaid, kAny, kYes, kNone, kFits, kPart, kSafe, kProved };

struct ScoreLine {
  std::string_view score, row;
  int points;
  Rule rule;
};
constexpr ScoreLine kLines[] = {
#define HEARTH_SCORE(score, row, points, rule) {score, row, points, rule},
#include "hub/inspector/compare/scores.inc"
#undef HEARTH_SCORE
};

struct ScoreName {
  std::string_view score, title, asks;
};
constexpr ScoreName kScores[] = {
    {"clarity", "Clarity", "Does it say what it is for, and under which terms?"},
    {"compatibility", "Compatibility", "Does it run here and elsewhere, with what is there?"},
    {"repeatability", "Repeatability", "Would somebody else get the same from it?"},
    {"explainability", "Explainability", "How much of what is said of it stands on evidence?"}};

const PortraitRow* RowNamed(std::string_view name) {
  for (const PortraitRow& row : PortraitRows()) {
    if (row.row == name) return &row;
  }
  return nullptr;
}

// Nothing, false, zero or an empty list.
bool IsNone(const Json& value) {
  if (value.is_null()) return true;
  if (value.AsBool()) return !*value.AsBool();
  if (value.AsArray() != nullptr) return value.AsArray()->empty();
  return value.AsInt() == 0;
}

// 0 to 1. A row that is not there earns nothing, whatever the rule.
double Earned(Rule rule, const Cell* cell) {
  if (cell == nullptr || cell->finding.level == Level::kMissing) return 0;
  const Json& value = cell->finding.value;
  const std::string* word = value.AsString();
  switch (rule) {
    case kSaid:
      return cell->finding.level == Level::kInferred || cell->text.starts_with("thin") ? 0.5 : 1;
    case kAny:
      return 1;
    case kYes:
      return value.AsBool().value_or(false) ? 1 : 0;
    case kNone:
      return IsNone(value) ? 1 : 0;
    case kFits:
      return word == nullptr ? 0 : *word == "fits" ? 1 : *word == "no" ? 0 : 0.5;
    case kPart:
      return static_cast<double>(std::clamp<int64_t>(value.AsInt().value_or(0), 0, 100)) / 100;
    case kSafe: {
      // State -> files.
      const Json::Object* counts = value.AsObject();
      return counts != nullptr &&
             std::all_of(counts->begin(), counts->end(), [](const auto& entry) {
               return entry.first == "safe" || IsNone(entry.second);
             });
    }
    case kProved:
      break;
  }
  return cell->finding.level == Level::kProved     ? 1
         : cell->finding.level == Level::kDeclared ? 0.5
                                                   : 0.25;
}

PortraitScore ScoreOf(const ScoreName& name, const Portrait& portrait) {
  PortraitScore score{name.score, name.title, name.asks, 0, {}};
  char type = portrait.type.empty() ? 'm' : portrait.type[0];
  double points = 0;
  int of = 0;
  for (const ScoreLine& line : kLines) {
    const PortraitRow* row = RowNamed(line.row);
    if (line.score != name.score || row == nullptr) continue;
    if (row->types.find(type) == std::string_view::npos) continue;
    double earned = line.points * Earned(line.rule, portrait.Find(line.row));
    score.rows.push_back({row->row, row->title, earned, line.points});
    points += earned;
    of += line.points;
  }
  if (of > 0) score.points = static_cast<int>(std::lround(100 * points / of));
  return score;
}

}  // namespace

std::vector<PortraitScore> ScorePortrait(const Portrait& portrait) {
  std::vector<PortraitScore> scores;
  for (const ScoreName& name : kScores) scores.push_back(ScoreOf(name, portrait));
  return scores;
}

Json ScoresJson(const std::vector<Portrait>& portraits) {
  std::vector<std::vector<PortraitScore>> columns;
  for (const Portrait& portrait : portraits) columns.push_back(ScorePortrait(portrait));
  Json list = Json::Arr();
  for (size_t i = 0; i < std::size(kScores) && !columns.empty(); ++i) {
    Json cells = Json::Arr();
    for (const std::vector<PortraitScore>& column : columns) {
      Json rows = Json::Arr();
      for (const ScoredRow& row : column[i].rows) {
        rows.Push(Json::Obj(
            {{"row", row.row}, {"title", row.title}, {"points", row.points}, {"of", row.of}}));
      }
      cells.Push(Json::Obj({{"points", column[i].points}, {"rows", std::move(rows)}}));
    }
    list.Push(Json::Obj({{"score", kScores[i].score},
                         {"title", kScores[i].title},
                         {"asks", kScores[i].asks},
                         {"columns", std::move(cells)}}));
  }
  return list;
}

}  // namespace hearth::inspector
