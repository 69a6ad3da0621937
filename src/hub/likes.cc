#include "hub/likes.h"

#include <functional>

namespace hearth::hub {
namespace {

void Change(storage::Database& db, Repos& repos, const RepoRecord& repo,
            const std::function<void(storage::Connection&)>& change) {
  // Under the repository's lock, so that counts reach the record in the order of the transactions.
  std::unique_lock lock = repos.LockForWrite(repo);
  int64_t likes = 0;
  db.Write([&](storage::Connection& connection) {
    change(connection);
    likes =
        connection.QueryInt("SELECT COUNT(*) FROM likes WHERE repo_id = ?", {repo.id}).value_or(0);
    connection.Exec("UPDATE repos SET likes = ? WHERE id = ?", {likes, repo.id});
  });
  repos.Touch(repo.id, [&](RepoRecord& record) { record.likes = likes; });
}

std::vector<Like> Read(storage::Database& db, std::string_view where, int64_t id) {
  std::vector<Like> likes;
  db.Read([&](storage::Connection& connection) {
    connection.Query("SELECT user_id, repo_id, created_at FROM likes WHERE " + std::string(where) +
                         " = ? ORDER BY created_at DESC, user_id, repo_id",
                     {id}, [&](const storage::Row& row) {
                       likes.push_back({row.Int(0), row.Int(1), FromUnixMillis(row.Int(2))});
                     });
  });
  return likes;
}

}  // namespace

void SetLike(storage::Database& db, Repos& repos, const RepoRecord& repo, const Like& like) {
  Change(db, repos, repo, [&](storage::Connection& connection) {
    connection.Exec(
        "INSERT INTO likes (user_id, repo_id, created_at) VALUES (?, ?, ?) "
        "ON CONFLICT (user_id, repo_id) DO NOTHING",
        {like.user_id, repo.id, ToUnixMillis(like.created_at)});
  });
}

void RemoveLike(storage::Database& db, Repos& repos, const RepoRecord& repo, int64_t user_id) {
  Change(db, repos, repo, [&](storage::Connection& connection) {
    connection.Exec("DELETE FROM likes WHERE user_id = ? AND repo_id = ?", {user_id, repo.id});
  });
}

bool DoesLike(storage::Database& db, int64_t user_id, int64_t repo_id) {
  std::optional<int64_t> found;
  db.Read([&](storage::Connection& connection) {
    found = connection.QueryInt("SELECT 1 FROM likes WHERE user_id = ? AND repo_id = ?",
                                {user_id, repo_id});
  });
  return found.has_value();
}

std::vector<Like> LikesOfUser(storage::Database& db, int64_t user_id) {
  return Read(db, "user_id", user_id);
}

std::vector<Like> LikesOfRepo(storage::Database& db, int64_t repo_id) {
  return Read(db, "repo_id", repo_id);
}

}  // namespace hearth::hub
