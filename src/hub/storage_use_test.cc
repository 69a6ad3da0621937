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
}

}  // namespace
}  // namespace hearth::hub
