#include "hub/card_words.h"

#include "hub/internal/card_tables.h"
#include "hub/tasks.h"

namespace hearth::hub {

inspector::Vocabulary CardWords() {
  return {.is_licence = IsKnownLicense,
          .is_task = [](std::string_view id) { return FindTask(id) != nullptr; }};
}

}  // namespace hearth::hub
