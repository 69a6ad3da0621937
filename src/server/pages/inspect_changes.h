// "What changed" of the inspector's page, as its template shows it.
#pragma once

#include "codec/json.h"
#include "server/route.h"

namespace hearth::server {

struct ChangesSection {
  Json data;         // null when the address asks for no comparison
  int status = 200;  // of the whole page: 404 or 400 when that comparison cannot be made
};
// Of ?against= and ?revision=. What cannot be compared is told in the section ({"fault"}), not
// thrown, so that the rest of the page stands. `to` is the commit that the page shows.
ChangesSection InspectChanges(Context& context, const GitOid& to);

}  // namespace hearth::server
