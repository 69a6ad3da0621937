// What scans found, as clients of the hub API read it (`securityFileStatus`, `securityRepoStatus`)
// and as Hearth's own API tells it. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "server/route.h"

namespace hearth::server {

// Whether the caller may read the content of the context's repository: who may not is not told what
// is in it.
bool MayReadSafety(const Context& context);

// securityFileStatus: {"status", "avScan": null, "pickleImportScan": {...} | null}; null when
// nothing has looked at the file.
Json FileSafetyJson(const hub::FileSafety& file);

// securityRepoStatus of a commit: {"scansDone", "filesWithIssues": [{"path", "level"}]}
Json RepoSafetyJson(hub::Hub& hub, const hub::RepoHandle& repo,
                    const std::optional<GitOid>& commit);
// The same where nothing is known: that is what is said, not that the files are safe.
Json NotScanned();

// True of states that people are warned of.
bool IsIssue(hub::SafetyState state);
// A report of FileSafety with the file's path in place of kScannedName.
Json ReportFor(const Json& report, const std::string& path);
// The first `limit` findings of such a report for pages: [{"kind", "evidence", "advice"}], empty
// texts where a finding has none.
Json FirstFindings(const Json& report, const std::string& path, size_t limit);

}  // namespace hearth::server
