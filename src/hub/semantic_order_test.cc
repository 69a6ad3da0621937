#include "hub/semantic_order.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>

#include "base/bytes.h"
#include "hub/hub_fixture.h"

namespace hearth::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Knows two subjects: a text about cars and motors points one way, one about cooking the other.
class Subjects : public TextEmbedder {
 public:
  std::string Identity() override { return "ada/subjects@" + std::to_string(version); }
  std::optional<std::vector<std::vector<float>>> Embed(std::span<const std::string> texts,
                                                       std::chrono::milliseconds) override {
    if (asleep) return std::nullopt;
    std::vector<std::vector<float>> vectors;
    for (const std::string& text : texts) {
      std::string lower = AsciiLower(text);
      auto count = [&lower](std::initializer_list<const char*> words) {
        float sum = 0.01f;
        for (const char* word : words) sum += lower.find(word) != std::string::npos ? 1.f : 0.f;
        return sum;
      };
      vectors.push_back({count({"car", "motor", "engine"}), count({"cook", "kitchen", "soup"})});
      ++made;
    }
    return vectors;
  }
  std::atomic<int> version{1}, made{0};
  std::atomic<bool> asleep{false};
};

TEST(SemanticOrderPacking, KeepsTheDirection) {
  std::vector<float> vector;
  for (int i = 0; i < 384; ++i) vector.push_back(std::sin(static_cast<float>(i)) * 0.07f);
  std::vector<float> scaled = vector, other = vector;
  for (float& value : scaled) value *= 1000;
  for (size_t i = 0; i < other.size(); i += 2) other[i] = -other[i];
  std::string packed = PackDirection(vector);
  EXPECT_THAT(packed, SizeIs(384));
  EXPECT_EQ(packed, PackDirection(scaled));
  EXPECT_NEAR(CosineOfPacked(packed, packed), 1, 1e-6);
  EXPECT_NEAR(CosineOfPacked(packed, PackDirection(other)), 0, 0.02);
  EXPECT_EQ(CosineOfPacked(packed, PackDirection(std::vector<float>(384, 0.f))), 0);
  EXPECT_EQ(CosineOfPacked(packed, "short"), 0);
  EXPECT_EQ(PackDirection(std::vector<float>{NAN, INFINITY}), std::string(2, '\0'));
}

class SemanticSearchTest : public HubFixture {
 protected:
  SemanticSearchTest() {
    // "jaguar" occurs as often in each; the name of the last makes it the best by words.
    Put("recipes", "A jaguar of the kitchen: soups and how to cook them.");
    Put("vehicles", "Pictures of every jaguar, its engine and its motor.");
    Put("jaguar", "Nothing else.");
    hub_->catalog().Start();
    hub_->full_text().Start();
    EXPECT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
    EXPECT_TRUE(hub_->full_text().WaitCurrent(std::chrono::seconds(60)));
  }
  ~SemanticSearchTest() override {
    hub_->catalog().Stop();
    hub_->full_text().Stop();
  }
  void Put(const std::string& name, const std::string& text, bool is_private = false) {
    Commit(MakeRepo(ada_, RepoType::kModel, name, is_private), {{"README.md", text + "\n"}});
  }
  void Learn() {
    hub_->full_text().meaning().Start(subjects_);
    ASSERT_TRUE(hub_->full_text().meaning().WaitCurrent(std::chrono::seconds(60)));
  }
  std::vector<std::string> Names(const std::string& text, size_t skip = 0, size_t limit = 20) {
    FullTextQuery query;
    query.text = text;
    query.skip = skip;
    query.limit = limit;
    std::vector<std::string> names;
    for (const FullTextHit& hit : hub_->full_text().Find({}, query).hits)
      names.push_back(hit.repo->name);
    return names;
  }

  std::shared_ptr<Subjects> subjects_ = std::make_shared<Subjects>();
};

TEST_F(SemanticSearchTest, WhatIsMeantComesBeforeWhatOnlyHasTheWord) {
  EXPECT_EQ(Names("jaguar motor car").front(), "vehicles");  // it has two of the words
  EXPECT_THAT(Names("jaguar"), SizeIs(3));
  Learn();
  std::vector<std::string> cooking = Names("jaguar kitchen"), driving = Names("jaguar engine");
  EXPECT_EQ(cooking.front(), "recipes");
  EXPECT_EQ(driving.front(), "vehicles");
  // Nothing is found that the words do not find.
  EXPECT_THAT(Names("jaguar"), SizeIs(3));
  EXPECT_THAT(Names("car"), SizeIs(0));
}

TEST_F(SemanticSearchTest, PagesAreOfOneOrder) {
  Learn();
  std::vector<std::string> all = Names("jaguar");
  EXPECT_THAT(all, SizeIs(3));
  for (size_t i = 0; i < all.size(); ++i) EXPECT_THAT(Names("jaguar", i, 1), ElementsAre(all[i]));
}

TEST_F(SemanticSearchTest, VectorsFollowTextsModelsAndRestarts) {
  Learn();
  EXPECT_EQ(subjects_->made, 3);
  Learn();  // as after a restart
  EXPECT_EQ(subjects_->made, 3);
  Put("late", "A jaguar for soup.");
  ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
  ASSERT_TRUE(hub_->full_text().WaitCurrent(std::chrono::seconds(60)));
  ASSERT_TRUE(hub_->full_text().meaning().WaitCurrent(std::chrono::seconds(60)));
  EXPECT_EQ(Names("jaguar").size(), 4u);
  int made = subjects_->made;  // of its first commit too, when that was seen; and of the query
  EXPECT_GT(made, 3);
  Learn();
  EXPECT_EQ(subjects_->made, made);
  subjects_->version = 2;
  Learn();
  EXPECT_EQ(subjects_->made, made + 4);
}

TEST_F(SemanticSearchTest, AModelThatSleepsCostsNothing) {
  std::vector<std::string> by_words = Names("jaguar");
  subjects_->asleep = true;
  hub_->full_text().meaning().Start(subjects_);
  EXPECT_EQ(Names("jaguar"), by_words);
  EXPECT_FALSE(hub_->full_text().meaning().WaitCurrent(std::chrono::milliseconds(1)));
  hub_->full_text().meaning().Stop();
  EXPECT_EQ(Names("jaguar"), by_words);
}

}  // namespace
}  // namespace hearth::hub
