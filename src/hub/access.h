// The access rules in one place: pure functions over an actor and a record. Used by Repos::Open, by
// the lists and by tests that print the whole matrix.
#pragma once

#include <optional>

#include "hub/actor.h"
#include "hub/repo_record.h"

namespace hearth::hub {

// The strongest right the actor has on the repository, its token's role and scopes included;
// nullopt = must not learn that it exists. `gate_granted`: a gated repository has accepted this
// user.
std::optional<Right> RightOn(const Actor& actor, const RepoRecord& repo, bool gate_granted);
// May the actor create repositories in this namespace? (own name, or org role contributor and up;
// token must write)
bool MayCreateIn(const Actor& actor, int64_t owner_id);
// May the actor's token write at all?
bool TokenMayWrite(const Actor& actor);

}  // namespace hearth::hub
