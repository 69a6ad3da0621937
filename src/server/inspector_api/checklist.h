// The first-model checklist of the request's repository, for its route and its page.
#pragma once

#include "codec/json.h"
#include "hub/inspector/compare/checklist.h"
#include "server/route.h"

namespace hearth::server {

// {"type", "id", "commit", "fields": [...], "progress": {filled, checked, of}, "version",
//  "updatedAt", "mayEdit", "earlier": {commit, updatedAt} | null}: the answers are the caller's
//  own.
Json ChecklistJson(Context& context);
// Replaces the caller's answers. kUnauthenticated for nobody, kForbidden for a token that may only
// read.
void SaveAnswers(Context& context, const inspector::Answers& answers,
                 std::optional<int64_t> expected);

}  // namespace hearth::server
