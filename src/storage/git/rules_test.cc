#include <gtest/gtest.h>

#include "storage/git/git_repository.h"

namespace hearth::storage {
namespace {

TEST(PathFault, OrdinaryNamesAreLegal) {
  for (const char* path : {"a", "a/b.txt", ".gitattributes", "data/ü/日本.bin", "a b/c:d", "...",
                           ".github/x", "git", "model.git", "con/aux"}) {
    EXPECT_EQ(PathFault(path), std::nullopt) << path;
  }
}

TEST(PathFault, TricksAreNot) {
  for (const std::string& path : {std::string(),
                                  std::string("/a"),
                                  std::string("a/"),
                                  std::string("a//b"),
                                  std::string("."),
                                  std::string("a/../b"),
                                  std::string(".git"),
                                  std::string("a/.GiT/x"),
                                  std::string(".git./x"),
                                  std::string(".git "),
                                  std::string(".git::$INDEX_ALLOCATION"),
                                  std::string("GIT~1"),
                                  std::string(".g\xE2\x80\x8Cit"),
                                  std::string("a\\..\\b"),
                                  std::string("a\0b", 3),
                                  std::string("a\rb"),
                                  std::string("a\x7F"),
                                  std::string("\xFF"),
                                  std::string("\xC0\xAF"),
                                  std::string("\xED\xA0\x80"),
                                  std::string(1025, 'a'),
                                  std::string(256, 'a')}) {
    EXPECT_NE(PathFault(path), std::nullopt) << path;
  }
  std::string deep = "a";
  for (int i = 1; i < 50; ++i) deep += "/a";
  EXPECT_EQ(PathFault(deep), std::nullopt);
  EXPECT_NE(PathFault(deep + "/a"), std::nullopt);
}

TEST(RefNameFault, FollowsCheckRefFormat) {
  for (const char* name : {"main", "v1.0", "feature/x-y", "pr/1", "日本", "a@b"}) {
    EXPECT_EQ(RefNameFault(name), std::nullopt) << name;
  }
  for (const char* name : {"",
                           "HEAD",
                           "refs/heads/x",
                           "-x",
                           "a..b",
                           "a~1",
                           "a^",
                           "a:b",
                           "a b",
                           "a?",
                           "a*",
                           "a[",
                           "a\\",
                           "a@{1}",
                           "@",
                           "/a",
                           "a/",
                           "a//b",
                           ".a",
                           "a/.b",
                           "a.lock",
                           "a.lock/b",
                           "a.",
                           "a\x01",
                           "\xFF",
                           "0123456789abcdef0123456789abcdef01234567"}) {
    EXPECT_NE(RefNameFault(name), std::nullopt) << name;
  }
  EXPECT_NE(RefNameFault(std::string(300, 'a')), std::nullopt);
}

TEST(LfsPointer, MadePointersParseBack) {
  LfsPointer pointer{Sha256Of("x"), 1234567890123};
  std::string text = MakeLfsPointer(pointer);
  EXPECT_EQ(text, "version https://git-lfs.github.com/spec/v1\noid sha256:" + pointer.oid.Hex() +
                      "\nsize 1234567890123\n");
  std::optional<LfsPointer> parsed = ParseLfsPointer(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->oid, pointer.oid);
  EXPECT_EQ(parsed->size_bytes, pointer.size_bytes);
}

TEST(LfsPointer, ExtensionsAndAMissingLastNewlineAreAccepted) {
  std::string hex = Sha256Of("x").Hex();
  std::string version = "version https://git-lfs.github.com/spec/v1\n";
  EXPECT_TRUE(ParseLfsPointer(version + "oid sha256:" + hex + "\nsize 0"));
  EXPECT_TRUE(
      ParseLfsPointer(version + "ext-0-foo sha256:" + hex + "\noid sha256:" + hex + "\nsize 5\n"));
}

TEST(LfsPointer, EverythingElseIsContent) {
  std::string hex = Sha256Of("x").Hex();
  std::string version = "version https://git-lfs.github.com/spec/v1\n";
  std::string good = version + "oid sha256:" + hex + "\nsize 12\n";
  for (size_t length = 0; length + 3 < good.size(); ++length) {
    EXPECT_FALSE(ParseLfsPointer(good.substr(0, length))) << length;
  }
  for (const std::string& text :
       {good + "more\n", good + "\n", version + "size 12\noid sha256:" + hex + "\n",
        version + "oid sha256:" + std::string(64, 'G') + "\nsize 1\n",
        version + "oid sha1:" + hex + "\nsize 1\n", version + "oid sha256:" + hex + "\nsize -1\n",
        version + "oid sha256:" + hex + "\nsize 99999999999999999999\n",
        version + "oid sha256:" + hex + "\nsize 9999999999999999999\n", "\n" + good,
        version + "ext-0-a " + std::string(1100, 'x') + "\n" + good}) {
    EXPECT_FALSE(ParseLfsPointer(text)) << text;
  }
}

}  // namespace
}  // namespace hearth::storage
