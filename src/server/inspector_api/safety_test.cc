// Licence and safety over HTTP: who is told what, the words of the hub API, and what is blocked.
#include <gmock/gmock.h>

#include "server/app_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kBadPickle = "cos\nsystem\n(S'id'\ntR.";
const std::string kGoodPickle = std::string("\x80\x02]q\x00K\x01a.", 10);
const std::string kBadYaml = "a: !!python/object/apply:os.system ['id']\n";

class SafetyApiTest : public AppFixture {
 protected:
  SafetyApiTest() {
    ada_id_ = MakeUser("ada");
    ada_ = MakeToken(ada_id_);
    bob_ = MakeToken(MakeUser("bob"));
    root_ = MakeToken(hub_->accounts().CreateUser("root", "", "", true)->id);
  }
  void Open(hub::Quarantine policy) {
    app_.reset();
    hub_.reset();
    hub_ = std::make_unique<hub::Hub>(
        hub::HubOptions{.data = folder_, .clock = &clock_, .quarantine = policy}, true);
    app_ = std::make_unique<App>(*hub_, AppOptions{.base_url = "http://hub.test"});
    app_->SetReady(true);
  }
  using Files = std::vector<std::pair<std::string, std::string>>;
  void Commit(const hub::RepoPtr& repo, const Files& files, const Files& lfs = {}) {
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "files";
    for (const auto& [path, bytes] : files)
      request.operations.push_back(hub::CommitFile{path, bytes});
    for (const auto& [path, bytes] : lfs) {
      TempFile file(hub_->blobs().temp_folder());
      file.Append(bytes);
      Sha256 id = Sha256Of(bytes);
      hub_->objects().Store(repo->id, ada_id_, id, bytes.size(), std::move(file), id);
      request.operations.push_back(hub::CommitLfsFile{path, id, bytes.size()});
    }
    hub::RepoHandle handle = hub_->repos().OpenAsSystem(hub_->repos().FindById(repo->id));
    hub_->commits().Apply(hub::Actor::System(), handle, request);
  }
  hub::RepoPtr MakeModel(const std::string& name, bool is_private = false) {
    hub::RepoPtr repo = MakeRepo(hub::RepoType::kModel, "ada", name, is_private);
    Commit(repo, {{"README.md", "---\nlicense: mit\n---\n# m\n"}, {"evil.yaml", kBadYaml}},
           {{"bad.pkl", kBadPickle}, {"good.pkl", kGoodPickle}});
    return repo;
  }
  Json Info(const std::string& name, const std::string& token = "") {
    Json info = BodyJson(Get("/api/models/ada/" + name + "?securityStatus=true", token));
    return *info.Find("securityRepoStatus");
  }
  static Json RowOf(const Json& rows, const std::string& path) {
    for (const Json& row : *rows.AsArray()) {
      if (row.StringField("path") == path) return row;
    }
    return {};
  }

  int64_t ada_id_ = 0;
  std::string ada_, bob_, root_;
};

TEST_F(SafetyApiTest, WhatIsNotScannedYetIsNotCalledSafe) {
  MakeModel("m");
  EXPECT_EQ(Info("m").Dump(), R"({"scansDone":false,"filesWithIssues":[]})");
  hub_->safety().ScanNow();
  Json status = Info("m");
  EXPECT_EQ(status.BoolField("scansDone"), true);
  EXPECT_EQ(status.Find("filesWithIssues")->Dump(),
            R"([{"path":"bad.pkl","level":"unsafe"},{"path":"evil.yaml","level":"unsafe"}])");
  EXPECT_EQ(BodyText(Get("/api/models/ada/m/scan")), status.Dump());
}

TEST_F(SafetyApiTest, TreeAndPathsTellTheStateOfEachFile) {
  MakeModel("m");
  Json before = BodyJson(Get("/api/models/ada/m/tree/main?expand=true"));
  EXPECT_EQ(RowOf(before, "bad.pkl").Find("securityFileStatus"), nullptr);
  hub_->safety().ScanNow();
  Json rows = BodyJson(Get("/api/models/ada/m/tree/main?expand=true"));
  Json bad = *RowOf(rows, "bad.pkl").Find("securityFileStatus");
  EXPECT_EQ(bad.StringField("status"), "unsafe");
  EXPECT_TRUE(bad.Find("avScan")->is_null());
  EXPECT_EQ(bad.Find("pickleImportScan")->Find("pickleImports")->Dump(),
            R"([{"module":"os","name":"system","safety":"dangerous"}])");
  Json good = *RowOf(rows, "README.md").Find("securityFileStatus");
  EXPECT_EQ(good.StringField("status"), "safe");
  EXPECT_TRUE(good.Find("pickleImportScan")->is_null());
  Json plain = BodyJson(Get("/api/models/ada/m/tree/main"));
  EXPECT_EQ(RowOf(plain, "bad.pkl").Find("securityFileStatus"), nullptr);
  Json info = BodyJson(SendJson("POST", "/api/models/ada/m/paths-info/main",
                                Json::Obj({{"paths", Json::Arr({"bad.pkl"})}, {"expand", true}})));
  EXPECT_EQ(RowOf(info, "bad.pkl").Find("securityFileStatus")->StringField("status"), "unsafe");
}

TEST_F(SafetyApiTest, FindingsComeWithTheirEvidence) {
  MakeModel("m");
  hub_->safety().ScanNow();
  Json report = BodyJson(Get("/api/hearth/models/ada/m/safety"));
  EXPECT_EQ(report.StringField("policy"), "warn");
  EXPECT_EQ(report.Find("counts")->IntField("unsafe"), 2);
  Json bad = RowOf(*report.Find("files"), "bad.pkl");
  Json finding = (*bad.Find("findings")->AsArray())[0];
  EXPECT_EQ(finding.StringField("path"), "bad.pkl");
  EXPECT_THAT(*finding.StringField("evidence"), HasSubstr("os.system"));
  EXPECT_EQ(Get("/api/hearth/models/ada/m/safety?revision=none").status, 404);
}

TEST_F(SafetyApiTest, OnlyReadersOfTheContentAreTold) {
  hub::RepoPtr hidden = MakeModel("hidden", true);
  hub::RepoPtr gated = MakeModel("gated");
  hub_->repos().UpdateSettings(hub_->repos().OpenAsSystem(gated), {.gated = hub::Gated::kAuto});
  hub_->safety().ScanNow();
  EXPECT_EQ(Get("/api/hearth/models/ada/hidden/safety").status, 401);
  EXPECT_EQ(Get("/api/hearth/models/ada/hidden/safety", bob_).status, 404);
  EXPECT_EQ(Get("/api/hearth/models/ada/hidden/licence", bob_).status, 404);
  EXPECT_EQ(Get("/api/hearth/models/ada/gated/safety", bob_).status, 403);
  EXPECT_EQ(Info("gated", ada_).Find("filesWithIssues")->size(), 2u);
  // After the owner's answer, so that one that was kept would show.
  EXPECT_EQ(Info("gated", bob_).Dump(), R"({"scansDone":false,"filesWithIssues":[]})");
  EXPECT_EQ(BodyText(Get("/api/models/ada/gated/scan")),
            R"({"scansDone":false,"filesWithIssues":[]})");
  Json rows = BodyJson(Get("/api/models/ada/gated/tree/main?expand=true", bob_));
  EXPECT_EQ(RowOf(rows, "bad.pkl").Find("securityFileStatus"), nullptr);
}

TEST_F(SafetyApiTest, TheQueueIsForSiteAdministrators) {
  MakeModel("m");
  EXPECT_EQ(Get("/api/hearth/scan-queue").status, 401);
  EXPECT_EQ(Get("/api/hearth/scan-queue", ada_).status, 403);
  EXPECT_GT(*BodyJson(Get("/api/hearth/scan-queue", root_)).IntField("refsWaiting"), 0);
  hub_->safety().ScanNow();
  Json queue = BodyJson(Get("/api/hearth/scan-queue", root_));
  EXPECT_EQ(queue.IntField("queued"), 0);
  EXPECT_EQ(queue.IntField("unsafe"), 2);
  EXPECT_EQ(queue.IntField("refsWaiting"), 0);
}

TEST_F(SafetyApiTest, WarningGivesEverythingOut) {
  MakeModel("m");
  hub_->safety().ScanNow();
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl").status, 200);
}

TEST_F(SafetyApiTest, BlockingKeepsUnsafeFilesIn) {
  MakeModel("m");
  hub_->safety().ScanNow();
  Open(hub::Quarantine::kBlock);
  net::Response refused = Get("/ada/m/resolve/main/bad.pkl");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(BodyText(refused), HasSubstr("unsafe"));
  EXPECT_EQ(Get("/ada/m/resolve/main/evil.yaml").status, 403);
  EXPECT_EQ(Get("/ada/m/raw/main/evil.yaml").status, 403);
  EXPECT_EQ(Get("/ada/m/raw/main/bad.pkl").status, 200);  // the pointer
  EXPECT_EQ(Get("/api/resolve-cache/models/ada/m/main/bad.pkl").status, 403);
  EXPECT_EQ(Get("/ada/m/resolve/main/good.pkl").status, 200);
  EXPECT_EQ(Get("/ada/m/resolve/main/README.md").status, 200);
  for (int again = 0; again < 2; ++again) {  // the second is answered from memory elsewhere
    EXPECT_EQ(Send({.method = "HEAD", .target = "/ada/m/resolve/main/bad.pkl"}).status, 403);
  }
  // Writers who know what they ask for.
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl", ada_).status, 403);
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl?allow_unsafe=1", ada_).status, 200);
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl?allow_unsafe=1", bob_).status, 403);
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl?allow_unsafe=1").status, 403);
}

TEST_F(SafetyApiTest, BlockingReachesGitAndLfs) {
  MakeModel("m");
  hub_->safety().ScanNow();
  Open(hub::Quarantine::kBlock);
  const char* refs = "/ada/m.git/info/refs?service=git-upload-pack";
  EXPECT_EQ(Get(refs).status, 403);
  EXPECT_EQ(Get(refs, ada_).status, 403);
  HeaderList knowing = Bearer(ada_);
  knowing.emplace_back("X-Hearth-Allow-Unsafe", "1");
  EXPECT_EQ(Send({.target = refs, .headers = knowing}).status, 200);
  Json batch = Json::Obj(
      {{"operation", "download"},
       {"objects",
        Json::Arr(
            {Json::Obj({{"oid", Sha256Of(kBadPickle).Hex()}, {"size", kBadPickle.size()}}),
             Json::Obj({{"oid", Sha256Of(kGoodPickle).Hex()}, {"size", kGoodPickle.size()}})})}});
  Json answer = BodyJson(SendJson("POST", "/ada/m.git/info/lfs/objects/batch", batch));
  const Json::Array& objects = *answer.Find("objects")->AsArray();
  EXPECT_EQ(objects[0].Find("error")->IntField("code"), 403);
  EXPECT_NE(objects[1].Find("actions"), nullptr);
}

TEST_F(SafetyApiTest, OffMeansThatNothingIsSaid) {
  Open(hub::Quarantine::kOff);
  MakeModel("m");
  hub_->safety().ScanNow();
  EXPECT_EQ(Info("m").Dump(), R"({"scansDone":false,"filesWithIssues":[]})");
  EXPECT_EQ(Get("/ada/m/resolve/main/bad.pkl").status, 200);
}

TEST_F(SafetyApiTest, LicenceFollowsTheChainAsFarAsTheCallerMayRead) {
  hub::RepoPtr base = MakeRepo(hub::RepoType::kModel, "ada", "base", true);
  Commit(base, {{"README.md", "---\nlicense: cc-by-nc-4.0\n---\n"}});
  hub::RepoPtr child = MakeRepo(hub::RepoType::kModel, "ada", "child");
  Commit(child, {{"README.md", "---\nlicense: mit\nbase_model: ada/base\n---\n"}});
  Json owner = BodyJson(Get("/api/hearth/models/ada/child/licence", ada_));
  EXPECT_EQ(owner.StringField("verdict"), "conflict");
  std::string open = BodyText(Get("/api/hearth/models/ada/child/licence"));
  EXPECT_EQ(Json::Parse(open).StringField("verdict"), "unknown");
  EXPECT_THAT(open, Not(HasSubstr("cc-by-nc")));
  // As if it were not there at all.
  hub_->repos().Delete(hub_->repos().OpenAsSystem(hub_->repos().FindById(base->id)));
  EXPECT_EQ(BodyText(Get("/api/hearth/models/ada/child/licence")), open);
  Json table = BodyJson(Get("/api/hearth/licences"));
  EXPECT_EQ(table.Find("licences")->size(), 83u);
}

}  // namespace
}  // namespace hearth::server
