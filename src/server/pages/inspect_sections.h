// The sections of the inspector's page, each with its address of the API.
#pragma once

#include <array>
#include <vector>

#include "hub/types.h"

namespace hearth::server {

struct InspectSection {
  const char* what;   // the last part of /api/hearth/{T}/{ns}/{name}/...
  const char* title;  // on the page
  const char* icon;   // of web/static/icons.svg
  const char* about;
  const char* brief;  // the word for it beside a card; "" = not there
  bool models_only;
  // Groups of the comparison (inspector/compare/rows.inc) whose rows the page shows before its
  // script has drawn the whole answer.
  std::array<const char*, 3> groups = {};
};

// Those that this program answers for the type, in the order of reading.
std::vector<const InspectSection*> InspectSections(hub::RepoType type);

}  // namespace hearth::server
