#include "hub/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "hub/internal/passwords.h"
#include "hub/schema.h"

namespace hearth::hub {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr std::string_view kPassword = "correct horse";

template <typename F>
std::optional<Error> Catch(F&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

#define EXPECT_CODE(statement, expected)                      \
  do {                                                        \
    std::optional<Error> caught = Catch([&] { statement; });  \
    ASSERT_TRUE(caught.has_value()) << "nothing was thrown";  \
    EXPECT_EQ(caught->code(), expected) << caught->message(); \
  } while (false)

class AccountsTest : public ::testing::Test {
 protected:
  AccountsTest()
      : folder_(std::filesystem::temp_directory_path() / ("hearth-accounts-" + NewObjectId())) {
    std::filesystem::create_directories(folder_);
    db_ = storage::Database::OpenSqlite(folder_ / "hearth.db");
    db_->Migrate(Migrations());
    accounts_ = std::make_unique<Accounts>(*db_, clock_);
  }
  ~AccountsTest() override {
    accounts_.reset();
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  int64_t User(std::string_view name) { return accounts_->CreateUser(name, "", "", false)->id; }
  std::string Token(int64_t user, TokenRole role = TokenRole::kWrite) {
    return accounts_->CreateToken(user, {.name = "t", .role = role}).second;
  }
  std::string DumpTable(const std::string& table) {
    std::string dump;
    db_->Read([&](storage::Connection& c) {
      int64_t columns =
          c.QueryInt("SELECT COUNT(*) FROM pragma_table_info('" + table + "')").value_or(0);
      c.Query("SELECT * FROM " + table, {}, [&](const storage::Row& row) {
        for (int i = 0; i < columns; ++i) dump += row.Str(i) + "|";
      });
    });
    return dump;
  }

  std::filesystem::path folder_;
  ManualClock clock_{FromUnixMillis(1'800'000'000'000)};
  std::unique_ptr<storage::Database> db_;
  std::unique_ptr<Accounts> accounts_;
};

TEST_F(AccountsTest, FindsAccountsInAnyCaseAndAnswersTheCanonicalOne) {
  AccountPtr alice = accounts_->CreateUser("Alice", kPassword, "alice@example.org", true);
  AccountPtr found = accounts_->FindByName("aLICE");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, alice->id);
  EXPECT_EQ(found->name, "Alice");
  EXPECT_EQ(found->email, "alice@example.org");
  EXPECT_TRUE(found->is_admin);
  EXPECT_FALSE(found->is_org);
  EXPECT_THAT(found->oid, MatchesRegex("[0-9a-f]{24}"));
  EXPECT_EQ(found->created_at, clock_.Now());
  EXPECT_EQ(accounts_->FindById(alice->id)->name, "Alice");
  EXPECT_EQ(accounts_->FindByName("bob"), nullptr);
  EXPECT_EQ(accounts_->FindById(999), nullptr);
}

TEST_F(AccountsTest, UsersAndOrganisationsShareOneNameSpace) {
  int64_t alice = User("alice");
  accounts_->CreateOrg("acme", "Acme Ltd", alice);
  EXPECT_CODE(accounts_->CreateUser("ACME", kPassword, "", false), Code::kConflict);
  EXPECT_CODE(accounts_->CreateOrg("Alice", "", alice), Code::kConflict);
}

TEST_F(AccountsTest, RefusesIllegalAndReservedNames) {
  for (const char* name : {"", "-a", "a-", "a--b", "a..b", "a/b", "a b", "caf\xc3\xa9", "x.git"}) {
    EXPECT_CODE(accounts_->CreateUser(name, kPassword, "", false), Code::kInvalidArgument);
  }
  EXPECT_CODE(accounts_->CreateUser(std::string(97, 'a'), kPassword, "", false),
              Code::kInvalidArgument);
  for (const char* name :
       {"api",         "Datasets", "models", "spaces",  "buckets",  "kernels",
        "docs",        "login",    "logout", "join",    "settings", "new",
        "admin",       "healthz",  "readyz", "metrics", "static",   "organizations",
        "collections", "compare",  "search", "oauth",   "uploads",  "avatars"}) {
    EXPECT_CODE(accounts_->CreateUser(name, kPassword, "", false), Code::kConflict);
  }
}

TEST_F(AccountsTest, OnlyASiteAdministratorMayBeCalledAdmin) {
  EXPECT_EQ(accounts_->CreateUser("admin", kPassword, "", true)->name, "admin");
  EXPECT_CODE(accounts_->CreateUser("api", kPassword, "", true), Code::kConflict);
}

TEST_F(AccountsTest, RefusesShortAndHugePasswordsAndBadAddresses) {
  EXPECT_CODE(accounts_->CreateUser("a1", "1234567", "", false), Code::kInvalidArgument);
  EXPECT_CODE(accounts_->CreateUser("a1", std::string(1025, 'x'), "", false),
              Code::kInvalidArgument);
  for (const char* email : {"x", "@x", "x@", "a b@c", "a@b\nc"}) {
    EXPECT_CODE(accounts_->CreateUser("a1", kPassword, email, false), Code::kInvalidArgument);
  }
  EXPECT_EQ(accounts_->FindByName("a1"), nullptr);
}

TEST_F(AccountsTest, ListsUsersAndOrganisationsByName) {
  int64_t bob = User("bob");
  User("Alice");
  accounts_->CreateOrg("acme", "", bob);
  auto names = [&](bool orgs) {
    std::vector<std::string> list;
    for (const AccountPtr& account : accounts_->List(orgs)) list.push_back(account->name);
    return list;
  };
  EXPECT_THAT(names(false), ElementsAre("Alice", "bob"));
  EXPECT_THAT(names(true), ElementsAre("acme"));
}

TEST_F(AccountsTest, FindsAccountsByPartsOfTheirNames) {
  int64_t bob = User("bob");
  User("Bobina");
  User("abob");
  User("zoe");
  accounts_->CreateOrg("bob-labs", "", bob);
  auto names = [&](std::string_view text, bool orgs, size_t limit) {
    std::vector<std::string> list;
    for (const AccountPtr& account : accounts_->FindByText(text, orgs, limit))
      list.push_back(account->name);
    return list;
  };
  EXPECT_THAT(names("BOB", false, 9), ElementsAre("bob", "Bobina", "abob"));
  EXPECT_THAT(names("bob", false, 2), ElementsAre("bob", "Bobina"));
  EXPECT_THAT(names("bob", true, 9), ElementsAre("bob-labs"));
  EXPECT_THAT(names("", false, 9), IsEmpty());
  EXPECT_THAT(names("q", false, 9), IsEmpty());
  accounts_->SetDisabled(bob, true);
  EXPECT_THAT(names("bob", false, 9), ElementsAre("Bobina", "abob"));
  EXPECT_THAT(names("bob", true, 9), ElementsAre("bob-labs"));
}

TEST_F(AccountsTest, StoresPasswordsOnlyAsArgon2id) {
  accounts_->CreateUser("alice", kPassword, "", false);
  std::string dump = DumpTable("accounts");
  EXPECT_NE(dump.find("$argon2id$v=19$m=19456,t=2,p=1$"), std::string::npos) << dump;
  EXPECT_EQ(dump.find(kPassword), std::string::npos);
}

TEST_F(AccountsTest, OrganisationHasItsCreatorAsAdmin) {
  int64_t alice = User("alice");
  AccountPtr acme = accounts_->CreateOrg("acme", "  Acme Ltd ", alice);
  EXPECT_TRUE(acme->is_org);
  EXPECT_EQ(acme->fullname, "Acme Ltd");
  std::vector<Membership> members = accounts_->MembersOf(acme->id);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].account->name, "alice");
  EXPECT_EQ(members[0].role, OrgRole::kAdmin);
  EXPECT_EQ(accounts_->OrgsOf(alice).at(0).account->name, "acme");
  EXPECT_EQ(accounts_->CreateOrg("beta", "", alice)->fullname, "beta");
  EXPECT_CODE(accounts_->CreateOrg("gamma", "", 999), Code::kNotFound);
  EXPECT_CODE(accounts_->CreateOrg("gamma", "", acme->id), Code::kNotFound);
  EXPECT_TRUE(accounts_->MembersOf(accounts_->CreateOrg("delta", "", 0)->id).empty());
}

TEST_F(AccountsTest, RolesTakeEffectOnTokensAtOnce) {
  int64_t alice = User("alice"), bob = User("bob");
  int64_t acme = accounts_->CreateOrg("acme", "", alice)->id;
  std::string token = Token(bob);
  EXPECT_TRUE(accounts_->AuthenticateToken(token).org_roles.empty());
  for (OrgRole role : {OrgRole::kNoAccess, OrgRole::kRead, OrgRole::kContributor, OrgRole::kWrite,
                       OrgRole::kAdmin}) {
    accounts_->SetMember(acme, bob, role);
    EXPECT_THAT(accounts_->AuthenticateToken(token).org_roles, ElementsAre(std::pair(acme, role)));
  }
  accounts_->SetMember(acme, bob, std::nullopt);
  EXPECT_TRUE(accounts_->AuthenticateToken(token).org_roles.empty());
  EXPECT_TRUE(accounts_->OrgsOf(bob).empty());
  EXPECT_EQ(accounts_->MembersOf(acme).size(), 1u);
}

TEST_F(AccountsTest, AnOrganisationKeepsAnAdmin) {
  int64_t alice = User("alice"), bob = User("bob");
  int64_t acme = accounts_->CreateOrg("acme", "", alice)->id;
  EXPECT_CODE(accounts_->SetMember(acme, alice, std::nullopt), Code::kConflict);
  EXPECT_CODE(accounts_->SetMember(acme, alice, OrgRole::kWrite), Code::kConflict);
  accounts_->SetMember(acme, alice, OrgRole::kAdmin);
  accounts_->SetMember(acme, bob, OrgRole::kAdmin);
  accounts_->SetMember(acme, alice, std::nullopt);
  EXPECT_EQ(accounts_->MembersOf(acme).at(0).account->name, "bob");
}

TEST_F(AccountsTest, MembersAreUsersAndBelongToOrganisations) {
  int64_t alice = User("alice"), bob = User("bob");
  int64_t acme = accounts_->CreateOrg("acme", "", alice)->id;
  EXPECT_CODE(accounts_->SetMember(bob, alice, OrgRole::kRead), Code::kNotFound);
  EXPECT_CODE(accounts_->SetMember(acme, acme, OrgRole::kRead), Code::kNotFound);
  EXPECT_CODE(accounts_->SetMember(acme, 999, OrgRole::kRead), Code::kNotFound);
}

TEST_F(AccountsTest, TokenTextHasTheFormThatClientsExpectAndIsNotStored) {
  int64_t alice = User("alice");
  auto [info, text] = accounts_->CreateToken(alice, {.name = "ci", .role = TokenRole::kWrite});
  EXPECT_THAT(text, MatchesRegex("hf_[A-Za-z0-9]{34}"));
  EXPECT_EQ(info.hint, "hf_..." + text.substr(text.size() - 4));
  std::string dump = DumpTable("tokens");
  EXPECT_EQ(dump.find(text), std::string::npos);
  EXPECT_EQ(dump.find(text.substr(3, 20)), std::string::npos);
  EXPECT_NE(accounts_->CreateToken(alice, {.name = "ci"}).second, text);
}

TEST_F(AccountsTest, ATokenMakesTheActorThatItsListingDescribes) {
  AccountPtr alice = accounts_->CreateUser("Alice", "", "", true);
  AccountPtr acme = accounts_->CreateOrg("acme", "", alice->id);
  NewToken wanted{.name = "narrow",
                  .role = TokenRole::kFineGrained,
                  .scopes = {{"org", "Acme", {"repo.write"}},
                             {"model", "acme/m", {"repo.content.read"}},
                             {"", "", {"discussion.write"}}},
                  .can_read_gated = false};
  auto [info, text] = accounts_->CreateToken(alice->id, wanted);
  for (int round = 0; round < 2; ++round) {
    Actor actor = accounts_->AuthenticateToken(text);
    EXPECT_EQ(actor.via, Actor::Via::kToken);
    EXPECT_EQ(actor.user_id, alice->id);
    EXPECT_EQ(actor.user_name, "Alice");
    EXPECT_TRUE(actor.site_admin);
    EXPECT_EQ(actor.token_role, TokenRole::kFineGrained);
    EXPECT_FALSE(actor.can_read_gated);
    ASSERT_EQ(actor.scopes.size(), 3u);
    EXPECT_EQ(actor.scopes[0].account_id, acme->id);
    EXPECT_EQ(actor.scopes[1].entity_name, "acme/m");
    EXPECT_THAT(actor.scopes[2].permissions, ElementsAre("discussion.write"));
    std::optional<TokenInfo> described = accounts_->TokenOf(actor);
    ASSERT_TRUE(described.has_value());
    EXPECT_EQ(described->oid, info.oid);
    EXPECT_EQ(described->name, "narrow");
    // The second round reads everything back from the database.
    accounts_ = std::make_unique<Accounts>(*db_, clock_);
  }
}

TEST_F(AccountsTest, RefusesBadTokenRequests) {
  int64_t alice = User("alice");
  auto bad = [&](NewToken token) {
    EXPECT_CODE(accounts_->CreateToken(alice, token), Code::kInvalidArgument);
  };
  bad({.name = ""});
  bad({.name = "  "});
  bad({.name = "a\nb"});
  bad({.name = std::string(129, 'x')});
  bad({.name = "x", .role = TokenRole::kRead, .scopes = {{"", "", {"repo.write"}}}});
  bad({.name = "x", .role = TokenRole::kFineGrained, .scopes = {{"planet", "x", {}}}});
  bad({.name = "x", .role = TokenRole::kFineGrained, .scopes = {{"org", "nobody", {}}}});
  bad({.name = "x", .role = TokenRole::kFineGrained, .scopes = {{"org", "alice", {}}}});
  bad({.name = "x", .role = TokenRole::kFineGrained, .scopes = {{"model", "one-part", {}}}});
  bad({.name = "x", .role = TokenRole::kFineGrained, .scopes = {{"", "", {"a b"}}}});
  bad({.name = "x",
       .role = TokenRole::kFineGrained,
       .scopes = std::vector<TokenScope>(201, TokenScope{})});
  bad({.name = "x", .expires_at = clock_.Now()});
  EXPECT_CODE(accounts_->CreateToken(999, {.name = "x"}), Code::kNotFound);
  EXPECT_TRUE(accounts_->ListTokens(alice).empty());
}

TEST_F(AccountsTest, UnknownTokensAreRefusedWithTheWireText) {
  User("alice");
  for (const std::string& text :
       {std::string(), std::string("hf_x"), std::string("hf_") + std::string(34, 'a'),
        std::string(100000, 'x'), std::string("hf_\0'--", 7)}) {
    std::optional<Error> error = Catch([&] { accounts_->AuthenticateToken(text); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), Code::kUnauthenticated);
    EXPECT_EQ(error->message(), "Invalid credentials in Authorization header");
    EXPECT_EQ(error->wire_code(), "");
  }
}

TEST_F(AccountsTest, ATokenEndsAtItsExpiryAndNotBefore) {
  int64_t alice = User("alice");
  std::string text =
      accounts_->CreateToken(alice, {.name = "short", .expires_at = clock_.Now() + minutes(5)})
          .second;
  clock_.Advance(minutes(5) - std::chrono::milliseconds(1));
  accounts_->AuthenticateToken(text);
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_CODE(accounts_->AuthenticateToken(text), Code::kUnauthenticated);
}

TEST_F(AccountsTest, RevokedTokensStopAtOnceAndOnlyTheOwnerRevokes) {
  int64_t alice = User("alice"), bob = User("bob");
  auto [info, text] = accounts_->CreateToken(alice, {.name = "a"});
  std::string other = Token(alice);
  EXPECT_CODE(accounts_->RevokeToken(bob, info.oid), Code::kNotFound);
  accounts_->AuthenticateToken(text);
  accounts_->RevokeToken(alice, info.oid);
  EXPECT_CODE(accounts_->AuthenticateToken(text), Code::kUnauthenticated);
  EXPECT_CODE(accounts_->RevokeToken(alice, info.oid), Code::kNotFound);
  accounts_->AuthenticateToken(other);
  EXPECT_EQ(accounts_->ListTokens(alice).size(), 1u);
}

TEST_F(AccountsTest, LastUseIsSeenAtOnceAndSurvivesARestartAfterAFlush) {
  int64_t alice = User("alice");
  std::string text = Token(alice);
  EXPECT_FALSE(accounts_->ListTokens(alice)[0].last_used_at.has_value());
  clock_.Advance(minutes(1));
  TimePoint used = clock_.Now();
  accounts_->AuthenticateToken(text);
  EXPECT_EQ(accounts_->ListTokens(alice)[0].last_used_at, used);
  accounts_->FlushLastUsed();
  accounts_ = std::make_unique<Accounts>(*db_, clock_);
  EXPECT_EQ(accounts_->ListTokens(alice)[0].last_used_at, used);
}

TEST_F(AccountsTest, FlushWithoutUsesWritesNothing) {
  Token(User("alice"));
  int64_t before = db_->ChangeCounter();
  accounts_->FlushLastUsed();
  EXPECT_EQ(db_->ChangeCounter(), before);
}

TEST_F(AccountsTest, AnImportedTokenWorksAndImportingItAgainIsHarmless) {
  int64_t alice = User("alice"), bob = User("bob");
  std::string text = "hf_given_by_automation";
  TokenInfo first =
      accounts_->ImportToken(alice, {.name = "auto", .role = TokenRole::kWrite}, text);
  EXPECT_EQ(accounts_->AuthenticateToken(text).user_id, alice);
  EXPECT_EQ(accounts_->ImportToken(alice, {.name = "auto"}, text).oid, first.oid);
  EXPECT_CODE(accounts_->ImportToken(bob, {.name = "auto"}, text), Code::kConflict);
  for (const char* bad :
       {"", "hf_short", "xx_long_enough_but_no_prefix", "hf_with a blank inside"}) {
    EXPECT_CODE(accounts_->ImportToken(alice, {.name = "auto"}, bad), Code::kInvalidArgument);
  }
}

TEST_F(AccountsTest, DisablingEndsTokensAndSessionsAndEnablingRestoresTokensOnly) {
  int64_t alice = accounts_->CreateUser("alice", kPassword, "", false)->id;
  std::string token = Token(alice);
  std::string cookie = accounts_->Login("alice", kPassword, "::1", "test");
  accounts_->SetDisabled(alice, true);
  EXPECT_CODE(accounts_->AuthenticateToken(token), Code::kUnauthenticated);
  EXPECT_FALSE(accounts_->AuthenticateSession(cookie).has_value());
  EXPECT_CODE(accounts_->Login("alice", kPassword, "::1", "test"), Code::kUnauthenticated);
  EXPECT_TRUE(accounts_->FindByName("alice")->disabled);
  accounts_->SetDisabled(alice, false);
  EXPECT_EQ(accounts_->AuthenticateToken(token).user_id, alice);
  EXPECT_FALSE(accounts_->AuthenticateSession(cookie).has_value());
}

TEST_F(AccountsTest, SiteAdministratorIsSeenAtOnce) {
  int64_t alice = User("alice");
  std::string token = Token(alice);
  accounts_->SetSiteAdmin(alice, true);
  EXPECT_TRUE(accounts_->AuthenticateToken(token).site_admin);
  accounts_->SetSiteAdmin(alice, false);
  EXPECT_FALSE(accounts_->AuthenticateToken(token).site_admin);
}

TEST_F(AccountsTest, LoginMakesASessionThatLogoutEnds) {
  int64_t alice = accounts_->CreateUser("Alice", kPassword, "", false)->id;
  std::string cookie = accounts_->Login("aLiCe", kPassword, "::1", "test");
  std::optional<Actor> actor = accounts_->AuthenticateSession(cookie);
  ASSERT_TRUE(actor.has_value());
  EXPECT_EQ(actor->via, Actor::Via::kSession);
  EXPECT_EQ(actor->user_id, alice);
  EXPECT_GE(actor->csrf_token.size(), 32u);
  EXPECT_EQ(DumpTable("sessions").find(cookie), std::string::npos);

  std::string second = accounts_->Login("alice", kPassword, "::1", "test");
  EXPECT_NE(accounts_->AuthenticateSession(second)->csrf_token, actor->csrf_token);
  accounts_->Logout(cookie);
  EXPECT_FALSE(accounts_->AuthenticateSession(cookie).has_value());
  EXPECT_TRUE(accounts_->AuthenticateSession(second).has_value());
  accounts_->Logout("unknown");
  EXPECT_FALSE(accounts_->AuthenticateSession("").has_value());
  EXPECT_FALSE(accounts_->AuthenticateSession(std::string(5000, 'x')).has_value());
}

TEST_F(AccountsTest, SessionsLastThirtyDaysAndSurviveARestart) {
  accounts_->CreateUser("alice", kPassword, "", false);
  std::string cookie = accounts_->Login("alice", kPassword, "::1", "test");
  std::string csrf = accounts_->AuthenticateSession(cookie)->csrf_token;
  accounts_ = std::make_unique<Accounts>(*db_, clock_);
  clock_.Advance(kSessionLifetime - std::chrono::milliseconds(1));
  ASSERT_TRUE(accounts_->AuthenticateSession(cookie).has_value());
  EXPECT_EQ(accounts_->AuthenticateSession(cookie)->csrf_token, csrf);
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(accounts_->AuthenticateSession(cookie).has_value());
  accounts_->Login("alice", kPassword, "::1", "test");
  int64_t rows = db_->ReadValue([](storage::Connection& c) {
    return c.QueryInt("SELECT COUNT(*) FROM sessions").value_or(0);
  });
  EXPECT_EQ(rows, 1) << "expired sessions must be cleaned up";
}

TEST_F(AccountsTest, ANewPasswordReplacesTheOldOneAndEndsSessions) {
  int64_t alice = accounts_->CreateUser("alice", kPassword, "", false)->id;
  std::string cookie = accounts_->Login("alice", kPassword, "::1", "test");
  accounts_->SetPassword(alice, "another password");
  EXPECT_FALSE(accounts_->AuthenticateSession(cookie).has_value());
  EXPECT_CODE(accounts_->Login("alice", kPassword, "::1", "test"), Code::kUnauthenticated);
  accounts_->Login("alice", "another password", "::1", "test");
  EXPECT_CODE(accounts_->SetPassword(alice, "short"), Code::kInvalidArgument);
}

TEST_F(AccountsTest, WrongUnknownAndPasswordlessLoginsLookTheSame) {
  accounts_->CreateUser("alice", kPassword, "", false);
  int64_t robot = User("robot");
  accounts_->CreateOrg("acme", "", robot);
  for (const char* name : {"alice", "nobody", "robot", "acme", ""}) {
    for (const char* password : {"wrong password", ""}) {
      std::optional<Error> error = Catch([&] { accounts_->Login(name, password, "::1", "test"); });
      ASSERT_TRUE(error) << name;
      EXPECT_EQ(error->code(), Code::kUnauthenticated);
      EXPECT_EQ(error->message(), "Invalid username or password.");
    }
  }
}

TEST_F(AccountsTest, TenFailuresLockAnAccountForOneAddressOnly) {
  accounts_->CreateUser("alice", kPassword, "", false);
  for (int i = 0; i < 10; ++i) {
    EXPECT_CODE(accounts_->Login(i % 2 ? "alice" : "ALICE", "wrong password", "10.0.0.1", ""),
                Code::kUnauthenticated);
    clock_.Advance(std::chrono::seconds(1));
  }
  std::optional<Error> error = Catch([&] { accounts_->Login("alice", kPassword, "10.0.0.1", ""); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::kTooManyRequests);
  EXPECT_THAT(error->headers(),
              ElementsAre(std::pair<std::string, std::string>("Retry-After", "890")));
  accounts_->Login("alice", kPassword, "10.0.0.2", "");
  clock_.Advance(std::chrono::seconds(890));
  accounts_->Login("alice", kPassword, "10.0.0.1", "");
}

TEST_F(AccountsTest, ManyNamesFromOneNetworkAreOneGuesser) {
  accounts_->CreateUser("alice", kPassword, "", false);
  for (int i = 0; i < 60; ++i) {
    std::string peer = "2001:db8:1:2::" + std::to_string(i);
    EXPECT_CODE(accounts_->Login("name-" + std::to_string(i), "wrong password", peer, ""),
                Code::kUnauthenticated);
  }
  EXPECT_CODE(accounts_->Login("alice", kPassword, "2001:db8:1:2::ffff", ""),
              Code::kTooManyRequests);
  accounts_->Login("alice", kPassword, "2001:db8:1:3::1", "");
}

TEST_F(AccountsTest, ManyAddressesGuessOneAccountSlowly) {
  accounts_->CreateUser("alice", kPassword, "", false);
  for (int i = 0; i < 120; ++i) {
    EXPECT_CODE(accounts_->Login("alice", "wrong password", "10.0.0." + std::to_string(i), ""),
                Code::kUnauthenticated);
  }
  EXPECT_CODE(accounts_->Login("alice", kPassword, "10.0.1.1", ""), Code::kTooManyRequests);
  clock_.Advance(minutes(15));
  accounts_->Login("alice", kPassword, "10.0.1.1", "");
}

TEST_F(AccountsTest, SignUpsFromOneAddressAreLimited) {
  for (int i = 0; i < 10; ++i) {
    std::string name = "u" + std::to_string(i);
    std::string cookie = accounts_->SignUp(name, kPassword, "", "10.0.0.1", "test");
    EXPECT_EQ(accounts_->AuthenticateSession(cookie)->user_name, name);
  }
  EXPECT_CODE(accounts_->SignUp("u10", kPassword, "", "10.0.0.1", ""), Code::kTooManyRequests);
  EXPECT_EQ(accounts_->FindByName("u10"), nullptr);
  EXPECT_CODE(accounts_->SignUp("u10", "", "", "10.0.0.2", ""), Code::kInvalidArgument);
}

TEST_F(AccountsTest, SessionsAreListedAndEndedOneByOne) {
  int64_t alice = accounts_->CreateUser("alice", kPassword, "", false)->id;
  int64_t bob = accounts_->CreateUser("bob", kPassword, "", false)->id;
  std::string first = accounts_->Login("alice", kPassword, "10.0.0.1", "Firefox/1");
  clock_.Advance(minutes(1));
  std::string second = accounts_->Login("alice", kPassword, "10.0.0.2", "curl/8");
  std::string of_bob = accounts_->Login("bob", kPassword, "10.0.0.3", "");
  std::vector<SessionInfo> list = accounts_->ListSessions(alice);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, Accounts::SessionId(second));
  EXPECT_EQ(list[0].peer, "10.0.0.2");
  EXPECT_EQ(list[1].user_agent, "Firefox/1");
  EXPECT_CODE(accounts_->EndSession(bob, list[0].id), Code::kNotFound);
  accounts_->EndSession(alice, list[0].id);
  EXPECT_FALSE(accounts_->AuthenticateSession(second));
  EXPECT_TRUE(accounts_->AuthenticateSession(first));
  std::string third = accounts_->Login("alice", kPassword, "10.0.0.2", "");
  accounts_->EndOtherSessions(alice, Accounts::SessionId(third));
  EXPECT_FALSE(accounts_->AuthenticateSession(first));
  EXPECT_TRUE(accounts_->AuthenticateSession(third));
  EXPECT_TRUE(accounts_->AuthenticateSession(of_bob));
}

TEST_F(AccountsTest, AProfileIsCheckedAndKept) {
  int64_t alice = accounts_->CreateUser("alice", kPassword, "", false)->id;
  accounts_->SetProfile(alice, "  Alice Ames ", "alice@example.com");
  EXPECT_EQ(accounts_->FindById(alice)->fullname, "Alice Ames");
  EXPECT_EQ(accounts_->FindById(alice)->email, "alice@example.com");
  EXPECT_CODE(accounts_->SetProfile(alice, "", "nowhere"), Code::kInvalidArgument);
  EXPECT_CODE(accounts_->SetProfile(alice, "a\nb", ""), Code::kInvalidArgument);
  EXPECT_CODE(accounts_->SetProfile(alice + 100, "x", ""), Code::kNotFound);
  accounts_->SetProfile(alice, "", "");
  EXPECT_EQ(accounts_->FindById(alice)->fullname, "alice");
}

TEST_F(AccountsTest, ASuccessForgetsEarlierFailures) {
  accounts_->CreateUser("alice", kPassword, "", false);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 9; ++i) {
      EXPECT_CODE(accounts_->Login("alice", "wrong password", "p", ""), Code::kUnauthenticated);
    }
    accounts_->Login("alice", kPassword, "p", "");
  }
}

TEST_F(AccountsTest, KeepsTheNewestFiftySessionsOfAUser) {
  accounts_->CreateUser("alice", kPassword, "", false);
  std::vector<std::string> cookies;
  for (int i = 0; i < 51; ++i) {
    cookies.push_back(accounts_->Login("alice", kPassword, "::1", "test"));
    clock_.Advance(std::chrono::seconds(1));
  }
  EXPECT_FALSE(accounts_->AuthenticateSession(cookies[0]).has_value());
  EXPECT_TRUE(accounts_->AuthenticateSession(cookies[1]).has_value());
  EXPECT_TRUE(accounts_->AuthenticateSession(cookies[50]).has_value());
}

// `hearth admin` works on the same database while the server runs.
class TwoProcesses : public AccountsTest {
 protected:
  TwoProcesses()
      : other_db_(storage::Database::OpenSqlite(folder_ / "hearth.db")),
        admin_(*other_db_, clock_) {}
  std::unique_ptr<storage::Database> other_db_;
  Accounts admin_;
};

TEST_F(TwoProcesses, ReloadSeesEveryKindOfChange) {
  int64_t alice = User("alice");
  std::string token = Token(alice);
  admin_.Reload();
  int64_t bob = admin_.CreateUser("bob", kPassword, "", false)->id;
  int64_t acme = admin_.CreateOrg("acme", "", bob)->id;
  admin_.SetMember(acme, alice, OrgRole::kWrite);
  std::string bobs = admin_.CreateToken(bob, {.name = "b"}).second;
  accounts_->Reload();
  EXPECT_EQ(accounts_->FindByName("bob")->id, bob);
  EXPECT_EQ(accounts_->AuthenticateToken(bobs).user_id, bob);
  EXPECT_THAT(accounts_->AuthenticateToken(token).org_roles,
              ElementsAre(std::pair(acme, OrgRole::kWrite)));
  admin_.SetDisabled(alice, true);
  accounts_->Reload();
  EXPECT_CODE(accounts_->AuthenticateToken(token), Code::kUnauthenticated);
}

TEST_F(TwoProcesses, ATokenThatTheOtherOneMadeWorksAtOnce) {
  int64_t alice = User("alice");
  admin_.Reload();
  std::string token = admin_.CreateToken(alice, {.name = "script"}).second;
  EXPECT_EQ(accounts_->AuthenticateToken(token).user_id, alice);
  EXPECT_CODE(accounts_->AuthenticateToken(token + "x"), Code::kUnauthenticated);
}

TEST_F(TwoProcesses, AnOwnChangeAfterAForeignOneLosesNeither) {
  int64_t carol = admin_.CreateUser("carol", "", "", false)->id;
  int64_t dave = User("dave");  // this process has not reloaded
  EXPECT_EQ(accounts_->FindByName("carol")->id, carol);
  EXPECT_EQ(accounts_->FindByName("dave")->id, dave);
  EXPECT_CODE(admin_.CreateUser("Dave", "", "", false), Code::kConflict);
}

TEST_F(TwoProcesses, ReloadKeepsUsesThatWereNotWrittenYet) {
  int64_t alice = User("alice");
  std::string token = Token(alice);
  clock_.Advance(minutes(1));
  accounts_->AuthenticateToken(token);
  admin_.CreateUser("bob", "", "", false);
  accounts_->Reload();
  EXPECT_EQ(accounts_->ListTokens(alice)[0].last_used_at, clock_.Now());
  accounts_->FlushLastUsed();
  accounts_ = std::make_unique<Accounts>(*db_, clock_);
  EXPECT_EQ(accounts_->ListTokens(alice)[0].last_used_at, clock_.Now());
}

TEST_F(AccountsTest, ReadersAndWritersAtOnceSeeWholeStates) {
  int64_t alice = User("alice"), bob = User("bob");
  int64_t acme = accounts_->CreateOrg("acme", "", alice)->id;
  std::string token = Token(bob);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        Actor actor = accounts_->AuthenticateToken(token);
        if (actor.user_id != bob || actor.org_roles.size() > 1) ++wrong;
        accounts_->ListTokens(bob);
        accounts_->MembersOf(acme);
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    accounts_->SetMember(acme, bob, i % 2 ? std::nullopt : std::optional(OrgRole::kWrite));
    auto info = accounts_->CreateToken(bob, {.name = "x"}).first;
    accounts_->RevokeToken(bob, info.oid);
    accounts_->Reload();
    accounts_->FlushLastUsed();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(PasswordsTest, VerifiesOnlyTheSamePassword) {
  std::string hash = HashPassword("correct horse");
  EXPECT_TRUE(VerifyPassword(hash, "correct horse"));
  EXPECT_FALSE(VerifyPassword(hash, "correct horsE"));
  EXPECT_FALSE(VerifyPassword(hash, ""));
  EXPECT_NE(HashPassword("correct horse"), hash) << "the salt must differ";
}

TEST(PasswordsTest, DamagedHashesMatchNothing) {
  for (const char* encoded : {"", "x", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$"}) {
    EXPECT_FALSE(VerifyPassword(encoded, "")) << encoded;
    EXPECT_FALSE(VerifyPassword(encoded, "correct horse")) << encoded;
  }
  std::string hash = HashPassword("correct horse");
  for (size_t length = 0; length < hash.size(); length += 7) {
    EXPECT_FALSE(VerifyPassword(hash.substr(0, length), "correct horse")) << length;
  }
}

}  // namespace
}  // namespace hearth::hub
