#include <gmock/gmock.h>

#include <fstream>

#include "base/file.h"
#include "storage/git/internal/commit_text.h"
#include "storage/git/internal/libgit2.h"
#include "storage/git/internal/object_batch.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

using testing::HasSubstr;

class GitReadTest : public GitTest {
 protected:
  // A repository that the stock program made, with everything a tree can hold.
  GitOid PushFromGit() {
    auto result = Shell(
        root_,
        "git init -q -b main work && cd work && mkdir -p 'dir with space/sub' && "
        "echo 1 > 'dir with space/sub/f' && echo 2 > run && chmod +x run && ln -s run link && "
        "printf 'x' > \"$(printf 'latin-\\351')\" && echo 3 > dir && rm dir && mkdir dir && "
        "echo 4 > dir/a && echo 5 > dir.b && echo 6 > dir0 && git add -A && "
        "git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,module"
        " && git commit -qm odd && git push -q ../repo.git main");
    EXPECT_EQ(result.status, 0) << result.output;
    return *Open().FindCommit("main");
  }
  static std::vector<TreeEntry> List(const GitRepository& repository, const GitOid& commit,
                                     std::string folder, GitRepository::ListOptions options) {
    return repository.ListTree(commit, folder, options);
  }
};

TEST_F(GitReadTest, TreesOfGitAreReadBackExactly) {
  GitOid head = PushFromGit();
  GitRepository repository = Open();
  GitRepository::ListOptions recursive{true, "", SIZE_MAX, true};
  std::string listed;
  for (const TreeEntry& entry : repository.ListTree(head, "", recursive)) {
    const char* kinds[] = {"100644 blob", "100755 blob", "120000 blob", "040000 tree",
                           "160000 commit"};
    bool sized = entry.kind != EntryKind::kFolder && entry.kind != EntryKind::kSubmodule;
    listed += std::string(kinds[static_cast<int>(entry.kind)]) + " " + entry.oid.Hex() + " " +
              (sized ? std::to_string(entry.size_bytes) : "-") + " " + entry.path + "\n";
  }
  EXPECT_EQ(listed,
            Git("-c core.quotePath=false ls-tree -r -t --format='%(objectmode) %(objecttype) "
                "%(objectname) %(objectsize) %(path)' main"));
}

TEST_F(GitReadTest, EntriesAreFoundByPath) {
  GitOid head = PushFromGit();
  GitRepository repository = Open();
  EXPECT_EQ(repository.FindEntry(head, "")->kind, EntryKind::kFolder);
  EXPECT_EQ(repository.FindEntry(head, "")->oid, repository.ReadCommit(head).tree);
  std::optional<TreeEntry> file = repository.FindEntry(head, "dir with space/sub/f");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size_bytes, 2u);
  EXPECT_EQ(repository.ReadBlob(file->oid), "1\n");
  EXPECT_EQ(repository.FindEntry(head, "dir")->kind, EntryKind::kFolder);
  EXPECT_EQ(repository.FindEntry(head, "link")->kind, EntryKind::kSymlink);
  EXPECT_EQ(repository.FindEntry(head, "module")->kind, EntryKind::kSubmodule);
  for (const char* path : {"none", "run/x", "link/x", "module/x", "dir/", "/dir", "dir//a", "./dir",
                           "dir/../run", "dir/a/"}) {
    EXPECT_EQ(repository.FindEntry(head, path), std::nullopt) << path;
  }
}

TEST_F(GitReadTest, ListsOfFoldersOnly) {
  GitOid head = PushFromGit();
  GitRepository repository = Open();
  EXPECT_EQ(Paths(repository.ListTree(head, "dir/", {})), "dir/a");
  for (const char* folder : {"none", "run", "link", "module", "dir/a"}) {
    EXPECT_EQ(CodeOf([&] { repository.ListTree(head, folder, {}); }), Code::kNotFound) << folder;
  }
  EXPECT_EQ(CodeOf([&] { repository.ListTree(GitBlobOid("x"), "", {}); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] {
              repository.ListTree(head, "dir", {false, "run", SIZE_MAX, true});
            }),
            Code::kInvalidArgument);
}

TEST_F(GitReadTest, PagesJoinToTheWholeListForEveryPageSize) {
  GitRepository repository = Open();
  std::vector<TreeChange> changes;
  for (const char* path : {"a", "b/1", "b/2/x", "b/2/y", "b.c", "b0", "c/d/e/f", "z"}) {
    changes.push_back(PutFile{path, path});
  }
  GitOid head = CommitOnMain(repository, changes);
  for (bool recursive : {false, true}) {
    for (const char* folder : {"", "b"}) {
      std::string whole = Paths(List(repository, head, folder, {recursive, "", SIZE_MAX, true}));
      for (size_t page = 1; page < 6; ++page) {
        std::vector<TreeEntry> all;
        GitRepository::ListOptions options{recursive, "", page, true};
        for (;;) {
          std::vector<TreeEntry> some = repository.ListTree(head, folder, options);
          if (some.empty()) break;
          EXPECT_LE(some.size(), page);
          options.after_path = some.back().path;
          all.insert(all.end(), some.begin(), some.end());
        }
        EXPECT_EQ(Paths(all), whole) << folder << " page " << page;
      }
    }
  }
}

TEST_F(GitReadTest, AFlatFolderOfAHundredThousandFilesWorks) {
  GitRepository repository = Open();
  std::vector<TreeChange> changes;
  for (int i = 0; i < 100'000; ++i) {
    changes.push_back(PutFile{"flat/file-" + std::to_string(i), "same"});
  }
  CommitOnMain(repository, changes);
  GitOid head = CommitOnMain(repository, {PutFile{"flat/one-more", "x"}});
  size_t seen = 0;
  GitRepository::ListOptions options{false, "", 20'000, true};
  for (;;) {
    std::vector<TreeEntry> page = repository.ListTree(head, "flat", options);
    if (page.empty()) break;
    seen += page.size();
    options.after_path = page.back().path;
  }
  EXPECT_EQ(seen, 100'001u);
  ExpectSound();
}

TEST_F(GitReadTest, BlobsHaveLimitsAndTypes) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "12345"}});
  GitOid blob = GitBlobOid("12345");
  EXPECT_EQ(repository.BlobSize(blob), 5u);
  EXPECT_EQ(repository.ReadBlob(blob, 5), "12345");
  EXPECT_EQ(CodeOf([&] { repository.ReadBlob(blob, 4); }), Code::kTooLarge);
  EXPECT_EQ(CodeOf([&] { repository.ReadBlob(head); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { repository.ReadBlob(GitBlobOid("no")); }), Code::kNotFound);
  EXPECT_TRUE(repository.HasObject(blob));
  EXPECT_FALSE(repository.HasObject(GitBlobOid("no")));
  EXPECT_EQ(CodeOf([&] { repository.ReadCommit(blob); }), Code::kNotFound);
}

TEST_F(GitReadTest, ATreeOfAbsurdDepthIsRefusedWithoutHarm) {
  GitRepository repository = Open();
  // PathFault keeps such paths out of commits, so the objects are made by hand, as a push could.
  git_odb* odb = nullptr;
  ASSERT_EQ(git_odb_open(&odb, (folder_ / "objects").c_str()), 0);
  internal::OdbHandle holder(odb);
  internal::ObjectBatch batch(odb, folder_ / "objects");
  GitOid tree = batch.AddOwned(GIT_OBJECT_TREE, "");
  for (size_t depth = 0; depth < internal::kMaxTreeDepth + 5; ++depth) {
    std::string bytes;
    internal::AppendEntry(bytes, 0040000, "d", tree);
    tree = batch.AddOwned(GIT_OBJECT_TREE, bytes);
  }
  GitOid deep = batch.AddOwned(GIT_OBJECT_COMMIT, internal::CommitText(tree, {}, Ann(), "deep"));
  batch.Store();
  EXPECT_EQ(CodeOf([&] {
              List(repository, deep, "", {true, "", SIZE_MAX, true});
            }),
            Code::kTooLarge);
  EXPECT_EQ(CodeOf([&] { repository.Diff(std::nullopt, deep); }), Code::kTooLarge);
  EXPECT_EQ(Paths(repository.ListTree(deep, "", {})), "d");
}

TEST_F(GitReadTest, DamageToAnyByteOfAnObjectIsAnErrorNotAHang) {
  std::string content;
  for (int i = 0; i < 40; ++i) content += "line " + std::to_string(i * 7919) + "\n";
  GitRepository writer = Open();
  GitOid head = CommitOnMain(writer, {PutFile{"a", content}});
  for (bool packed : {false, true}) {
    if (packed) Git("gc -q --prune=now");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "objects")) {
      auto extension = entry.path().extension();
      if (entry.is_regular_file() &&
          (packed ? extension == ".pack"
                  : entry.path().string().find("info") == std::string::npos)) {
        files.push_back(entry.path());
      }
    }
    ASSERT_EQ(files.size(), packed ? 1u : 3u);
    for (const auto& path : files) {
      const std::string sound = ReadFile(path);
      std::filesystem::permissions(path, std::filesystem::perms::owner_all);
      for (size_t i = 0; i < 2 * sound.size(); ++i) {
        std::string broken = sound.substr(0, i / 2);
        if (i % 2 == 1) broken = sound, broken[i / 2] = static_cast<char>(broken[i / 2] ^ 0x5A);
        std::ofstream(path, std::ios::trunc) << broken;
        try {
          GitRepository reader = Open();
          std::optional<TreeEntry> entry = reader.FindEntry(head, "a");
          if (entry) EXPECT_EQ(reader.ReadBlob(entry->oid), content);
          if (entry) reader.ReadCommit(head);
        } catch (const Error&) {
        }
      }
      std::ofstream(path, std::ios::trunc) << sound;
    }
    EXPECT_EQ(AllPaths(Open(), head), "a");
  }
}

TEST_F(GitReadTest, ObjectsOfAQuarantineFolderAreSeenWhenAsked) {
  GitRepository repository = Open();
  GitOid head = CommitOnMain(repository, {PutFile{"a", "1"}});
  GitRepository::Create(root_ / "other.git");
  GitRepository other = GitRepository::Open(root_ / "other.git");
  EXPECT_EQ(other.FindCommit(head.Hex()), std::nullopt);
  GitRepository both = GitRepository::Open(root_ / "other.git", {folder_ / "objects"});
  EXPECT_EQ(AllPaths(both, head), "a");
}

}  // namespace
}  // namespace hearth::storage
