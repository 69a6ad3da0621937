// RepoFacts as the JSON text of a repo_fact_texts row. Pure.
#pragma once

#include <string>
#include <string_view>

#include "hub/facts.h"

namespace hearth::hub {

std::string FactsToText(const RepoFacts& facts);
// Throws kInvalidArgument for a text of another version or a damaged one: compute again.
RepoFacts FactsFromText(std::string_view text);

}  // namespace hearth::hub
