#include "hub/gc.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "hub/internal/gc_scratch_test.h"

namespace hearth::hub {
namespace {

namespace fs = std::filesystem;
using storage::XetHash;

class GcTest : public GcScratchTest {
 protected:
  GcTest() : repo_(MakeRepo(alice_, "weights")) {}

  // An object that was replaced, its history forgotten, and past its grace.
  Sha256 Garbage(const std::string& bytes = "old weights") {
    Sha256 oid = CommitObject(repo_, "w.bin", bytes);
    CommitObject(repo_, "w.bin", "new weights");
    Squash(repo_);
    PassGrace();
    return oid;
  }
  // Runs `action` once, at the given step of the next run.
  GcHooks At(std::string step, std::function<void()> action) {
    GcHooks hooks;
    hooks.at_step = [step, action, done = false](std::string_view at) mutable {
      if (at != step || done) return;
      done = true;
      action();
    };
    return hooks;
  }
  std::string RunState(int64_t id) {
    for (const GcRun& run : ListGcRuns(*hub_)) {
      if (run.id == id) return run.state;
    }
    return "";
  }

  RepoHandle repo_;
};

TEST_F(GcTest, WhatNoRefNeedsGoesAndTheRestStays) {
  Sha256 old = Garbage();
  Sha256 kept = Sha256Of("new weights");
  GcReport report = Gc();
  EXPECT_EQ(report.grants, 1u);
  EXPECT_EQ(report.objects, 1u);
  EXPECT_EQ(report.freed_bytes, std::string("old weights").size());
  ASSERT_EQ(report.repos.size(), 1u);
  EXPECT_EQ(report.repos[0].repo, "model Alice/weights");
  EXPECT_EQ(report.repos[0].freed_bytes, report.freed_bytes);
  EXPECT_FALSE(Holds(repo_, old));
  EXPECT_EQ(StoredBytes(old), "(missing)");
  EXPECT_TRUE(Holds(repo_, kept));
  EXPECT_EQ(StoredBytes(kept), "new weights");
  EXPECT_EQ(Gc().grants, 0u);
}

TEST_F(GcTest, HistoryBranchesTagsAndPullRequestsKeepTheirObjects) {
  Sha256 history = CommitObject(repo_, "w.bin", "in history");
  CommitObject(repo_, "w.bin", "now");
  hub_->commits().CreateBranch(alice_, repo_, "side", {}, false, false);
  Sha256 branch = CommitObject(repo_, "w.bin", "on a branch", "side");
  GitOid side = *Git(repo_).FindRef("refs/heads/side");
  hub_->commits().CreateTag(alice_, repo_, "v1", side.Hex(), "annotated");
  hub_->commits().DeleteBranch(repo_, "side");
  PassGrace();
  EXPECT_EQ(Gc().grants, 0u);
  EXPECT_TRUE(Holds(repo_, history));
  EXPECT_TRUE(Holds(repo_, branch));
  Git(repo_).UpdateRef("refs/pr/1", std::nullopt, side);
  hub_->commits().DeleteTag(repo_, "v1");
  EXPECT_EQ(Gc().grants, 0u);
  Git(repo_).UpdateRef("refs/pr/1", side, std::nullopt);
  EXPECT_EQ(Gc().grants, 1u);
  EXPECT_FALSE(Holds(repo_, branch));
}

TEST_F(GcTest, NothingYoungerThanTheGraceGoes) {
  Sha256 oid = StoreObject(repo_, alice_, "never committed");
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().grants, 0u);
  // Somebody was told again that it is here.
  EXPECT_TRUE(hub_->objects().Claim(repo_.record(), oid));
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().grants, 0u);
  StoreObject(repo_, alice_, "never committed");  // and uploaded again
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().grants, 0u);
  EXPECT_TRUE(Holds(repo_, oid));
  clock_.Advance(std::chrono::hours(2));
  EXPECT_EQ(Gc().grants, 1u);
}

TEST_F(GcTest, AnObjectLivesAsLongAsAnyRepositoryNeedsIt) {
  RepoHandle other = MakeRepo(alice_, "other");
  Sha256 oid = Garbage("shared");
  CommitObject(other, "w.bin", "shared");
  GcReport report = Gc();
  EXPECT_EQ(report.grants, 1u);
  EXPECT_EQ(report.freed_bytes, 0u);
  ASSERT_EQ(report.repos.size(), 1u);
  EXPECT_EQ(report.repos[0].nominal_bytes, 6u);
  EXPECT_TRUE(Holds(other, oid));
  EXPECT_EQ(StoredBytes(oid), "shared");
}

TEST_F(GcTest, ADeletedRepositoryGivesItsObjectsBack) {
  CommitObject(repo_, "w.bin", "weights");
  repos().Delete(repo_);
  EXPECT_EQ(Gc().objects, 0u) << "still in its grace";
  PassGrace();
  EXPECT_EQ(Gc().objects, 1u);
  EXPECT_EQ(StoredBlobs(), 0u);
}

TEST_F(GcTest, ADryRunTellsTheSameAndChangesNothing) {
  Sha256 old = Garbage();
  UploadXet(ScopeOf(repo_), NoiseBytes(1, 200'000));
  PassGrace();
  GcReport told = DryGc();
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(StoredBytes(old), "old weights");
  EXPECT_TRUE(ListGcRuns(*hub_).empty());
  EXPECT_EQ(StoredXorbs(), 1u);
  GcReport done = Gc();
  done.run_id = 0;
  EXPECT_EQ(told.ToJson().Dump(), done.ToJson().Dump());
  EXPECT_GT(done.xorbs, 0u);
  EXPECT_TRUE(fs::is_empty(root_ / "tmp" / "uploads"));
  for (const auto& entry : fs::directory_iterator(root_ / "tmp")) {
    EXPECT_EQ(entry.path().filename(), "uploads") << "the copy is left over";
  }
}

// --- the trash

TEST_F(GcTest, AnUndoneRunIsAsIfItHadNeverBeen) {
  Sha256 old = Garbage();
  std::string bytes = NoiseBytes(2, 300'000);
  XetHash file = UploadXet(ScopeOf(repo_), bytes);
  PassGrace();
  int64_t rows = Count("xet_chunks") + Count("xet_segments") + Count("object_files");
  GcReport report = Gc();
  EXPECT_EQ(RebuiltXet(file), "");
  EXPECT_EQ(StoredXorbs(), 0u);
  EXPECT_EQ(Count("xet_chunks"), 0);
  Reopen();
  GcUndoReport undone = UndoGc(*hub_, report.run_id);
  EXPECT_EQ(undone.lost + undone.superseded, 0u);
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(StoredBytes(old), "old weights");
  EXPECT_EQ(RebuiltXet(file), bytes);
  EXPECT_EQ(Count("xet_chunks") + Count("xet_segments") + Count("object_files"), rows);
  EXPECT_EQ(Gc().grants, 0u) << "what was taken back has its grace again";
  EXPECT_EQ(RunState(report.run_id), "undone");
  EXPECT_EQ(ErrorOf([&] { UndoGc(*hub_, report.run_id); }).code(), Code::kConflict);
  EXPECT_EQ(ErrorOf([&] { UndoGc(*hub_, 4711); }).code(), Code::kNotFound);
  EXPECT_TRUE(hub_->db().CheckIntegrity().empty());
}

TEST_F(GcTest, TheTrashIsEmptiedInTheEnd) {
  Garbage();
  GcReport report = Gc();
  EXPECT_FALSE(fs::is_empty(root_ / "blobs" / "trash"));
  PassTrash();
  GcReport next = Gc();
  EXPECT_EQ(next.emptied_runs, 1u);
  EXPECT_EQ(next.emptied_bytes, report.freed_bytes);
  EXPECT_TRUE(fs::is_empty(root_ / "blobs" / "trash"));
  EXPECT_EQ(RunState(report.run_id), "emptied");
  EXPECT_EQ(ErrorOf([&] { UndoGc(*hub_, report.run_id); }).code(), Code::kConflict);
}

TEST_F(GcTest, ContentCanBeUploadedAgainWhileItIsInTheTrash) {
  Sha256 old = Garbage();
  std::string bytes = NoiseBytes(3, 150'000);
  XetHash file = UploadXet(ScopeOf(repo_), bytes);
  PassGrace();
  GcReport report = Gc();
  CommitObject(repo_, "again.bin", "old weights");
  UploadXet(ScopeOf(repo_), bytes);
  EXPECT_EQ(StoredBytes(old), "old weights");
  EXPECT_EQ(RebuiltXet(file), bytes);
  GcUndoReport undone = UndoGc(*hub_, report.run_id);
  EXPECT_EQ(undone.lost, 0u);
  EXPECT_GE(undone.superseded, 3u);
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(RebuiltXet(file), bytes);
  EXPECT_TRUE(hub_->db().CheckIntegrity().empty());
}

// --- beside writers

TEST_F(GcTest, ACommitDuringTheWalkKeepsWhatItUses) {
  Sha256 old = Garbage();
  Gc(kGcGrace, At("walked", [&] {
       CommitFiles(alice_, repo_, {CommitLfsFile{"again.bin", old, {}}});
     }));
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(StoredBytes(old), "old weights");
}

TEST_F(GcTest, ARefThatGitMovesDuringTheWalkIsSeen) {
  Sha256 old = CommitObject(repo_, "w.bin", "old weights");
  GitOid commit = *Git(repo_).FindRef("refs/heads/main");
  CommitObject(repo_, "w.bin", "new weights");
  Squash(repo_);
  PassGrace();
  // As a push does it whose objects are here already.
  Gc(std::chrono::milliseconds(0),
     At("walked", [&] { Git(repo_).UpdateRef("refs/heads/back", std::nullopt, commit); }));
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(Gc(std::chrono::milliseconds(0)).grants, 0u);
}

TEST_F(GcTest, AForgottenCommitComesBackOnlyWithItsObjects) {
  CommitObject(repo_, "w.bin", "old weights");
  std::string forgotten = Git(repo_).FindRef("refs/heads/main")->Hex();
  Garbage("other weights");
  auto branch = [&] {
    hub_->commits().CreateBranch(alice_, repo_, "back", forgotten, false, false);
  };
  Gc();
  EXPECT_EQ(ErrorOf(branch).code(), Code::kInvalidArgument);
  EXPECT_EQ(ErrorOf([&] { hub_->commits().CreateTag(alice_, repo_, "v0", forgotten, ""); }).code(),
            Code::kInvalidArgument);
  StoreObject(repo_, alice_, "old weights");
  branch();
  EXPECT_EQ(Gc(std::chrono::milliseconds(0)).grants, 0u);
}

TEST_F(GcTest, ARepositoryWithARunningPushIsPassedOver) {
  Sha256 old = Garbage();
  SweepLock::Guard push = repos().GuardReferences(repo_.record());
  GcReport report = Gc();
  EXPECT_TRUE(Holds(repo_, old));
  ASSERT_EQ(report.repos.size(), 1u);
  EXPECT_NE(report.repos[0].problem, "");
  push.Reset();
  EXPECT_EQ(Gc().grants, 1u);
}

TEST_F(GcTest, ARepositoryThatCannotBeReadKeepsEverything) {
  Sha256 old = Garbage();
  RepoHandle fine = MakeRepo(alice_, "fine");
  StoreObject(fine, alice_, "unused");
  PassGrace();
  std::string tree = Git(repo_).ReadCommit(*Git(repo_).FindRef("refs/heads/main")).tree.Hex();
  fs::remove(repo_.git_folder() / "objects" / tree.substr(0, 2) / tree.substr(2));
  GcReport report = Gc();
  EXPECT_EQ(report.grants, 1u);
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(StoredBytes(old), "old weights");
}

TEST_F(GcTest, TwoRunsDoNotMix) {
  Garbage();
  Gc(kGcGrace, At("walked", [&] { EXPECT_EQ(ErrorOf([&] { Gc(); }).code(), Code::kConflict); }));
}

TEST_F(GcTest, AStoppedRunEndsEarlyAndTheNextOneGoesOn) {
  Sha256 old = Garbage();
  std::atomic<bool> stop{true};
  GcHooks hooks;
  hooks.stop = &stop;
  EXPECT_EQ(ErrorOf([&] { Gc(kGcGrace, hooks); }).code(), Code::kUnavailable);
  EXPECT_TRUE(Holds(repo_, old));
  EXPECT_EQ(Gc().grants, 1u);
}

// --- Xet

TEST_F(GcTest, XorbsGoWithTheLastFileThatUsesThem) {
  std::string shared = NoiseBytes(4, 400'000);
  XetUpload first;
  first.AddFile(shared);
  first.Send(hub_->xet(), ScopeOf(repo_));
  Sha256 first_oid = Sha256Of(shared);
  // A second file of the same chunks and some more.
  XetUpload second = first;
  second.shard.files.clear();
  std::string tail = NoiseBytes(5, 100'000);
  XetUpload more;
  more.AddFile(tail);
  storage::ShardFile file = first.shard.files[0];
  file.terms.push_back(more.shard.files[0].terms[0]);
  storage::MerkleAggregator merkle;
  for (const auto* upload : {&first, &more}) {
    for (const storage::XorbChunk& chunk : upload->xorbs[0].index.chunks) {
      merkle.Add(chunk.hash, chunk.unpacked_bytes);
    }
  }
  file.hash = merkle.FinishFile();
  file.sha256 = Sha256Of(shared + tail);
  more.shard.files = {file};
  more.Send(hub_->xet(), ScopeOf(repo_));
  ASSERT_EQ(StoredXorbs(), 2u);
  PassGrace();
  // The second file is relied on again.
  hub_->db().Write([&](storage::Connection& c) {
    c.Exec("UPDATE repo_objects SET used_at = ? WHERE sha256 = ?",
           {ToUnixMillis(clock_.Now()), storage::BlobValue{std::string(file.sha256->raw())}});
  });
  GcReport report = Gc();
  EXPECT_EQ(report.files, 1u);
  EXPECT_EQ(report.xorbs, 0u);
  EXPECT_EQ(hub_->xet_index().FileOf(first_oid), std::nullopt);
  EXPECT_EQ(RebuiltXet(file.hash), shared + tail);
  PassGrace();
  report = Gc();
  EXPECT_EQ(report.files, 1u);
  EXPECT_EQ(report.xorbs, 2u);
  EXPECT_EQ(StoredXorbs(), 0u);
  ASSERT_EQ(report.repos.size(), 1u);
  EXPECT_EQ(report.repos[0].freed_bytes, report.freed_bytes);
}

TEST_F(GcTest, UndoShowsAFileByXetAgain) {
  std::string bytes = NoiseBytes(9, 100'000);
  XetHash file = UploadXet(ScopeOf(repo_), bytes);
  PassGrace();
  GcReport report = Gc();
  EXPECT_EQ(report.files, 1u);
  EXPECT_FALSE(hub_->xet().FindFile(ScopeOf(repo_), file));
  UndoGc(*hub_, report.run_id);
  EXPECT_TRUE(hub_->xet().FindFile(ScopeOf(repo_), file));
  EXPECT_EQ(RebuiltXet(file), bytes);
}

TEST_F(GcTest, AXorbOfAnInterruptedUploadHasItsGrace) {
  XetUpload upload;
  upload.AddFile(NoiseBytes(6, 100'000));
  upload.SendXorbs(hub_->xet(), ScopeOf(repo_));
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().xorbs, 0u);
  // The client asks, is told that it is there, and does not send it again.
  EXPECT_TRUE(hub_->xet().HoldsXorb(ScopeOf(repo_), upload.xorbs[0].index.hash));
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().xorbs, 0u);
  upload.Send(hub_->xet(), ScopeOf(repo_));
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  EXPECT_EQ(Gc().files, 0u);
  clock_.Advance(std::chrono::hours(2));
  EXPECT_EQ(Gc().xorbs, 1u);
}

// Each sender's form lives as long as their own file; the content is read from whichever is left.
TEST_F(GcTest, FormsOfAContentGoOneByOne) {
  std::string text = TextRows(20'000);
  RepoHandle mine = MakeRepo(alice_, "mine", true), bobs = MakeRepo(bob_, "bobs", true);
  XetScope his = RepoScope(bobs.record(), bob_.user_id);
  XetHash file = UploadXet(ScopeOf(mine), text);
  XetUpload plain;
  plain.AddFile(text);
  plain.PackPlainly();
  plain.Send(hub_->xet(), his);
  Sha256 oid = Sha256Of(text);
  CommitFiles(alice_, mine, {CommitLfsFile{"w", oid, {}}});
  CommitFiles(bob_, bobs, {CommitLfsFile{"w", oid, {}}});
  ASSERT_EQ(StoredXorbs(), 2u);
  PassGrace();
  EXPECT_EQ(Gc().xorbs, 0u);
  repos().Delete(mine);
  DryGc();
  GcReport report = Gc();
  EXPECT_EQ(report.files, 1u);
  EXPECT_EQ(report.xorbs, 1u);
  EXPECT_EQ(StoredXorbs(), 1u);
  EXPECT_EQ(RebuiltXet(file), text);
  EXPECT_TRUE(hub_->xet().FindFile(his, file));
  UndoGc(*hub_, report.run_id);
  EXPECT_EQ(StoredXorbs(), 2u);
  EXPECT_EQ(Count("object_files"), 2);
  EXPECT_TRUE(hub_->db().CheckIntegrity().empty());
  PassGrace();
  repos().Delete(bobs);
  report = Gc();
  EXPECT_EQ(report.objects, 1u);
  EXPECT_EQ(report.xorbs, 2u);
  EXPECT_EQ(StoredXorbs(), 0u);
}

// Bob once sent what alice has. That she still has it is nothing that he may notice.
TEST_F(GcTest, AnUploadWithoutAFileIsForgottenThoughOthersNeedTheXorb) {
  RepoHandle mine = MakeRepo(alice_, "mine", true), bobs = MakeRepo(bob_, "bobs", true);
  XetUpload upload;
  Sha256 oid = *upload.AddFile(NoiseBytes(3, 100'000)).sha256;
  upload.Send(hub_->xet(), ScopeOf(mine));
  CommitFiles(alice_, mine, {CommitLfsFile{"w", oid, {}}});
  XetScope his = RepoScope(bobs.record(), bob_.user_id);
  upload.SendXorbs(hub_->xet(), his);
  XetHash xorb = upload.xorbs[0].index.hash;
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  Gc();
  EXPECT_TRUE(hub_->xet().HoldsXorb(his, xorb)) << "and is told so: another grace time";
  clock_.Advance(kGcGrace - std::chrono::hours(1));
  Gc();
  EXPECT_TRUE(hub_->xet().HoldsXorb(his, xorb));
  PassGrace();
  Gc();
  EXPECT_FALSE(hub_->xet().HoldsXorb(his, xorb));
  EXPECT_TRUE(hub_->xet().HoldsXorb(ScopeOf(mine), xorb));
}

TEST_F(GcTest, ABucketKeepsItsFiles) {
  std::string bytes = NoiseBytes(7, 100'000);
  XetHash file = UploadXet({XetHolder::kBucket, 1, alice_.user_id, true, true}, bytes);
  hub_->db().Write([&](storage::Connection& c) {
    c.Exec(
        "INSERT INTO buckets (id, oid, owner_id, name, name_lower, creator_id, created_at, "
        "updated_at) VALUES (1, 'b', ?, 'b', 'b', ?, 0, 0)",
        {alice_.user_id, alice_.user_id});
    c.Exec(
        "INSERT INTO bucket_files (bucket_id, path, file_id, mtime, uploaded_at) "
        "SELECT 1, 'x', id, 0, 0 FROM xet_files");
  });
  PassGrace();
  EXPECT_EQ(Gc().files, 0u);
  EXPECT_EQ(RebuiltXet(file), bytes);
  EXPECT_TRUE(hub_->xet_index().FileOf(Sha256Of(bytes))) << "its proved SHA-256 stays, too";
  hub_->db().Write([&](storage::Connection& c) { c.Exec("DELETE FROM bucket_files"); });
  GcReport report = Gc();
  EXPECT_EQ(report.files, 1u);
  EXPECT_EQ(report.xorbs, 1u);
}

// --- strays

TEST_F(GcTest, OldFilesThatNoRowKnowsGoAndYoungOnesStay) {
  Sha256 oid = StoreObject(repo_, alice_, "stray");
  XetUpload upload;
  upload.AddFile(NoiseBytes(8, 50'000));
  upload.SendXorbs(hub_->xet(), ScopeOf(repo_));
  hub_->db().Write([&](storage::Connection& c) {
    c.Exec("DELETE FROM repo_objects");
    c.Exec("DELETE FROM objects");
    c.Exec("DELETE FROM xorbs");
  });
  EXPECT_EQ(Gc().strays, 0u);
  std::string hex = oid.Hex();
  timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    ::utimensat(AT_FDCWD, entry.path().c_str(), old, 0);
  }
  EXPECT_EQ(DryGc().strays, 2u);
  GcReport report = Gc();
  EXPECT_EQ(report.strays, 2u);
  EXPECT_EQ(StoredBlobs() + StoredXorbs(), 0u);
  EXPECT_EQ(UndoGc(*hub_, report.run_id).restored, 2u);
  EXPECT_EQ(StoredBytes(oid), "stray");
  EXPECT_EQ(StoredXorbs(), 1u);
}

}  // namespace
}  // namespace hearth::hub
