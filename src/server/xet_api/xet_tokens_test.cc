#include "server/xet_api/xet_fixture.h"

namespace hearth::server {
namespace {

using XetTokensTest = XetFixture;

TEST_F(XetTokensTest, AnswersInBodyAndHeaders) {
  net::Response response = Get("/api/models/ada/open/xet-write-token/main", ada_);
  ASSERT_EQ(response.status, 200);
  Json body = BodyJson(response);
  EXPECT_EQ(TextAt(body, "casUrl"), "http://hub.test/xet/" + hub_->xet().store_id());
  EXPECT_EQ(response.headers.Get("X-Xet-Cas-Url"), TextAt(body, "casUrl"));
  EXPECT_EQ(response.headers.Get("X-Xet-Access-Token"), TextAt(body, "accessToken"));
  int64_t end = ToUnixMillis(clock_.Now()) / 1000 + 3600;
  EXPECT_EQ(body.IntField("exp"), end);
  EXPECT_EQ(response.headers.Get("X-Xet-Token-Expiration"), std::to_string(end));
}

TEST_F(XetTokensTest, AnybodyReadsAPublicRepository) {
  EXPECT_EQ(Get("/api/models/ada/open/xet-read-token/main").status, 200);
  EXPECT_EQ(Get("/api/models/ada/open/xet-read-token/main", bob_).status, 200);
}

TEST_F(XetTokensTest, AHiddenRepositoryIsMissing) {
  for (const char* right : {"read", "write"}) {
    for (const char* name : {"hidden", "absent"}) {
      std::string target = std::string("/api/models/ada/") + name + "/xet-" + right + "-token/main";
      EXPECT_EQ(Get(target).status, 401) << target;
      EXPECT_EQ(Get(target, bob_).status, 404) << target;
      EXPECT_EQ(Get(target, bob_).headers.Get("X-Error-Code"), "RepoNotFound") << target;
    }
    EXPECT_EQ(Get(std::string("/api/models/ada/hidden/xet-") + right + "-token/main", ada_).status,
              200);
  }
}

TEST_F(XetTokensTest, OnlyWritersGetAWriteToken) {
  std::string target = "/api/models/ada/open/xet-write-token/main";
  EXPECT_EQ(Get(target).status, 401);
  EXPECT_EQ(Get(target, bob_).status, 403);
  EXPECT_EQ(Get(target, MakeToken(ada_id_, hub::TokenRole::kRead)).status, 403);
  EXPECT_EQ(Get(target, ada_).status, 200);
}

// Whoever revokes a token that leaked expects that nothing made with it goes on.
TEST_F(XetTokensTest, EndsWithTheHubTokenThatItWasAskedForWith) {
  std::string hub_token = MakeToken(ada_id_);
  std::string asked = TokenFor("ada/open", "write", hub_token);
  std::string other = TokenFor("ada/open", "write", ada_);
  XetUpload upload = MakeUpload('a');
  EXPECT_EQ(PutXorb(upload, asked).status, 200);
  int64_t id = hub_->accounts().AuthenticateToken(hub_token).token_id;
  for (const hub::TokenInfo& token : hub_->accounts().ListTokens(ada_id_)) {
    if (token.id == id) hub_->accounts().RevokeToken(ada_id_, token.oid);
  }
  EXPECT_EQ(PutXorb(upload, asked).status, 403);
  EXPECT_EQ(PutXorb(upload, other).status, 200);
}

TEST_F(XetTokensTest, EndsWithTheHubTokensTime) {
  auto soon = clock_.Now() + std::chrono::minutes(5);
  std::string hub_token =
      hub_->accounts()
          .CreateToken(ada_id_,
                       {.name = "short", .role = hub::TokenRole::kWrite, .expires_at = soon})
          .second;
  std::string asked = TokenFor("ada/open", "write", hub_token);
  XetUpload upload = MakeUpload('a');
  EXPECT_EQ(PutXorb(upload, asked).status, 200);
  clock_.Advance(std::chrono::minutes(6));
  EXPECT_EQ(PutXorb(upload, asked).status, 403);
}

TEST_F(XetTokensTest, APullRequestNeedsATokenThatWritesSomewhere) {
  std::string target = "/api/models/ada/open/xet-write-token/None?create_pr=1";
  EXPECT_EQ(Get(target).status, 401);
  EXPECT_EQ(Get(target, MakeToken(ada_id_, hub::TokenRole::kRead)).status, 403);
  EXPECT_EQ(Get(target, bob_).status, 200);
  EXPECT_EQ(Get("/api/models/ada/hidden/xet-write-token/None?create_pr=1", bob_).status, 404);
}

TEST_F(XetTokensTest, ReadingNeedsARevisionThatExistsAndWritingDoesNot) {
  net::Response response = Get("/api/models/ada/open/xet-read-token/nope", ada_);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.Get("X-Error-Code"), "RevisionNotFound");
  EXPECT_EQ(Get("/api/models/ada/open/xet-read-token/refs%2Fheads%2Fmain", ada_).status, 200);
  EXPECT_EQ(Get("/api/models/ada/open/xet-write-token/nope", ada_).status, 200);
  EXPECT_EQ(Get("/api/models/ada/open/xet-write-token/refs%2Fpr%2F7", ada_).status, 200);
  EXPECT_EQ(Get("/api/models/ada/open/xet-write-token/a/b", ada_).status, 200);
}

TEST_F(XetTokensTest, AFineGrainedTokenDoesNotReachBeyondItsRepository) {
  hub::NewToken wanted{.name = "t",
                       .role = hub::TokenRole::kFineGrained,
                       .scopes = {{"model", "ada/hidden", {"repo.write"}}}};
  std::string narrow = hub_->accounts().CreateToken(ada_id_, wanted).second;
  auto scope = [this](const std::string& token) {
    return ParseXetToken(*hub_, TokenFor("ada/hidden", "write", token)).scope;
  };
  EXPECT_FALSE(scope(narrow).whole_user);
  EXPECT_TRUE(scope(ada_).whole_user);
  EXPECT_EQ(scope(narrow).holder_id, hidden_->id);
  EXPECT_EQ(scope(narrow).user_id, ada_id_);
  EXPECT_TRUE(scope(narrow).may_write);
}

TEST_F(XetTokensTest, OldClientsAreToldThatXetIsOn) {
  Json info = BodyJson(Get("/api/models/ada/open/revision/main?expand=xetEnabled"));
  EXPECT_EQ(info.BoolField("xetEnabled"), true);
}

}  // namespace
}  // namespace hearth::server
