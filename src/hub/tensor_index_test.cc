#include "hub/tensor_index.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "hub/hub_fixture.h"
#include "hub/inspector/provenance/weight_fixture.h"
#include "hub/repo_view.h"

namespace hearth::hub {
namespace {

using inspector::NormalValues;
using inspector::Origins;
using inspector::SafetensorsBytes;
using inspector::TestTensor;
using inspector::TinyConfig;
using inspector::TinyLlama;

class TensorIndexTest : public HubFixture {
 protected:
  // Commits a model whose weights are a large object, and indexes it.
  RepoHandle MakeModel(const Actor& owner, const std::string& name, const std::string& weights,
                       bool is_private = false, const std::string& card = "# model\n") {
    RepoHandle repo = MakeRepo(owner, RepoType::kModel, name, is_private);
    Commit(repo, {{"config.json", TinyConfig()}, {"README.md", card}},
           {{"model.safetensors", weights}});
    hub_->tensors().IndexNow(Reopen(repo).ptr());
    return Reopen(repo);
  }
  Origins OriginsFor(const Actor& actor, const RepoHandle& repo) {
    std::unique_ptr<inspector::RepoView> view =
        OpenRepoView(repo, hub_->objects(), *repo.record().head);
    HubNeighbours neighbours(hub_->repos(), hub_->objects(), actor);
    CallerTensors tensors(hub_->tensors(), hub_->repos(), actor, repo.record());
    return inspector::FindOrigins(
        {.view = view.get(), .stored = &tensors, .join = &tensors, .neighbours = &neighbours});
  }
  static std::vector<std::string> Edges(const Origins& origins) {
    std::vector<std::string> edges;
    for (const inspector::OriginEdge& edge : origins.edges) {
      edges.push_back(edge.relation + " " + edge.to.substr(0, edge.to.find('@')) + " " +
                      std::string(inspector::LevelName(edge.finding.level)));
    }
    return edges;
  }
  using Strings = std::vector<std::string>;

  std::string weights_ = SafetensorsBytes(TinyLlama(1));
};

TEST_F(TensorIndexTest, CopiesAreProvedUnderOtherNamesAndInOtherFiles) {
  RepoHandle base = MakeModel(ada_, "base", weights_);
  std::vector<TestTensor> tensors = TinyLlama(1);
  std::reverse(tensors.begin(), tensors.end());
  for (TestTensor& tensor : tensors) tensor.name = "renamed." + tensor.name;
  RepoHandle copy = MakeModel(ada_, "mirror", SafetensorsBytes(tensors));
  EXPECT_EQ(Edges(OriginsFor(ada_, copy)), (Strings{"copy ada/base proved"}));
  EXPECT_EQ(Edges(OriginsFor(ada_, base)), (Strings{"copy ada/mirror proved"}));
  Origins origins = OriginsFor(ada_, copy);
  EXPECT_EQ(origins.indexed_files, 1u);
  EXPECT_EQ(origins.edges[0].to, "ada/base@" + base.record().head->Hex());
}

TEST_F(TensorIndexTest, SharedLayersAreCountedAndUnrelatedModelsShareNothing) {
  MakeModel(ada_, "base", weights_);
  MakeModel(ada_, "unrelated", SafetensorsBytes(TinyLlama(2)));
  std::vector<TestTensor> tensors = TinyLlama(1);
  for (TestTensor& tensor : tensors)
    if (tensor.name.find("layers.1") != std::string::npos) tensor.values[0] += 1;
  RepoHandle tuned = MakeModel(ada_, "tuned", SafetensorsBytes(tensors));
  Origins origins = OriginsFor(ada_, tuned);
  ASSERT_EQ(Edges(origins), (Strings{"shares_tensors ada/base proved"}));
  EXPECT_EQ(*origins.edges[0].details.Find("equal"), Json(11));
  EXPECT_EQ(*origins.edges[0].details.Find("tensors"), Json(20));
}

TEST_F(TensorIndexTest, NormsOfOnesAndComputedTablesRelateNobody) {
  auto model = [](unsigned seed) {
    return std::vector<TestTensor>{
        {"a.weight", {64, 64}, NormalValues(4096, seed)},
        {"norm.weight", {4096}, std::vector<float>(4096, 1.0f)},
        {"attn.bias", {64, 64}, NormalValues(4096, 99)},
        {"small.bias", {64}, NormalValues(64, 98)},
    };
  };
  MakeModel(ada_, "one", SafetensorsBytes(model(1)));
  RepoHandle two = MakeModel(ada_, "two", SafetensorsBytes(model(2)));
  EXPECT_EQ(Edges(OriginsFor(ada_, two)), Strings{});
}

TEST_F(TensorIndexTest, PrivateRepositoriesDoNotShow) {
  Actor eve = MakeUser("eve");
  RepoHandle secret = MakeModel(ada_, "secret", weights_, true);
  RepoHandle probe = MakeModel(eve, "probe", weights_, false, "---\nbase_model: ada/secret\n---\n");
  Origins origins = OriginsFor(eve, probe);
  // As of a repository that does not exist.
  EXPECT_EQ(Edges(origins), (Strings{"base ada/secret declared"}));
  EXPECT_EQ(origins.edges[0].to, "ada/secret");
  EXPECT_EQ(*origins.edges[0].details.Find("here"), Json(false));
  EXPECT_FALSE(origins.more_holders);
  EXPECT_EQ(Edges(OriginsFor(ada_, secret)), (Strings{"copy eve/probe proved"}));
}

TEST_F(TensorIndexTest, APrivateFileServesNobodyElsesIndex) {
  Actor eve = MakeUser("eve");
  MakeModel(ada_, "secret", weights_, true);
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 1u);
  // How soon the index is there would tell that somebody has the file.
  MakeModel(eve, "probe", weights_);
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 2u);
  // Of the owner's own, and of public ones, it is known.
  MakeModel(ada_, "secret-2", weights_, true);
  Actor bob = MakeUser("bob");
  MakeModel(bob, "another", weights_);
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 2u);
  EXPECT_EQ(hub_->tensors().stats().reused_files, 2u);
}

TEST_F(TensorIndexTest, TheDeclaredBaseIsProvedByItsValuesOrRefutedByShapes) {
  MakeModel(ada_, "base", weights_);
  std::vector<TestTensor> tensors = TinyLlama(1);
  for (TestTensor& tensor : tensors)
    for (size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] *= i % 2 ? 1.05f : 0.97f;
  std::string card = "---\nbase_model: ada/base\n---\n";
  RepoHandle tuned = MakeModel(ada_, "tuned", SafetensorsBytes(tensors), false, card);
  EXPECT_EQ(Edges(OriginsFor(ada_, tuned)), (Strings{"finetune ada/base proved"}));
  RepoHandle half = MakeModel(
      ada_, "half", SafetensorsBytes(TinyLlama(1), tensor::BlockType::kBf16), false, card);
  EXPECT_EQ(Edges(OriginsFor(ada_, half)), (Strings{"converted ada/base proved"}));
  RepoHandle liar = MakeModel(ada_, "liar", SafetensorsBytes(TinyLlama(7)), false, card);
  Origins origins = OriginsFor(ada_, liar);
  EXPECT_EQ(Edges(origins), (Strings{"base ada/base declared"}));
  EXPECT_EQ(*origins.edges[0].details.Find("values"), Json("unrelated"));
  tensors[1] = {tensors[1].name, {96, 64}, NormalValues(96 * 64, 4)};
  RepoHandle other = MakeModel(ada_, "other", SafetensorsBytes(tensors), false, card);
  origins = OriginsFor(ada_, other);
  ASSERT_GE(origins.edges.size(), 1u);
  EXPECT_EQ(*origins.edges.back().details.Find("shapes"), Json("refuted"));
  EXPECT_EQ(origins.edges.back().finding.level, inspector::Level::kDeclared);
}

TEST_F(TensorIndexTest, AnIndexThatWasKilledGoesOnAtTheNextStart) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "model");
  Commit(repo, {{"config.json", TinyConfig()}}, {{"model.safetensors", weights_}});
  OpenHub();  // nothing was indexed before the end
  hub_->tensors().Start();
  EXPECT_TRUE(hub_->tensors().WaitIdle(std::chrono::seconds(60)));
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 1u);
  OpenHub();
  hub_->tensors().Start();
  EXPECT_TRUE(hub_->tensors().WaitIdle(std::chrono::seconds(60)));
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 0u);  // and is done
  // A change of main is noticed.
  Commit(repo, {}, {{"model.safetensors", SafetensorsBytes(TinyLlama(3))}});
  EXPECT_TRUE(hub_->tensors().WaitIdle(std::chrono::seconds(60)));
  EXPECT_EQ(hub_->tensors().stats().scanned_files, 1u);
}

TEST_F(TensorIndexTest, TheWeightsOfAnOlderRevisionStayKnown) {
  RepoHandle repo = MakeModel(ada_, "model", weights_);
  GitOid first = *repo.record().head;
  std::vector<TestTensor> tensors = TinyLlama(1);
  tensors[3].values[5] += 1;
  Commit(repo, {}, {{"model.safetensors", SafetensorsBytes(tensors)}});
  hub_->tensors().IndexNow(Reopen(repo).ptr());
  repo = Reopen(repo);
  CallerTensors known(hub_->tensors(), hub_->repos(), ada_, repo.record());
  auto before = OpenRepoView(repo, hub_->objects(), first);
  auto after = OpenRepoView(repo, hub_->objects(), *repo.record().head);
  auto from = inspector::PrepareRepo(*before, &known), to = inspector::PrepareRepo(*after, &known);
  inspector::ChangesReport report = inspector::FindChanges(*from, *to);
  for (const inspector::ChangeAnswer& answer : report.answers) {
    if (answer.question != "weights") continue;
    EXPECT_EQ(answer.answer, "changed");
    EXPECT_EQ(answer.finding.value, Json("1 of 20 tensors has other bytes"));
    EXPECT_EQ(answer.finding.level, inspector::Level::kProved);
  }
}

TEST_F(TensorIndexTest, BrokenWeightsAreSkippedAndTheRestIsIndexed) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "model");
  Commit(repo, {}, {{"model.safetensors", weights_.substr(0, 1000)}, {"b.safetensors", weights_}});
  hub_->tensors().IndexNow(Reopen(repo).ptr());
  RepoHandle copy = MakeModel(ada_, "copy", weights_);
  EXPECT_EQ(Edges(OriginsFor(ada_, copy)), (Strings{"copy ada/model proved"}));
}

}  // namespace
}  // namespace hearth::hub
