#include "hub/full_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "hub/hub_fixture.h"
#include "hub/internal/search_document.h"

namespace hearth::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FullTextTest : public HubFixture {
 protected:
  void Index() {
    hub_->catalog().Start();
    hub_->full_text().Start();
    ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
    ASSERT_TRUE(hub_->full_text().WaitCurrent(std::chrono::seconds(60)));
    hub_->catalog().Stop();
    hub_->full_text().Stop();
  }
  FullTextPage Find(const Actor& actor, const std::string& text) {
    FullTextQuery query;
    query.text = text;
    return hub_->full_text().Find(actor, query);
  }
  std::vector<std::string> Names(const Actor& actor, const std::string& text) {
    std::vector<std::string> names;
    for (const FullTextHit& hit : Find(actor, text).hits) names.push_back(hit.repo->name);
    return names;
  }
};

TEST_F(FullTextTest, FindsNamesCardsFilesAndCode) {
  Commit(MakeRepo(ada_, RepoType::kModel, "whisper-small"),
         {{"README.md",
           "---\nlicense: mit\nlanguage: fr\npipeline_tag: automatic-speech-recognition\n---\n"
           "# Sound to text\nListens to <b>recordings</b> of [people](https://example.com/x).\n"}});
  Commit(MakeRepo(ada_, RepoType::kDataset, "birdsong"),
         {{"README.md", "---\nlicense: cc-by-4.0\n---\nRecordings of nightingales.\n"},
          {"forest_clips.csv", "a,b\n1,2\n"}});
  Commit(MakeRepo(ada_, RepoType::kSpace, "demo"),
         {{"README.md", "---\nsdk: gradio\ntitle: Listen\n---\nAn app.\n"},
          {"app.py", "import gradio\n\ndef transcribe_birds(path):\n    return path\n"}});
  Index();
  EXPECT_THAT(Names({}, "recordings"), UnorderedElementsAre("whisper-small", "birdsong"));
  EXPECT_THAT(Names({}, "French"), ElementsAre("whisper-small"));
  EXPECT_THAT(Names({}, "speech recognition"), ElementsAre("whisper-small"));
  EXPECT_THAT(Names({}, "forest_clips"), ElementsAre("birdsong"));
  EXPECT_THAT(Names({}, "recordings license:mit"), ElementsAre("whisper-small"));
  EXPECT_THAT(Names({}, "recordings type:dataset"), ElementsAre("birdsong"));
  EXPECT_THAT(Names({}, "lang:fr"), ElementsAre("whisper-small"));
  EXPECT_THAT(Names({}, "author:nobody recordings"), IsEmpty());
  FullTextPage page = Find({}, "transcribe_birds");
  ASSERT_EQ(page.hits.size(), 1u);
  EXPECT_EQ(page.hits[0].file, "app.py");
  EXPECT_EQ(page.hits[0].snippet.matches.size(), 2u);
  EXPECT_EQ(page.spaces, 1u);
  // Link targets and tags are not text.
  EXPECT_THAT(Names({}, "example.com"), IsEmpty());
}

TEST_F(FullTextTest, CountsOfAllTypesAndFacetsOfTheWantedOne) {
  Commit(MakeRepo(ada_, RepoType::kModel, "one"),
         {{"README.md", "---\nlicense: mit\n---\nAbout owls.\n"}});
  Commit(MakeRepo(ada_, RepoType::kModel, "two"),
         {{"README.md", "---\nlicense: gpl-3.0\n---\nAbout owls.\n"}});
  Commit(MakeRepo(ada_, RepoType::kModel, "three"),
         {{"README.md", "---\nlicense: gpl-3.0\n---\nAbout cats.\n"}});
  Commit(MakeRepo(ada_, RepoType::kDataset, "rows"), {{"README.md", "About owls.\n"}});
  Index();
  FullTextQuery query;
  query.text = "owls";
  query.type = RepoType::kModel;
  query.with_facets = true;
  FullTextPage page = hub_->full_text().Find({}, query);
  EXPECT_EQ(page.total, 2u);
  EXPECT_EQ(page.models, 2u);
  EXPECT_EQ(page.datasets, 1u);
  ASSERT_TRUE(page.facets);
  EXPECT_EQ(page.facets->total, 2u);
  query.limit = 1;
  query.skip = 1;
  EXPECT_EQ(hub_->full_text().Find({}, query).hits.size(), 1u);
  query.skip = 1000;
  EXPECT_THROW(hub_->full_text().Find({}, query), Error);
  EXPECT_THROW(Find({}, "owls type:book"), Error);
}

TEST_F(FullTextTest, ChangesAreFollowed) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(repo, {{"README.md", "About owls.\n"}});
  Index();
  Commit(repo, {{"README.md", "About cats.\n"}});
  Index();
  EXPECT_THAT(Names({}, "owls"), IsEmpty());
  EXPECT_THAT(Names({}, "cats"), ElementsAre("one"));
  hub_->repos().Move(ada_, hub_->repos().Open(ada_, RepoType::kModel, "ada/one", Right::kAdmin),
                     "ada/felines");
  Index();
  EXPECT_THAT(Names({}, "felines"), ElementsAre("felines"));
  hub_->repos().Delete(hub_->repos().Open(ada_, RepoType::kModel, "ada/felines", Right::kAdmin));
  Index();
  EXPECT_THAT(Names(ada_, "cats"), IsEmpty());
}

TEST_F(FullTextTest, WhatAKilledProcessHadInMemoryIsMadeAgain) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(repo, {{"README.md", "About owls.\n"}});
  Index();
  // As if nothing had reached the disk.
  hub_.reset();
  std::filesystem::remove_all(folder_ / "search");
  OpenHub();
  EXPECT_THAT(Names({}, "owls"), IsEmpty());
  Index();
  EXPECT_THAT(Names({}, "owls"), ElementsAre("one"));
}

// A search that meets damage answers from what is sound, and what was lost is made again.
TEST_F(FullTextTest, DamageThatASearchMeetsIsMended) {
  Commit(MakeRepo(ada_, RepoType::kModel, "one"), {{"README.md", "All about owls.\n"}});
  Index();
  for (const char* part : {".texts", ".postings"}) {
    OpenHub();  // from files
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "search")) {
      if (file.path().extension() != part) continue;
      auto size = std::filesystem::file_size(file);
      std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      bytes << std::string(size, '\xFF');
    }
    size_t before = hub_->full_text().stats().dropped;
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (hub_->full_text().stats().dropped == before &&
           std::chrono::steady_clock::now() < until) {
      EXPECT_LE(Find({}, "owls").total, 1u);
    }
    Index();
    FullTextPage page = Find({}, "owls");
    ASSERT_EQ(page.hits.size(), 1u) << part;
    EXPECT_NE(page.hits[0].snippet.text.find("owls"), std::string::npos) << part;
  }
}

TEST_F(FullTextTest, PrivateRepositoriesLeakNowhere) {
  Actor bob = MakeUser("bob");
  Commit(MakeRepo(ada_, RepoType::kModel, "open"),
         {{"README.md", "---\nlicense: mit\n---\nA translation model.\n"}});
  Index();
  FullTextPage before = Find(bob, "translatoin");
  RepoHandle hidden = MakeRepo(ada_, RepoType::kModel, "hidden-quasar", true);
  Commit(hidden, {{"README.md", "---\nlicense: mit\n---\nCodename zanzibar, translatoin.\n"},
                  {"notes.py", "zanzibar = 1\n"}});
  Index();
  for (const Actor& other : {Actor{}, bob}) {
    for (const char* probe : {"zanzibar", "zanzibra", "zanz", "\"codename zanzibar\"", "quasar",
                              "zanzibar license:mit", "author:ada zanzibar", "notes.py"}) {
      FullTextPage page = Find(other, probe);
      EXPECT_THAT(page.hits, IsEmpty()) << probe;
      EXPECT_EQ(page.total + page.models, 0u) << probe;
      EXPECT_EQ(page.corrected, "") << probe;
    }
    FullTextPage after = Find(other, "translatoin");
    EXPECT_EQ(after.total, before.total);
    EXPECT_EQ(after.corrected, before.corrected);
  }
  EXPECT_THAT(Names(ada_, "zanzibar"), ElementsAre("hidden-quasar"));
  EXPECT_THAT(Names(ada_, "zanzibra "), ElementsAre("hidden-quasar"));
  hub_->repos().UpdateSettings(
      hub_->repos().Open(ada_, RepoType::kModel, "ada/hidden-quasar", Right::kAdmin),
      {.is_private = false});
  EXPECT_THAT(Names(bob, "zanzibar"), ElementsAre("hidden-quasar"));
}

TEST_F(FullTextTest, FilesOfGatedRepositoriesAreNotSearched) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "gated");
  Commit(repo, {{"README.md", "A card.\n"}, {"app.py", "zanzibar = 1\n"}});
  Index();
  EXPECT_THAT(Names({}, "zanzibar"), ElementsAre("gated"));
  hub_->repos().UpdateSettings(
      hub_->repos().Open(ada_, RepoType::kModel, "ada/gated", Right::kAdmin),
      {.gated = Gated::kManual});
  Index();
  EXPECT_THAT(Names({}, "zanzibar"), IsEmpty());
  EXPECT_THAT(Names({}, "card"), ElementsAre("gated"));
}

TEST(SearchDocumentTest, MarkdownAsPeopleReadIt) {
  EXPECT_EQ(
      PlainText("# A *bold* [link](http://x.y) ![img](a.png)\n\n- `code` snake_case <br/>x\n"),
      "A bold link img\ncode snake_case  x\n");
  EXPECT_EQ(HeadingsOf("# One\ntext\n```\n# no\n```\n## Two\n"), "One\nTwo\n");
  EXPECT_EQ(PlainText("a < b and [c"), "a < b and c");
}

}  // namespace
}  // namespace hearth::hub
