#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "storage/db/internal/sqlite_connection.h"

namespace hearth::storage {
namespace {

using internal::SqliteConnection;

// More readers than this at once are served, but their connections are closed afterwards.
constexpr size_t kMaxIdleReaders = 16;

class SqliteDatabase;

// What the current thread is inside of, over all databases.
struct ThreadState {
  std::vector<const SqliteDatabase*> writing;
  std::vector<std::pair<const SqliteDatabase*, SqliteConnection*>> reading;
};
thread_local ThreadState thread_state;

class SqliteDatabase : public Database {
 public:
  explicit SqliteDatabase(const std::filesystem::path& file)
      : file_(file),
        writer_(file, SqliteConnection::Role::kWriter),
        watcher_(file, SqliteConnection::Role::kReader) {
    idle_readers_.reserve(kMaxIdleReaders);  // so that giving a reader back cannot fail
  }

  void Read(const std::function<void(Connection&)>& body) override;
  void Write(const std::function<void(Connection&)>& body) override;
  int64_t ChangeCounter() override;
  void BackupTo(const std::filesystem::path& file) override;
  std::vector<std::string> CheckIntegrity() override;

 private:
  // Lends an idle reader, or opens one.
  class Lent {
   public:
    explicit Lent(SqliteDatabase& owner) : owner_(owner), reader_(owner.TakeReader()) {
      thread_state.reading.emplace_back(&owner_, reader_.get());
    }
    ~Lent() {
      thread_state.reading.pop_back();
      owner_.ReturnReader(std::move(reader_));
    }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    SqliteConnection& operator*() const { return *reader_; }
    SqliteConnection* operator->() const { return reader_.get(); }

   private:
    SqliteDatabase& owner_;
    std::unique_ptr<SqliteConnection> reader_;
  };

  std::unique_ptr<SqliteConnection> TakeReader();
  void ReturnReader(std::unique_ptr<SqliteConnection> reader) noexcept;
  void CopyInto(SqliteConnection& source, const std::filesystem::path& file);

  const std::filesystem::path file_;
  std::mutex write_mutex_;
  SqliteConnection writer_;  // by write_mutex_
  std::mutex watch_mutex_;
  SqliteConnection watcher_;  // by watch_mutex_
  std::mutex pool_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_;  // by pool_mutex_
};

std::unique_ptr<SqliteConnection> SqliteDatabase::TakeReader() {
  {
    std::lock_guard lock(pool_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<SqliteConnection>(file_, SqliteConnection::Role::kReader);
}

void SqliteDatabase::ReturnReader(std::unique_ptr<SqliteConnection> reader) noexcept {
  reader->Rollback();
  std::lock_guard lock(pool_mutex_);
  if (idle_readers_.size() < kMaxIdleReaders) idle_readers_.push_back(std::move(reader));
}

void SqliteDatabase::Read(const std::function<void(Connection&)>& body) {
  // A Read inside a Read stays in the same snapshot and needs no second connection.
  for (const auto& [database, reader] : thread_state.reading) {
    if (database == this) return body(*reader);
  }
  Lent reader(*this);
  reader->Begin();
  body(*reader);
}

void SqliteDatabase::Write(const std::function<void(Connection&)>& body) {
  for (const SqliteDatabase* database : thread_state.writing) {
    if (database == this) {
      throw Error(Code::kInternal, "Write inside Write on the same thread would wait for itself");
    }
  }
  std::lock_guard lock(write_mutex_);
  thread_state.writing.push_back(this);
  struct Leave {
    SqliteConnection& writer;
    // After a commit there is nothing left to roll back.
    ~Leave() {
      writer.Rollback();
      thread_state.writing.pop_back();
    }
  } leave{writer_};
  writer_.Begin();
  body(writer_);
  writer_.Commit();
}

int64_t SqliteDatabase::ChangeCounter() {
  // data_version changes when another connection commits, and the watcher never writes: so it sees
  // the writer of this process and every other process alike.
  std::lock_guard lock(watch_mutex_);
  return watcher_.QueryInt("PRAGMA data_version").value_or(0);
}

void SqliteDatabase::CopyInto(SqliteConnection& source, const std::filesystem::path& file) {
  sqlite3* target = nullptr;
  int result = sqlite3_open_v2(file.c_str(), &target, SQLITE_OPEN_READWRITE, nullptr);
  sqlite3_backup* backup = nullptr;
  if (result == SQLITE_OK) {
    backup = sqlite3_backup_init(target, "main", source.handle(), "main");
    // All pages in one step: one snapshot, and in WAL mode writers go on meanwhile.
    if (backup != nullptr) sqlite3_backup_step(backup, -1);
    result = backup != nullptr ? sqlite3_backup_finish(backup) : sqlite3_errcode(target);
  }
  std::string reason = target != nullptr ? sqlite3_errmsg(target) : "out of memory";
  int system_errno = target != nullptr ? sqlite3_system_errno(target) : 0;
  sqlite3_close(target);
  if (result == SQLITE_OK) return;
  bool full = (result & 0xff) == SQLITE_FULL || system_errno == ENOSPC || system_errno == EDQUOT;
  throw Error(full ? Code::kInsufficientStorage : Code::kInternal,
              "backup to " + file.string() + ": " + reason);
}

void SqliteDatabase::BackupTo(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) {
    throw Error(Code::kConflict, "backup target " + file.string() + " exists already");
  }
  TempFile copy(file.has_parent_path() ? file.parent_path() : ".");
  Lent reader(*this);
  CopyInto(*reader, copy.path());
  copy.CommitTo(file);
}

std::vector<std::string> SqliteDatabase::CheckIntegrity() {
  std::vector<std::string> faults;
  Read([&](Connection& connection) {
    connection.Query("PRAGMA integrity_check(100)", {}, [&](const Row& row) {
      if (row.Text(0) != "ok") faults.push_back(row.Str(0));
    });
    connection.Query("PRAGMA foreign_key_check", {}, [&](const Row& row) {
      faults.push_back("row " + row.Str(1) + " of " + row.Str(0) + " refers to a missing row of " +
                       row.Str(2));
    });
  });
  return faults;
}

// SQLite would make the file readable for everybody; it holds token and password hashes. The -wal
// and -shm files take over this mode.
void CreateIfMissing(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    if (errno == EEXIST) return;
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EROFS;
    throw Error(full ? Code::kInsufficientStorage : Code::kInternal,
                "create database " + file.string() + ": " + std::strerror(errno));
  }
  FsyncFile(fd.get(), file.string());
  FsyncFolder(file.has_parent_path() ? file.parent_path() : ".");
}

}  // namespace

std::unique_ptr<Database> Database::OpenSqlite(const std::filesystem::path& file) {
  CreateIfMissing(file);
  return std::make_unique<SqliteDatabase>(file);
}

}  // namespace hearth::storage
