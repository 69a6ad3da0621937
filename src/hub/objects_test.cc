#include "hub/objects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/accounts.h"
#include "hub/schema.h"

namespace hearth::hub {
namespace {

class ObjectsTest : public ::testing::Test {
 protected:
  ObjectsTest()
      : root_(std::filesystem::temp_directory_path() /
              ("hearth-objects-" + HexEncode(RandomBytes(8)))),
        clock_(FromUnixMillis(1'750'000'000'000)) {
    std::filesystem::create_directories(root_ / "tmp" / "uploads");
    std::filesystem::create_directories(root_ / "git");
    std::filesystem::create_directories(root_ / "blobs");
    db_ = storage::Database::OpenSqlite(root_ / "hearth.db");
    db_->Migrate(Migrations());
    blobs_ = storage::BlobStore::OpenLocal(root_ / "blobs");
    accounts_ = std::make_unique<Accounts>(*db_, clock_);
    repos_ = std::make_unique<Repos>(*db_, *accounts_, clock_, root_ / "git");
    Restart();
    alice_ = MakeUser("alice");
    bob_ = MakeUser("bob");
  }
  ~ObjectsTest() override { std::filesystem::remove_all(root_); }

  // What a new process would see.
  void Restart() {
    xorbs_ = storage::XorbStore::OpenLocal(root_ / "xorbs");
    xet_index_ = std::make_unique<XetIndex>(*db_, *xorbs_, clock_);
    sweep_lock_ = std::make_unique<SweepLock>(root_ / "sweep.lock");
    objects_ = std::make_unique<Objects>(
        Objects::Parts{*db_, *blobs_, *xet_index_, *sweep_lock_, *repos_, clock_},
        root_ / "tmp" / "uploads");
  }

  Actor MakeUser(const std::string& name) {
    AccountPtr user = accounts_->CreateUser(name, "correct horse battery", "", false);
    NewToken token;
    token.name = "t";
    token.role = TokenRole::kWrite;
    return accounts_->AuthenticateToken(accounts_->CreateToken(user->id, token).second);
  }

  RepoHandle MakeRepo(const Actor& owner, const std::string& name, bool is_private) {
    NewRepo repo;
    repo.name = name;
    repo.is_private = is_private;
    return repos_->Create(owner, repo);
  }

  TempFile FileWith(std::string_view bytes) {
    TempFile file(blobs_->temp_folder());
    file.Append(bytes);
    return file;
  }

  Sha256 StoreIn(const RepoHandle& repo, const Actor& pusher, const std::string& bytes) {
    Sha256 oid = Sha256Of(bytes);
    objects_->Store(repo.record().id, pusher.user_id, oid, bytes.size(), FileWith(bytes), oid);
    return oid;
  }

  std::string Content(const Sha256& oid) {
    std::unique_ptr<ByteSource> source = objects_->OpenSource(oid);
    return source->Read(0, source->size_bytes());
  }

  Code CodeOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Code::kInternal;
  }

  std::filesystem::path root_;
  ManualClock clock_;
  std::unique_ptr<storage::Database> db_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Repos> repos_;
  std::unique_ptr<storage::XorbStore> xorbs_;
  std::unique_ptr<XetIndex> xet_index_;
  std::unique_ptr<SweepLock> sweep_lock_;
  std::unique_ptr<Objects> objects_;
  Actor alice_, bob_;
};

// 10 bytes in parts of 4, 4 and 2.
const std::string kWhole = "0123456789";

TEST_F(ObjectsTest, StoredContentIsReadableAndKnownWithItsSize) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = StoreIn(repo, alice_, "weights");
  EXPECT_EQ(objects_->FindIn(repo.record(), oid), 7u);
  EXPECT_EQ(Content(oid), "weights");
}

TEST_F(ObjectsTest, StoringTheSameContentTwiceIsFine) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  StoreIn(repo, alice_, "weights");
  Sha256 oid = StoreIn(repo, alice_, "weights");
  EXPECT_EQ(Content(oid), "weights");
}

TEST_F(ObjectsTest, ALyingDigestOrSizeIsRefusedAndStoresNothing) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 claimed = Sha256Of("something else");
  Sha256 actual = Sha256Of("weights");
  int64_t id = repo.record().id;
  EXPECT_EQ(CodeOf([&] { objects_->Store(id, 1, claimed, 7, FileWith("weights"), actual); }),
            Code::kUnprocessable);
  EXPECT_EQ(CodeOf([&] { objects_->Store(id, 1, actual, 8, FileWith("weights"), actual); }),
            Code::kUnprocessable);
  EXPECT_FALSE(objects_->FindIn(repo.record(), actual));
  EXPECT_FALSE(blobs_->FindSize(actual));
}

TEST_F(ObjectsTest, KnowingTheDigestOfAPrivateFileGivesNothing) {
  RepoHandle secret = MakeRepo(alice_, "secret", true);
  Sha256 oid = StoreIn(secret, alice_, "private weights");
  RepoHandle own = MakeRepo(bob_, "own", false);
  EXPECT_FALSE(objects_->FindIn(own.record(), oid));
  EXPECT_FALSE(objects_->GrantFromReadable(bob_, own, oid));
  EXPECT_FALSE(objects_->FindIn(own.record(), oid));
}

TEST_F(ObjectsTest, ReadableContentIsSharedWithoutAnUpload) {
  RepoHandle open = MakeRepo(alice_, "open", false);
  Sha256 oid = StoreIn(open, alice_, "public weights");
  RepoHandle own = MakeRepo(bob_, "own", false);
  EXPECT_TRUE(objects_->GrantFromReadable(bob_, own, oid));
  EXPECT_EQ(objects_->FindIn(own.record(), oid), 14u);
}

TEST_F(ObjectsTest, AGatedRepositoryDoesNotShareWithStrangers) {
  RepoHandle gated = MakeRepo(alice_, "gated", false);
  RepoSettings settings;
  settings.gated = Gated::kManual;
  repos_->UpdateSettings(gated, settings);
  Sha256 oid = StoreIn(gated, alice_, "gated weights");
  RepoHandle own = MakeRepo(bob_, "own", false);
  EXPECT_FALSE(objects_->GrantFromReadable(bob_, own, oid));
}

TEST_F(ObjectsTest, HeldObjectsAreListedInPagesAndCanBeGivenUp) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  RepoHandle other = MakeRepo(alice_, "other", false);
  std::vector<Sha256> oids = {StoreIn(repo, alice_, "a"), StoreIn(repo, alice_, "b"),
                              StoreIn(repo, alice_, "c")};
  StoreIn(other, alice_, "a");
  std::sort(oids.begin(), oids.end());
  std::vector<HeldObject> first = objects_->List(repo.record(), std::nullopt, 2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].oid, oids[0]);
  EXPECT_EQ(first[0].size_bytes, 1u);
  EXPECT_EQ(first[0].pusher_id, alice_.user_id);
  std::vector<HeldObject> rest = objects_->List(repo.record(), first[1].oid, 2);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].oid, oids[2]);
  uint64_t version = repos_->FindById(repo.record().id)->version;
  objects_->Revoke(repo, oids);
  EXPECT_TRUE(objects_->List(repo.record(), std::nullopt, 10).empty());
  EXPECT_FALSE(objects_->FindIn(repo.record(), Sha256Of("a")));
  EXPECT_GT(repos_->FindById(repo.record().id)->version, version);
  EXPECT_EQ(objects_->FindIn(other.record(), Sha256Of("a")), 1u);
}

TEST_F(ObjectsTest, PartsInAnyOrderMakeTheWhole) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = Sha256Of(kWhole);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, 10, 4);
  std::string third = objects_->PutPart(upload.id, 3, FileWith("89"));
  std::string first = objects_->PutPart(upload.id, 1, FileWith("0123"));
  std::string second = objects_->PutPart(upload.id, 2, FileWith("4567"));
  objects_->Finish(upload.id, {{2, second}, {1, "\"" + first + "\""}, {3, third}});
  EXPECT_EQ(objects_->FindIn(repo.record(), oid), 10u);
  EXPECT_EQ(Content(oid), kWhole);
  EXPECT_FALSE(objects_->FindUpload(upload.id));
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "tmp" / "uploads"));
}

TEST_F(ObjectsTest, AnUploadGoesOnAfterARestart) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = Sha256Of(kWhole);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, 10, 4);
  std::string first = objects_->PutPart(upload.id, 1, FileWith("0123"));
  std::string third = objects_->PutPart(upload.id, 3, FileWith("89"));
  Restart();
  MultipartUpload again = objects_->Begin(repo, alice_.user_id, oid, 10, 4);
  EXPECT_EQ(again.id, upload.id);
  EXPECT_EQ(again.stored_parts, (std::vector<int>{1, 3}));
  EXPECT_EQ(again.etags, (std::vector<std::string>{first, third}));
  std::string second = objects_->PutPart(again.id, 2, FileWith("4567"));
  objects_->Finish(again.id, {{1, first}, {2, second}, {3, third}});
  EXPECT_EQ(Content(oid), kWhole);
}

TEST_F(ObjectsTest, APartSentAgainReplacesTheFirst) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = Sha256Of(kWhole);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, 10, 4);
  std::string wrong = objects_->PutPart(upload.id, 1, FileWith("xxxx"));
  std::string second = objects_->PutPart(upload.id, 2, FileWith("4567"));
  std::string right = objects_->PutPart(upload.id, 1, FileWith("0123"));
  std::string third = objects_->PutPart(upload.id, 3, FileWith("89"));
  EXPECT_EQ(CodeOf([&] {
              objects_->Finish(upload.id, {{1, wrong}, {2, second}, {3, third}});
            }),
            Code::kInvalidArgument);
  objects_->Finish(upload.id, {{1, right}, {2, second}, {3, third}});
  EXPECT_EQ(Content(oid), kWhole);
}

TEST_F(ObjectsTest, PartsThatDoNotFitAreRefused) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, Sha256Of(kWhole), 10, 4);
  EXPECT_EQ(CodeOf([&] { objects_->PutPart(upload.id, 0, FileWith("0123")); }),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { objects_->PutPart(upload.id, 4, FileWith("0123")); }),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { objects_->PutPart(upload.id, 3, FileWith("8901")); }),
            Code::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { objects_->PutPart("7-unknown", 1, FileWith("0123")); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { objects_->Finish(upload.id, {}); }), Code::kInvalidArgument);
}

TEST_F(ObjectsTest, AWholeWithAnotherDigestIsRefusedAndForgotten) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = Sha256Of("9876543210");
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, 10, 10);
  std::string etag = objects_->PutPart(upload.id, 1, FileWith(kWhole));
  EXPECT_EQ(CodeOf([&] { objects_->Finish(upload.id, {{1, etag}}); }), Code::kUnprocessable);
  EXPECT_FALSE(objects_->FindIn(repo.record(), oid));
  EXPECT_FALSE(blobs_->FindSize(Sha256Of(kWhole)));
  EXPECT_TRUE(objects_->Begin(repo, alice_.user_id, oid, 10, 10).stored_parts.empty());
}

TEST_F(ObjectsTest, FinishingTwiceAtOnceSucceedsTwice) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  std::string bytes(3 << 20, 'w');
  Sha256 oid = Sha256Of(bytes);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, bytes.size(), 4 << 20);
  std::string etag = objects_->PutPart(upload.id, 1, FileWith(bytes));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_NO_THROW(objects_->Finish(upload.id, {{1, etag}})); });
  }
  for (std::thread& thread : threads) thread.join();
  Restart();
  EXPECT_NO_THROW(objects_->Finish(upload.id, {{1, etag}}));
  EXPECT_EQ(objects_->FindIn(repo.record(), oid), bytes.size());
}

TEST_F(ObjectsTest, AnotherPartSizeStartsAgain) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  Sha256 oid = Sha256Of(kWhole);
  MultipartUpload upload = objects_->Begin(repo, alice_.user_id, oid, 10, 4);
  objects_->PutPart(upload.id, 1, FileWith("0123"));
  EXPECT_TRUE(objects_->Begin(repo, alice_.user_id, oid, 10, 5).stored_parts.empty());
}

TEST_F(ObjectsTest, OldUploadsAndFoldersWithoutARowExpire) {
  RepoHandle repo = MakeRepo(alice_, "m", false);
  MultipartUpload old = objects_->Begin(repo, alice_.user_id, Sha256Of(kWhole), 10, 4);
  objects_->PutPart(old.id, 1, FileWith("0123"));
  std::filesystem::create_directories(root_ / "tmp" / "uploads" / "99-left-behind");
  clock_.Advance(std::chrono::hours(48));
  MultipartUpload fresh = objects_->Begin(repo, alice_.user_id, Sha256Of("other"), 5, 5);
  objects_->PutPart(fresh.id, 1, FileWith("other"));
  objects_->ExpireUploads(clock_.Now() - std::chrono::hours(24));
  EXPECT_FALSE(objects_->FindUpload(old.id));
  EXPECT_TRUE(objects_->FindUpload(fresh.id));
  EXPECT_FALSE(std::filesystem::exists(root_ / "tmp" / "uploads" / old.id));
  EXPECT_FALSE(std::filesystem::exists(root_ / "tmp" / "uploads" / "99-left-behind"));
}

}  // namespace
}  // namespace hearth::hub
