// What people have written into checklists: answers by user, repository and commit. They are the
// user's own: nobody else is shown them, the owner of the repository neither. Plain functions over
// the database; thread-safe. Callers have found Right::kReadContent on the repository.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/hash.h"
#include "hub/inspector/compare/checklist.h"
#include "storage/db/database.h"

namespace hearth::hub {

struct ChecklistKey {
  int64_t user_id = 0;
  int64_t repo_id = 0;
  GitOid commit;
};

struct SavedChecklist {
  inspector::Answers answers;
  GitOid commit;
  int64_t version = 0;  // grows with every change
  TimePoint updated_at;
};

// Beyond it nothing new is kept: somebody fills a disk.
inline constexpr int64_t kMaxChecklistsOfUser = 10'000;

std::optional<SavedChecklist> FindChecklist(storage::Database& db, const ChecklistKey& key);
// The newest of the user's on the repository at any other commit.
std::optional<SavedChecklist> FindEarlierChecklist(storage::Database& db, const ChecklistKey& key);
// Replaces all answers; none at all removes the row. `expected`: the version that the answers were
// made from, 0 = there was none; kPreconditionFailed when it is another by now. kConflict above
// kMaxChecklistsOfUser.
SavedChecklist SaveChecklist(storage::Database& db, const ChecklistKey& key,
                             const inspector::Answers& answers, std::optional<int64_t> expected,
                             TimePoint now);

}  // namespace hearth::hub
