#include "storage/db/internal/sqlite_connection.h"

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace hearth::storage::internal {
namespace {

// The hub has some 200 distinct statements; a prepared one takes 1-5 KB.
constexpr size_t kMaxCachedStatements = 256;
// The admin command line may hold the write lock meanwhile.
constexpr int kBusyTimeoutMillis = 10'000;

// Pages are shared between connections through mmap and the system's page cache, so the private
// caches stay small: the inner pages of the indexes over a million rows fit in 16 MiB.
constexpr char kCommonPragmas[] =
    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=1073741824;"
    "PRAGMA trusted_schema=OFF;";
// journal_size_limit: a WAL that a long read let grow shrinks again at the next checkpoint.
constexpr char kWriterPragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
    "PRAGMA journal_size_limit=67108864;";
constexpr char kReaderPragmas[] = "PRAGMA query_only=ON; PRAGMA cache_size=-4096;";

class SqliteRow : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement)
      : statement_(statement), columns_(sqlite3_column_count(statement)) {}
  bool IsNull(int column) const override {
    return sqlite3_column_type(statement_, Checked(column)) == SQLITE_NULL;
  }
  int64_t Int(int column) const override {
    return sqlite3_column_int64(statement_, Checked(column));
  }
  double Real(int column) const override {
    return sqlite3_column_double(statement_, Checked(column));
  }
  std::string_view Text(int column) const override {
    Checked(column);
    const void* data = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                           ? sqlite3_column_blob(statement_, column)
                           : sqlite3_column_text(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const char*>(data),
            static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  int Checked(int column) const {
    if (column < 0 || column >= columns_) {
      throw Error(Code::kInternal, "column " + std::to_string(column) +
                                       " is not in the result of " + sqlite3_sql(statement_));
    }
    return column;
  }
  sqlite3_stmt* const statement_;
  const int columns_;
};

bool IsNoRoom(int error_number) {
  // EFBIG: a file size limit of the process; there is no room for us either way.
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS ||
         error_number == EFBIG;
}

// sqlite3_system_errno alone is not enough: a failed COMMIT rolls back before it reports, and the
// calls of the rollback overwrite errno. Each open file keeps the error of its own last failure.
bool FilesHaveNoRoom(sqlite3* handle) {
  if (handle == nullptr) return false;
  if (IsNoRoom(sqlite3_system_errno(handle))) return true;
  for (int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(handle, "main", which, &file) != SQLITE_OK) continue;
    int last = 0;
    if (file != nullptr && file->pMethods != nullptr &&
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last) == SQLITE_OK &&
        IsNoRoom(last)) {
      return true;
    }
  }
  return false;
}

bool IsDiskFull(int result, sqlite3* handle) {
  int primary = result & 0xff;
  if (primary == SQLITE_FULL) return true;
  return (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && FilesHaveNoRoom(handle);
}

Code CodeOf(int result, sqlite3* handle, SqliteConnection::Role role) {
  switch (result) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return Code::kConflict;
    default:
      break;
  }
  if (IsDiskFull(result, handle)) return Code::kInsufficientStorage;
  int primary = result & 0xff;
  if (primary == SQLITE_BUSY) return Code::kUnavailable;
  // On a reader it means that a Read tried to write: a bug, not a disk.
  if (primary == SQLITE_READONLY && role == SqliteConnection::Role::kWriter) {
    return Code::kInsufficientStorage;
  }
  return Code::kInternal;
}

}  // namespace

// A statement taken out of the cache for one run, so that a nested run of the same SQL gets a
// second one instead of resetting the first.
class SqliteConnection::Lease {
 public:
  Lease(SqliteConnection& owner, std::string_view sql)
      : owner_(owner), sql_(sql), statement_(owner.Take(sql)) {}
  ~Lease() { owner_.Return(sql_, statement_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  sqlite3_stmt* get() const { return statement_; }

 private:
  SqliteConnection& owner_;
  const std::string_view sql_;
  sqlite3_stmt* const statement_;
};

SqliteConnection::SqliteConnection(const std::filesystem::path& file, Role role)
    : file_(file), role_(role) {
  int result =
      sqlite3_open_v2(file.c_str(), &handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (result != SQLITE_OK) Throw(result, "open");
    sqlite3_busy_timeout(handle_, kBusyTimeoutMillis);
    ExecScript(kCommonPragmas);
    ExecScript(role == Role::kWriter ? kWriterPragmas : kReaderPragmas);
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

SqliteConnection::~SqliteConnection() {
  for (Cached& cached : cache_) sqlite3_finalize(cached.second);
  sqlite3_close(handle_);
}

void SqliteConnection::Throw(int result, std::string_view doing) {
  std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(result);
  throw Error(CodeOf(result, handle_, role_),
              "database " + file_.string() + ": " + reason + " (in: " + std::string(doing) + ")");
}

sqlite3_stmt* SqliteConnection::Take(std::string_view sql) {
  if (auto found = by_sql_.find(sql); found != by_sql_.end()) {
    sqlite3_stmt* statement = found->second->second;
    auto node = found->second;
    by_sql_.erase(found);
    cache_.erase(node);
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, &tail);
  if (result != SQLITE_OK) Throw(result, sql);
  std::string_view rest(tail, static_cast<size_t>(sql.data() + sql.size() - tail));
  if (statement == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    sqlite3_finalize(statement);
    throw Error(Code::kInternal, "not exactly one SQL statement: " + std::string(sql));
  }
  return statement;
}

void SqliteConnection::Return(std::string_view sql, sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (by_sql_.count(sql) > 0) {  // a nested run has put its twin back already
    sqlite3_finalize(statement);
    return;
  }
  try {
    cache_.emplace_front(std::string(sql), statement);
    by_sql_.emplace(cache_.front().first, cache_.begin());
  } catch (const std::bad_alloc&) {
    if (!cache_.empty() && cache_.front().second == statement) cache_.pop_front();
    sqlite3_finalize(statement);
    return;
  }
  if (cache_.size() > kMaxCachedStatements) {
    by_sql_.erase(cache_.back().first);
    sqlite3_finalize(cache_.back().second);
    cache_.pop_back();
  }
}

void SqliteConnection::Bind(sqlite3_stmt* statement, std::string_view sql, const DbArgs& args) {
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(args.size())) {
    throw Error(Code::kInternal,
                std::to_string(args.size()) + " arguments do not fit the SQL: " + std::string(sql));
  }
  // SQLITE_STATIC: the arguments outlive the run, and Return clears the bindings.
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) { return sqlite3_bind_null(statement, index); }
    int operator()(int64_t value) { return sqlite3_bind_int64(statement, index, value); }
    int operator()(double value) { return sqlite3_bind_double(statement, index, value); }
    int operator()(const std::string& value) {
      return sqlite3_bind_text64(statement, index, value.data(), value.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    int operator()(const BlobValue& value) {
      return sqlite3_bind_blob64(statement, index, value.bytes.data(), value.bytes.size(),
                                 SQLITE_STATIC);
    }
  };
  int index = 0;
  for (const DbValue& arg : args) {
    int result = std::visit(Binder{statement, ++index}, arg.variant());
    if (result != SQLITE_OK) Throw(result, sql);
  }
}

void SqliteConnection::CheckTransaction() const {
  if (in_transaction_ && sqlite3_get_autocommit(handle_) != 0) {
    throw Error(Code::kInternal,
                "database " + file_.string() + ": the transaction has already ended by an error");
  }
}

int64_t SqliteConnection::Exec(std::string_view sql, const DbArgs& args) {
  CheckTransaction();
  Lease lease(*this, sql);
  Bind(lease.get(), sql, args);
  int64_t before = sqlite3_total_changes64(handle_);
  int result;
  do {
    result = sqlite3_step(lease.get());
  } while (result == SQLITE_ROW);
  if (result != SQLITE_DONE) Throw(result, sql);
  // changes64 keeps the count of the previous statement when this one changes no rows by nature.
  return sqlite3_total_changes64(handle_) == before ? 0 : sqlite3_changes64(handle_);
}

void SqliteConnection::Query(std::string_view sql, const DbArgs& args,
                             const std::function<void(const Row&)>& each) {
  CheckTransaction();
  Lease lease(*this, sql);
  Bind(lease.get(), sql, args);
  SqliteRow row(lease.get());
  for (;;) {
    int result = sqlite3_step(lease.get());
    if (result == SQLITE_DONE) return;
    if (result != SQLITE_ROW) Throw(result, sql);
    each(row);
  }
}

void SqliteConnection::ExecScript(std::string_view sql) {
  CheckTransaction();
  std::string script(sql);
  int result = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) Throw(result, script);
}

int64_t SqliteConnection::LastInsertId() { return sqlite3_last_insert_rowid(handle_); }

void SqliteConnection::Begin() {
  // IMMEDIATE takes the write lock at once: a transaction that read first could not get it later
  // without losing its snapshot.
  Exec(role_ == Role::kWriter ? "BEGIN IMMEDIATE" : "BEGIN", {});
  in_transaction_ = true;
}

void SqliteConnection::Commit() {
  CheckTransaction();
  Exec("COMMIT", {});
  in_transaction_ = false;
}

void SqliteConnection::Rollback() noexcept {
  in_transaction_ = false;
  if (sqlite3_get_autocommit(handle_) != 0) return;
  // Cannot fail in a way that matters: SQLite undoes the transaction even when it reports an error.
  sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace hearth::storage::internal
