// Who likes which repository. Plain functions over the database; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "hub/repos.h"
#include "storage/db/database.h"

namespace hearth::hub {

struct Like {
  int64_t user_id = 0;
  int64_t repo_id = 0;
  TimePoint created_at;
};

// Sets or takes back the user's like; doing it twice changes nothing. Keeps RepoRecord::likes.
void SetLike(storage::Database& db, Repos& repos, const RepoRecord& repo, const Like& like);
void RemoveLike(storage::Database& db, Repos& repos, const RepoRecord& repo, int64_t user_id);
bool DoesLike(storage::Database& db, int64_t user_id, int64_t repo_id);
// Newest first.
std::vector<Like> LikesOfUser(storage::Database& db, int64_t user_id);
std::vector<Like> LikesOfRepo(storage::Database& db, int64_t repo_id);

}  // namespace hearth::hub
