// Repositories that a request names by ?repos=, each opened with the caller's rights, and what the
// inspector says of them as columns of a comparison.
#pragma once

#include <string>
#include <vector>

#include "hub/inspector/compare/portrait.h"
#include "hub/repos.h"
#include "server/route.h"

namespace hearth::server {

struct AskedRepo {
  hub::RepoHandle repo;  // Right::kReadContent
  GitOid commit;
};

// ?repos=models/a/b@rev,datasets/c/d (commas or several times), without what is named twice. Throws
// kInvalidArgument for more than inspector::kMaxCompared and for what is no name.
std::vector<inspector::RepoSpec> AskedSpecs(const Context& context);
std::vector<inspector::RepoSpec> ParseSpecs(const std::vector<std::string>& texts);
// What is not there and what the caller may not read answer alike: kNotFound, with the name as it
// was asked for. RevisionNotFound for a revision of a repository that the caller may read.
AskedRepo OpenAsked(const Context& context, const inspector::RepoSpec& spec);
// ?device=, as for .../fit; none (or "mine") = the first of what the caller has listed as theirs,
// for others one common GPU. Throws kInvalidArgument for more than kMaxPortraitDevices.
std::vector<inspector::Device> AskedDevices(const Context& context);
std::vector<inspector::Device> DevicesNamed(const Context& context,
                                            const std::vector<std::string>& texts);

// What depends on the caller is looked up; the rest is kept per commit.
inspector::Portrait PortraitOf(const Context& context, const AskedRepo& asked,
                               const std::vector<inspector::Device>& devices);

}  // namespace hearth::server
