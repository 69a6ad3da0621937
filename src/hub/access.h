// The access rules in one place: pure functions over an actor and a record. Used by Repos::Open, by
// the lists and by tests that print the whole matrix.
#pragma once

#include <optional>

#include "hub/actor.h"
#include "hub/bucket_record.h"
#include "hub/repo_record.h"

namespace hearth::hub {

// The strongest right the actor has on the repository, its token's role and scopes included;
// nullopt = must not learn that it exists. `gate_granted`: a gated repository has accepted this
// user.
std::optional<Right> RightOn(const Actor& actor, const RepoRecord& repo, bool gate_granted);
// The same for a bucket, which has no gate: kReadContent or more. A fine-grained token reaches it
// through a scope on its owner, or a global one.
std::optional<Right> RightOn(const Actor& actor, const BucketRecord& bucket);
// May the actor create repositories and buckets in this namespace? (own name, or org role
// contributor and up; token must write)
bool MayCreateIn(const Actor& actor, int64_t owner_id);
// May the actor's token write at all?
bool TokenMayWrite(const Actor& actor);

}  // namespace hearth::hub
