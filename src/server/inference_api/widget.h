// What a model's page needs to let people try the model: tasks, examples, code for programs.
#pragma once

#include "codec/json.h"
#include "server/route.h"

namespace hearth::server {

// {status: ModelStatusJson, tasks: [{id, label, kind}], task, examples: [{title, data, kind,
// picture}], snippets: [{name, code}], owner, admin}; kind is "image", "audio" or, for text, "";
// null where this hub runs no models, and for data sets and Spaces.
Json WidgetData(const Context& context, const hub::RepoFacts* facts);

// What the page of such a widget needs to be allowed: see `permissions` in pages/site.h.
Json WidgetPermissions(const Json& widget);

}  // namespace hearth::server
