// The head of every page of a repository: chips of its tags, likes, and what the reader may do.
#pragma once

#include "server/pages/site.h"

namespace hearth::server {

// Adds liked, may_like, can_write, may_admin and chips [{kind, text, filter}] to the summary of the
// request's repository; `facts` may be null.
void AddRepoHead(const Context& context, const hub::RepoFacts* facts, Json* repo);

}  // namespace hearth::server
