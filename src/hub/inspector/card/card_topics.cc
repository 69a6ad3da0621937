#include "hub/inspector/card/card_topics.h"

#include <algorithm>

#include "base/bytes.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxHeadingBytes = 500;
constexpr size_t kKeptTextBytes = 2000;

struct HeadingRule {
  CardTopic topic;
  std::string_view phrase;
};

constexpr HeadingRule kHeadings[] = {
#define HEARTH_HEADING(topic, phrase) {CardTopic::topic, phrase},
#include "hub/inspector/card/card_topics.inc"
#undef HEARTH_HEADING
};

// Phrases that make a paragraph speak of a topic although no heading does. ASCII lower case.
struct TextRule {
  CardTopic topic;
  std::string_view phrase;
};
constexpr TextRule kPhrases[] = {
    {CardTopic::kIntendedUse, "intended to be used"},
    {CardTopic::kIntendedUse, "intended for"},
    {CardTopic::kIntendedUse, "can be used for"},
    {CardTopic::kIntendedUse, "can be used to"},
    {CardTopic::kIntendedUse, "designed for"},
    {CardTopic::kIntendedUse, "suitable for"},
    {CardTopic::kOutOfScope, "not intended for"},
    {CardTopic::kOutOfScope, "should not be used"},
    {CardTopic::kOutOfScope, "must not be used"},
    {CardTopic::kOutOfScope, "out of scope"},
    {CardTopic::kOutOfScope, "out-of-scope"},
    {CardTopic::kOutOfScope, "do not use"},
    {CardTopic::kOutOfScope, "not suitable for"},
    {CardTopic::kLimitations, "limitation"},
    {CardTopic::kLimitations, "hallucinat"},
    {CardTopic::kLimitations, "stereotyp"},
    {CardTopic::kLimitations, "may be inaccurate"},
    {CardTopic::kLimitations, "biased"},
    {CardTopic::kLimitations, "may not perform well"},
    {CardTopic::kTrainingData, "trained on"},
    {CardTopic::kTrainingData, "finetuned on"},
    {CardTopic::kTrainingData, "fine-tuned on"},
    {CardTopic::kMethod, "quantized using"},
    {CardTopic::kMethod, "quantized with"},
    {CardTopic::kMethod, "merged using"},
    {CardTopic::kMethod, "trained with"},
    {CardTopic::kMethod, "trained using"},
    {CardTopic::kMethod, "fine-tuned with"},
    {CardTopic::kMethod, "fine-tuned using"},
    {CardTopic::kMethod, "converted to"},
    {CardTopic::kMethod, "converted from"},
    {CardTopic::kMethod, "qlora"},
    {CardTopic::kPrompt, "prompt template"},
    {CardTopic::kPrompt, "prompt format"},
    {CardTopic::kPrompt, "chat template"},
    {CardTopic::kPrompt, "load the adapter"},
    {CardTopic::kSource, "collected from"},
    {CardTopic::kSource, "derived from"},
    {CardTopic::kSource, "sourced from"},
    {CardTopic::kSource, "scraped from"},
    {CardTopic::kSource, "crawled from"},
    {CardTopic::kCollection, "was collected"},
    {CardTopic::kCollection, "were collected"},
    {CardTopic::kCollection, "was generated"},
    {CardTopic::kCollection, "were generated"},
    {CardTopic::kAnnotators, "annotated by"},
    {CardTopic::kAnnotators, "annotators"},
    {CardTopic::kAnnotators, "labeled by"},
    {CardTopic::kAnnotators, "labelled by"},
    {CardTopic::kAnnotators, "crowdworkers"},
    {CardTopic::kPersonalData, "personal data"},
    {CardTopic::kPersonalData, "personal information"},
    {CardTopic::kPersonalData, "personally identifiable"},
    {CardTopic::kPersonalData, "anonymi"},
    {CardTopic::kLicence, "licensed under"},
    {CardTopic::kLicence, "released under"},
};

bool HasBlanks(char32_t c) { return c < 0x2E80; }  // below: scripts that separate words

// A part of a word of an alphabet; combining marks of Indic scripts count.
bool IsWordPart(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 0xC0 && c < 0x2000 && c != 0xD7);
}

char32_t LastCodePoint(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && (text[at - 1] & 0xC0) == 0x80) --at;
  return at == 0 ? U' ' : DecodeUtf8(text.substr(at - 1)).value;
}

bool Contains(std::string_view heading, std::string_view phrase) {
  bool words = HasBlanks(DecodeUtf8(phrase).value);
  for (size_t at = heading.find(phrase); at != std::string_view::npos;
       at = heading.find(phrase, at + 1)) {
    if (!words) return true;
    std::string_view behind = heading.substr(at + phrase.size());
    bool begins = !IsWordPart(LastCodePoint(heading.substr(0, at)));
    bool ends = behind.empty() || !IsWordPart(LastCodePoint(phrase)) ||
                !IsWordPart(DecodeUtf8(behind).value);
    if (begins && ends) return true;
  }
  return false;
}

void Append(const CardSection& section, TopicText* found) {
  found->words += section.words;
  found->table_rows += section.table_rows;
  found->residue = found->residue || section.residue;
  found->links.insert(found->links.end(), section.links.begin(), section.links.end());
  if (section.text.empty() || found->text.size() >= kKeptTextBytes) return;
  if (!found->text.empty()) found->text += '\n';
  found->text += TruncateUtf8Bytes(section.text,
                                   kKeptTextBytes - std::min(kKeptTextBytes, found->text.size()));
}

// The section at `first` and those below it that are about the same; returns the next index.
size_t AppendTree(const CardDocument& card, size_t first, CardTopic topic, TopicText* found) {
  int level = card.sections[first].level;
  Append(card.sections[first], found);
  int skipped = 0;  // level of a subsection about something else; 0 = none
  size_t at = first + 1;
  for (; at < card.sections.size() && card.sections[at].level > level; ++at) {
    const CardSection& section = card.sections[at];
    CardTopic own = TopicOfHeading(section.heading);
    if (skipped != 0 && section.level > skipped) continue;
    skipped = own != topic && own != CardTopic::kOther ? section.level : 0;
    if (skipped == 0) Append(section, found);
  }
  return at;
}

void SetPlace(const CardSection& section, TopicText* found) {
  found->line = section.line;
  found->anchor = section.id;
}

void FindByHeading(const CardDocument& card, CardTopic topic, TopicText* found) {
  for (size_t at = 0; at < card.sections.size();) {
    if (TopicOfHeading(card.sections[at].heading) != topic) {
      ++at;
      continue;
    }
    size_t words = found->words;
    size_t first = at;
    at = AppendTree(card, at, topic, found);
    // The first place with words is where a reader is sent.
    if (found->line == 0 || (words == 0 && found->words > 0)) SetPlace(card.sections[first], found);
  }
}

// What stands on top: before the first heading, and below the title.
void FindIntroduction(const CardDocument& card, TopicText* found) {
  for (size_t at = 0; at < card.sections.size() && at < 2; ++at) {
    const CardSection& section = card.sections[at];
    if (at == 1 && TopicOfHeading(section.heading) != CardTopic::kOther) break;
    if (section.words == 0 && !section.residue) continue;
    if (found->line == 0) SetPlace(section, found);
    Append(section, found);
  }
}

void FindByText(const CardDocument& card, CardTopic topic, TopicText* found) {
  for (const CardSection& section : card.sections) {
    for (std::string_view paragraph : Split(section.text, '\n')) {
      std::string lower = AsciiLower(paragraph);
      bool speaks =
          std::any_of(std::begin(kPhrases), std::end(kPhrases), [&](const TextRule& rule) {
            return rule.topic == topic && lower.find(rule.phrase) != std::string::npos;
          });
      if (!speaks) continue;
      if (found->line == 0 || !found->by_text) SetPlace(section, found);
      found->by_text = true;
      found->words += CountWords(paragraph);
      if (found->text.size() + paragraph.size() < kKeptTextBytes)
        found->text += (found->text.empty() ? "" : "\n") + std::string(paragraph);
    }
  }
}

}  // namespace

std::string_view PresenceName(Presence presence) {
  switch (presence) {
    case Presence::kFound:
      return "found";
    case Presence::kThin:
      return "thin";
    case Presence::kMissing:
      break;
  }
  return "missing";
}

CardTopic TopicOfHeading(std::string_view heading) {
  if (heading.empty()) return CardTopic::kOther;
  std::string lower = Lowercase(TruncateUtf8Bytes(heading, kMaxHeadingBytes));
  for (const HeadingRule& rule : kHeadings) {
    if (Contains(lower, rule.phrase)) return rule.topic;
  }
  return CardTopic::kOther;
}

TopicText FindTopic(const CardDocument& card, CardTopic topic) {
  TopicText found;
  if (topic == CardTopic::kSummary) FindIntroduction(card, &found);
  FindByHeading(card, topic, &found);
  if (found.words == 0) FindByText(card, topic, &found);
  if (found.words >= kThinWords) {
    found.presence = Presence::kFound;
  } else if (found.words > 0) {
    found.presence = Presence::kThin;
  }
  return found;
}

Evidence EvidenceOf(const TopicText& text, std::string rule) {
  Evidence evidence;
  evidence.file = "README.md";
  if (text.line > 0) evidence.place = "line " + std::to_string(text.line);
  evidence.rule = std::move(rule);
  return evidence;
}

}  // namespace hearth::inspector
