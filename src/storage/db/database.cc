#include "storage/db/database.h"

#include "base/clock.h"
#include "base/error.h"

namespace hearth::storage {
namespace {

void CheckNumbers(const std::vector<Migration>& migrations) {
  int expected = 1;
  for (const Migration& migration : migrations) {
    if (migration.number != expected++) {
      throw Error(Code::kInternal,
                  "migration " + std::to_string(migration.number) + " is out of order");
    }
  }
}

int64_t NewestApplied(Connection& connection) {
  return connection.QueryInt("SELECT MAX(number) FROM schema_migrations").value_or(0);
}

}  // namespace

std::optional<int64_t> Row::OptionalInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

std::optional<std::string> Row::OptionalStr(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Str(column);
}

std::optional<int64_t> Connection::QueryInt(std::string_view sql, const DbArgs& args) {
  std::optional<int64_t> result;
  bool first = true;
  Query(sql, args, [&](const Row& row) {
    if (std::exchange(first, false)) result = row.OptionalInt(0);
  });
  return result;
}

std::vector<int64_t> Connection::QueryInts(std::string_view sql, const DbArgs& args) {
  std::vector<int64_t> result;
  Query(sql, args, [&](const Row& row) { result.push_back(row.Int(0)); });
  return result;
}

std::vector<int64_t> Database::ReadInts(std::string_view sql, const DbArgs& args) {
  return ReadValue([&](Connection& connection) { return connection.QueryInts(sql, args); });
}

void Database::Migrate(const std::vector<Migration>& migrations) {
  CheckNumbers(migrations);
  Write([&](Connection& connection) {
    connection.ExecScript(
        "CREATE TABLE IF NOT EXISTS schema_migrations("
        "number INTEGER PRIMARY KEY, applied_at BIGINT NOT NULL)");
    int64_t newest = NewestApplied(connection);
    if (newest > static_cast<int64_t>(migrations.size())) {
      throw Error(Code::kConflict, "the database is at schema " + std::to_string(newest) +
                                       ", newer than this program's " +
                                       std::to_string(migrations.size()) +
                                       ": start a newer program");
    }
  });
  for (const Migration& migration : migrations) {
    Write([&](Connection& connection) {
      // Asked again inside the transaction: another process may migrate at the same time.
      if (NewestApplied(connection) >= migration.number) return;
      connection.ExecScript(migration.sql);
      connection.Exec("INSERT INTO schema_migrations(number, applied_at) VALUES(?, ?)",
                      {migration.number, ToUnixMillis(Clock::System().Now())});
    });
  }
}

}  // namespace hearth::storage
