#include "hub/inspector/repo_view.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace hearth::inspector {
namespace {

namespace fs = std::filesystem;

class FolderTest : public ::testing::Test {
 protected:
  FolderTest()
      : folder_(fs::path(::testing::TempDir()) /
                ("view-" +
                 std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FolderTest() override { fs::remove_all(folder_); }
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << text;
  }

  fs::path folder_;
};

TEST_F(FolderTest, FilesAreListedInOrderWithoutGit) {
  Write("b/config.json", "{}");
  Write("README.md", "# hello");
  Write(".git/HEAD", "ref: refs/heads/main");
  std::unique_ptr<RepoView> view = OpenFolder(folder_.string());
  ASSERT_EQ(view->files().size(), 2u);
  EXPECT_EQ(view->files()[0].path, "README.md");
  EXPECT_EQ(view->files()[1].path, "b/config.json");
  EXPECT_EQ(view->files()[1].size_bytes, 2u);
  EXPECT_EQ(view->id(), folder_.filename().string());
}

TEST_F(FolderTest, TextIsAlwaysValidAndNeverLargerThanAsked) {
  Write("card.md", "gr\xFC\xC3\xA9");
  Write("large.txt", std::string(100, 'x'));
  std::unique_ptr<RepoView> view = OpenFolder(folder_.string());
  EXPECT_EQ(view->ReadText("card.md"), "gr\xEF\xBF\xBD\xC3\xA9");
  EXPECT_EQ(view->ReadText("large.txt", 99), std::nullopt);
  EXPECT_EQ(view->ReadText("absent.txt"), std::nullopt);
}

TEST_F(FolderTest, NothingOutsideTheFolderIsRead) {
  Write("inside/a.txt", "a");
  Write("secret.txt", "secret");
  std::unique_ptr<RepoView> view = OpenFolder((folder_ / "inside").string());
  EXPECT_EQ(view->ReadText("../secret.txt"), std::nullopt);
  EXPECT_THROW(view->Open("../secret.txt"), Error);
  EXPECT_THROW(OpenFolder((folder_ / "absent").string()), Error);
}

}  // namespace
}  // namespace hearth::inspector
