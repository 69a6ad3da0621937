// The words that cards may use, for the rules of the inspector.
#pragma once

#include "hub/inspector/card/card_context.h"

namespace hearth::hub {

inspector::Vocabulary CardWords();

}  // namespace hearth::hub
