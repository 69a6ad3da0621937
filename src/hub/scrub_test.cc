#include "hub/scrub.h"

#include <chrono>
#include <fstream>

#include "hub/internal/gc_scratch_test.h"
#include "hub/upkeep.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;

class ScrubTest : public GcScratchTest {
 protected:
  ScrubTest() : repo_(MakeRepo(alice_, "weights")) {}

  ScrubReport Run(const GcHooks& hooks = {}) {
    ScrubOptions options;
    options.bytes_per_second = 0;
    return RunScrub(*hub_, options, hooks);
  }
  void Flip(const fs::path& file, uint64_t at, int bit = 6) {
    fs::permissions(file, fs::perms::owner_all);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    char byte = static_cast<char>(stream.get() ^ 1 << bit);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
  }
  static fs::path FanOut(const fs::path& root, const std::string& name) {
    return root / name.substr(0, 2) / name.substr(2, 2) / name;
  }

  RepoHandle repo_;
};

TEST_F(ScrubTest, ASoundStoreIsSound) {
  CommitObject(repo_, "w.bin", "weights");
  UploadXet(ScopeOf(repo_), NoiseBytes(1, 300'000));
  ScrubReport report = Run();
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.objects, 2u);
  EXPECT_EQ(report.xorbs, 1u);
  EXPECT_GT(report.bytes, 300'000u);
  EXPECT_FALSE(fs::exists(root_ / "quarantine"));
}

TEST_F(ScrubTest, ItReadsNoFasterThanItMay) {
  UploadXet(ScopeOf(repo_), NoiseBytes(1, 300'000));
  ScrubOptions options;
  options.bytes_per_second = 2'000'000;
  auto start = std::chrono::steady_clock::now();
  ScrubReport report = RunScrub(*hub_, options, {});
  EXPECT_GT(report.bytes, 300'000u);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(150));
}

TEST_F(ScrubTest, ARottenObjectIsTakenAwayNamedAndHealedByAnUpload) {
  Sha256 oid = CommitObject(repo_, "w.bin", "weights");
  Flip(FanOut(root_ / "blobs", oid.Hex()), 3);
  ScrubReport report = Run();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].what, "object " + oid.Hex());
  EXPECT_EQ(report.findings[0].affected, (std::vector<std::string>{"model Alice/weights: w.bin"}));
  EXPECT_TRUE(fs::exists(root_ / "quarantine" / oid.Hex()));
  EXPECT_FALSE(Holds(repo_, oid)) << "clients are asked for it";
  EXPECT_EQ(ErrorOf([&] { hub_->objects().OpenContent(oid); }).code(), Code::kNotFound);
  EXPECT_EQ(Count("quarantine"), 1);
  StoreObject(repo_, alice_, "weights");
  EXPECT_TRUE(Holds(repo_, oid));
  EXPECT_EQ(Count("quarantine"), 0);
  EXPECT_TRUE(Run().findings.empty());
}

TEST_F(ScrubTest, EveryFlippedByteOfAXorbIsFoundAndHealed) {
  XetUpload upload;
  upload.AddFile(TextRows(2'000));
  upload.Send(hub_->xet(), ScopeOf(repo_));
  const storage::XorbIndex& index = upload.xorbs[0].index;
  CommitFiles(alice_, repo_, {CommitLfsFile{"t.txt", *upload.shard.files[0].sha256, {}}});
  fs::path file = FanOut(root_ / "xet" / "xorbs", index.hash.Text());
  uint64_t size = fs::file_size(file);
  // Header, payload, end of the body, footer.
  for (uint64_t at : {uint64_t{2}, uint64_t{500}, uint64_t{index.body_bytes} - 1,
                      uint64_t{index.body_bytes} + 60, size - 2}) {
    Flip(file, at);
    ScrubReport report = Run();
    ASSERT_EQ(report.findings.size(), 1u) << at;
    EXPECT_EQ(report.findings[0].affected,
              (std::vector<std::string>{"model Alice/weights: t.txt"}));
    EXPECT_FALSE(hub_->xet().HoldsXorb(ScopeOf(repo_), index.hash)) << "clients send it again";
    EXPECT_THROW(RebuiltXet(upload.shard.files[0].hash), Error);
    upload.SendXorbs(hub_->xet(), ScopeOf(repo_));
    EXPECT_EQ(RebuiltXet(upload.shard.files[0].hash), TextRows(2'000));
    EXPECT_EQ(Count("quarantine"), 0);
  }
  EXPECT_TRUE(Run().findings.empty());
}

// A few bits mean nothing: the nonce of the footer, the length of a match that a block's last
// sequence does not have.
TEST_F(ScrubTest, AFlippedBitIsFoundOrChangesNothing) {
  std::string bytes = TextRows(40);
  XetUpload upload;
  upload.AddFile(bytes);
  upload.Send(hub_->xet(), ScopeOf(repo_));
  fs::path file = FanOut(root_ / "xet" / "xorbs", upload.xorbs[0].index.hash.Text());
  uint64_t size = fs::file_size(file);
  int found = 0;
  int flipped = 0;
  for (uint64_t at = 0; at < size; at += 3) {
    Flip(file, at, static_cast<int>(at % 8));
    ++flipped;
    if (Run().findings.size() == 1) {
      ++found;
      upload.SendXorbs(hub_->xet(), ScopeOf(repo_));
    } else {
      EXPECT_EQ(RebuiltXet(upload.shard.files[0].hash), bytes) << at << " of " << size;
    }
  }
  EXPECT_GT(found, flipped * 9 / 10);
}

TEST_F(ScrubTest, AMissingXorbIsMarkedAndHealedByAnUpload) {
  XetUpload upload;
  upload.AddFile(TextRows(2'000));
  upload.Send(hub_->xet(), ScopeOf(repo_));
  Sha256 oid = *upload.shard.files[0].sha256;
  const storage::XetHash& hash = upload.xorbs[0].index.hash;
  CommitFiles(alice_, repo_, {CommitLfsFile{"t.txt", oid, {}}});
  fs::remove(FanOut(root_ / "xet" / "xorbs", hash.Text()));
  ScrubReport report = Run();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].what, "xorb " + hash.Text());
  EXPECT_EQ(report.findings[0].reason, "its bytes are missing");
  EXPECT_EQ(report.findings[0].affected, (std::vector<std::string>{"model Alice/weights: t.txt"}));
  EXPECT_EQ(Count("quarantine"), 1);
  EXPECT_FALSE(Holds(repo_, oid)) << "clients are asked for it";
  upload.SendXorbs(hub_->xet(), ScopeOf(repo_));
  EXPECT_EQ(Count("quarantine"), 0);
  EXPECT_TRUE(Holds(repo_, oid));
  EXPECT_EQ(RebuiltXet(upload.shard.files[0].hash), TextRows(2'000));
  EXPECT_TRUE(Run().findings.empty());
}

// A client packs its xorbs anew each time: the same file need not come with the same xorb.
TEST_F(ScrubTest, AnUploadInOtherXorbsHealsAFile) {
  std::string bytes = "a file of one chunk";
  XetUpload upload;
  storage::ShardFile file = upload.AddFile(bytes);
  upload.Send(hub_->xet(), ScopeOf(repo_));
  CommitFiles(alice_, repo_, {CommitLfsFile{"f.bin", *file.sha256, {}}});
  Flip(FanOut(root_ / "xet" / "xorbs", upload.xorbs[0].index.hash.Text()), 12);
  ASSERT_EQ(Run().findings.size(), 1u);
  EXPECT_FALSE(Holds(repo_, *file.sha256)) << "clients are asked for it";

  XetUpload other;
  other.AddFile("another file");
  storage::XorbBuilder builder;
  builder.Add(storage::HashChunk("x"), "x");
  storage::XetHash chunk = storage::HashChunk(bytes);
  builder.Add(chunk, bytes);
  other.xorbs.push_back(builder.Finish());
  file.terms = {{other.xorbs.back().index.hash, static_cast<uint32_t>(bytes.size()), 1, 2,
                 storage::HashVerification({&chunk, 1})}};
  other.shard.files.push_back(file);
  other.Send(hub_->xet(), ScopeOf(repo_));
  EXPECT_EQ(RebuiltXet(file.hash), bytes);
  EXPECT_TRUE(Holds(repo_, *file.sha256));
  PassGrace();
  Gc();
  EXPECT_EQ(RebuiltXet(file.hash), bytes) << "what heals it is in use";
}

TEST_F(ScrubTest, AnUploadOfTheWholeObjectHealsAFile) {
  std::string bytes = TextRows(100);
  XetUpload upload;
  Sha256 oid = *upload.AddFile(bytes).sha256;
  upload.Send(hub_->xet(), ScopeOf(repo_));
  Flip(FanOut(root_ / "xet" / "xorbs", upload.xorbs[0].index.hash.Text()), 12);
  ASSERT_EQ(Run().findings.size(), 1u);
  StoreObject(repo_, alice_, bytes);
  EXPECT_TRUE(Holds(repo_, oid));
  EXPECT_EQ(StoredBytes(oid), bytes);
  EXPECT_FALSE(hub_->xet_index().FileOf(oid)) << "it is not offered as a Xet file";
  hub_->xet_converter().DropLeftovers();
  EXPECT_EQ(StoredBytes(oid), bytes);
}

TEST_F(ScrubTest, AStoppedScrubGoesOnWhereItWas) {
  for (int i = 0; i < 100; ++i) StoreObject(repo_, alice_, "object " + std::to_string(i));
  GcHooks hooks;
  hooks.at_step = [](std::string_view step) {
    if (step == "cursor") throw Killed();
  };
  EXPECT_THROW(Run(hooks), Killed);
  Reopen();
  ScrubReport rest = Run();
  EXPECT_GT(rest.objects, 0u);
  EXPECT_LT(rest.objects, 100u);
  EXPECT_EQ(Run().objects, 100u) << "then it begins again";
}

TEST_F(ScrubTest, AKillBetweenMarkAndMoveLosesNothing) {
  Sha256 oid = CommitObject(repo_, "w.bin", "weights");
  Flip(FanOut(root_ / "blobs", oid.Hex()), 0);
  GcHooks hooks;
  hooks.at_step = [](std::string_view step) {
    if (step == "marked") throw Killed();
  };
  EXPECT_THROW(Run(hooks), Killed);
  Reopen();
  EXPECT_EQ(Run().findings.size(), 1u);
}

TEST_F(ScrubTest, UpkeepRunsWhatIsDueAndNotMore) {
  StoreObject(repo_, alice_, "unused");
  PassGrace();
  UpkeepOptions options;
  options.gc_every = std::chrono::hours(24);
  options.scrub_every = std::chrono::hours(48);
  options.scrub.bytes_per_second = 0;
  std::atomic<bool> stop{false};
  Upkeep::RunDue(*hub_, options, stop);
  EXPECT_EQ(StoredBlobs(), 0u);
  EXPECT_EQ(ListGcRuns(*hub_).size(), 1u);
  EXPECT_EQ(Count("meta WHERE key = 'scrub_finished_at'"), 1);
  clock_.Advance(std::chrono::hours(23));
  Upkeep::RunDue(*hub_, options, stop);
  EXPECT_EQ(ListGcRuns(*hub_).size(), 1u);
  clock_.Advance(std::chrono::hours(2));
  Upkeep::RunDue(*hub_, options, stop);
  EXPECT_EQ(ListGcRuns(*hub_).size(), 2u);
  Upkeep running(*hub_, options);
  running.Stop();
}

}  // namespace
}  // namespace hearth::hub
