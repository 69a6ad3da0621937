// What a model's page needs to let people try the model: tasks, examples, code for programs.
#pragma once

#include "codec/json.h"
#include "server/route.h"

namespace hearth::server {

// {status: ModelStatusJson, tasks: [{id, label}], task, examples: [{title, data}], snippets:
// [{name, code}], owner, admin}; null where this hub runs no models, and for data sets and Spaces.
Json WidgetData(const Context& context, const hub::RepoFacts* facts);

}  // namespace hearth::server
