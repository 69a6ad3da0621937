// Objects that are held as Xet files: everything that reads large content sees no difference.
#include <gtest/gtest.h>

#include "hub/facts.h"
#include "hub/internal/scratch_hub_test.h"
#include "hub/xet_fixture.h"

namespace hearth::hub {
namespace {

class ObjectFormsTest : public ScratchHubTest {
 protected:
  Sha256 StoreXet(const RepoHandle& repo, const std::string& bytes) {
    StoreByXet(*hub_, repo.record().id, alice_.user_id, bytes);
    return Sha256Of(bytes);
  }
  Objects& objects() { return hub_->objects(); }
};

TEST_F(ObjectFormsTest, ContentByXetIsHeldAndOpened) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(1'500'000);
  Sha256 oid = StoreXet(repo, bytes);
  EXPECT_EQ(objects().FindIn(repo.record(), oid), bytes.size());
  EXPECT_FALSE(hub_->blobs().FindSize(oid));
  ObjectContent content = objects().OpenContent(oid);
  EXPECT_EQ(content.size_bytes, bytes.size());
  EXPECT_EQ(content.whole, nullptr);
  ASSERT_TRUE(content.file);
  std::string rebuilt;
  storage::XetReader reader = hub_->xet_index().Read(*content.file, 0, bytes.size());
  while (reader.Next(&rebuilt)) {
  }
  EXPECT_TRUE(rebuilt == bytes);
}

TEST_F(ObjectFormsTest, WhatIsNotStoredIsNotFound) {
  RepoHandle repo = MakeRepo(alice_, "m");
  Sha256 oid = Sha256Of("never seen");
  EXPECT_FALSE(objects().FindIn(repo.record(), oid));
  EXPECT_EQ(ErrorOf([&] { objects().OpenContent(oid); }).code(), Code::kNotFound);
}

TEST_F(ObjectFormsTest, RangedReadsSeeTheSameBytesAnywhere) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(2'000'000, 7);
  std::unique_ptr<ByteSource> source = objects().OpenSource(StoreXet(repo, bytes));
  ASSERT_EQ(source->size_bytes(), bytes.size());
  for (auto [offset, size] : std::vector<std::pair<uint64_t, size_t>>{{0, 8},
                                                                      {8, 100'000},
                                                                      {100'000, 1},
                                                                      {250'000, 262'144},
                                                                      {1'999'999, 1},
                                                                      {0, 2'000'000},
                                                                      {700'000, 900'000},
                                                                      {5, 0}}) {
    EXPECT_TRUE(source->Read(offset, size) == bytes.substr(offset, size)) << offset << " " << size;
  }
  EXPECT_EQ(ErrorOf([&] { source->Read(1'999'999, 2); }).code(), Code::kInternal);
}

TEST_F(ObjectFormsTest, UploadingByLfsWhatCameByXetStoresNothingTwice) {
  RepoHandle first = MakeRepo(alice_, "m"), second = MakeRepo(bob_, "n");
  std::string bytes = NoiseBytes(300'000);
  Sha256 oid = StoreXet(first, bytes);
  StoreObject(second, bob_, bytes);
  EXPECT_FALSE(hub_->blobs().FindSize(oid));
  EXPECT_EQ(objects().FindIn(second.record(), oid), bytes.size());
}

TEST_F(ObjectFormsTest, ACommitNamesWhatCameByXetByItsSha256) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string bytes = NoiseBytes(300'000);
  Sha256 oid = StoreXet(repo, bytes);
  CommitFiles(alice_, repo, {CommitLfsFile{"w.bin", oid, bytes.size()}});
  EXPECT_EQ(TextAt(repo, "main", "w.bin"), storage::MakeLfsPointer({oid, bytes.size()}));
  Error wrong = ErrorOf([&] {
    CommitFiles(alice_, repo, {CommitLfsFile{"v.bin", oid, bytes.size() + 1}});
  });
  EXPECT_EQ(wrong.code(), Code::kInvalidArgument);
}

TEST_F(ObjectFormsTest, KnowingTheSha256OfAPrivateFileIsWorthNothing) {
  RepoHandle hidden = MakeRepo(alice_, "hidden", /*is_private=*/true);
  RepoHandle open = MakeRepo(alice_, "open");
  Sha256 secret = StoreXet(hidden, NoiseBytes(200'000, 1));
  Sha256 shown = StoreXet(open, NoiseBytes(200'000, 2));
  RepoHandle mine = MakeRepo(bob_, "mine");
  EXPECT_FALSE(objects().GrantFromReadable(bob_, mine, secret));
  EXPECT_FALSE(objects().FindIn(mine.record(), secret));
  EXPECT_TRUE(objects().GrantFromReadable(bob_, mine, shown));
  EXPECT_EQ(objects().FindIn(mine.record(), shown), 200'000u);
}

TEST_F(ObjectFormsTest, HashesAreToldOnlyOfWhatTheRepositoryHolds) {
  RepoHandle repo = MakeRepo(alice_, "m"), other = MakeRepo(bob_, "n");
  std::string bytes = NoiseBytes(200'000);
  XetFile file = StoreByXet(*hub_, repo.record().id, alice_.user_id, bytes);
  std::vector<Sha256> oids{Sha256Of(bytes), StoreObject(repo, alice_, "whole")};
  // More names than one statement takes.
  for (int i = 0; i < 1200; ++i) oids.push_back(Sha256Of(std::to_string(i)));
  auto hashes = objects().XetHashesIn(repo.record(), oids);
  ASSERT_EQ(hashes.size(), 1u);
  EXPECT_EQ(hashes.at(Sha256Of(bytes)), file.hash);
  EXPECT_TRUE(objects().XetHashesIn(other.record(), oids).empty());
}

TEST_F(ObjectFormsTest, FactsAreReadFromAXetFile) {
  RepoHandle repo = MakeRepo(alice_, "m");
  std::string header = R"({"w":{"dtype":"F32","shape":[250,1000],"data_offsets":[0,1000000]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes += header + NoiseBytes(1'000'000);
  Sha256 oid = StoreXet(repo, bytes);
  GitOid head = CommitFiles(alice_, repo, {CommitLfsFile{"model.safetensors", oid, {}}}).oid;
  RepoFacts facts = ComputeFacts(repo, objects(), head);
  EXPECT_EQ(facts.parameter_count, 250'000u) << (facts.warnings.empty() ? "" : facts.warnings[0]);
}

}  // namespace
}  // namespace hearth::hub
