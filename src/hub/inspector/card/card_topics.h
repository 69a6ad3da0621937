// What a section of a card is about, by the words of its heading in some twenty languages, or,
// where nothing is headed so, by its own words. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/inspector/card/card_document.h"
#include "hub/inspector/finding.h"

namespace hearth::inspector {

enum class CardTopic {
  kSummary,
  kIntendedUse,
  kOutOfScope,
  kLimitations,
  kLicence,
  kTrainingData,
  kEvaluation,
  kExample,
  kMethod,  // of training, merging, quantising
  kPrompt,  // template, loader
  kSource,  // data sets, from here on
  kStructure,
  kCollection,
  kAnnotators,
  kPersonalData,
  kOther,
};

// kOther when no topic's words are in it.
CardTopic TopicOfHeading(std::string_view heading);

enum class Presence { kFound, kThin, kMissing };
std::string_view PresenceName(Presence presence);  // "found", "thin", "missing"

// Fewer words than this say that somebody began.
constexpr size_t kThinWords = 20;

// What a card says about a topic.
struct TopicText {
  Presence presence = Presence::kMissing;
  size_t words = 0;
  size_t table_rows = 0;
  bool residue = false;  // a template's blanks are all there is, or a part of it
  bool by_text = false;  // found in the text of other sections
  std::string anchor;    // id of the heading; "" = none
  size_t line = 0;       // of the heading or text; 0 = missing
  std::string text;      // the first 2,000 bytes
  std::vector<std::string> links;
};

// The sections with such a heading and what is below them, save subsections about something else;
// else paragraphs that speak of it.
TopicText FindTopic(const CardDocument& card, CardTopic topic);
// {file, place, rule} for what FindTopic found.
Evidence EvidenceOf(const TopicText& text, std::string rule);

}  // namespace hearth::inspector
