// In which order a reader goes through a repository, and what is there to be read: six steps,
// found, thin or missing, each with the place to jump to and what it prevents; and four lines that
// say what this is and where to read on. Pure apart from reads. Errors: those of the view.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/card/card_context.h"
#include "hub/inspector/card/card_document.h"
#include "hub/inspector/card/card_topics.h"
#include "hub/inspector/kind/classify.h"

namespace hearth::inspector {

struct ReadingStep {
  std::string step;   // "summary", "intended_use", "limitations", "licence", "files", "example"
  std::string title;  // "Intended use"
  Presence state = Presence::kMissing;
  std::string where;   // "card", "files", or the path of a file; "" = nowhere
  std::string anchor;  // id of the heading on the card; "" = none
  size_t line = 0;     // of README.md; 0 = none
  std::string prevents;
  std::vector<Evidence> evidence;
};

struct NoteLine {
  std::string line;   // "artifact_type", "purpose", "publisher", "next_documentation"
  std::string title;  // "Artifact type"
  std::string text;   // "" = missing
  Level level = Level::kMissing;
  std::vector<Evidence> evidence;
};

struct ReadingOrder {
  std::vector<ReadingStep> steps;  // six, in order
  std::vector<NoteLine> note;      // four
};

ReadingOrder OrderReading(const RepoView& repo, const CardDocument& card,
                          const CardContext& context, const Classification& kinds);

Json ToJson(const ReadingOrder& order);

// "an adapter (LoRA)", "a quantized model (gptq)": the kinds as one phrase; "" when there are none.
std::string ArtifactPhrase(const Classification& kinds);

}  // namespace hearth::inspector
