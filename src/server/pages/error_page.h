// The page a person sees when something is wrong: what, why, and where to go next.
#pragma once

#include "base/error.h"
#include "net/http.h"

namespace hearth::server {

struct FaultSite;
net::Response RenderErrorPage(const Error& error, const FaultSite& site, int status);

}  // namespace hearth::server
