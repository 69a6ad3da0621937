// What changed between two repositories, for the route and the inspector's page.
#pragma once

#include "codec/json.h"
#include "server/route.h"

namespace hearth::server {

// inspector::ChangesReport of ?against= and ?revision= as JSON, with the state of the comparison of
// weights. Errors as AgainstView and InspectedView.
Json ChangesJson(Context& context);

}  // namespace hearth::server
