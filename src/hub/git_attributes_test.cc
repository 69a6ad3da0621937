#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"
#include "hub/commits.h"
#include "hub/internal/wildmatch.h"

namespace hearth::hub {
namespace {

// A scratch repository to ask the stock git.
class GitOracle {
 public:
  GitOracle()
      : folder_(std::filesystem::temp_directory_path() /
                ("hearth-attr-" + HexEncode(RandomBytes(8)))) {
    std::filesystem::create_directories(folder_);
    Run("git init -q");
  }
  ~GitOracle() { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, std::string_view text) {
    WriteFileDurably(folder_ / name, text);
  }
  // One answer per path, in order.
  std::vector<std::string> FilterOf(const std::vector<std::string>& paths) {
    std::vector<std::string> answers;
    // path NUL "filter" NUL value NUL
    std::string out = Run("git check-attr -z --stdin filter < " + Stdin(paths));
    std::vector<std::string_view> fields = Split(out, '\0');
    for (size_t i = 2; i < fields.size(); i += 3) answers.emplace_back(fields[i]);
    return answers;
  }
  bool Ignores(const std::string& path) {
    return !Run("git check-ignore --no-index -z --stdin < " + Stdin({path})).empty();
  }

 private:
  std::string Stdin(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) text += path + '\0';
    Write(".stdin", text);
    return ".stdin";
  }
  std::string Run(const std::string& command) {
    std::string line =
        "cd '" + folder_.string() + "' && GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent " + command;
    FILE* pipe = ::popen(line.c_str(), "r");
    std::string out;
    char buffer[4096];
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      out.append(buffer, got);
    ::pclose(pipe);
    return out;
  }
  std::filesystem::path folder_;
};

const std::vector<std::string> kPaths = {"a.bin",
                                         "dir/a.bin",
                                         "dir/sub/a.bin",
                                         "a.bin.txt",
                                         "A.BIN",
                                         "model.tar.gz",
                                         "x.tar.gz.part",
                                         "saved_model/a",
                                         "saved_model/v/a",
                                         "saved_model/v/w/a",
                                         "deep/saved_model/v/a",
                                         "tfevents",
                                         "x.tfevents.1",
                                         "runs/tfevents.2",
                                         "space name.bin",
                                         "dir/space name.png",
                                         "b[1].dat",
                                         "b1.dat",
                                         "star*.dat",
                                         "starx.dat",
                                         "q.dat",
                                         "qq.dat",
                                         "doc/a/b/c.md",
                                         "doc/c.md",
                                         "doc",
                                         "lib.so.1",
                                         "#hash",
                                         "!bang",
                                         "back\\slash",
                                         "\xC3\xA4.png",
                                         "x]y",
                                         "a-z",
                                         "keep.bin",
                                         "dir/keep.bin",
                                         "any/where/foo",
                                         "foo",
                                         "foo/bar",
                                         "x/foo/bar/baz"};

TEST(GitAttributesTest, AgreesWithGitOnATableOfPatterns) {
  const std::vector<std::string> patterns = {"*.bin",
                                             "/*.bin",
                                             "dir/*.bin",
                                             "dir/**",
                                             "**/a.bin",
                                             "a.*",
                                             "*.tar.*",
                                             "*.tar.gz",
                                             "saved_model/**/*",
                                             "*tfevents*",
                                             "\"space name.bin\"",
                                             "*.png",
                                             "b[[]1].dat",
                                             "b\\[1\\].dat",
                                             "b[0-9].dat",
                                             "b[!0-9].dat",
                                             "star\\*.dat",
                                             "star*.dat",
                                             "?.dat",
                                             "doc/**/c.md",
                                             "doc/*/c.md",
                                             "/doc",
                                             "doc/",
                                             "*",
                                             "**",
                                             "[[:upper:]].*",
                                             "[[:upper:]]*",
                                             "lib.so.*",
                                             "*.so.[0-9]",
                                             "foo",
                                             "/foo",
                                             "foo/*",
                                             "foo/**",
                                             "**/foo",
                                             "**/foo/**",
                                             "x/**/baz",
                                             "a**n",

                                             "[a",
                                             "x[]]y",
                                             "a[-]z",
                                             "a[a-]z",
                                             "\\#hash",
                                             "*.b[i-k]n",
                                             "*.[!x]in",
                                             "dir/sub/a.bin",
                                             "/dir/a.bin",
                                             "sub/a.bin",
                                             "keep.bin",
                                             "*.B*",
                                             "back\\\\slash",
                                             "*\\",
                                             "\xC3\xA4.png",
                                             "any/*/foo",
                                             "any/**/foo"};
  for (const std::string& pattern : patterns) {
    std::string text = pattern + " filter=lfs diff=lfs merge=lfs -text\n";
    GitOracle git;
    git.Write(".gitattributes", text);
    std::vector<std::string> expected = git.FilterOf(kPaths);
    ASSERT_EQ(expected.size(), kPaths.size());
    GitAttributes attributes = GitAttributes::Parse(text);
    for (size_t i = 0; i < kPaths.size(); ++i) {
      EXPECT_EQ(attributes.LfsFor(kPaths[i]) == GitAttributes::Lfs::kLfs, expected[i] == "lfs")
          << "pattern " << pattern << " path " << kPaths[i] << " git says " << expected[i];
    }
  }
}

TEST(GitAttributesTest, LaterLinesWinAsInGit) {
  const std::string text =
      "# comment filter=lfs\n"
      "[attr]big filter=lfs diff=lfs merge=lfs -text\n"
      "*.bin filter=lfs diff=lfs merge=lfs -text\r\n"
      "keep.bin !filter !diff !merge text\n"
      "dir/keep.bin -filter\n"
      "   *.png   big\n"
      "*.dat filter=other\n"
      "starx.dat filter=lfs\n"
      "!*.md filter=lfs\n"
      "doc/** filter=lfs\n"
      "doc/c.md filter\n"
      "lib.so.1";
  GitOracle git;
  git.Write(".gitattributes", text);
  std::vector<std::string> expected = git.FilterOf(kPaths);
  GitAttributes attributes = GitAttributes::Parse(text);
  for (size_t i = 0; i < kPaths.size(); ++i) {
    EXPECT_EQ(attributes.LfsFor(kPaths[i]) == GitAttributes::Lfs::kLfs, expected[i] == "lfs")
        << kPaths[i] << " git says " << expected[i];
  }
  EXPECT_EQ(attributes.LfsFor("keep.bin"), GitAttributes::Lfs::kNotLfs);
  EXPECT_EQ(attributes.LfsFor("dir/keep.bin"), GitAttributes::Lfs::kNotLfs);
  EXPECT_EQ(attributes.LfsFor("plain.txt"), GitAttributes::Lfs::kUnsaid);
}

TEST(GitAttributesTest, TheLineForAPathCoversItInGitToo) {
  for (const std::string& path : kPaths) {
    std::string text = LfsAttributesLine(path) + "\n";
    GitOracle git;
    git.Write(".gitattributes", text);
    EXPECT_EQ(git.FilterOf({path}).at(0), "lfs") << path << " line " << text;
    EXPECT_EQ(GitAttributes::Parse(text).LfsFor(path), GitAttributes::Lfs::kLfs) << path;
  }
}

TEST(GitAttributesTest, DefaultsCoverWhatEachTypeStores) {
  GitAttributes model = GitAttributes::Parse(DefaultGitAttributes(RepoType::kModel));
  GitAttributes space = GitAttributes::Parse(DefaultGitAttributes(RepoType::kSpace));
  GitAttributes data = GitAttributes::Parse(DefaultGitAttributes(RepoType::kDataset));
  for (const char* path : {"model.safetensors", "a/b.tar.gz", "saved_model/variables/v.index",
                           "events.out.tfevents.123.host", "x.lfs.1"}) {
    for (const GitAttributes* attributes : {&model, &space, &data}) {
      // "*tfevents*" matches anywhere in the name.
      EXPECT_EQ(attributes->LfsFor(path), GitAttributes::Lfs::kLfs) << path;
    }
  }
  for (const char* path : {"cat.png", "speech.flac", "clip.mp4", "shard.mds"}) {
    EXPECT_EQ(model.LfsFor(path), GitAttributes::Lfs::kUnsaid) << path;
    EXPECT_EQ(data.LfsFor(path), GitAttributes::Lfs::kLfs) << path;
  }
  EXPECT_EQ(model.LfsFor("README.md"), GitAttributes::Lfs::kUnsaid);
}

TEST(GitIgnoreTest, AgreesWithGitOnFilesAndFolders) {
  const std::vector<std::string> texts = {"*.bin\n!keep.bin\n",
                                          "dir/\n!dir/keep.bin\n",
                                          "/foo\n",
                                          "foo/\n",
                                          "doc/**/c.md\n",
                                          "doc/*\n!doc/c.md\n",
                                          "**/sub\n",
                                          "*.dat \n#hash\n\\#hash\n\\!bang\n",
                                          "saved_model/**\n",
                                          "any/**/foo\n",
                                          "*\n!*.md\n",
                                          "*\n!doc\n!doc/c.md\n"};
  for (const std::string& text : texts) {
    GitOracle git;
    git.Write(".gitignore", text);
    GitIgnore ignore = GitIgnore::Parse(text);
    for (const std::string& path : kPaths) {
      // git reports ignored folders for ignored files below them: ask for the path itself.
      EXPECT_EQ(ignore.Ignores(path), git.Ignores(path))
          << "ignore file " << text << " path " << path;
    }
  }
}

TEST(WildPatternTest, HostilePatternsEndQuickly) {
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "*a";
  std::string text(1000, 'a');
  EXPECT_FALSE(WildPattern(pattern + "b").Matches(text));
  std::string folders;
  for (int i = 0; i < 200; ++i) folders += "**/";
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "a/";
  EXPECT_FALSE(WildPattern(folders + "b").Matches(deep + "a"));
  EXPECT_TRUE(WildPattern(folders + "a").Matches(deep + "a"));
}

TEST(LooksBinaryTest, TellsTextFromBytes) {
  EXPECT_FALSE(LooksBinary(""));
  EXPECT_FALSE(LooksBinary("plain text\nwith\ttabs\r\n"));
  EXPECT_FALSE(LooksBinary("\xEF\xBB\xBFutf-8 with mark \xE2\x82\xAC"));
  EXPECT_FALSE(LooksBinary("cut in a character \xE2\x82"));
  EXPECT_FALSE(LooksBinary("latin-1 caf\xE9 cr\xE8me"));
  EXPECT_FALSE(LooksBinary("\x1B[31mred\x1B[0m terminal output"));
  EXPECT_FALSE(LooksBinary("many columns with one \x01 separator in a line of text"));
  EXPECT_TRUE(LooksBinary(std::string_view("a\0b", 3)));
  EXPECT_TRUE(LooksBinary("\x89PNG\r\n\x1A\n"));
  EXPECT_TRUE(LooksBinary("\x1F\x8B\x08\x03\x99\xA7"));
  EXPECT_TRUE(LooksBinary("\x01\x02\x03\x04"));
}

}  // namespace
}  // namespace hearth::hub
