#include <gmock/gmock.h>

#include "server/app_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadingsTest : public AppFixture {
 protected:
  ReadingsTest() {
    ada_ = MakeUser("ada");
    token_ = MakeToken(ada_);
    eve_token_ = MakeToken(MakeUser("eve"));
  }
  hub::RepoPtr MakeSpace(const std::string& name) {
    hub::RepoPtr space = MakeRepo(hub::RepoType::kSpace, "ada", name);
    Commit(space, {{"README.md", "---\nsdk: gradio\n---\n# Cats\n\nIt draws cats.\n"},
                   {"app.py", "AutoModel.from_pretrained('ada/secret')\n"}});
    return space;
  }

  int64_t ada_ = 0;
  std::string token_, eve_token_;
};

TEST_F(ReadingsTest, KindsOrderAndScoreOfMainAndOfARevision) {
  hub::RepoPtr space = MakeSpace("cats");
  GitOid old = *hub_->repos().FindById(space->id)->head;
  Commit(space, {{"README.md", "# Cats\n"}});
  Json now = BodyJson(Get("/api/hearth/spaces/ada/cats/classify"));
  EXPECT_EQ(TextAt(now, "type"), "space");
  EXPECT_EQ(TextAt((*now.Find("kinds")->AsArray())[0], "level"), "inferred");
  net::Response then = Get("/api/hearth/spaces/ada/cats/classify?revision=" + old.Hex());
  EXPECT_EQ(TextAt((*BodyJson(then).Find("kinds")->AsArray())[0], "level"), "proved");
  EXPECT_EQ(TextAt(BodyJson(then), "commit"), old.Hex());
  Json order = BodyJson(Get("/api/hearth/spaces/ada/cats/reading-order?revision=" + old.Hex()));
  EXPECT_EQ(order.Find("steps")->size(), 6u);
  EXPECT_EQ(TextAt((*order.Find("note")->AsArray())[1], "value"), "It draws cats.");
  Json score = BodyJson(Get("/api/hearth/spaces/ada/cats/card-score"));
  EXPECT_EQ(TextAt(score, "variant"), "space");
  EXPECT_EQ(Get("/api/hearth/spaces/ada/cats/card-score?revision=no-such").status, 404);
}

TEST_F(ReadingsTest, WhatIsNamedIsLookedUpForTheCaller) {
  hub::RepoPtr secret = MakeRepo(hub::RepoType::kModel, "ada", "secret", true);
  MakeSpace("cats");
  auto state = [this](const std::string& token) {
    Json json = BodyJson(Get("/api/hearth/spaces/ada/cats/classify", token));
    return TextAt((*json.Find("references")->AsArray())[0], "state");
  };
  std::string stranger = BodyText(Get("/api/hearth/spaces/ada/cats/classify"));
  EXPECT_EQ(state(token_), "here");
  EXPECT_EQ(state(eve_token_), "not_here");
  EXPECT_EQ(state(""), "not_here");
  // Whether the name is taken shows in nothing.
  hub_->repos().Delete(hub_->repos().OpenAsSystem(secret));
  EXPECT_EQ(BodyText(Get("/api/hearth/spaces/ada/cats/classify")), stranger);
}

TEST_F(ReadingsTest, ACardIsCheckedWithoutBeingKept) {
  auto check = [this](const Json& body, const std::string& token = "") {
    return BodyJson(SendJson("POST", "/api/hearth/card-check", body, token));
  };
  Json plain = check(Json::Obj({{"content", "# m\n"}, {"type", "model"}}));
  EXPECT_EQ(plain.Find("rows")->size(), 9u);
  EXPECT_EQ(plain.Find("errors")->size(), 0u);
  Json broken = check(Json::Obj({{"content", "---\nlicense: [\n---\n"}}));
  EXPECT_EQ(broken.Find("errors")->size(), 1u);
  EXPECT_EQ(SendJson("POST", "/api/hearth/card-check", Json::Obj({{"content", 1}})).status, 400);
  EXPECT_EQ(
      SendJson("POST", "/api/hearth/card-check", Json::Obj({{"content", ""}, {"type", "folder"}}))
          .status,
      400);

  // A licence file of the repository counts for whoever may read it, and shows to nobody else.
  hub::RepoPtr secret = MakeRepo(hub::RepoType::kModel, "ada", "secret", true);
  Commit(secret, {{"LICENSE", "MIT"}});
  Json body = Json::Obj({{"content", "---\nlicense: mit\n---\n"}, {"id", "ada/secret"}});
  EXPECT_GT(*check(body, token_).Find("score")->AsInt(), *check(body).Find("score")->AsInt());
  std::string hidden = check(body, eve_token_).Dump();
  body.Set("id", "ada/absent");
  EXPECT_EQ(hidden.size(), check(body, eve_token_).Dump().size());
}

TEST_F(ReadingsTest, WhoCommitsAThinCardIsToldAndNotStopped) {
  MakeRepo(hub::RepoType::kModel, "ada", "m");
  std::string lines =
      R"({"key":"header","value":{"summary":"card"}})"
      "\n"
      R"({"key":"file","value":{"path":"README.md","encoding":"utf-8","content":"# m\n"}})"
      "\n";
  HeaderList headers = Bearer(token_);
  headers.emplace_back("Content-Type", "application/x-ndjson");
  net::Response answer = Send({.method = "POST",
                               .target = "/api/models/ada/m/commit/main",
                               .headers = headers,
                               .body = lines});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(TextAt(BodyJson(answer), "hookOutput"), HasSubstr("card score"));
}

}  // namespace
}  // namespace hearth::server
