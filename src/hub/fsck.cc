#include "hub/fsck.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/internal/fsck_parts.h"
#include "hub/internal/gc_parts.h"

namespace hearth::hub {

size_t FsckReport::CountFaults() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const FsckFinding& f) { return f.serious && !f.repaired; });
}

size_t FsckReport::CountRepaired() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const FsckFinding& f) { return f.repaired; });
}

size_t FsckReport::CountNotes() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const FsckFinding& f) { return !f.serious && !f.repaired; });
}

void FsckRun::Fault(const std::string& where, const std::string& what,
                    const std::function<void()>& mend) {
  Add({where, what, true, false}, mend);
}

void FsckRun::Note(const std::string& where, const std::string& what,
                   const std::function<void()>& mend) {
  Add({where, what, false, false}, mend);
}

void FsckRun::Add(FsckFinding finding, const std::function<void()>& mend) {
  if (options.repair && mend) {
    try {
      mend();
      finding.repaired = true;
    } catch (const Error& error) {
      finding.what += " (not repaired: " + error.message() + ")";
    }
  }
  report.findings.push_back(std::move(finding));
}

FsckReport RunFsck(Hub& hub, const FsckOptions& options, const FsckProgress& progress) {
  // What a repair gives a grant to must not be collected meanwhile by another process.
  UniqueFd lock = options.repair ? LockGc(hub.data()) : UniqueFd();
  FsckRun run{hub, options, progress, {}};
  run.progress("database", 0, 1);
  for (const std::string& fault : hub.db().CheckIntegrity()) {
    run.Fault("database", fault + " (restore hearth.db from a backup)");
  }
  CheckXetStore(run);
  CheckStoredObjects(run);
  // Folders first: an adopted repository is then checked like any other.
  CheckGitFolders(run);
  CheckRepositories(run);
  return run.report;
}

}  // namespace hearth::hub
