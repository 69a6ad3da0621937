// The metadata database behind one interface. SQLite (WAL) is the default; SQL is the common
// dialect with '?' placeholders, so that another engine can stand behind the same interface.
//
// Thread rule: Database is thread-safe. A Connection is lent to one thread for the length of a Read
// or Write call. Durability: when Write returns, its transaction is on disk (synchronous=FULL).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hearth::storage {

// Bytes bound as a BLOB, not as TEXT.
struct BlobValue {
  std::string bytes;
};

// NULL, INTEGER, REAL, TEXT or BLOB. Implicit from the usual types.
class DbValue {
 public:
  DbValue() = default;
  DbValue(std::nullptr_t) {}
  DbValue(bool value) : value_(int64_t{value}) {}
  DbValue(int value) : value_(int64_t{value}) {}
  DbValue(int64_t value) : value_(value) {}
  DbValue(uint64_t value) : value_(static_cast<int64_t>(value)) {}
  DbValue(double value) : value_(value) {}
  DbValue(const char* value) : value_(std::string(value)) {}
  DbValue(std::string value) : value_(std::move(value)) {}
  DbValue(std::string_view value) : value_(std::string(value)) {}
  DbValue(BlobValue value) : value_(std::move(value)) {}
  template <typename T>
  DbValue(const std::optional<T>& value) {
    if (value) *this = DbValue(*value);
  }
  const auto& variant() const { return value_; }

 private:
  std::variant<std::monostate, int64_t, double, std::string, BlobValue> value_;
};

using DbArgs = std::vector<DbValue>;

// One result row; valid only inside the callback. Columns count from 0.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(int column) const = 0;
  virtual int64_t Int(int column) const = 0;            // 0 for NULL
  virtual double Real(int column) const = 0;            // 0 for NULL
  virtual std::string_view Text(int column) const = 0;  // "" for NULL; also BLOB bytes
  std::string Str(int column) const { return std::string(Text(column)); }
  std::optional<int64_t> OptionalInt(int column) const;
  std::optional<std::string> OptionalStr(int column) const;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Runs one statement; returns the number of changed rows. A broken UNIQUE or foreign key
  // constraint is Error{kConflict}; a full or read-only disk kInsufficientStorage; else kInternal.
  virtual int64_t Exec(std::string_view sql, const DbArgs& args = {}) = 0;
  virtual void Query(std::string_view sql, const DbArgs& args,
                     const std::function<void(const Row&)>& each) = 0;
  // Runs several statements separated by ';', without arguments or results.
  virtual void ExecScript(std::string_view sql) = 0;
  virtual int64_t LastInsertId() = 0;

  // First row mapped by `read`; nullopt when there is none.
  template <typename F>
  auto QueryOne(std::string_view sql, const DbArgs& args, F read)
      -> std::optional<decltype(read(std::declval<const Row&>()))> {
    std::optional<decltype(read(std::declval<const Row&>()))> result;
    Query(sql, args, [&](const Row& row) {
      if (!result) result = read(row);
    });
    return result;
  }
  std::optional<int64_t> QueryInt(std::string_view sql, const DbArgs& args = {});
  // The first column of all rows, in their order.
  std::vector<int64_t> QueryInts(std::string_view sql, const DbArgs& args = {});
};

struct Migration {
  int number;            // 1, 2, 3, ... without gaps
  std::string_view sql;  // several statements separated by ';'
};

class Database {
 public:
  virtual ~Database() = default;
  // Opens or creates. Throws kInternal/kInsufficientStorage with the path.
  static std::unique_ptr<Database> OpenSqlite(const std::filesystem::path& file);

  // A snapshot read; runs beside writers. The callback may be called once.
  virtual void Read(const std::function<void(Connection&)>& body) = 0;
  // Connection::QueryInts in a read of its own.
  std::vector<int64_t> ReadInts(std::string_view sql, const DbArgs& args = {});
  // One transaction: committed (durably) when the callback returns, rolled back when it throws.
  // Writers queue.
  virtual void Write(const std::function<void(Connection&)>& body) = 0;
  // Applies what is missing, each in its own transaction; throws kConflict when the database is
  // newer than the program.
  void Migrate(const std::vector<Migration>& migrations);
  // Changes whenever anybody (this process or another one) commits: lets a process notice foreign
  // writes.
  virtual int64_t ChangeCounter() = 0;
  // Consistent copy of the database into `file` (hot backup).
  virtual void BackupTo(const std::filesystem::path& file) = 0;
  // Engine's own integrity check; empty = sound.
  virtual std::vector<std::string> CheckIntegrity() = 0;

  template <typename F>
  auto ReadValue(F body) {
    std::optional<decltype(body(std::declval<Connection&>()))> result;
    Read([&](Connection& connection) { result.emplace(body(connection)); });
    return std::move(*result);
  }
  template <typename F>
  auto WriteValue(F body) {
    std::optional<decltype(body(std::declval<Connection&>()))> result;
    Write([&](Connection& connection) { result.emplace(body(connection)); });
    return std::move(*result);
  }
};

}  // namespace hearth::storage
