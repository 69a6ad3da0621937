#include "hub/buckets.h"

#include <gmock/gmock.h>

#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_upload_fixture.h"

namespace hearth::hub {
namespace {

using storage::XetHash;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BucketsTest : public ScratchHubTest {
 protected:
  BucketsTest() : bucket_(buckets().Create(alice_, "", "data", /*is_private=*/true)) {}

  Buckets& buckets() { return hub_->buckets(); }
  BucketHandle Open(const Actor& actor, const BucketHandle& bucket, Right right = Right::kWrite) {
    return buckets().Open(actor, bucket.record().FullName(), right);
  }
  static XetScope Scope(const BucketHandle& bucket, const Actor& actor) {
    return {XetHolder::kBucket, bucket.record().id, actor.user_id, true, true};
  }
  // What a client does before it names the file in a batch.
  XetHash Upload(const BucketHandle& bucket, const Actor& actor, const std::string& bytes) {
    XetUpload upload;
    XetHash hash = upload.AddFile(bytes, /*with_sha256=*/false).hash;
    upload.Send(hub_->xet(), Scope(bucket, actor));
    return hash;
  }
  void Put(const BucketHandle& bucket, const std::string& path, const std::string& bytes) {
    BucketAdd add{path, Upload(bucket, alice_, bytes), {}, ""};
    EXPECT_THAT(buckets().Apply(alice_, bucket, {add}).failed, IsEmpty());
  }
  std::vector<std::string> Paths(std::string_view prefix, bool recursive) {
    std::vector<std::string> paths;
    Buckets::TreeOptions options;
    options.recursive = recursive;
    for (const BucketEntry& entry : buckets().Tree(bucket_, prefix, options).entries) {
      paths.push_back(entry.file.path + (entry.is_folder ? "/" : ""));
    }
    return paths;
  }
  // The reason why a copy into bob's bucket is refused; "" = it was done.
  std::string CopyAsBob(const std::string& type, const std::string& id, const XetHash& hash) {
    BucketHandle mine = buckets().Create(bob_, "me", "b" + NewObjectId(), true);
    BucketBatchResult result =
        buckets().Apply(bob_, mine, {BucketCopy{{"copy", hash, {}, ""}, type, id}});
    return result.failed.empty() ? "" : result.failed[0].reason;
  }
  BucketRecord Now() { return Open(alice_, bucket_).record(); }

  BucketHandle bucket_;
};

TEST_F(BucketsTest, AddedFilesAreListedWithTheirSizesAndTotals) {
  XetHash hash = Upload(bucket_, alice_, "hello");
  clock_.Advance(std::chrono::seconds(5));
  BucketAdd add{"a/hello.txt", hash, FromUnixMillis(1000), "text/plain"};
  BucketBatchResult result = buckets().Apply(alice_, bucket_, {add});
  EXPECT_EQ(result.processed, 1u);
  EXPECT_THAT(result.failed, IsEmpty());

  std::optional<BucketFile> file = buckets().FindFile(bucket_, "a/hello.txt");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->file.hash, hash);
  EXPECT_EQ(file->file.size_bytes, 5u);
  EXPECT_EQ(file->content_type, "text/plain");
  EXPECT_EQ(file->modified_at, FromUnixMillis(1000));
  EXPECT_EQ(file->uploaded_at, clock_.Now());
  EXPECT_EQ(Now().size_bytes, 5u);
  EXPECT_EQ(Now().files, 1u);
  EXPECT_EQ(Now().updated_at, clock_.Now());
}

TEST_F(BucketsTest, ReplacingAndDeletingKeepTheTotalsRight) {
  Put(bucket_, "a", "four");
  Put(bucket_, "b", "sixsix");
  Put(bucket_, "a", "eighteight");
  EXPECT_EQ(Now().size_bytes, 16u);
  EXPECT_EQ(Now().files, 2u);
  buckets().Apply(alice_, bucket_, {BucketDelete{"a"}, BucketDelete{"a"}});
  EXPECT_EQ(Now().size_bytes, 6u);
  EXPECT_EQ(Now().files, 1u);
}

TEST_F(BucketsTest, DeletingWhatIsNotThereSucceedsForARepeatedBatch) {
  EXPECT_THAT(buckets().Apply(alice_, bucket_, {BucketDelete{"none"}}).failed, IsEmpty());
}

TEST_F(BucketsTest, TheEmptyFileNeedsNoUpload) {
  EXPECT_THAT(buckets().Apply(alice_, bucket_, {BucketAdd{"empty", {}, {}, ""}}).failed, IsEmpty());
  EXPECT_EQ(buckets().FindFile(bucket_, "empty")->file.size_bytes, 0u);
}

TEST_F(BucketsTest, ABatchDoesWhatItCanAndNamesTheRest) {
  XetHash known = Upload(bucket_, alice_, "known");
  XetHash unknown = storage::HashChunk("never uploaded");
  BucketBatchResult result = buckets().Apply(
      alice_, bucket_,
      {BucketAdd{"good", known, {}, ""}, BucketAdd{"bad", unknown, {}, ""},
       BucketAdd{"../out", known, {}, ""}, BucketAdd{"a//b", known, {}, ""},
       BucketCopy{{"copy", known, {}, ""}, "kernel", "a/b"}, BucketDelete{"nothing"}});
  EXPECT_EQ(result.processed, 6u);
  ASSERT_EQ(result.failed.size(), 4u);
  EXPECT_EQ(result.failed[0].path, "bad");
  EXPECT_EQ(result.failed[1].path, "../out");
  EXPECT_EQ(result.failed[1].operation, 2u);
  EXPECT_THAT(Paths("", true), ElementsAre("good"));
}

TEST_F(BucketsTest, KnowingAHashIsNotEnoughToAddIt) {
  XetHash secret = Upload(bucket_, alice_, "a private file of alice");
  BucketHandle bobs = buckets().Create(bob_, "", "mine", false);
  EXPECT_EQ(buckets().Apply(bob_, bobs, {BucketAdd{"got", secret, {}, ""}}).failed.size(), 1u);
  EXPECT_FALSE(buckets().FindFile(bobs, "got"));
}

TEST_F(BucketsTest, ACopyNeedsAReadableSourceThatHoldsTheFile) {
  XetHash hash = Upload(bucket_, alice_, "uploaded, never added");
  BucketHandle open = buckets().Create(alice_, "", "open", false);
  EXPECT_THAT(CopyAsBob("bucket", "Alice/data", hash), HasSubstr("Repository not found"));
  EXPECT_THAT(CopyAsBob("bucket", "Alice/none", hash), HasSubstr("Repository not found"));
  Put(bucket_, "secret", "uploaded, never added");
  EXPECT_THAT(CopyAsBob("bucket", "Alice/open", hash), HasSubstr("no file")) << "another bucket";
  Put(open, "shown", "uploaded, never added");
  EXPECT_EQ(CopyAsBob("bucket", "Alice/open", hash), "");
}

TEST_F(BucketsTest, AFileOfAReadableRepositoryIsCopiedWithoutUpload) {
  std::string bytes(100'000, 'w');
  XetUpload upload;
  XetHash hash = upload.AddFile(bytes).hash;
  RepoHandle hidden = MakeRepo(alice_, "hidden", /*is_private=*/true);
  upload.Send(hub_->xet(), RepoScope(hidden.record(), alice_.user_id));
  EXPECT_THAT(CopyAsBob("model", "Alice/hidden", hash), HasSubstr("Repository not found"));
  RepoHandle open = MakeRepo(alice_, "open");
  EXPECT_THAT(CopyAsBob("model", "Alice/open", hash), HasSubstr("no file"));
  upload.Send(hub_->xet(), RepoScope(open.record(), alice_.user_id));
  EXPECT_EQ(CopyAsBob("models", "Alice/open", hash), "");
}

TEST_F(BucketsTest, ACopiedFileOutlivesItsSource) {
  BucketHandle open = buckets().Create(alice_, "", "open", false);
  Put(open, "file", "kept");
  XetHash hash = buckets().FindFile(open, "file")->file.hash;
  buckets().Apply(alice_, bucket_, {BucketCopy{{"copy", hash, {}, ""}, "bucket", "Alice/open"}});
  buckets().Delete(Open(alice_, open, Right::kAdmin));
  EXPECT_TRUE(hub_->xet().FindFile(Scope(bucket_, alice_), hash));
  EXPECT_EQ(buckets().FindFile(bucket_, "copy")->file.size_bytes, 4u);
}

TEST_F(BucketsTest, AListingBeginsWithThePrefixLetterByLetter) {
  for (const char* path : {"logs.json", "logs/1/a", "logs/1/b", "logs/2", "logs_old/x", "z"}) {
    Put(bucket_, path, "x");
  }
  EXPECT_THAT(Paths("logs", true),
              ElementsAre("logs.json", "logs/1/a", "logs/1/b", "logs/2", "logs_old/x"));
  EXPECT_THAT(Paths("logs/", true), ElementsAre("logs/1/a", "logs/1/b", "logs/2"));
  EXPECT_THAT(Paths("", false), ElementsAre("logs.json", "logs/", "logs_old/", "z"));
  EXPECT_THAT(Paths("logs", false), ElementsAre("logs.json", "logs/1/", "logs/2", "logs_old/"));
  EXPECT_THAT(Paths("logs/", false), ElementsAre("logs/1/", "logs/2"));
  EXPECT_THAT(Paths("z", false), ElementsAre("z"));
  EXPECT_THAT(Paths("no", true), IsEmpty());
}

TEST_F(BucketsTest, PagesOfAListingMeetWithoutGapOrRepeat) {
  XetHash hash = Upload(bucket_, alice_, "x");
  std::vector<BucketOperation> batch;
  for (int folder = 0; folder < 7; ++folder) {
    for (int file = 0; file < 90; ++file) {
      std::string path = "f" + std::to_string(folder) + "/" + std::to_string(file);
      batch.push_back(BucketAdd{path, hash, {}, ""});
      if (file == 0) batch.push_back(BucketAdd{"f" + std::to_string(folder), hash, {}, ""});
    }
  }
  ASSERT_THAT(buckets().Apply(alice_, bucket_, batch).failed, IsEmpty());
  for (bool recursive : {true, false}) {
    Buckets::TreeOptions options{recursive, "", 5000};
    std::vector<std::string> whole, joined;
    for (const BucketEntry& entry : buckets().Tree(bucket_, "", options).entries) {
      whole.push_back(entry.file.path + (entry.is_folder ? "/" : ""));
    }
    EXPECT_EQ(whole.size(), recursive ? 637u : 14u);
    options.limit = 3;
    do {
      Buckets::TreePage page = buckets().Tree(bucket_, "", options);
      EXPECT_LE(page.entries.size(), 3u);
      for (const BucketEntry& entry : page.entries) {
        joined.push_back(entry.file.path + (entry.is_folder ? "/" : ""));
      }
      options.start = page.next;
    } while (!options.start.empty());
    EXPECT_EQ(joined, whole);
  }
}

TEST_F(BucketsTest, AFolderShowsItsNewestUpload) {
  Put(bucket_, "d/old", "1");
  clock_.Advance(std::chrono::hours(1));
  Put(bucket_, "d/new", "2");
  Buckets::TreeOptions options;
  options.recursive = false;
  EXPECT_EQ(buckets().Tree(bucket_, "", options).entries.at(0).file.uploaded_at, clock_.Now());
}

TEST_F(BucketsTest, APrivateBucketIsLikeAMissingOne) {
  auto refusal = [&](const Actor& actor, const std::string& id) {
    return ErrorOf([&] { buckets().Open(actor, id, Right::kReadContent); });
  };
  for (const Actor& actor : {bob_, Actor{}}) {
    Error hidden = refusal(actor, "alice/data"), missing = refusal(actor, "alice/none");
    EXPECT_EQ(hidden.code(), actor.signed_in() ? Code::kNotFound : Code::kUnauthenticated);
    EXPECT_EQ(hidden.code(), missing.code());
    EXPECT_EQ(hidden.message(), missing.message());
    EXPECT_EQ(hidden.wire_code(), "RepoNotFound");
  }
  buckets().SetPrivate(Open(alice_, bucket_, Right::kAdmin), false);
  EXPECT_EQ(buckets().Open(bob_, "ALICE/Data", Right::kReadContent).record().FullName(),
            "Alice/data");
  EXPECT_EQ(ErrorOf([&] { Open(bob_, bucket_); }).code(), Code::kForbidden);
  EXPECT_EQ(buckets().Open(alice_, "me/data", Right::kAdmin).right(), Right::kAdmin);
}

TEST_F(BucketsTest, AContentTokenEndsWithTheRightBehindIt) {
  XetScope reading{XetHolder::kBucket, bucket_.record().id, bob_.user_id, false, true};
  EXPECT_EQ(ErrorOf([&] { hub_->xet().CheckScope(reading); }).code(), Code::kForbidden);
  buckets().SetPrivate(bucket_, false);
  EXPECT_NO_THROW(hub_->xet().CheckScope(reading));
  XetScope writing = Scope(bucket_, alice_);
  EXPECT_NO_THROW(hub_->xet().CheckScope(writing));
  writing.user_id = bob_.user_id;
  EXPECT_EQ(ErrorOf([&] { hub_->xet().CheckScope(writing); }).code(), Code::kForbidden);
  buckets().Delete(bucket_);
  EXPECT_EQ(ErrorOf([&] { hub_->xet().CheckScope(reading); }).code(), Code::kForbidden);
}

TEST_F(BucketsTest, NamesAreUniqueInANamespaceWithoutCase) {
  Error taken = ErrorOf([&] { buckets().Create(alice_, "", "DATA", false); });
  EXPECT_EQ(taken.code(), Code::kConflict);
  EXPECT_EQ(taken.details().at(0).second, "Alice/data");
  EXPECT_EQ(ErrorOf([&] { buckets().Create(bob_, "alice", "x", false); }).code(), Code::kForbidden);
  EXPECT_EQ(ErrorOf([&] { buckets().Create(alice_, "", "a--b", false); }).code(),
            Code::kInvalidArgument);
}

TEST_F(BucketsTest, AMovedBucketKeepsItsFilesAndFreesItsName) {
  Put(bucket_, "a", "text");
  buckets().Create(alice_, "", "other", false);
  EXPECT_EQ(ErrorOf([&] { buckets().Move(alice_, bucket_, "alice/other"); }).code(),
            Code::kConflict);
  EXPECT_EQ(ErrorOf([&] { buckets().Move(alice_, bucket_, "bob/data"); }).code(), Code::kForbidden);
  buckets().Move(alice_, bucket_, "alice/Renamed");
  BucketHandle moved = buckets().Open(alice_, "alice/renamed", Right::kAdmin);
  EXPECT_TRUE(buckets().FindFile(moved, "a"));
  EXPECT_NO_THROW(buckets().Create(alice_, "", "data", false));
}

TEST_F(BucketsTest, ListsShowEachCallerWhatTheyMaySee) {
  for (const char* name : {"b-1", "B-2", "c"}) buckets().Create(alice_, "", name, false);
  AccountPtr alice = hub_->accounts().FindByName("alice");
  auto names = [&](const Actor& actor, const std::string& search, const std::string& after,
                   size_t limit) {
    std::string text;
    Buckets::Page page = buckets().List(actor, *alice, search, after, limit);
    for (const BucketRecord& bucket : page.buckets) text += bucket.name + " ";
    return text + "> " + page.next;
  };
  EXPECT_EQ(names(alice_, "", "", 10), "b-1 B-2 c data > ");
  EXPECT_EQ(names(bob_, "", "", 10), "b-1 B-2 c > ");
  EXPECT_EQ(names(Actor{}, "B-", "", 10), "b-1 B-2 > ");
  EXPECT_EQ(names(bob_, "", "", 2), "b-1 B-2 > b-2");
  EXPECT_EQ(names(bob_, "", "b-2", 2), "c > ");
}

TEST_F(BucketsTest, ABucketsFileIsGivenToARepositoryUnderItsTrueSha256Only) {
  std::string bytes(200'000, 'r');
  Put(bucket_, "weights", bytes);
  XetHash hash = buckets().FindFile(bucket_, "weights")->file.hash;
  RepoHandle repo = MakeRepo(alice_, "target");
  Sha256 oid = Sha256Of(bytes), other = Sha256Of("other");
  EXPECT_TRUE(buckets().GrantTo(alice_, bucket_, repo, hash, other));
  EXPECT_FALSE(hub_->objects().FindIn(repo.record(), other));
  EXPECT_TRUE(buckets().GrantTo(alice_, bucket_, repo, storage::HashChunk("x"), oid));
  EXPECT_FALSE(buckets().GrantTo(alice_, bucket_, repo, hash, oid));
  CommitFiles(alice_, repo, {CommitLfsFile{"weights", oid, bytes.size()}});
  EXPECT_EQ(hub_->objects().FindIn(repo.record(), oid), bytes.size());
}

TEST_F(BucketsTest, ADeletedFileIsNotReadByItsHashAnyMore) {
  XetHash hash = Upload(bucket_, alice_, "secret");
  auto readable = [&] { return hub_->xet().FindFile(Scope(bucket_, alice_), hash).has_value(); };
  auto apply = [&](const std::vector<BucketOperation>& batch) {
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_THAT(buckets().Apply(alice_, bucket_, batch).failed, IsEmpty());
  };
  apply({BucketAdd{"a", hash, {}, ""}, BucketAdd{"b", hash, {}, ""}});
  apply({BucketDelete{"a"}});
  EXPECT_TRUE(readable()) << "as b";
  apply({BucketDelete{"b"}, BucketAdd{"c", hash, {}, ""}});
  EXPECT_TRUE(readable()) << "renamed";
  clock_.Advance(std::chrono::seconds(1));
  Upload(bucket_, alice_, "secret");
  apply({BucketDelete{"c"}});
  EXPECT_TRUE(readable()) << "somebody is about to add it again";
  apply({BucketAdd{"d", hash, {}, ""}});
  apply({BucketDelete{"d"}});
  EXPECT_FALSE(readable());
  EXPECT_THAT(buckets().Apply(alice_, bucket_, {BucketAdd{"e", hash, {}, ""}}).failed,
              ::testing::SizeIs(1));
}

TEST_F(BucketsTest, ABucketThatIsGoneTakesNoBatch) {
  BucketHandle stale = bucket_;
  buckets().Delete(bucket_);
  EXPECT_EQ(ErrorOf([&] { buckets().Apply(alice_, stale, {BucketDelete{"a"}}); }).code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace hearth::hub
