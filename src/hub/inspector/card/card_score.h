// How much of what a reader needs stands on a card: 0 to 100 points, line by line, the same for the
// same text. Nothing but the card and the files enter: no likes, no downloads.
//
// A section of fewer than 20 words is thin and counts half; one that holds only what a template
// left is missing. Models that were made of others must name them and how; data sets have lines of
// their own. docs/inspector.md has the table. Pure apart from reads of the repository. Errors:
// those of the view.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/card/card_context.h"
#include "hub/inspector/card/card_document.h"
#include "hub/inspector/card/card_topics.h"

namespace hearth::inspector {

struct ScoreRow {
  std::string row;    // "intended_use"
  std::string title;  // "Intended use"
  int of = 0;         // points to be had
  double points = 0;
  Presence state = Presence::kMissing;
  std::string anchor;  // "user-content-uses"; "" = none
  std::vector<Evidence> evidence;
  std::string hint;  // what to do; "" when all points are given
};

struct CardScore {
  int score = 0;        // 0 to 100
  std::string variant;  // "model", "derivative", "dataset", "space"
  std::vector<ScoreRow> rows;
  std::vector<std::string> problems;  // why parts of the card could not be read
};

CardScore ScoreCard(const CardDocument& card, const CardContext& context);

Json ToJson(const CardScore& score);
// One sentence for whoever commits a card: "card 45 of 100: no intended use, limitations; ...". ""
// for 70 points and more.
std::string CommitHint(const CardScore& score);

}  // namespace hearth::inspector
