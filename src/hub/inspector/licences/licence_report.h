// The licence section of the inspector: what a repository says, whether its places agree, what the
// models it was made from ask, and what holds in effect. A reading aid, not legal advice.
// Reads through the views only; the content of files never throws. Costs the reading of cards and
// LICENSE files of at most kMaxChainMembers repositories.
#pragma once

#include <string>

#include "codec/json.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

inline constexpr int kMaxChainDepth = 12;
inline constexpr size_t kMaxChainMembers = 48;

// {"banner", "licence": finding, "name"?, "link"?, "rows": [row of the table],
//  "checks": [finding: {check, result, text}],
//  "chain": [{"id", "type", "depth", "of", "relation", "relationLevel", "licence": finding,
//             "class", "verdict": {verdict, rule, text, place?, duties}, "evidence": {...}}],
//  "datasets": [the same],
//  "effective": finding: {"licences", "class", "headline", "may", "duties", "complete"},
//  "verdict": "ok" | "duty" | "warning" | "unknown" | "conflict"}
// A chain member that the caller may not read is like one that is not there: level "missing".
Json LicenceReport(const RepoView& view, const Neighbours& neighbours);

// The same in a few lines for a terminal.
std::string LicenceReportText(const Json& report);

}  // namespace hearth::inspector
