// The sections of the inspector's page, each drawn from one address of the API.
#pragma once

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
};

// Those that this program answers for the type, in the order of reading.
std::vector<const InspectSection*> InspectSections(hub::RepoType type);

}  // namespace hearth::server
