#include "hub/schema.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/random.h"

namespace hearth::hub {
namespace {

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest()
      : root_(std::filesystem::temp_directory_path() /
              ("hearth-schema-" + HexEncode(RandomBytes(8)))) {
    std::filesystem::create_directories(root_);
    db_ = storage::Database::OpenSqlite(root_ / "hearth.db");
  }
  ~SchemaTest() override {
    db_.reset();
    std::filesystem::remove_all(root_);
  }

  // The schema as a program knew it whose newest migration was `number`.
  void MigrateTo(int number) {
    const std::vector<storage::Migration>& all = Migrations();
    db_->Migrate({all.begin(), all.begin() + number});
  }

  std::filesystem::path root_;
  std::unique_ptr<storage::Database> db_;
};

// What clients have seen before the update does not vanish until the conversion comes by.
TEST_F(SchemaTest, XetFormsThatWereShownBeforeTheyWereKeptStayShown) {
  MigrateTo(9);
  db_->Write([](storage::Connection& c) {
    c.ExecScript(R"sql(
      INSERT INTO accounts (id, oid, is_org, name, name_lower, fullname, created_at)
        VALUES (1, 'a', 0, 'ada', 'ada', 'Ada', 0);
      INSERT INTO repos (id, oid, type, owner_id, name, name_lower, creator_id, created_at,
        modified_at) VALUES (1, 'r', 'model', 1, 'm', 'm', 1, 0, 0),
        (2, 's', 'model', 1, 'n', 'n', 1, 0, 0);
      INSERT INTO objects (sha256, size, created_at) VALUES (x'01', 5, 0), (x'02', 5, 0);
      INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at)
        VALUES (1, x'01', 1, 0), (1, x'02', 1, 0), (2, x'02', 1, 0);
      INSERT INTO xet_files (id, hash, size, created_at, leased_at) VALUES (7, x'aa', 5, 0, 0);
      INSERT INTO object_files (sha256, file_id) VALUES (x'01', 7);
    )sql");
  });
  db_->Migrate(Migrations());
  EXPECT_EQ(db_->ReadInts("SELECT repo_id FROM shown_files WHERE file_id = 7"),
            (std::vector<int64_t>{1}));
  // A grant takes along what it shows.
  db_->Write([](storage::Connection& c) { c.ExecScript("DELETE FROM repo_objects"); });
  EXPECT_TRUE(db_->ReadInts("SELECT repo_id FROM shown_files").empty());
}

}  // namespace
}  // namespace hearth::hub
