#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "server/app_fixture.h"
#include "server/hub_api/repo_json.h"

namespace hearth::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class InfoTest : public AppFixture {
 protected:
  InfoTest() {
    ada_ = MakeUser("ada");
    token_ = MakeToken(ada_);
  }
  void Index() {
    hub_->catalog().Start();
    ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
    hub_->catalog().Stop();
  }
  hub::RepoPtr MakeModel(const std::string& name, const std::string& yaml,
                         bool is_private = false) {
    hub::RepoPtr repo = MakeRepo(hub::RepoType::kModel, "ada", name, is_private);
    Commit(repo, {{"README.md", "---\n" + yaml + "---\n# " + name + "\n"}});
    return repo;
  }
  // As far as names and small texts tell.
  hub::RepoPtr MakeRunnable(const std::string& name, const std::string& yaml) {
    hub::RepoPtr repo = MakeModel(name, yaml);
    Commit(repo, {{"config.json", R"({"model_type": "bert", "architectures": ["BertForMaskedLM"],
                    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                    "intermediate_size": 96, "vocab_size": 96, "max_position_embeddings": 40})"},
                  {"model.safetensors", "weights"},
                  {"vocab.txt", "[MASK]\n"}});
    return repo;
  }
  static std::vector<std::string> Keys(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : *object.AsObject()) keys.push_back(key);
    return keys;
  }
  static std::vector<std::string> Ids(const Json& rows) {
    std::vector<std::string> ids;
    for (const Json& row : *rows.AsArray()) ids.push_back(TextAt(row, "id"));
    return ids;
  }
  Json GetJson(const std::string& target, const std::string& token = "") {
    net::Response response = Get(target, token);
    EXPECT_EQ(response.status, 200) << target << " " << BodyText(response);
    return BodyJson(response);
  }

  int64_t ada_ = 0;
  std::string token_;
};

// Each repeat would be computed again, for every row of a list.
TEST(CheckExpandTest, DropsRepeatedNames) {
  std::vector<std::string> names{"likes", "childrenModelCount", "likes", "childrenModelCount"};
  CheckExpand(hub::RepoType::kModel, &names);
  EXPECT_THAT(names, ElementsAre("likes", "childrenModelCount"));
}

TEST_F(InfoTest, ModelHasTheFieldsOfTheWire) {
  hub::RepoPtr repo = MakeModel("one", "license: mit\npipeline_tag: fill-mask\n");
  Json info = GetJson("/api/models/ada/one");
  EXPECT_EQ(TextAt(info, "_id"), repo->oid);
  EXPECT_EQ(TextAt(info, "id"), "ada/one");
  EXPECT_EQ(TextAt(info, "modelId"), "ada/one");
  EXPECT_EQ(TextAt(info, "author"), "ada");
  EXPECT_EQ(TextAt(info, "sha"), hub_->repos().FindById(repo->id)->head->Hex());
  EXPECT_EQ(TextAt(info, "lastModified"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(info.Find("gated")->Dump(), "false");
  EXPECT_EQ(info.Find("tags")->Dump(), R"(["fill-mask","license:mit","region:us"])");
  EXPECT_EQ(info.Find("siblings")->Dump(),
            R"([{"rfilename":".gitattributes"},{"rfilename":"README.md"}])");
  EXPECT_EQ(info.Find("spaces")->Dump(), "[]");
  EXPECT_EQ(info.Find("cardData")->Dump(), R"({"license":"mit","pipeline_tag":"fill-mask"})");
  EXPECT_EQ(info.Find("inference"), nullptr);
}

TEST_F(InfoTest, AnswerFollowsEveryCommitAtOnce) {
  hub::RepoPtr repo = MakeModel("one", "license: mit\n");
  EXPECT_THAT(GetJson("/api/models/ada/one").Find("tags")->Dump(), HasSubstr("license:mit"));
  EXPECT_EQ(BodyText(Get("/api/models/ada/one")), BodyText(Get("/api/models/ada/one")));
  GitOid head = Commit(repo, {{"README.md", "---\nlicense: gpl-3.0\n---\n"}});
  Json info = GetJson("/api/models/ada/one");
  EXPECT_EQ(TextAt(info, "sha"), head.Hex());
  EXPECT_THAT(info.Find("tags")->Dump(), HasSubstr("license:gpl-3.0"));
  Index();
  EXPECT_THAT(GetJson("/api/models/ada/one").Find("tags")->Dump(), HasSubstr("license:gpl-3.0"));
}

TEST_F(InfoTest, CachedAnswerIsNotForThoseWhoLostAccess) {
  hub::RepoPtr repo = MakeModel("one", "license: mit\n");
  EXPECT_EQ(Get("/api/models/ada/one").status, 200);
  hub_->repos().UpdateSettings(hub_->repos().OpenAsSystem(hub_->repos().FindById(repo->id)),
                               {.is_private = true});
  EXPECT_EQ(Get("/api/models/ada/one").status, 401);
  EXPECT_EQ(Get("/api/models/ada/one", token_).status, 200);
  EXPECT_EQ(Get("/api/models/ada/one", MakeToken(MakeUser("bob"))).status, 404);
}

TEST_F(InfoTest, RevisionMayBeABranchATagACommitOrHead) {
  hub::RepoPtr repo = MakeModel("one", "license: mit\n");
  GitOid first = *hub_->repos().FindById(repo->id)->head;
  GitOid second = Commit(repo, {{"a.txt", "a"}});
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one/revision/HEAD"), "sha"), second.Hex());
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one/revision/main"), "sha"), second.Hex());
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one/revision/refs%2Fheads%2Fmain"), "sha"),
            second.Hex());
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one/revision/refs/heads/main"), "sha"), second.Hex());
  Json old_info = GetJson("/api/models/ada/one/revision/" + first.Hex());
  EXPECT_EQ(TextAt(old_info, "sha"), first.Hex());
  EXPECT_EQ(old_info.Find("siblings")->size(), 2u);
  net::Response missing = Get("/api/models/ada/one/revision/nowhere");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.Get("X-Error-Code"), "RevisionNotFound");
}

TEST_F(InfoTest, BlobsGiveSizes) {
  hub::RepoPtr repo = MakeModel("one", "license: mit\n");
  Commit(repo, {{"a.txt", "hello"}});
  Json info = GetJson("/api/models/ada/one?blobs=true");
  EXPECT_EQ((*info.Find("siblings")->AsArray())[2].Dump(),
            R"({"rfilename":"a.txt","size":5,"blobId":")" + GitBlobOid("hello").Hex() + "\"}");
  Json scanned = GetJson("/api/models/ada/one?securityStatus=true");
  EXPECT_EQ(scanned.Find("securityRepoStatus")->Dump(),
            R"({"scansDone":false,"filesWithIssues":[]})");
}

TEST_F(InfoTest, ExpandGivesOnlyWhatWasNamed) {
  MakeModel("base", "license: mit\n");
  MakeModel("child", "base_model: ada/base\n");
  Index();
  Json info = GetJson(
      "/api/models/ada/child?expand=likes&expand[]=baseModels&expand=inferenceProviderMapping");
  EXPECT_THAT(Keys(info),
              UnorderedElementsAre("_id", "id", "likes", "baseModels", "inferenceProviderMapping"));
  EXPECT_EQ(info.Find("inferenceProviderMapping")->Dump(), "{}");
  EXPECT_EQ(TextAt(*info.Find("baseModels"), "relation"), "finetune");
  Json base = GetJson("/api/models/ada/base?expand=childrenModelCount");
  EXPECT_EQ(base.Find("childrenModelCount")->Dump(),
            R"({"adapter":0,"merge":0,"quantized":0,"finetune":1})");
  EXPECT_EQ(Get("/api/models/ada/base?expand=colour").status, 400);
  EXPECT_EQ(Get("/api/models/ada/base?expand=runtime").status, 400);
}

TEST_F(InfoTest, SpacesShowOnTheirModels) {
  MakeModel("one", "license: mit\n");
  EXPECT_EQ(GetJson("/api/models/ada/one").Find("spaces")->Dump(), "[]");
  hub::RepoPtr space = MakeRepo(hub::RepoType::kSpace, "ada", "demo");
  Commit(space, {{"README.md", "---\nsdk: gradio\ntitle: Demo\nmodels: [ada/one]\n---\n"}});
  Index();
  EXPECT_EQ(GetJson("/api/models/ada/one").Find("spaces")->Dump(), R"(["ada/demo"])");
  Json info = GetJson("/api/spaces/ada/demo");
  EXPECT_EQ(TextAt(info, "sdk"), "gradio");
  EXPECT_EQ(TextAt(info, "subdomain"), "ada-demo");
  EXPECT_EQ(TextAt(*info.Find("runtime"), "stage"), "STOPPED");
  EXPECT_THAT(Ids(GetJson("/api/spaces?models=ada/one")), ElementsAre("ada/demo"));
  EXPECT_THAT(Ids(GetJson("/api/spaces?datasets=ada/one")), IsEmpty());
}

TEST_F(InfoTest, ListsPageThroughAbsoluteLinks) {
  for (const char* name : {"a", "b", "c"}) MakeModel(name, "tags: [x]\n");
  Index();
  net::Response page = Get("/api/models?filter=x&sort=id&direction=1&limit=2");
  EXPECT_THAT(Ids(BodyJson(page)), ElementsAre("ada/a", "ada/b"));
  EXPECT_EQ(page.headers.Get("X-Total-Count"), "3");
  std::string link = page.headers.Get("Link");
  ASSERT_THAT(link, HasSubstr("<http://hub.test/api/models?filter=x&sort=id&direction=1&limit=2"));
  std::string target = link.substr(16, link.find('>') - 16);
  net::Response last = Get(target);
  EXPECT_THAT(Ids(BodyJson(last)), ElementsAre("ada/c"));
  EXPECT_EQ(last.headers.Get("Link"), "");
}

TEST_F(InfoTest, ListFieldsDependOnWhatWasAsked) {
  MakeModel("one", "license: mit\n");
  Index();
  Json row = (*GetJson("/api/models").AsArray())[0];
  EXPECT_THAT(Keys(row), UnorderedElementsAre("_id", "id", "modelId", "private", "likes",
                                              "downloads", "tags", "createdAt", "trendingScore"));
  Json full = (*GetJson("/api/models?full=true").AsArray())[0];
  EXPECT_NE(full.Find("siblings"), nullptr);
  EXPECT_EQ(full.Find("cardData"), nullptr);
  EXPECT_EQ(Get("/api/models?full=true&expand=likes").status, 400);
  EXPECT_EQ(Get("/api/models?cardData=true&expand=likes").status, 400);
  EXPECT_EQ(Get("/api/models?limit=0").status, 400);
  EXPECT_EQ(Get("/api/models?sort=beauty").status, 400);
  EXPECT_EQ(Get("/api/models?num_parameters=many").status, 400);
  EXPECT_EQ(Get("/api/models?cursor=%21").status, 400);
  EXPECT_THAT(Ids(GetJson("/api/models?inference=warm")), IsEmpty());
  EXPECT_THAT(Ids(GetJson("/api/models?apps=llama.cpp,ollama")), IsEmpty());
  EXPECT_THAT(Ids(GetJson("/api/models?filter=license:mit,region:us")), ElementsAre("ada/one"));
}

TEST_F(InfoTest, PrivateModelsAppearOnlyToTheirOwner) {
  MakeModel("veiled", "tags: [cloaked]\npipeline_tag: fill-mask\n", true);
  Index();
  for (const char* target : {"/api/models", "/api/quicksearch?q=vei", "/api/trending",
                             "/api/models-tags-by-type", "/api/tasks"}) {
    net::Response response = Get(target);
    EXPECT_EQ(response.status, 200) << target;
    EXPECT_EQ(BodyText(response).find("veiled"), std::string::npos) << target;
    EXPECT_EQ(BodyText(response).find("cloaked"), std::string::npos) << target;
  }
  EXPECT_EQ(Get("/api/models").headers.Get("X-Total-Count"), "0");
  EXPECT_THAT(Ids(GetJson("/api/models", token_)), ElementsAre("ada/veiled"));
}

TEST_F(InfoTest, TasksNameTheMostUsedModelThatRuns) {
  MakeModel("cold", "pipeline_tag: fill-mask\n");
  MakeRunnable("one", "pipeline_tag: fill-mask\n");
  MakeModel("writer", "pipeline_tag: text-generation\n");
  Index();
  Json tasks = GetJson("/api/tasks");
  EXPECT_EQ(tasks.Find("fill-mask")->Find("widgetModels")->Dump(), R"(["ada/one"])");
  EXPECT_EQ(tasks.Find("fill-mask")->Find("models")->size(), 2u);
  EXPECT_EQ(tasks.Find("text-generation")->Find("widgetModels")->Dump(), "[]");
  EXPECT_EQ(tasks.Find("text-generation")->Find("demo")->Dump(), R"({"inputs":[],"outputs":[]})");
}

TEST_F(InfoTest, SaysForWhatAModelRuns) {
  MakeRunnable("one", "pipeline_tag: fill-mask\n");
  MakeModel("cold", "pipeline_tag: fill-mask\n");
  Index();
  Json one = GetJson("/api/models/ada/one?expand=inferenceProviderMapping&expand=inference");
  EXPECT_EQ(one.Find("inferenceProviderMapping")->Dump(),
            R"({"hf-inference":{"status":"live","providerId":"ada/one","task":"fill-mask"}})");
  EXPECT_EQ(TextAt(one, "inference"), "warm");
  Json cold = GetJson("/api/models/ada/cold?expand=inferenceProviderMapping&expand=inference");
  EXPECT_EQ(cold.Find("inferenceProviderMapping")->Dump(), "{}");
  EXPECT_EQ(cold.Find("inference"), nullptr);
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one"), "inference"), "warm");
}

TEST_F(InfoTest, ListsFilterByWhatRuns) {
  MakeRunnable("one", "pipeline_tag: fill-mask\n");
  MakeModel("cold", "pipeline_tag: fill-mask\n");
  Index();
  for (const char* query : {"inference=warm", "inference_provider=hf-inference",
                            "inference_provider=all", "inference_provider=together,hf-inference",
                            "inference=warm&inference_provider=hf-inference"}) {
    EXPECT_THAT(Ids(GetJson(std::string("/api/models?") + query)), ElementsAre("ada/one")) << query;
  }
  for (const char* query : {"inference=cold", "inference_provider=together",
                            "inference=warm&pipeline_tag=text-generation"}) {
    EXPECT_THAT(Ids(GetJson(std::string("/api/models?") + query)), IsEmpty()) << query;
  }
  Json rows = GetJson("/api/models?inference=warm&expand=inferenceProviderMapping");
  EXPECT_EQ(
      (*rows.AsArray())[0].Find("inferenceProviderMapping")->Dump(),
      R"([{"status":"live","providerId":"ada/one","task":"fill-mask","provider":"hf-inference"}])");
}

TEST_F(InfoTest, AChangeOfFilesChangesTheVerdict) {
  hub::RepoPtr repo = MakeRunnable("one", "pipeline_tag: fill-mask\n");
  Index();
  EXPECT_EQ(TextAt(GetJson("/api/models/ada/one"), "inference"), "warm");
  Commit(repo, {{"config.json", R"({"model_type": "unheard-of"})"}});
  Index();
  EXPECT_EQ(GetJson("/api/models/ada/one").Find("inference"), nullptr);
  EXPECT_THAT(Ids(GetJson("/api/models?inference=warm")), IsEmpty());
}

TEST_F(InfoTest, QuickSearchFindsRepositoriesAndPeople) {
  MakeModel("adapter", "license: mit\n");
  Json answer = GetJson("/api/quicksearch?q=ada&type=model&type=user");
  EXPECT_THAT(Ids(*answer.Find("models")), ElementsAre("ada/adapter"));
  EXPECT_EQ(answer.Find("modelsCount")->AsInt(), 1);
  EXPECT_EQ(TextAt((*answer.Find("users")->AsArray())[0], "user"), "ada");
  Json posted = BodyJson(SendJson("POST", "/api/quicksearch", Json::Obj({{"q", "adapter"}})));
  EXPECT_THAT(Ids(*posted.Find("models")), ElementsAre("ada/adapter"));
  EXPECT_EQ(Get("/api/quicksearch?q=a&limit=50").status, 400);
}

TEST_F(InfoTest, CardsAreValidatedInJson) {
  auto check = [this](const std::string& content) {
    return SendJson("POST", "/api/validate-yaml",
                    Json::Obj({{"content", content}, {"repoType", "model"}}));
  };
  Json thin = BodyJson(check("---\nlicense: mit\n---\n"));
  EXPECT_EQ(thin.Find("errors")->size(), 0u);
  // What a reader will miss is said before it is committed.
  ASSERT_EQ(thin.Find("warnings")->size(), 1u);
  EXPECT_THAT(TextAt((*thin.Find("warnings")->AsArray())[0], "message"), HasSubstr("card score"));
  net::Response broken = check("---\nlicense: [\n---\n");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(BodyJson(broken).Find("errors")->size(), 1u);
  net::Response plain = check("# no front matter\n");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(BodyJson(plain).Find("warnings")->size(), 2u);
}

TEST_F(InfoTest, SmallRoutesAnswer) {
  EXPECT_EQ(BodyText(Get("/api/agent-harnesses")), R"({"standardEnvVars":[],"harnesses":[]})");
  EXPECT_EQ(Send({.method = "HEAD", .target = "/api/telemetry/a/b"}).status, 204);
  EXPECT_EQ(GetJson("/api/datasets-tags-by-type?type=license").Dump(), R"({"license":[]})");
  EXPECT_EQ(Get("/api/models-tags-by-type?type=nothing").status, 400);
  EXPECT_EQ(BodyText(Get("/api/kernels?limit=2")), "[]");
}

TEST_F(InfoTest, NothingClaimsThatFilesWereScanned) {
  MakeModel("unscanned", "license: mit\n");
  std::string nothing = R"({"scansDone":false,"filesWithIssues":[]})";
  EXPECT_EQ(BodyText(Get("/api/models/ada/unscanned/scan")), nothing);
  Json info = GetJson("/api/models/ada/unscanned?securityStatus=true");
  EXPECT_EQ(info.Find("securityRepoStatus")->Dump(), nothing);
}

}  // namespace
}  // namespace hearth::server
