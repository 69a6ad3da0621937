// Where the places of a finding lead to on this site.
#pragma once

#include <string>

#include "codec/json.h"
#include "hub/repo_record.h"

namespace hearth::server {

// Adds "href" (a path of this site) and "label" to each item of `finding`'s evidence: the line of
// the file at the commit, or the other repository that it names. "" where there is nothing to open.
// Other repositories are of type `others`.
void AddPlaceLinks(const hub::RepoRecord& repo, const std::string& commit, Json* finding,
                   hub::RepoType others = hub::RepoType::kModel);

}  // namespace hearth::server
