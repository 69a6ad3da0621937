// What a model of this hub can be asked and how it is just now, as one JSON object for pages,
// scripts and owners.
#pragma once

#include "codec/json.h"
#include "server/route.h"

namespace hearth::server {

// {state, tasks, task, reason, ...}; state is "off" (this hub runs no models), "unsupported", or a
// name of inference::ModelState. The caller has checked access; never blocks for a model.
Json ModelStatusJson(const Context& context, const hub::RepoHandle& repo);

}  // namespace hearth::server
