// What the hub says and shows about models that run: status, page, snippets, Ollama's lists.
#include <gmock/gmock.h>

#include <chrono>

#include "server/app_fixture.h"
#include "server/inference_api/snippets.h"

namespace hearth::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ModelPagesTest : public AppFixture {
 protected:
  ModelPagesTest() {
    ada_token_ = MakeToken(MakeUser("ada"));
    root_token_ = MakeToken(hub_->accounts().CreateUser("root", "", "", true)->id);
    Start({});
  }
  ~ModelPagesTest() override { app_.reset(); }

  void Start(const AdmissionOptions& admission) {
    app_.reset();
    scheduler_.reset();
    scheduler_ = std::make_unique<inference::Scheduler>(
        *hub_, inference::SchedulerOptions{.program = "/nowhere/hearth",
                                           .folder = folder_ / "inference",
                                           .memory_bytes = kModelBytes});
    app_ = std::make_unique<App>(*hub_, AppOptions{.base_url = "http://hub.test",
                                                   .scheduler = scheduler_.get(),
                                                   .admission = admission});
    app_->SetReady(true);
  }
  using Files = std::vector<std::pair<std::string, std::string>>;
  void MakeModel(const std::string& name, const std::string& card, const std::string& config,
                 const Files& files = {}) {
    hub::RepoPtr repo = MakeRepo(hub::RepoType::kModel, "ada", name);
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "files";
    request.operations.push_back(hub::CommitFile{"README.md", "---\n" + card + "---\n# M\n"});
    request.operations.push_back(hub::CommitFile{"config.json", config});
    request.operations.push_back(hub::CommitFile{"model.safetensors", "weights"});
    request.operations.push_back(hub::CommitFile{"vocab.txt", "[MASK]\n"});
    for (const auto& [path, bytes] : files) {
      request.operations.push_back(hub::CommitFile{path, bytes});
    }
    hub_->commits().Apply(hub::Actor::System(), hub_->repos().OpenAsSystem(repo), request);
    hub_->catalog().Start();
    ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
    hub_->catalog().Stop();
  }
  void MakeBert(const std::string& name, const std::string& architecture, const std::string& card) {
    MakeModel(name, card,
              R"({"model_type": "bert", "hidden_size": 64, "num_hidden_layers": 2,
                  "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 96,
                  "max_position_embeddings": 40, "architectures": [")" +
                  architecture + "\"]}");
  }
  Json Status(const std::string& name, const std::string& token = "") {
    net::Response response = Get("/api/models/ada/" + name + "/inference", token);
    EXPECT_EQ(response.status, 200);
    return BodyJson(response);
  }

  std::unique_ptr<inference::Scheduler> scheduler_;
  std::string ada_token_, root_token_;
};

TEST_F(ModelPagesTest, StatusSaysTasksOrTheReason) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  Json status = Status("masked");
  EXPECT_EQ(TextAt(status, "state"), "cold");
  EXPECT_EQ(TextAt(status, "task"), "fill-mask");
  EXPECT_NE(status.Find("estimated_time"), nullptr);
  MakeModel("odd", "license: mit\n", R"({"model_type": "brt"})");
  status = Status("odd");
  EXPECT_EQ(TextAt(status, "state"), "unsupported");
  EXPECT_EQ(TextAt(status, "reason"),
            "models of type \"brt\" do not run here yet; types near to it that do: bert");
}

TEST_F(ModelPagesTest, WithoutAScheduler) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  app_ = std::make_unique<App>(*hub_, AppOptions{.base_url = "http://hub.test"});
  EXPECT_EQ(TextAt(Status("masked"), "state"), "off");
  EXPECT_THAT(BodyText(Get("/ada/masked")), Not(HasSubstr("id=\"widget\"")));
}

TEST_F(ModelPagesTest, ThePageOffersAFormWithTheCardsExamples) {
  MakeBert(
      "masked", "BertForMaskedLM",
      "pipeline_tag: fill-mask\nwidget:\n- text: \"<b>[MASK]\"\n  example_title: \"Bold & new\"\n"
      "- src: https://elsewhere.test/a.png\n");
  std::string page = BodyText(Get("/ada/masked"));
  EXPECT_THAT(page, HasSubstr("id=\"widget\""));
  EXPECT_THAT(page, HasSubstr("data-model=\"ada/masked\""));
  EXPECT_THAT(page, HasSubstr("<option value=\"fill-mask\">"));
  EXPECT_THAT(page, HasSubstr("Bold &amp; new"));
  EXPECT_THAT(page, Not(HasSubstr("<b>[MASK]")));
  EXPECT_THAT(page, Not(HasSubstr("elsewhere.test")));
  EXPECT_THAT(page, HasSubstr("data-island=\"widget\""));
  EXPECT_THAT(page, HasSubstr("InferenceClient(base_url="));
  EXPECT_THAT(page, Not(HasSubstr("id=\"manage\"")));
}

TEST_F(ModelPagesTest, APageOfAModelThatDoesNotRunSaysWhy) {
  MakeModel("odd", "license: mit\n", R"({"model_type": "brt"})");
  std::string page = BodyText(Get("/ada/odd"));
  EXPECT_THAT(page, HasSubstr("Does not run here"));
  EXPECT_THAT(page, HasSubstr("Models of type"));
  EXPECT_THAT(page, Not(HasSubstr("id=\"widget\"")));
}

TEST_F(ModelPagesTest, OnlyScriptsOfThePageItselfRun) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  net::Response page = Get("/ada/masked");
  std::string policy = page.headers.Get("Content-Security-Policy");
  size_t at = policy.find("script-src 'nonce-");
  ASSERT_NE(at, std::string::npos) << policy;
  std::string nonce = policy.substr(at + 18, policy.find('\'', at + 18) - at - 18);
  EXPECT_GE(nonce.size(), 22u);
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  // A file of a repository comes from this host too, and is no script all the same.
  EXPECT_THAT(policy, Not(HasSubstr("script-src 'self'")));
  std::string body = BodyText(page);
  EXPECT_THAT(body, Not(HasSubstr("<script>")));
  EXPECT_THAT(body, HasSubstr("nonce=\"" + nonce + "\""));
  EXPECT_NE(Get("/ada/masked").headers.Get("Content-Security-Policy"), policy);
}

constexpr const char* kVit = R"({"model_type": "vit", "hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 96, "image_size": 32, "patch_size": 8,
    "architectures": ["ViTForImageClassification"]})";

TEST_F(ModelPagesTest, AModelOfPicturesIsAskedWithAFile) {
  MakeModel("seen",
            "pipeline_tag: image-classification\n"
            "widget:\n- src: samples/100% cat.png\n  example_title: \"<Cat>\"\n"
            "- src: https://elsewhere.test/ada/seen/resolve/main/samples/dog.jpg?download=true\n"
            "- src: https://elsewhere.test/eve/other/resolve/main/samples/dog.jpg\n"
            "- src: samples/missing.png\n- src: ../../etc/passwd\n- src: model.safetensors\n",
            kVit,
            {{"preprocessor_config.json", "{}"},
             {"samples/100% cat.png", "png"},
             {"samples/dog.jpg", "jpg"}});
  net::Response response = Get("/ada/seen");
  std::string page = BodyText(response);
  EXPECT_THAT(page, HasSubstr("data-for=\"image-classification\" data-kind=\"image\""));
  EXPECT_THAT(page, HasSubstr("type=\"file\" accept=\"image/png"));
  EXPECT_THAT(page, Not(HasSubstr("name=\"record\"")));
  // Examples: files of this repository, wherever the card was written; nothing of other places.
  EXPECT_THAT(page, HasSubstr("src=\"/ada/seen/resolve/main/samples/100%25%20cat.png\""));
  EXPECT_THAT(page, HasSubstr("&lt;Cat&gt;"));
  EXPECT_THAT(page, HasSubstr("src=\"/ada/seen/resolve/main/samples/dog.jpg\""));
  for (const char* other : {"elsewhere.test", "eve/other", "missing.png", "passwd"}) {
    EXPECT_THAT(page, Not(HasSubstr(std::string("resolve/main/") + other)));
  }
  EXPECT_THAT(page, Not(HasSubstr("elsewhere.test")));
  // Pictures that the page itself holds may be shown; the microphone stays closed.
  EXPECT_THAT(response.headers.Get("Content-Security-Policy"),
              HasSubstr("img-src 'self' data: blob:; media-src 'self' blob:;"));
  EXPECT_THAT(response.headers.Get("Permissions-Policy"), HasSubstr("microphone=()"));
}

TEST_F(ModelPagesTest, AModelOfSoundMayAskForTheMicrophone) {
  MakeModel("heard", "pipeline_tag: audio-classification\n",
            R"({"model_type": "audio-spectrogram-transformer", "hidden_size": 64,
                "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
                "num_mel_bins": 32, "max_length": 96,
                "architectures": ["ASTForAudioClassification"]})",
            {{"preprocessor_config.json", "{}"}});
  net::Response response = Get("/ada/heard");
  std::string page = BodyText(response);
  EXPECT_THAT(page, HasSubstr("data-kind=\"audio\""));
  EXPECT_THAT(page, HasSubstr("name=\"record\""));
  EXPECT_THAT(response.headers.Get("Permissions-Policy"), HasSubstr("microphone=(self)"));
}

TEST_F(ModelPagesTest, PagesWithoutFilesAreAllowedNoMore) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  for (const char* path : {"/", "/ada/masked"}) {
    net::Response response = Get(path);
    EXPECT_THAT(response.headers.Get("Content-Security-Policy"), Not(HasSubstr("blob:"))) << path;
    EXPECT_THAT(response.headers.Get("Permissions-Policy"), HasSubstr("microphone=()")) << path;
  }
}

TEST_F(ModelPagesTest, OnlyOwnersMoveModelsAndOnlyAdministratorsPin) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  std::string grace = MakeToken(MakeUser("grace"));
  std::string base = "/api/models/ada/masked/inference/";
  EXPECT_EQ(SendJson("POST", base + "unload", Json::Obj(), grace).status, 403);
  EXPECT_EQ(SendJson("POST", base + "unload", Json::Obj(), ada_token_).status, 200);
  EXPECT_EQ(SendJson("POST", base + "pin", Json::Obj(), ada_token_).status, 403);
  EXPECT_EQ(SendJson("POST", base + "explode", Json::Obj(), ada_token_).status, 404);
  EXPECT_EQ(Get("/api/inference/loaded", ada_token_).status, 403);
  Json loaded = BodyJson(Get("/api/inference/loaded", root_token_));
  EXPECT_NE(loaded.Find("models"), nullptr);
}

TEST_F(ModelPagesTest, OllamaListsWhatRuns) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  MakeModel("odd", "license: mit\n", R"({"model_type": "brt"})");
  Json tags = BodyJson(Get("/api/tags"));
  ASSERT_EQ(tags.Find("models")->size(), 1u);
  const Json& entry = (*tags.Find("models")->AsArray())[0];
  EXPECT_EQ(TextAt(entry, "name"), "ada/masked");
  EXPECT_EQ(TextAt(*entry.Find("details"), "family"), "bert");
  Json show = BodyJson(SendJson("POST", "/api/show", Json::Obj({{"model", "ada/masked:latest"}})));
  EXPECT_EQ(show.Find("capabilities")->Dump(), R"(["embedding"])");
  EXPECT_EQ(SendJson("POST", "/api/show", Json::Obj({{"model", "nothing"}})).status, 404);
  EXPECT_EQ(SendJson("POST", "/api/chat", Json::Obj()).status, 400);
  EXPECT_NE(TextAt(BodyJson(Get("/api/version")), "version"), "");
}

TEST_F(ModelPagesTest, CallersAreLimitedEachForThemselves) {
  MakeBert("masked", "BertForMaskedLM", "pipeline_tag: fill-mask\n");
  AdmissionOptions admission;
  admission.address = {std::chrono::seconds(60), 0.5, 0};  // refuses the first already
  admission.user = {std::chrono::seconds(60), 1, 0};
  Start(admission);
  auto ask = [this](const std::string& token) {
    return SendJson("POST", "/api/embed", Json::Obj({{"model", "ada/masked"}, {"input", "x"}}),
                    token);
  };
  net::Response refused = ask("");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(TextAt(BodyJson(refused), "error_type"), "overloaded");
  EXPECT_EQ(refused.headers.Get("Retry-After"), "60");
  EXPECT_EQ(refused.headers.Get("RateLimit"), "\"inference\";r=0;t=60");
  EXPECT_THAT(refused.headers.Get("RateLimit-Policy"), HasSubstr(";w=60"));
  EXPECT_NE(ask(ada_token_).status, 429);
  EXPECT_EQ(ask(ada_token_).status, 429);
  EXPECT_NE(ask(root_token_).status, 429);
  EXPECT_NE(ask(root_token_).status, 429);
  clock_.Advance(std::chrono::seconds(60));
  EXPECT_NE(ask(ada_token_).status, 429);
}

TEST(SnippetsTest, EveryTaskHasCodeWithThisHubsAddress) {
  for (const char* task : {"conversational", "text-generation", "fill-mask", "text-classification",
                           "token-classification", "zero-shot-classification", "question-answering",
                           "sentence-similarity", "feature-extraction", "text-ranking"}) {
    Json snippets = Snippets("http://hub.test", "ada/m", task);
    ASSERT_GE(snippets.size(), 1u) << task;
    for (const Json& snippet : *snippets.AsArray()) {
      std::string code = *snippet.StringField("code");
      EXPECT_THAT(code, HasSubstr("http://hub.test")) << task;
      EXPECT_THAT(code, HasSubstr("ada/m")) << task;
      EXPECT_THAT(code, Not(HasSubstr("{URL}")));
      EXPECT_THAT(code, Not(HasSubstr("{ID}")));
    }
  }
}

}  // namespace
}  // namespace hearth::server
