#include "hub/schema.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/random.h"
#include "hub/xet_index.h"

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

// A store from before forms: every row is the first form, and means what it meant.
TEST_F(SchemaTest, RowsFromBeforeFormsStayAsTheyAre) {
  MigrateTo(10);
  db_->Write([](storage::Connection& c) {
    c.ExecScript(R"sql(
      INSERT INTO xorbs (id, hash, body_bytes, unpacked_bytes, created_at, leased_at)
        VALUES (3, x'0000000000000000000000000000000000000000000000000000000000000001',
          10, 20, 1, 2);
      INSERT INTO xorb_uploaders (xorb_id, user_id) VALUES (3, 9);
      INSERT INTO xet_chunks (hash, xorb_id) VALUES (x'0c', 3);
      INSERT INTO xet_files (id, hash, size, created_at, leased_at)
        VALUES (7, x'0000000000000000000000000000000000000000000000000000000000000002', 20, 1, 2);
      INSERT INTO xet_file_xorbs (file_id, xorb_id) VALUES (7, 3);
      INSERT INTO xet_holders (kind, holder_id, file_id, user_id, created_at)
        VALUES (0, 1, 7, 9, 5);
    )sql");
    std::string hash(31, '\0');
    std::string term = hash + '\x01' + std::string("\x14\0\0\0\0\0\0\0\x02\0\0\0", 12);
    c.Exec("INSERT INTO xet_segments (file_id, start, terms) VALUES (7, 0, ?)",
           {storage::BlobValue{term}});
  });
  db_->Migrate(Migrations());
  std::unique_ptr<storage::XorbStore> xorbs = storage::XorbStore::OpenLocal(root_ / "xorbs");
  XetIndex index(*db_, *xorbs, Clock::System());
  std::string raw(32, '\0');
  raw[31] = 1;
  storage::XetHash xorb = storage::XetHash::FromRaw(raw);
  raw[31] = 2;
  storage::XetHash file = storage::XetHash::FromRaw(raw);
  std::vector<StoredXorb> forms = index.FindXorbs(xorb);
  ASSERT_EQ(forms.size(), 1u);
  EXPECT_EQ(forms[0].id, 3);
  EXPECT_EQ(forms[0].form, 0);
  EXPECT_TRUE(index.HasUploaded(3, 9));
  EXPECT_GT(db_->ReadInts("SELECT told_at FROM xorb_uploaders").at(0), 1'600'000'000'000);
  std::optional<XetFile> held = index.FindFileOf(XetHolder::kRepo, 1, file);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->id, 7);
  auto segment = index.TermsOf(*held)->SegmentAt(0);
  EXPECT_EQ(segment->terms, (std::vector<storage::XetTerm>{{xorb, 20, 0, 2}}));
  EXPECT_EQ(index.FindFileOf(XetHolder::kRepo, 2, file), std::nullopt);
}

}  // namespace
}  // namespace hearth::hub
