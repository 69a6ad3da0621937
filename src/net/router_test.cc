#include "net/router.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::net {
namespace {

using Captures = std::vector<std::pair<std::string_view, std::string>>;

TEST(Router, PrefersLiteralsThenCapturesThenRest) {
  Router router;
  router.Add("GET", "/{rest...}", 0);
  router.Add("GET", "/{ns}/{name}", 1);
  router.Add("GET", "/datasets/{ns}/{name}", 2);
  router.Add("GET", "/{ns}/{name}/resolve/{rev}/{path...}", 3);
  router.Add("GET", "/datasets/{ns}/{name}/resolve/{rev}/{path...}", 4);
  EXPECT_EQ(router.Match("GET", "/a/b")->route, 1u);
  EXPECT_EQ(router.Match("GET", "/datasets/a/b")->route, 2u);
  auto file = router.Match("GET", "/datasets/a/b/resolve/main/x/y.bin");
  EXPECT_EQ(file->route, 4u);
  EXPECT_EQ(file->captures,
            (Captures{{"ns", "a"}, {"name", "b"}, {"rev", "main"}, {"path", "x/y.bin"}}));
  // "datasets" as a namespace: the literal branch fails deeper down and is left again.
  auto backtracked = router.Match("GET", "/datasets/b/resolve/main/f");
  EXPECT_EQ(backtracked->route, 3u);
  EXPECT_EQ(backtracked->captures[0].second, "datasets");
  EXPECT_EQ(router.Match("GET", "/a/b/c")->route, 0u);
}

TEST(Router, FallsThroughToAnotherPatternForTheMethod) {
  Router router;
  router.Add("POST", "/api/models/new", 0);
  router.Add("GET,HEAD", "/api/models/{name}", 1);
  EXPECT_EQ(router.Match("POST", "/api/models/new")->route, 0u);
  EXPECT_EQ(router.Match("HEAD", "/api/models/new")->route, 1u);
  EXPECT_EQ(router.Match("PUT", "/api/models/new"), std::nullopt);
  EXPECT_EQ(router.AllowedMethods("/api/models/new"),
            (std::vector<std::string>{"POST", "GET", "HEAD"}));
  EXPECT_TRUE(router.AllowedMethods("/api").empty());
}

TEST(Router, RestMayBeEmptyOnlyWhenThePatternSaysSo) {
  Router router;
  router.Add("GET", "/strict/{path...}", 0);
  router.Add("GET", "/loose/{path...?}", 1);
  EXPECT_EQ(router.Match("GET", "/strict/"), std::nullopt);
  EXPECT_EQ(router.Match("GET", "/strict"), std::nullopt);
  EXPECT_EQ(router.Match("GET", "/strict/x/")->captures, (Captures{{"path", "x/"}}));
  EXPECT_EQ(router.Match("GET", "/loose")->captures, (Captures{{"path", ""}}));
  EXPECT_EQ(router.Match("GET", "/loose/")->captures, (Captures{{"path", ""}}));
  EXPECT_EQ(router.Match("GET", "/loose/a/b")->captures, (Captures{{"path", "a/b"}}));
  EXPECT_EQ(router.Match("GET", "/looser"), std::nullopt);
}

TEST(Router, CapturesMayHaveLiteralAffixes) {
  Router router;
  router.Add("GET", "/{ns}/{name}", 0);
  router.Add("GET", "/{ns}/{name}.git/info/refs", 1);
  router.Add("GET", "/{ns}/{name}/info/refs", 2);
  auto git = router.Match("GET", "/a/b.git/info/refs");
  EXPECT_EQ(git->route, 1u);
  EXPECT_EQ(git->captures, (Captures{{"ns", "a"}, {"name", "b"}}));
  EXPECT_EQ(router.Match("GET", "/a/b/info/refs")->route, 2u);
  EXPECT_EQ(router.Match("GET", "/a/b.git")->captures[1].second, "b.git");
  EXPECT_EQ(router.Match("GET", "/a/.git/info/refs")->captures[1].second, ".git");
}

TEST(Router, MatchesTheRawPath) {
  Router router;
  router.Add("GET", "/{ns}/{rev}/{path...}", 0);
  auto match = router.Match("GET", "/a/refs%2Fpr%2F1/x%2Fy/z");
  EXPECT_EQ(match->captures,
            (Captures{{"ns", "a"}, {"rev", "refs%2Fpr%2F1"}, {"path", "x%2Fy/z"}}));
  EXPECT_EQ(router.Match("GET", "/a//x"), std::nullopt);  // a capture is never empty
  EXPECT_EQ(router.Match("GET", "a/b/c"), std::nullopt);
  EXPECT_EQ(router.Match("GET", ""), std::nullopt);
}

TEST(Router, MatchesTheRootAndTrailingSlashesExactly) {
  Router router;
  router.Add("GET", "/", 0);
  router.Add("GET", "/a", 1);
  router.Add("GET", "/a/", 2);
  EXPECT_EQ(router.Match("GET", "/")->route, 0u);
  EXPECT_EQ(router.Match("GET", "/a")->route, 1u);
  EXPECT_EQ(router.Match("GET", "/a/")->route, 2u);
}

TEST(Router, RefusesBadAndDoubledPatterns) {
  Router router;
  router.Add("GET", "/{a}/x", 0);
  for (const char* bad : {"", "x", "/{", "/{}", "/}", "/{a}{b}", "/{a...}/b", "/x{a...}",
                          "/{a}/{a}", "/{b}/x", "/{a.b}"}) {
    EXPECT_THROW(router.Add("GET", bad, 1), Error) << bad;
  }
  EXPECT_THROW(router.Add("GET,", "/y", 1), Error);
  router.Add("POST", "/{b}/x", 1);
  EXPECT_EQ(router.Match("POST", "/v/x")->captures, (Captures{{"b", "v"}}));
}

// Each node is met at most once, so repeated segments cannot make matching exponential.
TEST(Router, LongHostilePathsAreCheap) {
  Router router;
  std::string pattern;
  for (int i = 0; i < 20; ++i) {
    pattern += i % 2 ? "/a" : "/{c" + std::to_string(i) + "}";
    router.Add("GET", pattern + "/end", static_cast<size_t>(i));
  }
  std::string path;
  for (int i = 0; i < 4000; ++i) path += "/a";
  EXPECT_EQ(router.Match("GET", path), std::nullopt);
}

}  // namespace
}  // namespace hearth::net
