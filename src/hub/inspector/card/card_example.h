// Is there an example on the card that a reader can run, and does it name this repository, its
// library and no revision that is not there? Pure apart from reads of the repository's list.
#pragma once

#include <string>
#include <vector>

#include "hub/inspector/card/card_context.h"
#include "hub/inspector/card/card_document.h"
#include "hub/inspector/card/card_topics.h"

namespace hearth::inspector {

struct ExampleCheck {
  Presence presence = Presence::kMissing;
  size_t line = 0;       // of the best code block; 0 = none
  std::string anchor;    // of the section that it stands in
  std::string rule;      // what makes it evidence
  std::string hint;      // what to mend; "" = nothing
  std::string notebook;  // a notebook or script of the repository that shows more
};
ExampleCheck CheckExample(const CardDocument& card, const CardContext& context);

}  // namespace hearth::inspector
