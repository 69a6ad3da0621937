// The routes about weights over HTTP: provenance, changes with their job, fit and runtimes.
#include <gtest/gtest.h>

#include <thread>

#include "hub/inspector/provenance/weight_fixture.h"
#include "hub/tensor_index.h"
#include "server/app_fixture.h"

namespace hearth::server {
namespace {

using inspector::SafetensorsBytes;
using inspector::TestTensor;
using inspector::TinyConfig;
using inspector::TinyLlama;

class WeightsApiTest : public AppFixture {
 protected:
  WeightsApiTest() {
    ada_ = MakeToken(MakeUser("ada"));
    eve_ = MakeToken(MakeUser("eve"));
  }
  void MakeModel(const std::string& name, const std::vector<TestTensor>& tensors,
                 bool is_private = false) {
    hub::RepoPtr repo = MakeRepo(hub::RepoType::kModel, "ada", name, is_private);
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "weights";
    std::string bytes = SafetensorsBytes(tensors);
    Sha256 id = Sha256Of(bytes);
    TempFile file(hub_->blobs().temp_folder());
    file.Append(bytes);
    int64_t ada_id = hub_->accounts().FindByName("ada")->id;
    hub_->objects().Store(repo->id, ada_id, id, bytes.size(), std::move(file), id);
    request.operations = {hub::CommitFile{"config.json", TinyConfig()},
                          hub::CommitLfsFile{"model.safetensors", id, bytes.size()}};
    hub::RepoHandle handle = hub_->repos().OpenAsSystem(hub_->repos().FindById(repo->id));
    hub_->commits().Apply(hub::Actor::System(), handle, request);
    hub_->tensors().IndexNow(hub_->repos().FindById(repo->id));
  }
  Json GetJson(const std::string& target, const std::string& token, int status = 200) {
    net::Response response = Get(target, token);
    EXPECT_EQ(response.status, status) << target << "\n" << BodyText(response);
    return BodyJson(response);
  }
  Json WaitFor(const std::string& target) {
    for (int i = 0; i < 20'000; ++i) {
      Json answer = BodyJson(Get(target, ada_));
      if (TextAt(answer, "state") != "queued" && TextAt(answer, "state") != "running")
        return answer;
      std::this_thread::yield();
    }
    return {};
  }

  std::string ada_, eve_;
};

constexpr const char* kApi = "/api/hearth/models/ada/";

TEST_F(WeightsApiTest, ACopyIsShownToThoseWhoMayReadBoth) {
  MakeModel("base", TinyLlama(1));
  MakeModel("secret", TinyLlama(1), true);
  std::string target = std::string(kApi) + "base/provenance";
  EXPECT_EQ(GetJson(target, ada_).Find("edges")->size(), 1u);
  EXPECT_EQ(GetJson(target, eve_).Find("edges")->size(), 0u);
  EXPECT_EQ(GetJson(target, "").Find("edges")->size(), 0u);
  EXPECT_EQ(BodyText(Get(target, eve_)).find("secret"), std::string::npos);
  EXPECT_EQ(Get(std::string(kApi) + "secret/provenance", eve_).status, 404);
}

TEST_F(WeightsApiTest, EqualTensorsProveACopyOfWhatWasHereBefore) {
  auto is_copy = [this](const std::string& name, const std::string& token) {
    Json answer = GetJson(kApi + name + "/classify", token);
    for (const Json& kind : *answer.Find("kinds")->AsArray())
      if (TextAt(kind, "value") == "copy") return TextAt(kind, "level") == "proved";
    return false;
  };
  MakeModel("first", TinyLlama(1));
  clock_.Advance(std::chrono::seconds(5));
  MakeModel("second", TinyLlama(1));
  clock_.Advance(std::chrono::seconds(5));
  MakeModel("other", TinyLlama(2));
  EXPECT_TRUE(is_copy("second", ""));
  EXPECT_FALSE(is_copy("first", ""));
  EXPECT_FALSE(is_copy("other", ""));
  hub::RepoSettings hide;
  hide.is_private = true;
  hub_->repos().UpdateSettings(
      hub_->repos().OpenAsSystem(hub_->repos().Find(hub::RepoType::kModel, "ada", "first")), hide);
  EXPECT_FALSE(is_copy("second", eve_));
  EXPECT_TRUE(is_copy("second", ada_));
}

TEST_F(WeightsApiTest, ChangesAreAnsweredAtOnceAndWeightsByAJob) {
  MakeModel("base", TinyLlama(1));
  std::vector<TestTensor> tensors = TinyLlama(1);
  for (float& value : tensors[2].values) value *= 2;
  MakeModel("tuned", tensors);
  std::string query = "?against=ada/base";
  Json report = GetJson(std::string(kApi) + "tuned/changes" + query, "");
  EXPECT_EQ(TextAt(*report.Find("answers")->Find("weights"), "answer"), "changed");
  EXPECT_EQ(TextAt(*report.Find("weight_diff"), "state"), "none");
  std::string job = std::string(kApi) + "tuned/changes/weights" + query;
  EXPECT_EQ(TextAt(GetJson(job, ada_), "state"), "none");
  int status = Send({.method = "POST", .target = job, .headers = Bearer(ada_)}).status;
  EXPECT_TRUE(status == 202 || status == 200) << status;
  Json done = WaitFor(job);
  ASSERT_EQ(TextAt(done, "state"), "done") << done.Dump();
  EXPECT_EQ(*done.Find("result")->Find("equal"), Json(19));
  // Cancelling what is done changes nothing.
  Send({.method = "DELETE", .target = job, .headers = Bearer(ada_)});
  EXPECT_EQ(TextAt(WaitFor(job), "state"), "done");
}

TEST_F(WeightsApiTest, WhatMayNotBeReadIsComparedWithNoMoreThanWhatIsNotThere) {
  MakeModel("open", TinyLlama(1));
  MakeModel("secret", TinyLlama(1), true);
  std::string changes = std::string(kApi) + "open/changes?against=";
  net::Response hidden = Get(changes + "ada/secret", eve_);
  net::Response absent = Get(changes + "ada/absent", eve_);
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(BodyText(hidden), BodyText(absent));
  EXPECT_EQ(Get(changes + "ada/secret", ada_).status, 200);
  EXPECT_EQ(Get(changes, ada_).status, 400);
  EXPECT_EQ(Get(changes + "no-such-revision", ada_).status, 404);
  EXPECT_EQ(Get(changes + "main", ada_).status, 200);
}

TEST_F(WeightsApiTest, FitNamesTheNodeTheTableAndTheDevicesAskedFor) {
  MakeModel("base", TinyLlama(1));
  std::string target = std::string(kApi) + "base/fit";
  Json all = GetJson(target, "");
  EXPECT_GT(all.Find("devices")->size(), 200u);
  Json asked = GetJson(target + "?device=mine:24GiB:100&context=64&cache=q8_0&sequences=2", "");
  ASSERT_EQ(asked.Find("devices")->size(), 2u);
  const Json& mine = asked.Find("devices")->AsArray()->at(1);
  EXPECT_EQ(TextAt(mine, "verdict"), "fits");
  // 2 layers x 2 heads x (16 + 16) values x 64 tokens x 2 sequences x 17/16 bytes.
  EXPECT_EQ(*mine.Find("need")->Find("kv"), Json(2 * 2 * 32 * 64 * 2 * 17 / 16));
  for (const char* query :
       {"?device=x", "?context=many", "?cache=q9", "?file=absent", "?sequences=0"})
    EXPECT_EQ(Get(target + query, "").status, 400) << query;
}

TEST_F(WeightsApiTest, RuntimesCarryTheHubsOwnVerdict) {
  MakeModel("base", TinyLlama(1));
  Json answer = GetJson(std::string(kApi) + "base/runtimes", "");
  ASSERT_NE(answer.Find("hearth"), nullptr);
  EXPECT_TRUE(answer.Find("hearth")->is_object());
  EXPECT_GT(answer.Find("runtimes")->size(), 5u);
  bool tokenizer_missing = false;
  for (const Json& asset : *answer.Find("assets")->AsArray())
    tokenizer_missing = tokenizer_missing || (TextAt(asset, "name") == "tokenizer" &&
                                              TextAt(asset, "level") == "missing");
  EXPECT_TRUE(tokenizer_missing);
}

}  // namespace
}  // namespace hearth::server
