// Four numbers at the end of a comparison: how clear it is what a repository is for, whether it
// runs here and elsewhere, whether somebody else would get the same, and how much of what is said
// of it stands on evidence. Each is a sum of named rows (scores.inc), so that a reader can see what
// is missing from it; none knows of popularity. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/compare/portrait.h"

namespace hearth::inspector {

struct ScoredRow {
  std::string_view row, title;  // of the comparison
  double points = 0;
  int of = 0;  // before scaling to 100
};
struct PortraitScore {
  std::string_view score, title, asks;  // "clarity", "Clarity", what it says
  int points = 0;                       // 0 to 100
  std::vector<ScoredRow> rows;          // those that apply to its type
};

// In the order clarity, compatibility, repeatability, explainability.
std::vector<PortraitScore> ScorePortrait(const Portrait& portrait);

// One object a score: {"score", "title", "asks", "columns": [{"points", "rows": [{row, title,
// points, of}]}]}, columns in the order of the portraits.
Json ScoresJson(const std::vector<Portrait>& portraits);

}  // namespace hearth::inspector
