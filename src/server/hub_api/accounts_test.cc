#include <gmock/gmock.h>

#include "base/error.h"
#include "server/app_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class AccountRoutes : public AppFixture {
 protected:
  std::string CookieOf(const net::Response& response) {
    std::string header = response.headers.Get("Set-Cookie");
    return header.substr(0, header.find(';'));
  }
  net::Response PostForm(const std::string& target, const std::string& form, HeaderList headers) {
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return Send({.method = "POST", .target = target, .headers = headers, .body = form});
  }
};

TEST_F(AccountRoutes, WhoAmIHasTheShapeThatClientsRead) {
  int64_t alice = hub_->accounts().CreateUser("Alice", "", "alice@example.org", false)->id;
  hub_->accounts().CreateOrg("acme", "Acme Ltd", alice);
  std::string token = MakeToken(alice);
  net::Response response = Get("/api/whoami-v2", token);
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.headers.Get("Content-Type"), StartsWith("application/json"));
  Json me = BodyJson(response);
  EXPECT_EQ(TextAt(me, "type"), "user");
  EXPECT_THAT(TextAt(me, "id"), MatchesRegex("[0-9a-f]{24}"));
  EXPECT_EQ(TextAt(me, "name"), "Alice");
  EXPECT_EQ(TextAt(me, "fullname"), "Alice");
  EXPECT_EQ(TextAt(me, "email"), "alice@example.org");
  EXPECT_EQ(TextAt(me, "avatarUrl"), "http://hub.test/avatars/Alice.svg");
  for (const char* key : {"emailVerified", "canPay", "periodEnd", "isPro"}) {
    EXPECT_NE(me.Find(key), nullptr) << key;
  }
  const Json::Array& orgs = me.RequireArray("orgs");
  ASSERT_EQ(orgs.size(), 1u);
  EXPECT_EQ(TextAt(orgs[0], "type"), "org");
  EXPECT_EQ(TextAt(orgs[0], "name"), "acme");
  EXPECT_EQ(TextAt(orgs[0], "fullname"), "Acme Ltd");
  EXPECT_EQ(TextAt(orgs[0], "roleInOrg"), "admin");
  const Json* auth = me.Find("auth");
  ASSERT_NE(auth, nullptr);
  EXPECT_EQ(TextAt(*auth, "type"), "access_token");
  EXPECT_EQ(TextAt(*auth->Find("accessToken"), "displayName"), "test");
  EXPECT_EQ(TextAt(*auth->Find("accessToken"), "role"), "write");
  EXPECT_EQ(TextAt(*auth->Find("accessToken"), "createdAt"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(auth->Find("expiresAt"), nullptr);
  EXPECT_EQ(auth->Find("accessToken")->Find("fineGrained"), nullptr);
}

TEST_F(AccountRoutes, WhoAmIShowsFineGrainedScopesAndExpiry) {
  int64_t alice = MakeUser("alice");
  hub::NewToken wanted{.name = "narrow",
                       .role = hub::TokenRole::kFineGrained,
                       .scopes = {{"", "", {"discussion.write"}},
                                  {"user", "alice", {"repo.content.read", "repo.write"}}},
                       .can_read_gated = true,
                       .expires_at = clock_.Now() + std::chrono::hours(24)};
  std::string token = hub_->accounts().CreateToken(alice, wanted).second;
  Json auth = *BodyJson(Get("/api/whoami-v2", token)).Find("auth");
  EXPECT_EQ(TextAt(auth, "expiresAt"), "2027-01-16T08:00:00.000Z");
  EXPECT_EQ(TextAt(*auth.Find("accessToken"), "role"), "fineGrained");
  Json rights = *auth.Find("accessToken")->Find("fineGrained");
  std::string id = hub_->accounts().FindByName("alice")->oid;
  EXPECT_EQ(
      rights.Dump(),
      R"({"global":["discussion.write"],"scoped":[{"entity":{"_id":")" + id +
          R"(","type":"user","name":"alice"},"permissions":["repo.content.read","repo.write"]}],)"
          R"("canReadGatedRepos":true})");
}

TEST_F(AccountRoutes, BadTokensGetTheWireTextAndNoErrorCode) {
  for (const char* header : {"Bearer hf_unknown", "Bearer ", "Bearer", "nonsense", "Digest x",
                             "Basic !!!", "Basic YWxpY2U="}) {
    net::Response response =
        Send({.target = "/api/whoami-v2", .headers = {{"Authorization", header}}});
    EXPECT_EQ(response.status, 401) << header;
    EXPECT_EQ(response.headers.Get("X-Error-Message"),
              "Invalid credentials in Authorization header");
    EXPECT_EQ(response.headers.Get("X-Error-Code"), "");
  }
  EXPECT_EQ(Get("/api/whoami-v2").status, 401);
}

TEST_F(AccountRoutes, OverviewCountsOnlyWhatTheCallerMaySee) {
  int64_t alice = MakeUser("alice");
  MakeRepo(hub::RepoType::kModel, "alice", "open");
  MakeRepo(hub::RepoType::kModel, "alice", "secret", true);
  MakeRepo(hub::RepoType::kDataset, "alice", "table");
  auto models = [&](const std::string& token) {
    return BodyJson(Get("/api/users/ALICE/overview", token)).Find("numModels")->AsInt();
  };
  EXPECT_EQ(models(""), 1);
  EXPECT_EQ(models(MakeToken(MakeUser("bob"))), 1);
  EXPECT_EQ(models(MakeToken(alice)), 2);
  Json overview = BodyJson(Get("/api/users/alice/overview"));
  EXPECT_EQ(TextAt(overview, "user"), "alice");
  EXPECT_EQ(overview.Find("numDatasets")->AsInt(), 1);
  EXPECT_EQ(overview.Find("numSpaces")->AsInt(), 0);
  EXPECT_THAT(overview.Dump(), Not(HasSubstr("email")));
}

TEST_F(AccountRoutes, UnknownPeopleAndTheWrongKindAre404) {
  int64_t alice = MakeUser("alice");
  hub_->accounts().CreateOrg("acme", "", alice);
  for (const char* path :
       {"/api/users/nobody/overview", "/api/users/acme/overview", "/api/users/acme/likes",
        "/api/users/nobody/followers", "/api/users/nobody/following", "/api/users/nobody/avatar",
        "/api/organizations/alice/overview", "/api/organizations/nobody/members",
        "/api/organizations/alice/followers", "/api/organizations/alice/avatar"}) {
    net::Response response = Get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.headers.Get("X-Error-Code"), "") << path;
  }
  for (const char* path : {"/api/users/alice/followers", "/api/users/alice/following",
                           "/api/users/alice/likes", "/api/organizations/acme/followers"}) {
    EXPECT_EQ(BodyText(Get(path)), "[]") << path;
  }
}

TEST_F(AccountRoutes, MembersShowRolesToMembersOnlyAndPage) {
  int64_t alice = MakeUser("alice");
  int64_t acme = hub_->accounts().CreateOrg("acme", "", alice)->id;
  for (const char* name : {"bob", "carol", "dave"}) {
    hub_->accounts().SetMember(acme, MakeUser(name), hub::OrgRole::kRead);
  }
  EXPECT_THAT(BodyText(Get("/api/organizations/acme/members")), Not(HasSubstr("role")));
  EXPECT_THAT(BodyText(Get("/api/organizations/acme/members", MakeToken(MakeUser("eve")))),
              Not(HasSubstr("role")));
  std::string token = MakeToken(alice);
  EXPECT_THAT(BodyText(Get("/api/organizations/acme/members", token)),
              HasSubstr(R"("role":"admin")"));

  net::Response first = Get("/api/organizations/acme/members?limit=3");
  EXPECT_EQ(BodyJson(first).size(), 3u);
  EXPECT_EQ(first.headers.Get("Link"),
            "<http://hub.test/api/organizations/acme/members?limit=3&cursor=3>; rel=\"next\"");
  net::Response second = Get("/api/organizations/acme/members?limit=3&cursor=3");
  EXPECT_EQ(TextAt(BodyJson(second).AsArray()->at(0), "user"), "dave");
  EXPECT_EQ(second.headers.Get("Link"), "");
  EXPECT_EQ(BodyText(Get("/api/organizations/acme/members?cursor=99")), "[]");
  for (const char* query : {"limit=0", "limit=x", "limit=-1", "cursor=x"}) {
    EXPECT_EQ(Get(std::string("/api/organizations/acme/members?") + query).status, 400) << query;
  }
}

TEST_F(AccountRoutes, OnlyAnAdminOfTheOrganisationChangesRoles) {
  int64_t alice = MakeUser("alice"), bob = MakeUser("bob"), eve = MakeUser("eve");
  int64_t acme = hub_->accounts().CreateOrg("acme", "", alice)->id;
  hub_->accounts().SetMember(acme, bob, hub::OrgRole::kWrite);
  std::string path = "/api/organizations/acme/members/eve/role";
  Json read = Json::Obj({{"role", "read"}});
  EXPECT_EQ(SendJson("PUT", path, read).status, 401);
  EXPECT_EQ(SendJson("PUT", path, read, MakeToken(eve)).status, 403);
  EXPECT_EQ(SendJson("PUT", path, read, MakeToken(bob)).status, 403);
  EXPECT_EQ(SendJson("PUT", path, read, MakeToken(alice, hub::TokenRole::kRead)).status, 403);
  hub::NewToken narrow{.name = "n",
                       .role = hub::TokenRole::kFineGrained,
                       .scopes = {{"org", "acme", {"repo.write"}}}};
  EXPECT_EQ(SendJson("PUT", path, read, hub_->accounts().CreateToken(alice, narrow).second).status,
            403);
  EXPECT_TRUE(hub_->accounts().OrgsOf(eve).empty());
  std::string token = MakeToken(alice);
  EXPECT_EQ(SendJson("PUT", path, read, token).status, 200);
  EXPECT_EQ(hub_->accounts().OrgsOf(eve).at(0).role, hub::OrgRole::kRead);
  EXPECT_EQ(SendJson("PUT", path, Json::Obj({{"role", "god"}}), token).status, 400);
  EXPECT_EQ(SendJson("PUT", path, Json::Obj(), token).status, 400);
  EXPECT_EQ(SendJson("PUT", "/api/organizations/acme/members/nobody/role", read, token).status,
            404);
  EXPECT_EQ(SendJson("PUT", "/api/organizations/acme/members/alice/role", read, token).status, 409);
}

TEST_F(AccountRoutes, MembersMayLeaveAndAdminsRemove) {
  int64_t alice = MakeUser("alice"), bob = MakeUser("bob"), eve = MakeUser("eve");
  int64_t acme = hub_->accounts().CreateOrg("acme", "", alice)->id;
  hub_->accounts().SetMember(acme, bob, hub::OrgRole::kWrite);
  hub_->accounts().SetMember(acme, eve, hub::OrgRole::kRead);
  std::string base = "/api/organizations/acme/members/";
  EXPECT_EQ(SendJson("DELETE", base + "eve", Json::Obj(), MakeToken(bob)).status, 403);
  EXPECT_EQ(SendJson("DELETE", base + "bob", Json::Obj(), MakeToken(bob)).status, 200);
  EXPECT_EQ(SendJson("DELETE", base + "eve", Json::Obj(), MakeToken(alice)).status, 200);
  EXPECT_EQ(hub_->accounts().MembersOf(acme).size(), 1u);
}

TEST_F(AccountRoutes, OrganisationsAreMadeBySignedInUsers) {
  std::string token = MakeToken(MakeUser("alice"));
  Json body = Json::Obj({{"name", "Acme"}, {"fullname", "Acme Ltd"}});
  EXPECT_EQ(SendJson("POST", "/api/organizations", body).status, 401);
  net::Response made = SendJson("POST", "/api/organizations", body, token);
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(TextAt(BodyJson(made), "roleInOrg"), "admin");
  EXPECT_EQ(SendJson("POST", "/api/organizations", body, token).status, 409);
  EXPECT_EQ(SendJson("POST", "/api/organizations", Json::Obj({{"name", "api"}}), token).status,
            409);
  EXPECT_EQ(SendJson("POST", "/api/organizations", Json::Obj({{"name", "a b"}}), token).status,
            400);
}

TEST_F(AccountRoutes, TokensAreMadeListedAndRevoked) {
  int64_t alice = MakeUser("alice");
  std::string token = MakeToken(alice);
  Json wanted =
      Json::Obj({{"name", "ci"}, {"role", "read"}, {"expiresAt", "2027-02-01T00:00:00.000Z"}});
  net::Response made = SendJson("POST", "/api/settings/tokens", wanted, token);
  ASSERT_EQ(made.status, 200) << BodyText(made);
  EXPECT_EQ(made.headers.Get("Cache-Control"), "no-store");
  std::string text = TextAt(BodyJson(made), "token");
  EXPECT_THAT(text, MatchesRegex("hf_[A-Za-z0-9]{34}"));
  EXPECT_EQ(Get("/api/whoami-v2", text).status, 200);

  net::Response list = Get("/api/settings/tokens", token);
  EXPECT_THAT(BodyText(list), Not(HasSubstr(text)));
  EXPECT_THAT(BodyText(list), HasSubstr("hf_..." + text.substr(text.size() - 4)));
  EXPECT_EQ(BodyJson(list).size(), 2u);
  EXPECT_EQ(Get("/api/settings/tokens", text).status, 403) << "a read token manages nothing";

  std::string path = "/api/settings/tokens/" + TextAt(BodyJson(made), "id");
  EXPECT_EQ(SendJson("DELETE", path, Json::Obj(), MakeToken(MakeUser("eve"))).status, 404);
  EXPECT_EQ(SendJson("DELETE", path, Json::Obj(), token).status, 200);
  EXPECT_EQ(Get("/api/whoami-v2", text).status, 401);
  EXPECT_EQ(SendJson("DELETE", path, Json::Obj(), token).status, 404);
}

TEST_F(AccountRoutes, FineGrainedTokensRoundTripThroughTheApi) {
  std::string token = MakeToken(MakeUser("alice"));
  Json rights = Json::Parse(
      R"({"global":["discussion.write"],"scoped":[{"entity":{"type":"model","name":"alice/m"},)"
      R"("permissions":["repo.write"]}],"canReadGatedRepos":false})");
  Json wanted = Json::Obj({{"name", "n"}, {"role", "fineGrained"}, {"fineGrained", rights}});
  net::Response made = SendJson("POST", "/api/settings/tokens", wanted, token);
  ASSERT_EQ(made.status, 200) << BodyText(made);
  hub::Actor actor = hub_->accounts().AuthenticateToken(TextAt(BodyJson(made), "token"));
  ASSERT_EQ(actor.scopes.size(), 2u);
  EXPECT_EQ(actor.scopes[1].entity_name, "alice/m");
  EXPECT_FALSE(actor.can_read_gated);
  for (const char* bad :
       {R"({"scoped":[{}]})", R"({"scoped":{}})", R"({"global":[1]})",
        R"({"scoped":[{"entity":{"type":"","name":""},"permissions":["repo.write"]}]})",
        R"({"scoped":[{"entity":{"type":"org","name":"nobody"},"permissions":[]}]})"}) {
    wanted.Set("fineGrained", Json::Parse(bad));
    EXPECT_EQ(SendJson("POST", "/api/settings/tokens", wanted, token).status, 400) << bad;
  }
}

TEST_F(AccountRoutes, ATokenThatEndsMakesNoneThatLastsLonger) {
  int64_t alice = MakeUser("alice");
  std::string token = hub_->accounts()
                          .CreateToken(alice, {.name = "short",
                                               .role = hub::TokenRole::kWrite,
                                               .expires_at = clock_.Now() + std::chrono::hours(24)})
                          .second;
  Json wanted = Json::Obj({{"name", "long"}, {"role", "write"}});
  EXPECT_EQ(SendJson("POST", "/api/settings/tokens", wanted, token).status, 403);
  wanted.Set("expiresAt", "2027-01-17T00:00:00.000Z");
  EXPECT_EQ(SendJson("POST", "/api/settings/tokens", wanted, token).status, 403);
  wanted.Set("expiresAt", "2027-01-15T12:00:00.000Z");
  EXPECT_EQ(SendJson("POST", "/api/settings/tokens", wanted, token).status, 200);
  wanted.Set("expiresAt", "tomorrow");
  EXPECT_EQ(SendJson("POST", "/api/settings/tokens", wanted, token).status, 400);
}

TEST_F(AccountRoutes, SessionsNeedTheirCsrfTokenToChangeAnything) {
  MakeUser("alice", "correct horse");
  net::Response login = SendJson("POST", "/api/login",
                                 Json::Obj({{"username", "alice"}, {"password", "correct horse"}}));
  ASSERT_EQ(login.status, 200);
  std::string header = login.headers.Get("Set-Cookie");
  for (const char* part :
       {"hearth_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"}) {
    EXPECT_THAT(header, HasSubstr(part));
  }
  EXPECT_THAT(header, Not(HasSubstr("Secure"))) << "plain http";
  std::string cookie = CookieOf(login);
  std::string csrf = TextAt(BodyJson(login), "csrfToken");

  Json me = BodyJson(Send({.target = "/api/whoami-v2", .headers = {{"Cookie", cookie}}}));
  EXPECT_EQ(TextAt(me, "name"), "alice");
  EXPECT_EQ(TextAt(*me.Find("auth"), "type"), "session");

  auto create = [&](HeaderList headers) {
    headers.emplace_back("Cookie", "other=1; " + cookie);
    return Send({.method = "POST",
                 .target = "/api/settings/tokens",
                 .headers = headers,
                 .body = R"({"name":"x","role":"read"})"})
        .status;
  };
  EXPECT_EQ(create({}), 403);
  EXPECT_EQ(create({{"X-CSRF-Token", csrf + "x"}}), 403);
  EXPECT_EQ(create({{"X-CSRF-Token", csrf}}), 200);

  EXPECT_EQ(
      Send({.method = "POST", .target = "/api/logout", .headers = {{"Cookie", cookie}}}).status,
      403);
  net::Response logout = Send({.method = "POST",
                               .target = "/api/logout",
                               .headers = {{"Cookie", cookie}, {"X-CSRF-Token", csrf}}});
  EXPECT_EQ(logout.status, 200);
  EXPECT_THAT(logout.headers.Get("Set-Cookie"), HasSubstr("Max-Age=0"));
  EXPECT_EQ(Send({.target = "/api/whoami-v2", .headers = {{"Cookie", cookie}}}).status, 401);
}

TEST_F(AccountRoutes, TheFormSignsInAndGoesOnlyToThisSite) {
  MakeUser("alice", "correct horse");
  auto login = [&](const std::string& next) {
    return PostForm("/login",
                    "username=alice&password=correct+horse&next=" + net::PercentEncode(next), {});
  };
  net::Response response = login("/alice/m?x=1");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.Get("Location"), "/alice/m?x=1");
  EXPECT_THAT(response.headers.Get("Set-Cookie"), StartsWith("hearth_session="));
  for (const char* next : {"//evil.example", "https://evil.example", "/\\evil.example", "", "x",
                           "/a\r\nSet-Cookie: x=1", "/\t/evil.example"}) {
    EXPECT_EQ(login(next).headers.Get("Location"), "/") << next;
  }
  net::Response wrong = PostForm("/login", "username=alice&password=wrong-password&next=/a", {});
  EXPECT_EQ(wrong.status, 303);
  EXPECT_EQ(wrong.headers.Get("Location"), "/login?failed=1&next=%2Fa");
  EXPECT_EQ(wrong.headers.Get("Set-Cookie"), "");
}

TEST_F(AccountRoutes, LoginFromAnotherSiteIsRefused) {
  MakeUser("alice", "correct horse");
  std::string form = "username=alice&password=correct+horse";
  EXPECT_EQ(PostForm("/login", form, {{"Origin", "http://evil.example"}}).status, 403);
  EXPECT_EQ(PostForm("/login", form, {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(PostForm("/login", form, {{"Origin", "http://hub.test"}}).status, 303);
}

TEST_F(AccountRoutes, RepeatedFailuresAnswer429WithRetryAfter) {
  MakeUser("alice", "correct horse");
  Json wrong = Json::Obj({{"username", "alice"}, {"password", "wrong password"}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(SendJson("POST", "/api/login", wrong).status, 401);
  net::Response response = SendJson("POST", "/api/login", wrong);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.Get("Retry-After"), "900");
}

TEST_F(AccountRoutes, LikesCountOncePerUserAndStayPrivateWithTheirRepository) {
  int64_t alice = MakeUser("alice"), bob = MakeUser("bob");
  MakeRepo(hub::RepoType::kModel, "alice", "open");
  MakeRepo(hub::RepoType::kDataset, "alice", "secret", true);
  std::string alices = MakeToken(alice), bobs = MakeToken(bob);
  auto likes = [&] { return hub_->repos().Find(hub::RepoType::kModel, "alice", "open")->likes; };
  std::string path = "/api/models/alice/open/like";
  EXPECT_EQ(SendJson("POST", path, Json::Obj()).status, 401);
  EXPECT_EQ(SendJson("POST", path, Json::Obj(), MakeToken(bob, hub::TokenRole::kRead)).status, 403);
  EXPECT_EQ(SendJson("POST", path, Json::Obj(), bobs).status, 200);
  EXPECT_EQ(SendJson("POST", path, Json::Obj(), bobs).status, 200);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(SendJson("POST", path, Json::Obj(), alices).status, 200);
  EXPECT_EQ(likes(), 2);
  Json likers = BodyJson(Get("/api/models/alice/open/likers"));
  ASSERT_EQ(likers.size(), 2u);
  EXPECT_EQ(TextAt(likers.AsArray()->at(0), "user"), "alice");

  EXPECT_EQ(SendJson("POST", "/api/datasets/alice/secret/like", Json::Obj(), bobs).status, 404);
  EXPECT_EQ(SendJson("POST", "/api/datasets/alice/secret/like", Json::Obj(), alices).status, 200);
  EXPECT_EQ(BodyJson(Get("/api/users/alice/likes")).size(), 1u);
  EXPECT_EQ(BodyJson(Get("/api/users/alice/likes", alices)).size(), 2u);
  EXPECT_EQ(
      BodyText(Get("/api/users/bob/likes")),
      R"([{"createdAt":"2027-01-15T08:00:00.000Z","repo":{"name":"alice/open","type":"model"}}])");

  EXPECT_EQ(SendJson("DELETE", path, Json::Obj(), bobs).status, 200);
  EXPECT_EQ(SendJson("DELETE", path, Json::Obj(), bobs).status, 200);
  EXPECT_EQ(likes(), 1);
}

TEST_F(AccountRoutes, OwnRepositoriesAreListedWithVisibility) {
  int64_t alice = MakeUser("alice");
  int64_t acme = hub_->accounts().CreateOrg("acme", "", alice)->id;
  MakeRepo(hub::RepoType::kModel, "alice", "one", true);
  MakeRepo(hub::RepoType::kSpace, "acme", "two");
  std::string token = MakeToken(alice);
  EXPECT_EQ(Get("/api/settings/repositories").status, 401);
  Json own = BodyJson(Get("/api/settings/repositories", token));
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(TextAt(own.AsArray()->at(0), "id"), "alice/one");
  EXPECT_EQ(TextAt(own.AsArray()->at(0), "type"), "model");
  EXPECT_EQ(TextAt(own.AsArray()->at(0), "visibility"), "private");
  // Only the .gitattributes of the first commit: all of what alice stores.
  hub_->catalog().IndexNow(hub_->repos().Find(hub::RepoType::kModel, "alice", "one"));
  own = BodyJson(Get("/api/settings/repositories", token));
  EXPECT_GT(own.AsArray()->at(0).Find("storage")->AsInt().value_or(0), 0);
  EXPECT_EQ(own.AsArray()->at(0).Find("storagePercent")->AsDouble(), 100.0);
  std::string path = "/api/organizations/acme/settings/repositories";
  EXPECT_EQ(TextAt(BodyJson(Get(path, token)).AsArray()->at(0), "type"), "space");
  int64_t eve = MakeUser("eve");
  EXPECT_EQ(Get(path, MakeToken(eve)).status, 403);
  hub_->accounts().SetMember(acme, eve, hub::OrgRole::kRead);
  EXPECT_EQ(Get(path, MakeToken(eve)).status, 200);
}

TEST_F(AccountRoutes, AvatarsAreStableDrawingsForAnyLegalName) {
  net::Response response = Get("/avatars/big-science.svg");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("Content-Type"), "image/svg+xml");
  EXPECT_THAT(BodyText(response), HasSubstr(">BS</text>"));
  EXPECT_EQ(BodyText(Get("/avatars/big-science.svg")), BodyText(response));
  EXPECT_EQ(Get("/avatars/%3Cscript%3E.svg").status, 404);
  EXPECT_EQ(Get("/avatars/..svg").status, 404);
}

}  // namespace
}  // namespace hearth::server
