#include "storage/db/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/error.h"

namespace hearth::storage {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-db-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ / "hearth.db";
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Database> OpenWithTable() {
    auto database = Database::OpenSqlite(file_);
    database->Migrate(kTable);
    return database;
  }
  static int64_t CountRows(Database& database) {
    return database.ReadValue(
        [](Connection& connection) { return *connection.QueryInt("SELECT COUNT(*) FROM item"); });
  }
  static void Insert(Connection& connection, std::string_view name) {
    connection.Exec("INSERT INTO item(name) VALUES(?)", {name});
  }
  template <typename F>
  static Code CodeOf(F action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return Code::kUnimplemented;
  }

  static inline const std::vector<Migration> kTable = {
      {1,
       "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB);"
       "CREATE TABLE child(item_id BIGINT NOT NULL REFERENCES item(id));"}};
  std::filesystem::path folder_, file_;
};

TEST_F(DatabaseTest, ValuesOfEveryTypeComeBackAsStored) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) {
    connection.Exec("CREATE TABLE v(a, b, c, d, e, f)");
    std::string bytes("\0\xFFz", 3);
    connection.Exec("INSERT INTO v VALUES(?, ?, ?, ?, ?, ?)",
                    {int64_t{-5}, 2.5, "text\0more", BlobValue{bytes}, nullptr,
                     std::optional<std::string>("x")});
    connection.Exec("UPDATE v SET c = ?", {std::string("in\0side", 7)});
  });
  int rows = 0;
  database->Read([&](Connection& connection) {
    connection.Query("SELECT a, b, c, d, e, f, typeof(d) FROM v", {}, [&](const Row& row) {
      ++rows;
      EXPECT_EQ(row.Int(0), -5);
      EXPECT_EQ(row.Real(1), 2.5);
      EXPECT_EQ(row.Str(2), std::string("in\0side", 7));
      EXPECT_EQ(row.Text(3), std::string_view("\0\xFFz", 3));
      EXPECT_TRUE(row.IsNull(4));
      EXPECT_EQ(row.OptionalInt(4), std::nullopt);
      EXPECT_EQ(row.OptionalStr(5), "x");
      EXPECT_EQ(row.Text(6), "blob");
    });
  });
  EXPECT_EQ(rows, 1);
}

TEST_F(DatabaseTest, ExecReportsChangedRowsAndNoneForDefinitions) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) {
    Insert(connection, "a");
    Insert(connection, "b");
    EXPECT_EQ(connection.LastInsertId(), 2);
    EXPECT_EQ(connection.Exec("UPDATE item SET body = 'x'"), 2);
    EXPECT_EQ(connection.Exec("CREATE INDEX i ON item(body)"), 0);
    EXPECT_EQ(connection.Exec("DELETE FROM item WHERE name = 'zz'"), 0);
  });
}

TEST_F(DatabaseTest, AColumnOfNumbersComesInTheOrderOfTheRows) {
  auto database = OpenWithTable();
  EXPECT_TRUE(database->ReadInts("SELECT id FROM item").empty());
  database->Write([](Connection& connection) {
    for (const char* name : {"a", "b", "c"}) Insert(connection, name);
  });
  EXPECT_EQ(database->ReadInts("SELECT id, name FROM item WHERE name <> ? ORDER BY id DESC", {"b"}),
            (std::vector<int64_t>{3, 1}));
}

TEST_F(DatabaseTest, ThrowingInsideWriteUndoesIt) {
  auto database = OpenWithTable();
  EXPECT_THROW(database->Write([](Connection& connection) {
    Insert(connection, "a");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(CountRows(*database), 0);
  database->Write([](Connection& connection) { Insert(connection, "a"); });
  EXPECT_EQ(CountRows(*database), 1);
}

TEST_F(DatabaseTest, BrokenConstraintsAreConflictsAndTheTransactionMayGoOn) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) {
    Insert(connection, "a");
    EXPECT_EQ(CodeOf([&] { Insert(connection, "a"); }), Code::kConflict);
    EXPECT_EQ(CodeOf([&] { connection.Exec("INSERT INTO item(id, name) VALUES(1, 'q')"); }),
              Code::kConflict);
    EXPECT_EQ(CodeOf([&] { connection.Exec("INSERT INTO child VALUES(77)"); }), Code::kConflict);
    EXPECT_EQ(CodeOf([&] { connection.Exec("INSERT INTO item(name) VALUES(NULL)"); }),
              Code::kInternal);
    Insert(connection, "b");
  });
  EXPECT_EQ(CountRows(*database), 2);
}

TEST_F(DatabaseTest, WrongSqlAndWrongArgumentCountsAreInternalErrors) {
  auto database = OpenWithTable();
  database->Read([](Connection& connection) {
    for (const char* sql : {"SELEC 1", "", "SELECT 1; SELECT 2", "SELECT ?"}) {
      EXPECT_EQ(CodeOf([&] { connection.QueryInt(sql); }), Code::kInternal) << sql;
    }
    EXPECT_EQ(connection.QueryInt("SELECT 7 ; "), 7);
    EXPECT_EQ(
        CodeOf([&] { connection.QueryOne("SELECT 1", {}, [](const Row& r) { return r.Int(1); }); }),
        Code::kInternal);
  });
}

TEST_F(DatabaseTest, ReadersCannotWrite) {
  auto database = OpenWithTable();
  EXPECT_EQ(CodeOf([&] { database->Read([](Connection& c) { Insert(c, "a"); }); }),
            Code::kInternal);
}

TEST_F(DatabaseTest, TheSameQueryNestsInItself) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) {
    Insert(connection, "a");
    Insert(connection, "b");
  });
  std::string seen;
  database->Read([&](Connection& connection) {
    const char* sql = "SELECT name FROM item ORDER BY id";
    connection.Query(sql, {}, [&](const Row& outer) {
      seen += outer.Str(0) + ":";
      connection.Query(sql, {}, [&](const Row& inner) { seen += inner.Text(0); });
      seen += ' ';
    });
  });
  EXPECT_EQ(seen, "a:ab b:ab ");
}

TEST_F(DatabaseTest, WriteInsideWriteIsAnErrorAndReadInsideWriteSeesTheOldState) {
  auto database = OpenWithTable();
  database->Write([&](Connection& connection) {
    Insert(connection, "a");
    EXPECT_EQ(CountRows(*database), 0);
    EXPECT_EQ(CodeOf([&] { database->Write([](Connection&) {}); }), Code::kInternal);
  });
  EXPECT_EQ(CountRows(*database), 1);
}

TEST_F(DatabaseTest, ReadKeepsItsSnapshotWhileOthersCommit) {
  auto database = OpenWithTable();
  database->Read([&](Connection& connection) {
    EXPECT_EQ(connection.QueryInt("SELECT COUNT(*) FROM item"), 0);
    std::thread([&] { database->Write([](Connection& c) { Insert(c, "a"); }); }).join();
    EXPECT_EQ(connection.QueryInt("SELECT COUNT(*) FROM item"), 0);
    EXPECT_EQ(CountRows(*database), 0) << "a Read inside a Read is in the same snapshot";
  });
  EXPECT_EQ(CountRows(*database), 1);
}

TEST_F(DatabaseTest, ReadersAndWritersOfManyThreadsSeeWholeTransactions) {
  auto database = OpenWithTable();
  constexpr int kWriters = 3, kRounds = 40;
  std::atomic<bool> done{false};
  std::atomic<int> odd{0};
  std::vector<std::thread> writers, readers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kRounds; ++i) {
        database->Write([&](Connection& connection) {
          std::string name = std::to_string(w) + "/" + std::to_string(i);
          Insert(connection, name + "a");
          Insert(connection, name + "b");
        });
      }
    });
  }
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!done) odd += CountRows(*database) % 2;
    });
  }
  for (auto& writer : writers) writer.join();
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(odd, 0);
  EXPECT_EQ(CountRows(*database), 2 * kWriters * kRounds);
}

TEST_F(DatabaseTest, MigrationsApplyOnceAndInOrder) {
  std::vector<Migration> two = kTable;
  two.push_back({2, "ALTER TABLE item ADD COLUMN extra TEXT; CREATE TABLE late(x)"});
  OpenWithTable();
  auto database = Database::OpenSqlite(file_);
  database->Migrate(two);
  database->Migrate(two);
  EXPECT_EQ(database->ReadValue([](Connection& c) {
    return *c.QueryInt("SELECT COUNT(extra) + (SELECT COUNT(*) FROM late) FROM item");
  }),
            0);
}

TEST_F(DatabaseTest, ANewerDatabaseIsRefused) {
  auto database = OpenWithTable();
  EXPECT_EQ(CodeOf([&] { database->Migrate({}); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { database->Migrate({{2, "SELECT 1"}}); }), Code::kInternal);
}

TEST_F(DatabaseTest, AMigrationThatFailsLeavesNothingBehind) {
  auto database = OpenWithTable();
  std::vector<Migration> two = kTable;
  two.push_back({2, "CREATE TABLE half(x); INSERT INTO nowhere VALUES(1)"});
  EXPECT_EQ(CodeOf([&] { database->Migrate(two); }), Code::kInternal);
  two[1].sql = "CREATE TABLE half(x)";
  database->Migrate(two);
}

TEST_F(DatabaseTest, ChangeCounterNoticesOwnAndForeignCommits) {
  auto database = OpenWithTable();
  int64_t start = database->ChangeCounter();
  EXPECT_EQ(database->ChangeCounter(), start);
  database->Write([](Connection& connection) { Insert(connection, "a"); });
  int64_t own = database->ChangeCounter();
  EXPECT_NE(own, start);
  Database::OpenSqlite(file_)->Write([](Connection& connection) { Insert(connection, "b"); });
  EXPECT_NE(database->ChangeCounter(), own);
}

TEST_F(DatabaseTest, ABackupIsWholeAndDoesNotOverwrite) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) { Insert(connection, "a"); });
  auto copy = folder_ / "copy.db";
  database->BackupTo(copy);
  database->Write([](Connection& connection) { Insert(connection, "b"); });
  EXPECT_EQ(CodeOf([&] { database->BackupTo(copy); }), Code::kConflict);
  auto reopened = Database::OpenSqlite(copy);
  EXPECT_EQ(CountRows(*reopened), 1);
  EXPECT_THAT(reopened->CheckIntegrity(), testing::IsEmpty());
}

TEST_F(DatabaseTest, IntegrityCheckReportsDamage) {
  {
    auto database = OpenWithTable();
    database->Write([](Connection& connection) {
      for (int i = 0; i < 2000; ++i) Insert(connection, "name-" + std::to_string(i));
    });
    EXPECT_THAT(database->CheckIntegrity(), testing::IsEmpty());
  }
  // Closing the last connection has folded the log into the file.
  FILE* raw = std::fopen(file_.c_str(), "r+");
  std::fseek(raw, 4096 * 6 + 1000, SEEK_SET);
  for (int i = 0; i < 3000; ++i) std::fputc(0xA5, raw);
  std::fclose(raw);
  std::vector<std::string> faults;
  try {
    faults = Database::OpenSqlite(file_)->CheckIntegrity();
  } catch (const Error& error) {
    faults.push_back(error.message());
  }
  EXPECT_THAT(faults, testing::Not(testing::IsEmpty()));
}

TEST_F(DatabaseTest, NoDatabaseWhereTheFolderIsMissingOrTheFileIsSomethingElse) {
  EXPECT_EQ(CodeOf([&] { Database::OpenSqlite(folder_ / "none" / "x.db"); }), Code::kInternal);
  FILE* raw = std::fopen(file_.c_str(), "w");
  for (int i = 0; i < 3000; ++i) std::fputs("not a database", raw);
  std::fclose(raw);
  EXPECT_EQ(CodeOf([&] { Database::OpenSqlite(file_); }), Code::kInternal);
}

TEST_F(DatabaseTest, TheFileIsPrivate) {
  OpenWithTable();
  EXPECT_EQ(std::filesystem::status(file_).permissions() & std::filesystem::perms::others_all,
            std::filesystem::perms::none);
}

TEST_F(DatabaseTest, GoesOnAfterTheDiskWasFull) {
  auto database = OpenWithTable();
  database->Write([](Connection& connection) { Insert(connection, "before"); });
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  // The write-ahead log cannot grow beyond this, as on a full disk.
  rlimit small{64 * 1024, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string big(200'000, 'x');
  EXPECT_EQ(CodeOf([&] {
              database->Write([&](Connection& connection) {
                Insert(connection, "lost");
                connection.Exec("UPDATE item SET body = ?", {big});
              });
            }),
            Code::kInsufficientStorage);
  EXPECT_EQ(CountRows(*database), 1);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  database->Write([&](Connection& connection) {
    connection.Exec("UPDATE item SET body = ?", {big});
    Insert(connection, "after");
  });
  EXPECT_EQ(CountRows(*database), 2);
  EXPECT_THAT(database->CheckIntegrity(), testing::IsEmpty());
}

TEST_F(DatabaseTest, AFullDatabaseEndsTheTransactionEvenWhenTheErrorIsSwallowed) {
  auto database = OpenWithTable();
  database->Write(
      [](Connection& connection) { connection.ExecScript("PRAGMA max_page_count=20"); });
  std::string big(500'000, 'x');
  EXPECT_THROW(database->Write([&](Connection& connection) {
    Insert(connection, "first");
    EXPECT_EQ(CodeOf([&] { connection.Exec("UPDATE item SET body = ?", {big}); }),
              Code::kInsufficientStorage);
    Insert(connection, "second");
    throw std::runtime_error("stop");
  }),
               std::exception);
  EXPECT_EQ(CountRows(*database), 0);
  database->Write([](Connection& connection) { Insert(connection, "small"); });
  EXPECT_EQ(CountRows(*database), 1);
}

TEST_F(DatabaseTest, AcknowledgedWritesSurviveKill) {
  OpenWithTable();
  for (int round = 0; round < 3; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
      auto database = Database::OpenSqlite(file_);
      for (int i = 0;; ++i) {
        std::string name = std::to_string(round) + "/" + std::to_string(i);
        database->Write([&](Connection& connection) { Insert(connection, name); });
        char byte = '.';
        if (::write(pipe_ends[1], &byte, 1) != 1) ::_exit(0);
      }
    }
    ::close(pipe_ends[1]);
    char byte;
    int acknowledged = 0;
    while (acknowledged < 30 && ::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
    ::close(pipe_ends[0]);
    ::waitpid(child, nullptr, 0);
    auto database = Database::OpenSqlite(file_);
    int64_t stored = database->ReadValue([&](Connection& c) {
      return *c.QueryInt("SELECT COUNT(*) FROM item WHERE name LIKE ?",
                         {std::to_string(round) + "/%"});
    });
    EXPECT_GE(stored, acknowledged);
    EXPECT_LE(stored, acknowledged + 1);
    EXPECT_THAT(database->CheckIntegrity(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace hearth::storage
