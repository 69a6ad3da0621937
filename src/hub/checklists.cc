#include "hub/checklists.h"

#include "base/error.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kColumns = "SELECT commit_oid, answers, version, updated_at";

SavedChecklist ReadRow(const storage::Row& row) {
  SavedChecklist saved;
  saved.commit = GitOid::FromHex(row.Text(0)).value_or(GitOid{});
  try {
    saved.answers = inspector::ParseAnswers(Json::Parse(row.Text(1)));
  } catch (const Error&) {
    // A field that a later version knows: its answers cannot be shown here.
  }
  saved.version = row.Int(2);
  saved.updated_at = FromUnixMillis(row.Int(3));
  return saved;
}

std::optional<SavedChecklist> Find(storage::Connection& c, const ChecklistKey& key) {
  return c.QueryOne(std::string(kColumns) +
                        " FROM checklists WHERE user_id = ? AND repo_id = ? AND commit_oid = ?",
                    {key.user_id, key.repo_id, key.commit.Hex()}, ReadRow);
}

}  // namespace

std::optional<SavedChecklist> FindChecklist(storage::Database& db, const ChecklistKey& key) {
  return db.ReadValue([&](storage::Connection& c) { return Find(c, key); });
}

std::optional<SavedChecklist> FindEarlierChecklist(storage::Database& db, const ChecklistKey& key) {
  return db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne(std::string(kColumns) +
                          " FROM checklists WHERE user_id = ? AND repo_id = ? AND commit_oid != ?"
                          " ORDER BY updated_at DESC, id DESC LIMIT 1",
                      {key.user_id, key.repo_id, key.commit.Hex()}, ReadRow);
  });
}

SavedChecklist SaveChecklist(storage::Database& db, const ChecklistKey& key,
                             const inspector::Answers& answers, std::optional<int64_t> expected,
                             TimePoint now) {
  SavedChecklist saved{answers, key.commit, 0, now};
  db.Write([&](storage::Connection& c) {
    std::optional<SavedChecklist> before = Find(c, key);
    int64_t version = before ? before->version : 0;
    if (expected && *expected != version)
      throw Error(Code::kPreconditionFailed,
                  "The checklist was changed elsewhere meanwhile. Reload it and try again.");
    if (answers.empty()) {
      c.Exec("DELETE FROM checklists WHERE user_id = ? AND repo_id = ? AND commit_oid = ?",
             {key.user_id, key.repo_id, key.commit.Hex()});
      saved.version = 0;
      return;
    }
    saved.version = version + 1;
    std::string text = inspector::ToJson(answers).Dump();
    if (before) {
      c.Exec(
          "UPDATE checklists SET answers = ?, version = ?, updated_at = ?"
          " WHERE user_id = ? AND repo_id = ? AND commit_oid = ?",
          {text, saved.version, ToUnixMillis(now), key.user_id, key.repo_id, key.commit.Hex()});
      return;
    }
    int64_t kept =
        c.QueryInt("SELECT COUNT(*) FROM checklists WHERE user_id = ?", {key.user_id}).value_or(0);
    if (kept >= kMaxChecklistsOfUser)
      throw Error(Code::kConflict, "You have too many checklists: empty one that you do not need");
    c.Exec(
        "INSERT INTO checklists (user_id, repo_id, commit_oid, answers, version, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        {key.user_id, key.repo_id, key.commit.Hex(), text, saved.version, ToUnixMillis(now)});
  });
  return saved;
}

}  // namespace hearth::hub
