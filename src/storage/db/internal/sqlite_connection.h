// One SQLite connection with its cache of prepared statements, and the one place where SQLite
// result codes become Errors. https://www.sqlite.org/rescode.html
//
// Thread rule: used by one thread at a time; the handle is opened with SQLITE_OPEN_NOMUTEX.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/db/database.h"

namespace hearth::storage::internal {

class SqliteConnection : public Connection {
 public:
  enum class Role { kWriter, kReader };

  // Opens the file (a writer creates it) and sets the pragmas of its role.
  SqliteConnection(const std::filesystem::path& file, Role role);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  int64_t Exec(std::string_view sql, const DbArgs& args) override;
  void Query(std::string_view sql, const DbArgs& args,
             const std::function<void(const Row&)>& each) override;
  void ExecScript(std::string_view sql) override;
  int64_t LastInsertId() override;

  void Begin();
  // Throws when the engine ended the transaction on its own (a full disk does that): statements
  // after that point would otherwise be committed one by one.
  void Commit();
  void Rollback() noexcept;

  sqlite3* handle() { return handle_; }
  // Throws the Error for `result` and the connection's last message.
  [[noreturn]] void Throw(int result, std::string_view doing);

 private:
  class Lease;
  using Cached = std::pair<std::string, sqlite3_stmt*>;

  sqlite3_stmt* Take(std::string_view sql);
  void Return(std::string_view sql, sqlite3_stmt* statement) noexcept;
  void Bind(sqlite3_stmt* statement, std::string_view sql, const DbArgs& args);
  void CheckTransaction() const;

  const std::filesystem::path file_;
  const Role role_;
  sqlite3* handle_ = nullptr;
  bool in_transaction_ = false;
  std::list<Cached> cache_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Cached>::iterator> by_sql_;
};

}  // namespace hearth::storage::internal
