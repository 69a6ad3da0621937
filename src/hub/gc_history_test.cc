// Random histories of pushes, deletions, collections and kills against a model that knows what must
// still be readable, and collections beside threads that upload.
#include <map>
#include <random>
#include <set>
#include <thread>

#include "hub/internal/gc_scratch_test.h"

namespace hearth::hub {
namespace {

using Tree = std::map<std::string, size_t>;  // path -> content

// A repository as the model sees it: every branch is the list of all trees that it reaches.
struct ModelRepo {
  std::map<std::string, std::vector<Tree>> branches{{"main", {Tree{}}}};
  std::set<size_t> Reached() const {
    std::set<size_t> reached;
    for (const auto& [name, trees] : branches) {
      for (const Tree& tree : trees) {
        for (const auto& [path, content] : tree) reached.insert(content);
      }
    }
    return reached;
  }
};

class GcHistoryTest : public GcScratchTest, public ::testing::WithParamInterface<int> {
 protected:
  static constexpr size_t kContents = 10;
  static constexpr size_t kRepos = 3;

  GcHistoryTest() : random_(static_cast<uint64_t>(GetParam())) {
    for (size_t i = 0; i < kContents; ++i) {
      contents_.push_back(IsXet(i) ? std::to_string(i) + TextRows(100 + 800 * static_cast<int>(i))
                                   : NoiseBytes(i + 1, 3000 + 20'000 * i));
    }
    for (size_t i = 0; i < kRepos; ++i) Create(i);
  }

  size_t Pick(size_t below) { return random_() % below; }
  bool Chance(int percent) { return Pick(100) < static_cast<size_t>(percent); }
  Sha256 OidOf(size_t content) { return Sha256Of(contents_[content]); }
  static bool IsXet(size_t content) { return content % 2 == 1; }

  // The last one is bob's, whose client does not compress. None is seen by the other.
  const Actor& Owner(size_t i) const { return i + 1 == kRepos ? bob_ : alice_; }
  void Create(size_t i) {
    repos_[i] = MakeRepo(Owner(i), "r" + std::to_string(i), true);
    model_[i] = ModelRepo();
  }
  RepoHandle Handle(size_t i) {
    return repos().OpenAsSystem(
        repos().Find(RepoType::kModel, i + 1 == kRepos ? "Bob" : "Alice", "r" + std::to_string(i)));
  }
  void Upload(size_t i, size_t content) {
    if (IsXet(content)) {
      XetUpload upload;
      upload.AddFile(contents_[content]);
      if (i + 1 == kRepos) upload.PackPlainly();
      upload.Send(hub_->xet(), RepoScope(Handle(i).record(), Owner(i).user_id));
    } else {
      StoreObject(Handle(i), Owner(i), contents_[content]);
    }
  }
  void Commit(size_t i, const std::string& branch, size_t content) {
    std::string path = "f" + std::to_string(Pick(4));
    Tree tree = model_[i].branches.at(branch).back();
    if (tree.contains(path) && tree[path] == content) return;
    bool held = hub_->objects().FindIn(Handle(i).record(), OidOf(content)).has_value();
    try {
      CommitFiles(Owner(i), Handle(i), {CommitLfsFile{path, OidOf(content), {}}}, branch);
    } catch (const Error& error) {
      ASSERT_FALSE(held) << error.message();
      return;  // never uploaded, or collected: the client has to send it
    }
    tree[path] = content;
    model_[i].branches[branch].push_back(tree);
  }

  void ChangeSomething() {
    size_t i = Pick(kRepos);
    ModelRepo& model = model_[i];
    auto branch = std::next(model.branches.begin(), static_cast<long>(Pick(model.branches.size())));
    size_t content = Pick(kContents);
    switch (Pick(8)) {
      case 0:
      case 1:
      case 2:
        if (Chance(80)) Upload(i, content);
        Commit(i, branch->first, content);
        break;
      case 3: {
        Tree tree = branch->second.back();
        if (tree.empty()) break;
        std::string path = tree.begin()->first;
        CommitFiles(Owner(i), Handle(i), {CommitDelete{path, CommitDelete::Kind::kFile}},
                    branch->first);
        tree.erase(path);
        branch->second.push_back(tree);
        break;
      }
      case 4:
        hub_->commits().SuperSquash(Owner(i), Handle(i), branch->first, "");
        branch->second = {branch->second.back()};
        break;
      case 5:
        if (model.branches.contains("side")) {
          hub_->commits().DeleteBranch(Handle(i), "side");
          model.branches.erase("side");
        } else {
          hub_->commits().CreateBranch(Owner(i), Handle(i), "side", {}, false, false);
          model.branches["side"] = model.branches["main"];
        }
        break;
      case 6:
        if (!Chance(20)) break;
        repos().Delete(Handle(i));
        Create(i);
        break;
      case 7:
        Upload(i, content);
        break;
    }
  }

  // Sometimes killed on the way, as the power might go at any step.
  void Collect() {
    GcOptions options;
    options.trash_time = std::chrono::hours(24 * Pick(10));
    GcHooks hooks;
    size_t steps_left = Chance(60) ? Pick(40) : SIZE_MAX;
    hooks.at_step = [&](std::string_view) {
      if (steps_left-- == 0) throw Killed();
    };
    try {
      if (Chance(20)) {
        std::vector<GcRun> runs = ListGcRuns(*hub_);
        if (!runs.empty()) UndoGc(*hub_, runs[Pick(runs.size())].id, hooks);
      } else {
        RunGc(*hub_, options, hooks);
      }
    } catch (const Killed&) {
      Reopen();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Code::kConflict) << error.message();  // cannot be undone any more
    }
  }

  void ExpectAllLive(const std::string& when) {
    for (size_t i = 0; i < kRepos; ++i) {
      for (size_t content : model_[i].Reached()) {
        ASSERT_EQ(hub_->objects().FindIn(Handle(i).record(), OidOf(content)),
                  contents_[content].size())
            << when << ": repository " << i << " lost content " << content;
        ASSERT_EQ(Sha256Of(BytesOf(content)), OidOf(content)) << when << ": content " << content;
        if (!IsXet(content)) continue;
        // In the form that the repository shows, and no other one.
        Sha256 oid = OidOf(content);
        auto hashes = hub_->objects().XetHashesIn(Handle(i).record(), {&oid, 1});
        ASSERT_TRUE(hashes.contains(oid)) << when << ": content " << content;
        std::optional<XetFile> file =
            hub_->xet_index().FindShown(XetHolder::kRepo, Handle(i).record().id, hashes.at(oid));
        ASSERT_TRUE(file);
        ASSERT_TRUE(Rebuilt(*file) == contents_[content]) << when << ": content " << content;
      }
    }
  }
  std::string BytesOf(size_t content) {
    if (hub_->blobs().FindSize(OidOf(content))) return StoredBytes(OidOf(content));
    std::optional<XetFile> file = hub_->xet_index().FileOf(OidOf(content));
    return file ? Rebuilt(*file) : "(missing)";
  }

  std::mt19937_64 random_;
  std::vector<std::string> contents_;
  std::map<size_t, std::optional<RepoHandle>> repos_;
  std::map<size_t, ModelRepo> model_;
};

TEST_P(GcHistoryTest, NothingLiveIsEverLostAndAllThatIsDeadGoes) {
  for (int round = 0; round < 25; ++round) {
    for (size_t changes = Pick(6); changes > 0; --changes) {
      ASSERT_NO_FATAL_FAILURE(ChangeSomething());
      if (Chance(50)) clock_.Advance(std::chrono::hours(24 * Pick(12)));
    }
    ASSERT_NO_FATAL_FAILURE(Collect());
    ASSERT_NO_FATAL_FAILURE(ExpectAllLive("round " + std::to_string(round)));
  }
  PassGrace();
  GcOptions options;
  options.trash_time = std::chrono::hours(0);
  RunGc(*hub_, options);
  ASSERT_NO_FATAL_FAILURE(ExpectAllLive("at the end"));

  std::set<size_t> live;
  for (const auto& [i, model] : model_) live.merge(model.Reached());
  EXPECT_EQ(Count("objects"), static_cast<int64_t>(live.size()));
  size_t xet = static_cast<size_t>(std::count_if(live.begin(), live.end(), IsXet));
  EXPECT_EQ(Count("xet_files WHERE NOT EXISTS (SELECT 1 FROM shown_files WHERE file_id = id)"), 0);
  EXPECT_EQ(Count("xorbs WHERE NOT EXISTS (SELECT 1 FROM xet_file_xorbs WHERE xorb_id = id)"), 0);
  EXPECT_EQ(static_cast<int64_t>(StoredXorbs()), Count("xorbs"));
  EXPECT_GE(StoredXorbs(), xet);
  EXPECT_EQ(StoredBlobs(), live.size() - xet);
  EXPECT_EQ(Count("gc_trash"), 0);
  for (const char* trash : {"blobs/trash", "xet/trash"}) {
    EXPECT_TRUE(!std::filesystem::exists(root_ / trash) ||
                std::filesystem::is_empty(root_ / trash));
  }
  EXPECT_TRUE(hub_->db().CheckIntegrity().empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, GcHistoryTest, ::testing::Range(1, 5));

class GcThreadsTest : public GcScratchTest {};

// Without any grace: only the locks keep what is just being stored.
TEST_F(GcThreadsTest, UploadsAndCommitsBesideTheCollectorLoseNothing) {
  constexpr int kThreads = 3, kUploads = 12;
  std::vector<RepoHandle> repos;
  for (int t = 0; t < kThreads; ++t) repos.push_back(MakeRepo(alice_, "t" + std::to_string(t)));
  std::atomic<int> running{kThreads};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kUploads; ++i) {
        // The same contents in every repository, so that one's garbage is another's upload.
        std::string bytes = NoiseBytes(static_cast<uint64_t>(i), 2000);
        for (bool stored = false; !stored;) {
          Sha256 oid = StoreObject(repos[t], alice_, bytes);
          try {
            CommitFiles(alice_, repos[t], {CommitLfsFile{"w.bin", oid, {}}});
            stored = true;
          } catch (const Error& error) {
            // Collected between upload and commit, as no grace protects it: sent again.
            ASSERT_EQ(error.code(), Code::kInvalidArgument) << error.message();
            ++refused;
          }
        }
        if (i % 4 == 3) hub_->commits().SuperSquash(alice_, repos[t], "main", "");
      }
      --running;
    });
  }
  int runs = 0;
  while (running > 0) {
    GcOptions options;
    options.grace = options.trash_time = std::chrono::hours(0);
    RunGc(*hub_, options);
    clock_.Advance(std::chrono::milliseconds(1));
    ++runs;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(runs, 0);
  Sha256 last = Sha256Of(NoiseBytes(kUploads - 1, 2000));
  for (const RepoHandle& repo : repos) EXPECT_TRUE(Holds(repo, last));
  EXPECT_EQ(StoredBytes(last), NoiseBytes(kUploads - 1, 2000));
  Gc(std::chrono::hours(0));
  EXPECT_EQ(StoredBlobs(), 1u);
}

}  // namespace
}  // namespace hearth::hub
