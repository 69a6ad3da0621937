#include "hub/facets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "base/error.h"
#include "hub/hub_fixture.h"
#include "hub/synthetic_catalog.h"

namespace hearth::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Counts = std::vector<std::pair<std::string, size_t>>;

const FacetGroup* Group(const Facets& facets, std::string_view key) {
  for (const FacetGroup& group : facets.groups) {
    if (group.key == key) return &group;
  }
  return nullptr;
}

Counts CountsOf(const Facets& facets, std::string_view key) {
  Counts counts;
  for (const FacetValue& value : Group(facets, key)->values)
    counts.emplace_back(value.value, value.count);
  return counts;
}

CatalogQuery Chosen(std::vector<std::pair<std::string, std::string>> choices,
                    RepoType type = RepoType::kModel) {
  CatalogQuery query;
  query.type = type;
  for (const auto& [key, value] : choices) EXPECT_TRUE(ApplyFacet(key, value, &query)) << key;
  return query;
}

// --- against a plain count over random rows

class FacetCountTest : public HubFixture {
 protected:
  FacetCountTest() : made_(20'000, 23, 10) {
    made_.WriteTo(hub_->db());
    OpenHub();
    clock_.Advance(FromUnixMillis(1'601'100'000'000) - clock_.Now());
    for (const SyntheticRepo& row : made_.rows())
      hub_->catalog().SetReading(row.id, {KindsOf(row), GpuBytesOf(row), GpuBytesOf(row) / 2});
  }

  // Made up: every seventh is unread, every fifth has no weights.
  static std::string_view KindsOf(const SyntheticRepo& row) {
    if (row.id % 7 == 0) return "";
    if (row.id % 3 == 0) return "adapter:proved,finetune:inferred";
    return row.id % 2 == 0 ? "quantized:declared,base:inferred,remote_code:proved"
                           : "base:inferred";
  }
  static uint64_t GpuBytesOf(const SyntheticRepo& row) {
    return row.id % 5 == 0 ? 0 : (static_cast<uint64_t>(row.id) % 97) << 30;
  }

  static bool HasTag(const SyntheticRepo& row, const std::string& tag) {
    return std::find(row.tags.begin(), row.tags.end(), tag) != row.tags.end();
  }
  bool HasValue(const SyntheticRepo& row, const std::string& key, const std::string& value) const {
    if (key == "task") return row.pipeline_tag == value;
    if (key == "author") return row.owner == value;
    if (key == "apps") {
      static const std::map<std::string, std::string> kOther = {{"vllm", "safetensors"},
                                                                {"sglang", "safetensors"},
                                                                {"tgi", "safetensors"},
                                                                {"mlx-lm", "mlx"},
                                                                {"pi", "mlx"},
                                                                {"drawthings", "diffusers"},
                                                                {"diffusionbee", "diffusers"},
                                                                {"invoke", "diffusers"},
                                                                {"joyfusion", "diffusers"}};
      auto other = kOther.find(value);
      return HasTag(row, other == kOther.end() ? "gguf" : other->second);
    }
    if (key == "license") return HasTag(row, "license:" + value);
    if (key == "gated") return row.gated == (value == "true");
    if (key == "relation") return value == "finetune";
    if (key == "license_class") return value == "permissive";
    if (key == "kind") {
      bool said = KindsOf(row).find(value + ":") != std::string_view::npos && value != "finetune";
      return said && !row.gated;
    }
    if (key == "fits") {
      bool cpu = value.starts_with("cpu:");
      uint64_t need = cpu ? GpuBytesOf(row) / 2 : GpuBytesOf(row);
      uint64_t gib = value == "RTX 4090" ? 24 : std::stoull(cpu ? value.substr(4) : value);
      uint64_t most = (gib << 30) / (cpu ? 10 : 1) * (cpu ? 9 : 1);
      return need > 0 && need <= most && !row.gated;
    }
    if (key == "parameters") {
      constexpr uint64_t kBillion = 1'000'000'000;
      uint64_t low = std::stoull(value);  // up to the first letter
      std::string rest = value.substr(value.find('-') + 1);
      uint64_t high = rest.empty() ? UINT64_MAX : std::stoull(rest) * kBillion;
      return row.parameters > 0 && row.parameters >= low * kBillion && row.parameters < high;
    }
    if (key == "updated") {
      int64_t days = std::stoll(value);
      return row.modified >= ToUnixMillis(clock_.Now()) - days * 86'400'000;
    }
    return HasTag(row, value);
  }
  using Choices = std::vector<std::pair<std::string, std::string>>;
  static bool IsMany(const std::string& key) {
    return key == "library" || key == "language" || key == "format" || key == "kind" ||
           key == "apps" || key == "benchmark";
  }
  bool Matches(const SyntheticRepo& row, const Choices& choices, const std::string& but) const {
    std::map<std::string, bool> any;
    for (const auto& [key, value] : choices) {
      if (key == but) continue;
      bool has = HasValue(row, key, value);
      if (IsMany(key) && !has) return false;
      any[key] |= has;
    }
    return std::all_of(any.begin(), any.end(), [](const auto& entry) { return entry.second; });
  }
  bool Sees(const SyntheticRepo& row, const Actor& actor) const {
    return !row.is_private || actor.user_id == row.owner_id;
  }
  size_t Expected(const Choices& choices, const std::string& key, const std::string& value,
                  const Actor& actor) const {
    std::string but = IsMany(key) ? "" : key;
    size_t count = 0;
    for (const SyntheticRepo& row : made_.rows())
      count += Sees(row, actor) && Matches(row, choices, but) && HasValue(row, key, value);
    return count;
  }

  SyntheticCatalog made_;
};

TEST_F(FacetCountTest, CountsAgreeWithAPlainCount) {
  const Choices pool = {{"task", "fill-mask"},
                        {"task", "text-to-image"},
                        {"language", "yo"},
                        {"language", "en"},
                        {"license", "mit"},
                        {"library", "timm"},
                        {"format", "gguf"},
                        {"apps", "ollama"},
                        {"apps", "vllm"},
                        {"parameters", "0-1B"},
                        {"gated", "false"},
                        {"updated", "7d"},
                        {"relation", "finetune"},
                        {"author", SyntheticCatalog::OwnerName(3)},
                        {"license_class", "permissive"},
                        {"kind", "adapter"},
                        {"kind", "base"},
                        {"kind", "remote_code"},
                        {"fits", "24GiB"},
                        {"fits", "RTX 4090"},
                        {"fits", "cpu:30GiB"}};
  std::mt19937 random(3);
  Actor owner;
  owner.via = Actor::Via::kSession;
  owner.user_id = SyntheticCatalog::OwnerId(3);
  for (int round = 0; round < 25; ++round) {
    Choices choices;
    for (uint32_t i = random() % 3; i > 0; --i) choices.push_back(pool[random() % pool.size()]);
    std::sort(choices.begin(), choices.end());
    choices.erase(std::unique(choices.begin(), choices.end()), choices.end());
    const Actor actor = round % 2 == 0 ? Actor{} : owner;
    Facets facets =
        hub_->catalog().FacetsOf(actor, Chosen(choices), {.max_values = 10'000, .only = {}});
    EXPECT_EQ(facets.total, hub_->catalog().Count(actor, Chosen(choices)));
    for (const FacetGroup& group : facets.groups) {
      for (size_t i = 0; i < group.values.size(); i += group.key == "author" ? 97 : 1) {
        const FacetValue& value = group.values[i];
        EXPECT_EQ(value.count, Expected(choices, group.key, value.value, actor))
            << round << " " << group.key << "=" << value.value;
      }
    }
    for (const auto& [key, value] : pool) {
      // What a value counts is what a list with it holds.
      CatalogQuery with = Chosen(choices);
      if (!IsMany(key))
        std::erase_if(with.facets, [&](const auto& choice) { return choice.first == key; });
      ApplyFacet(key, value, &with);
      size_t listed = hub_->catalog().List(actor, with).total;
      EXPECT_EQ(listed, Expected(choices, key, value, actor)) << round << " " << key << value;
    }
    if (HasFailure()) return;
  }
}

TEST_F(FacetCountTest, FrequentValuesComeFirstAndTheRestIsCut) {
  Facets facets = hub_->catalog().FacetsOf({}, {}, {.max_values = 3, .only = {"author", "task"}});
  ASSERT_EQ(facets.groups.size(), 2u);
  const FacetGroup* authors = Group(facets, "author");
  ASSERT_EQ(authors->values.size(), 3u);
  EXPECT_GE(authors->values[0].count, authors->values[1].count);
  EXPECT_GT(authors->distinct, 1000u);
  // A chosen value is never cut.
  facets = hub_->catalog().FacetsOf({}, Chosen({{"author", SyntheticCatalog::OwnerName(3900)}}),
                                    {.max_values = 3, .only = {"author"}});
  EXPECT_EQ(facets.groups[0].values.size(), 4u);
  EXPECT_TRUE(facets.groups[0].values.back().selected);
}

TEST_F(FacetCountTest, KeptCountsFollowChanges) {
  auto gated = [&] { return CountsOf(hub_->catalog().FacetsOf({}, {}), "gated"); };
  Counts before = gated();
  RepoPtr repo;
  for (const SyntheticRepo& row : made_.rows()) {
    if (!row.is_private && !row.gated) repo = hub_->repos().FindById(row.id);
  }
  auto after = std::make_shared<RepoRecord>(*repo);
  after->gated = Gated::kManual;
  hub_->catalog().OnRepoChanged(repo, after);
  EXPECT_THAT(gated(),
              ElementsAre(Pair("false", before[0].second - 1), Pair("true", before[1].second + 1)));
}

// --- with real repositories

class FacetTest : public HubFixture {};

TEST_F(FacetTest, CardsBecomeFacets) {
  Commit(MakeRepo(ada_, RepoType::kModel, "tuned"),
         {{"README.md",
           "---\nlicense: mit\nlanguage: [fr, de]\npipeline_tag: fill-mask\n"
           "base_model: ada/base\nmodel-index:\n- name: tuned\n  results:\n"
           "  - task: {type: fill-mask}\n    dataset: {type: x, name: X}\n"
           "    metrics: [{type: accuracy, value: 0.9}]\n---\n"}});
  Commit(MakeRepo(ada_, RepoType::kModel, "base"),
         {{"README.md", "---\nlicense: gpl-3.0\nlanguage: fr\ntags: [gguf]\n---\n"}});
  Commit(MakeRepo(ada_, RepoType::kDataset, "rows"),
         {{"README.md",
           "---\ntask_categories: [fill-mask]\nsize_categories: [1K<n<10K]\nlanguage: fr\n"
           "tags: [\"benchmark:official\"]\n---\n"},
          {"data.csv", "a,b\n1,2\n"}});
  Commit(MakeRepo(ada_, RepoType::kSpace, "demo"), {{"README.md", "---\nsdk: static\n---\n"}});
  Index();
  Facets models = hub_->catalog().FacetsOf({}, {});
  EXPECT_EQ(models.total, 2u);
  EXPECT_THAT(CountsOf(models, "language"), ElementsAre(Pair("fr", 2), Pair("de", 1)));
  EXPECT_EQ(Group(models, "language")->values[0].label, "French");
  EXPECT_THAT(CountsOf(models, "license_class"),
              ElementsAre(Pair("copyleft", 1), Pair("permissive", 1)));
  EXPECT_THAT(CountsOf(models, "relation"), ElementsAre(Pair("base", 1), Pair("finetune", 1)));
  EXPECT_THAT(CountsOf(models, "task"), ElementsAre(Pair("fill-mask", 1)));
  EXPECT_THAT(CountsOf(models, "benchmark"), ElementsAre(Pair("model-index", 1)));
  EXPECT_THAT(CountsOf(models, "apps"), testing::Contains(Pair("ollama", 1)));
  EXPECT_THAT(CountsOf(models, "apps"), testing::Not(testing::Contains(Pair("vllm", 1))));
  EXPECT_THAT(CountsOf(models, "updated").back(), Pair("365d", 2));
  EXPECT_THAT(CountsOf(models, "author"), ElementsAre(Pair("ada", 2)));
  CatalogQuery datasets;
  datasets.type = RepoType::kDataset;
  Facets sets = hub_->catalog().FacetsOf({}, datasets);
  EXPECT_THAT(CountsOf(sets, "task"), ElementsAre(Pair("fill-mask", 1)));
  EXPECT_THAT(CountsOf(sets, "size"), ElementsAre(Pair("1K<n<10K", 1)));
  EXPECT_THAT(CountsOf(sets, "language"), ElementsAre(Pair("fr", 1)));
  EXPECT_THAT(CountsOf(sets, "benchmark"), ElementsAre(Pair("official", 1)));
  EXPECT_THAT(CountsOf(sets, "format"), ElementsAre(Pair("csv", 1)));
  CatalogQuery spaces;
  spaces.type = RepoType::kSpace;
  EXPECT_THAT(CountsOf(hub_->catalog().FacetsOf({}, spaces), "sdk"),
              ElementsAre(Pair("static", 1)));
  OpenHub();  // the columns are read back from the database
  EXPECT_THAT(CountsOf(hub_->catalog().FacetsOf({}, {}), "relation"),
              ElementsAre(Pair("base", 1), Pair("finetune", 1)));
}

// What the inspector read of one adapter comes to lists, follows its repository, and is told to
// those who may read it.
TEST_F(FacetTest, KindsComeFromTheFiles) {
  std::string header = R"({"a.lora_A.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  file += header + std::string(4, '\0');
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "tuned");
  Commit(repo, {{"README.md", "# t\n"}}, {{"adapter_model.safetensors", file}});
  auto kinds = [&](const Actor& actor) {
    return CountsOf(hub_->catalog().FacetsOf(actor, {}), "kind");
  };
  auto listed = [&](const Actor& actor) {
    return hub_->catalog().List(actor, Chosen({{"kind", "adapter"}})).total;
  };
  hub_->inspections().InspectNow(hub_->repos().FindById(repo.record().id));
  EXPECT_THAT(kinds({}), ElementsAre(Pair("adapter", 1)));
  EXPECT_EQ(listed({}), 1u);
  OpenHub();  // read back when the readings start
  hub_->inspections().Start();
  ASSERT_TRUE(hub_->inspections().WaitIdle(std::chrono::seconds(60)));
  hub_->inspections().Stop();
  EXPECT_THAT(kinds({}), ElementsAre(Pair("adapter", 1)));
  RepoSettings hide;
  hide.is_private = true;
  hub_->repos().UpdateSettings(Reopen(repo), hide);
  EXPECT_THAT(kinds({}), IsEmpty());
  EXPECT_EQ(listed({}), 0u);
  EXPECT_THAT(kinds(ada_), ElementsAre(Pair("adapter", 1)));
  // Its content is for those who were let in; a list cannot tell who that is.
  RepoSettings gate;
  gate.is_private = false;
  gate.gated = Gated::kManual;
  hub_->repos().UpdateSettings(Reopen(repo), gate);
  EXPECT_THAT(kinds({}), IsEmpty());
  EXPECT_EQ(listed({}), 0u);
  hub_->repos().Delete(Reopen(repo));
  EXPECT_THAT(kinds(ada_), IsEmpty());
}

// Exact for every device, also where it lies between two of the usual sizes or the last rows of the
// table do not fill a word.
TEST_F(FacetTest, DevicesOfTheReaderAreCountedBesideTheUsualSizes) {
  constexpr uint64_t kGib = uint64_t{1} << 30;
  std::vector<std::pair<uint64_t, uint64_t>> needs;
  for (uint64_t i = 0; i < 70; ++i) {
    RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "m" + std::to_string(i));
    needs.emplace_back(i % 7 == 0 ? 0 : i * kGib, i % 5 == 0 ? 0 : i * kGib / 2);
    hub_->catalog().SetReading(
        repo.record().id, {.kinds = "", .gpu_bytes = needs[i].first, .cpu_bytes = needs[i].second});
  }
  FacetOptions options;
  options.devices = {"box:33GiB", "cpu:20GiB", "box:30GiB", "tiny:1MiB", "mac:64GiB:unified"};
  auto expected = [&](uint64_t most, bool cpu) {
    size_t count = 0;
    for (const auto& [gpu_need, cpu_need] : needs) {
      uint64_t need = cpu ? cpu_need : gpu_need;
      count += need > 0 && need <= most;
    }
    return count;
  };
  for (const char* chosen : {"", "box:30GiB", "24GiB"}) {
    CatalogQuery query = *chosen == '\0' ? CatalogQuery{} : Chosen({{"fits", chosen}});
    Facets facets = hub_->catalog().FacetsOf({}, query, options);
    ASSERT_EQ(facets.devices.size(), 5u);
    EXPECT_EQ(facets.devices[0].count, expected(33 * kGib, false));
    EXPECT_EQ(facets.devices[1].count, expected(20 * kGib / 10 * 9, true));
    EXPECT_EQ(facets.devices[2].count, expected(30 * kGib, false));
    EXPECT_EQ(facets.devices[2].selected, std::string_view(chosen) == "box:30GiB");
    EXPECT_EQ(facets.devices[2].label, "box");
    EXPECT_EQ(facets.devices[3].count, 0u);
    EXPECT_EQ(facets.devices[4].count, expected(48 * kGib, false));
  }
  // Kept answers know whose devices they were made for.
  options.devices = {"tiny:1MiB"};
  EXPECT_EQ(hub_->catalog().FacetsOf({}, {}, options).devices.size(), 1u);
  EXPECT_TRUE(hub_->catalog().FacetsOf({}, {}).devices.empty());
}

TEST_F(FacetTest, PrivateRepositoriesAreUnderNoValue) {
  Actor bob = MakeUser("bob");
  Commit(MakeRepo(ada_, RepoType::kModel, "hidden", true),
         {{"README.md", "---\nlicense: mit\nlanguage: fr\npipeline_tag: fill-mask\n---\n"}});
  Index();
  for (const Actor& other : {Actor{}, bob}) {
    Facets facets = hub_->catalog().FacetsOf(other, {});
    EXPECT_EQ(facets.total, 0u);
    for (const FacetGroup& group : facets.groups) EXPECT_THAT(group.values, IsEmpty()) << group.key;
  }
  EXPECT_THAT(CountsOf(hub_->catalog().FacetsOf(ada_, {}), "license"), ElementsAre(Pair("mit", 1)));
}

TEST(FacetParameters, WrongValuesAreRefused) {
  CatalogQuery query;
  EXPECT_FALSE(ApplyFacet("colour", "red", &query));
  EXPECT_FALSE(ApplyFacet("sdk", "gradio", &query));  // a facet of Spaces
  for (auto [key, value] : {std::pair("parameters", "1-2"),
                            {"kind", "friendly"},
                            {"fits", "a lot"},
                            {"fits", "0GiB"},
                            {"fits", "12parsecs"},
                            {"updated", "soon"},
                            {"updated", "0d"},
                            {"updated", "-1d"},
                            {"gated", "maybe"}})
    EXPECT_THROW(ApplyFacet(key, value, &query), Error) << key << value;
  EXPECT_TRUE(query.facets.empty());
}

}  // namespace
}  // namespace hearth::hub
