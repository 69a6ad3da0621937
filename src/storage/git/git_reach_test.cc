#include <gtest/gtest.h>

#include <set>

#include "storage/git/internal/test_repository.h"

namespace hearth::storage {
namespace {

class GitReachTest : public GitTest {
 protected:
  // Makes a work tree whose file w.bin is a pointer to each name in turn, one commit each.
  static std::string PointerText(const std::string& name) {
    return MakeLfsPointer({Sha256Of(name), name.size()});
  }
  std::string Setup(const std::string& more) {
    std::string script = "git init -q -b main work && cd work && ";
    for (const char* name : {"one", "two", "three"}) {
      script += "printf '%s' '" + PointerText(name) + "' > w.bin && git add -A && git commit -qm " +
                name + " && ";
    }
    auto result = Shell(root_, script + "git remote add o ../repo.git && " + more);
    EXPECT_EQ(result.status, 0) << result.output;
    return result.output;
  }
  static std::vector<GitOid> Targets(const GitRepository& git) {
    std::vector<GitOid> targets;
    for (const RefInfo& ref : git.ListAllRefs()) targets.push_back(ref.target);
    return targets;
  }
  std::set<std::string> Reached() {
    GitRepository git = Open();
    std::set<std::string> found;
    std::unordered_set<GitOid> seen;
    git.ForEachPointer(Targets(git), &seen, [&](const LfsPointer& pointer) {
      EXPECT_TRUE(found.insert(NameOf(pointer.oid)).second) << "told twice";
    });
    return found;
  }
  static std::string NameOf(const Sha256& oid) {
    for (const char* name : {"one", "two", "three", "side"}) {
      if (Sha256Of(name) == oid) return name;
    }
    return oid.Hex();
  }
};

using Names = std::set<std::string>;

TEST_F(GitReachTest, TheWholeHistoryCounts) {
  Setup("git push -q o main");
  EXPECT_EQ(Reached(), (Names{"one", "two", "three"}));
}

TEST_F(GitReachTest, EveryKindOfRefCounts) {
  Setup(
      "git tag -a -m x annotated main~1 && git push -q o annotated && "
      "git push -q o main~2:refs/pr/1");
  EXPECT_EQ(Reached(), (Names{"one", "two"}));
  Git("update-ref refs/internal/odd " + Git("rev-parse annotated^{tree}"));
  Git("update-ref -d refs/tags/annotated");
  Git("update-ref -d refs/pr/1");
  EXPECT_EQ(Reached(), (Names{"two"}));  // a ref to a bare tree
}

TEST_F(GitReachTest, WhatNoRefReachesDoesNotCount) {
  Setup("git push -q o main");
  Git("update-ref refs/heads/main main~2");
  EXPECT_EQ(Reached(), (Names{"one"}));
}

TEST_F(GitReachTest, ASecondCallTellsOnlyWhatIsNew) {
  Setup("git push -q o main~1:refs/heads/main");
  std::unordered_set<GitOid> seen;
  size_t told = 0;
  auto count = [&](const LfsPointer&) { ++told; };
  Open().ForEachPointer(Targets(Open()), &seen, count);
  EXPECT_EQ(told, 2u);
  Shell(root_ / "work", "git push -q o main");
  Open().ForEachPointer(Targets(Open()), &seen, count);
  EXPECT_EQ(told, 3u);
}

TEST_F(GitReachTest, AHistoryWithoutAnObjectKeepsAllElse) {
  Setup(
      "printf keep > keep.txt && mkdir sub && cp w.bin sub/ && git add -A && git commit -qm four "
      "&& "
      "git tag -a -m x marked main~2 && printf more >> keep.txt && git commit -qam five && "
      "git push -q o main marked");
  GitRepository git = Open();
  GitOid head = *git.FindCommit("main");
  GitOid tag = *git.FindRef("refs/tags/marked");
  std::vector<GitOid> now = git.RewriteWithout({head, tag}, {Sha256Of("three")});
  EXPECT_NE(now[0], head);
  EXPECT_EQ(now[1], tag) << "the object came later";
  git.UpdateRef("refs/heads/main", head, now[0]);
  EXPECT_EQ(Reached(), (Names{"one", "two"}));
  EXPECT_EQ(Git("log --format=%s main"), "five\nfour\nthree\ntwo\none\n");
  EXPECT_EQ(Git("ls-tree -r --name-only main"), "keep.txt\n");
  EXPECT_EQ(Git("cat-file -p main:keep.txt"), "keepmore");
  EXPECT_EQ(Git("log -1 --format=%an%at main"), Git("log -1 --format=%an%at " + head.Hex()));
  EXPECT_EQ(Git("fsck --strict --no-dangling"), "");
  EXPECT_EQ(git.RewriteWithout({now[0]}, {Sha256Of("three")}), (std::vector{now[0]}));

  std::vector<GitOid> without_any =
      git.RewriteWithout({now[0], tag}, {Sha256Of("one"), Sha256Of("two")});
  EXPECT_NE(without_any[1], tag);
  git.UpdateRef("refs/heads/main", now[0], without_any[0]);
  git.UpdateRef("refs/tags/marked", tag, without_any[1]);
  EXPECT_EQ(Reached(), Names());
  EXPECT_EQ(Git("fsck --strict --no-dangling"), "");
}

TEST_F(GitReachTest, ADamagedRepositoryIsNotTakenForAnEmptyOne) {
  Setup("git push -q o main");
  std::string tree = Git("rev-parse main~1^{tree}").substr(0, 40);
  std::filesystem::remove(folder_ / "objects" / tree.substr(0, 2) / tree.substr(2));
  EXPECT_THROW(Reached(), Error);
}

}  // namespace
}  // namespace hearth::storage
