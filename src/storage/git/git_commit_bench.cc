// Commits and listings of this layer on repositories of 10,000 files, disk syncs included.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "storage/git/git_repository.h"

namespace hearth::storage {
namespace {

constexpr int kFiles = 10'000;

// 10,000 small files in `folders` folders, or in one when it is 1.
std::vector<TreeChange> Files(int folders) {
  std::vector<TreeChange> changes;
  for (int i = 0; i < kFiles; ++i) {
    changes.push_back(PutFile{"d" + std::to_string(i % folders) + "/file" + std::to_string(i),
                              "content of file " + std::to_string(i) + "\n"});
  }
  return changes;
}

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(root_); }
  GitRepository New() {
    auto folder = root_ / (std::to_string(++count_) + ".git");
    GitRepository::Create(folder);
    return GitRepository::Open(folder);
  }

 private:
  std::filesystem::path root_;
  int count_ = 0;
};

GitOid CommitOnMain(GitRepository& repository, std::vector<TreeChange> changes) {
  NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.expected_head = repository.FindRef(commit.ref);
  commit.changes = std::move(changes);
  commit.message = "change";
  commit.author = {"Ann", "ann@example.com", FromUnixMillis(1'700'000'000'000)};
  return repository.Commit(commit);
}

void BM_OneFileCommit(benchmark::State& state) {
  Scratch scratch;
  GitRepository repository = scratch.New();
  CommitOnMain(repository, Files(static_cast<int>(state.range(0))));
  int round = 0;
  for (auto _ : state) {
    GitRepository opened = GitRepository::Open(repository.folder());
    CommitOnMain(opened, {PutFile{"d0/changing", std::to_string(++round)}});
  }
}
BENCHMARK(BM_OneFileCommit)->Arg(100)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_TenThousandFileCommit(benchmark::State& state) {
  Scratch scratch;
  std::vector<TreeChange> changes = Files(100);
  for (auto _ : state) {
    state.PauseTiming();
    GitRepository repository = scratch.New();
    state.ResumeTiming();
    CommitOnMain(repository, changes);
  }
}
BENCHMARK(BM_TenThousandFileCommit)->Unit(benchmark::kMillisecond);

void BM_RecursiveList(benchmark::State& state) {
  Scratch scratch;
  GitRepository repository = scratch.New();
  GitOid head = CommitOnMain(repository, Files(100));
  GitRepository::ListOptions options;
  options.recursive = true;
  options.with_sizes = state.range(0) != 0;
  for (auto _ : state) {
    GitRepository opened = GitRepository::Open(repository.folder());
    benchmark::DoNotOptimize(opened.ListTree(head, "", options));
  }
}
BENCHMARK(BM_RecursiveList)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_LastCommitsOfOneFolder(benchmark::State& state) {
  Scratch scratch;
  GitRepository repository = scratch.New();
  CommitOnMain(repository, Files(100));
  for (int i = 0; i < 200; ++i) {
    CommitOnMain(repository, {PutFile{"d1/changing", std::to_string(i)}});
  }
  GitOid head = *repository.FindCommit("main");
  std::vector<std::string> paths;
  for (const TreeEntry& entry : repository.ListTree(head, "d0", {})) paths.push_back(entry.path);
  for (auto _ : state) {
    GitRepository opened = GitRepository::Open(repository.folder());
    benchmark::DoNotOptimize(opened.LastCommits(head, paths));
  }
}
BENCHMARK(BM_LastCommitsOfOneFolder)->Unit(benchmark::kMillisecond);

void BM_OpenAndResolve(benchmark::State& state) {
  Scratch scratch;
  GitRepository repository = scratch.New();
  CommitOnMain(repository, {PutFile{"a", "1"}});
  for (auto _ : state) {
    benchmark::DoNotOptimize(GitRepository::Open(repository.folder()).FindCommit("main"));
  }
}
BENCHMARK(BM_OpenAndResolve)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hearth::storage
