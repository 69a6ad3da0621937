#include "hub/storage_use.h"

#include "hub/internal/gc_scratch_test.h"

namespace hearth::hub {
namespace {

class StorageUseTest : public GcScratchTest {};

TEST_F(StorageUseTest, SharedContentIsStoredOnceAndCountedForEach) {
  RepoHandle first = MakeRepo(alice_, "first");
  RepoHandle second = MakeRepo(alice_, "second");
  RepoHandle bobs = MakeRepo(bob_, "third");
  StoreObject(first, alice_, std::string(1000, 'a'));
  StoreObject(second, alice_, std::string(1000, 'a'));
  StoreObject(second, alice_, std::string(200, 'b'));
  StoreObject(bobs, bob_, std::string(200, 'b'));
  std::string noise = NoiseBytes(1, 100'000);
  UploadXet(ScopeOf(first), noise);

  StorageReport report = ReadStorageUse(*hub_);
  const StorageUse& one = report.repos.at(first.record().id);
  EXPECT_EQ(one.nominal_bytes, 101'000u);
  EXPECT_GE(one.stored_bytes, 101'000u);
  EXPECT_LT(one.stored_bytes, 102'000u) << "chunk headers";
  EXPECT_EQ(one.shared_bytes, 1000u);
  EXPECT_EQ(report.repos.at(second.record().id).shared_bytes, 1200u);
  const StorageUse& alice = report.owners.at(alice_.user_id);
  EXPECT_EQ(alice.nominal_bytes, 102'200u);
  EXPECT_EQ(alice.stored_bytes, one.stored_bytes + 200);
  EXPECT_EQ(alice.shared_bytes, 200u);
  EXPECT_EQ(report.total.stored_bytes, alice.stored_bytes);
  EXPECT_EQ(UsedStorage(hub_->db(), first.record().id, 5), 101'000u);
  EXPECT_EQ(UsedStorage(hub_->db(), bobs.record().id, 300), 300u);
  auto held = HeldByReposOf(hub_->db(), alice_.user_id);
  EXPECT_EQ(held.size(), 2u) << "nobody else's";
  EXPECT_EQ(held.at(second.record().id), 1200u);
}

TEST_F(StorageUseTest, TheShortReportIsCountedAgainBesideWhoAsks) {
  RepoHandle first = MakeRepo(alice_, "first");
  MakeRepo(alice_, "empty");
  StoreObject(first, alice_, std::string(1000, 'a'));
  StorageCounter& counter = hub_->storage_counter();
  counter.Latest(std::chrono::milliseconds(0));
  counter.WaitIdle();
  auto before = counter.Latest();
  ASSERT_NE(before, nullptr) << "the first look has had it counted";
  EXPECT_EQ(before->total.nominal_bytes, 1000u);
  ASSERT_EQ(before->repos.size(), 1u) << "the empty one is left out";
  EXPECT_EQ(before->repos[0].first, first.record().id);
  ASSERT_EQ(before->owners.size(), 1u);
  EXPECT_EQ(before->owners[0].first, alice_.user_id);

  StoreObject(MakeRepo(bob_, "second"), bob_, std::string(3000, 'b'));
  EXPECT_EQ(counter.Latest(), before) << "a minute long";
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(counter.Latest(), before) << "nobody waits";
  counter.WaitIdle();
  auto after = counter.Latest();
  EXPECT_EQ(after->total.nominal_bytes, 4000u);
  EXPECT_EQ(after->repos[0].second.nominal_bytes, 3000u) << "the largest first";
}

}  // namespace
}  // namespace hearth::hub
