// Walks every role x credential x kind of repository and compares with the rules as the wire
// reference states them (3.2 roles, 3.3 gates), written down here as one table.
#include "hub/access.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth::hub {
namespace {

constexpr int64_t kOwner = 1, kOther = 2, kOrg = 10, kForeignOrg = 11;
using MaybeRight = std::optional<Right>;
constexpr MaybeRight kNothing = std::nullopt;
constexpr MaybeRight kInfo = Right::kReadInfo;
constexpr MaybeRight kContent = Right::kReadContent;
constexpr MaybeRight kWriter = Right::kWrite;
constexpr MaybeRight kRuler = Right::kAdmin;

std::string Name(MaybeRight right) {
  if (!right) return "nothing";
  switch (*right) {
    case Right::kReadInfo:
      return "read info";
    case Right::kReadContent:
      return "read content";
    case Right::kWrite:
      return "write";
    case Right::kAdmin:
      return "admin";
  }
  return "?";
}

RepoRecord Repo(int64_t owner_id, std::string owner, bool is_private, Gated gated = Gated::kOff) {
  RepoRecord repo;
  repo.id = 100;
  repo.type = RepoType::kModel;
  repo.owner_id = owner_id;
  repo.owner = std::move(owner);
  repo.name = "m";
  repo.creator_id = kOwner;
  repo.is_private = is_private;
  repo.gated = gated;
  return repo;
}

Actor Session(int64_t user) {
  Actor actor;
  actor.via = Actor::Via::kSession;
  actor.user_id = user;
  return actor;
}

Actor Member(int64_t user, OrgRole role) {
  Actor actor = Session(user);
  actor.org_roles = {{kForeignOrg, OrgRole::kAdmin}, {kOrg, role}};
  return actor;
}

Actor Admin(int64_t user) {
  Actor actor = Session(user);
  actor.site_admin = true;
  return actor;
}

Actor WithToken(Actor actor, TokenRole role) {
  actor.via = Actor::Via::kToken;
  actor.token_role = role;
  return actor;
}

Actor WithScope(Actor actor, TokenScope scope) {
  actor = WithToken(std::move(actor), TokenRole::kFineGrained);
  actor.scopes = {std::move(scope)};
  return actor;
}

// What the person may do on each kind of repository.
struct Row {
  const char* who;
  Actor actor;
  MaybeRight open, closed, gated, gated_granted;
};

std::vector<Row> OrgRows() {
  return {
      {"anonymous", Actor{}, kContent, kNothing, kInfo, kContent},
      {"other user", Session(kOther), kContent, kNothing, kInfo, kContent},
      {"no_access", Member(kOther, OrgRole::kNoAccess), kContent, kNothing, kInfo, kContent},
      {"read", Member(kOther, OrgRole::kRead), kContent, kContent, kContent, kContent},
      {"contributor", Member(kOther, OrgRole::kContributor), kContent, kContent, kContent,
       kContent},
      {"contributor, own repository", Member(kOwner, OrgRole::kContributor), kRuler, kRuler, kRuler,
       kRuler},
      {"write", Member(kOther, OrgRole::kWrite), kWriter, kWriter, kWriter, kWriter},
      {"admin", Member(kOther, OrgRole::kAdmin), kRuler, kRuler, kRuler, kRuler},
      // Who made a repository and left, or was cut down to reading, has no more than that.
      {"creator, now outside", Session(kOwner), kContent, kNothing, kInfo, kContent},
      {"creator, now read", Member(kOwner, OrgRole::kRead), kContent, kContent, kContent, kContent},
      {"site admin", Admin(kOther), kRuler, kRuler, kRuler, kRuler},
      {"the system", Actor::System(), kRuler, kRuler, kRuler, kRuler},
  };
}

std::vector<Row> UserRows() {
  return {
      {"anonymous", Actor{}, kContent, kNothing, kInfo, kContent},
      {"other user", Session(kOther), kContent, kNothing, kInfo, kContent},
      {"admin of an organisation", Member(kOther, OrgRole::kAdmin), kContent, kNothing, kInfo,
       kContent},
      {"owner", Session(kOwner), kRuler, kRuler, kRuler, kRuler},
      {"site admin", Admin(kOther), kRuler, kRuler, kRuler, kRuler},
  };
}

MaybeRight AtMost(MaybeRight right, Right limit) {
  return right ? MaybeRight(std::min(*right, limit)) : right;
}

void CheckRow(const Row& row, int64_t owner_id, const std::string& owner) {
  struct Kind {
    const char* name;
    RepoRecord repo;
    bool granted;
    MaybeRight expected;
  };
  const Kind kinds[] = {
      {"public", Repo(owner_id, owner, false), false, row.open},
      {"private", Repo(owner_id, owner, true), false, row.closed},
      {"private, stale grant", Repo(owner_id, owner, true, Gated::kAuto), true, row.closed},
      {"gated", Repo(owner_id, owner, false, Gated::kManual), false, row.gated},
      {"gated, granted", Repo(owner_id, owner, false, Gated::kAuto), true, row.gated_granted},
  };
  for (const Kind& kind : kinds) {
    std::string what = std::string(row.who) + " on " + kind.name + " of " + owner;
    EXPECT_EQ(Name(RightOn(row.actor, kind.repo, kind.granted)), Name(kind.expected)) << what;
    if (!row.actor.signed_in()) continue;
    Actor write = WithToken(row.actor, TokenRole::kWrite);
    EXPECT_EQ(Name(RightOn(write, kind.repo, kind.granted)), Name(kind.expected))
        << what << " by write token";
    Actor read = WithToken(row.actor, TokenRole::kRead);
    EXPECT_EQ(Name(RightOn(read, kind.repo, kind.granted)),
              Name(AtMost(kind.expected, Right::kReadContent)))
        << what << " by read token";
    // A fine-grained token never has more than its person, whatever its scopes say.
    for (const char* permission : {"repo.content.read", "repo.write", "discussion.write"}) {
      for (const TokenScope& scope :
           {TokenScope{"", "", {permission}}, TokenScope{"org", owner, {permission}, owner_id},
            TokenScope{"model", owner + "/m", {permission}}}) {
        MaybeRight got = RightOn(WithScope(row.actor, scope), kind.repo, kind.granted);
        EXPECT_LE(got, kind.expected) << what << " by scope " << permission;
      }
    }
  }
}

TEST(AccessTest, EveryRoleOnEveryKindOfOrganisationRepository) {
  for (const Row& row : OrgRows()) CheckRow(row, kOrg, "acme");
}

TEST(AccessTest, EveryRoleOnEveryKindOfUserRepository) {
  for (const Row& row : UserRows()) CheckRow(row, kOwner, "alice");
}

BucketRecord Bucket(int64_t owner_id, bool is_private) {
  BucketRecord bucket;
  bucket.owner_id = owner_id;
  bucket.creator_id = kOwner;
  bucket.is_private = is_private;
  return bucket;
}

TEST(AccessTest, ABucketAsksForTheSameRightsAsARepositoryWithoutGate) {
  for (const auto& [owner_id, rows] : {std::pair(kOrg, OrgRows()), std::pair(kOwner, UserRows())}) {
    for (const Row& row : rows) {
      for (bool is_private : {false, true}) {
        MaybeRight expected = is_private ? row.closed : row.open;
        BucketRecord bucket = Bucket(owner_id, is_private);
        std::string what = std::string(row.who) + (is_private ? ", private" : ", public");
        EXPECT_EQ(Name(RightOn(row.actor, bucket)), Name(expected)) << what;
        if (row.actor.via != Actor::Via::kSession) continue;
        EXPECT_EQ(Name(RightOn(WithToken(row.actor, TokenRole::kRead), bucket)),
                  Name(AtMost(expected, Right::kReadContent)))
            << what << ", read token";
      }
    }
  }
}

TEST(AccessTest, AFineGrainedTokenReachesABucketThroughItsOwner) {
  Actor person = Session(kOwner);
  TokenScope owner{"user", "alice", {"repo.write"}, kOwner};
  TokenScope everything{"", "", {"repo.content.read"}};
  TokenScope model{"model", "alice/m", {"repo.write"}};
  EXPECT_EQ(Name(RightOn(WithScope(person, owner), Bucket(kOwner, true))), "admin");
  EXPECT_EQ(Name(RightOn(WithScope(person, everything), Bucket(kOwner, true))), "read content");
  EXPECT_EQ(Name(RightOn(WithScope(person, model), Bucket(kOwner, true))), "nothing");
  EXPECT_EQ(Name(RightOn(WithScope(person, model), Bucket(kOwner, false))), "read content");
}

TEST(AccessTest, AFineGrainedTokenOpensPrivateRepositoriesOnlyWithinItsScopes) {
  RepoRecord repo = Repo(kOrg, "acme", true);
  Actor person = Member(kOther, OrgRole::kAdmin);
  struct Case {
    TokenScope scope;
    MaybeRight expected;
  };
  const Case cases[] = {
      {{"", "", {}}, kNothing},
      {{"", "", {"discussion.write"}}, kNothing},
      {{"", "", {"repo.content.read"}}, kContent},
      {{"", "", {"repo.write"}}, kRuler},
      {{"org", "acme", {"repo.content.read"}, kOrg}, kContent},
      {{"org", "acme", {"repo.write"}, kOrg}, kRuler},
      {{"org", "other", {"repo.write"}, kForeignOrg}, kNothing},
      {{"user", "bob", {"repo.write"}, kOther}, kNothing},
      // An account that is gone resolves to nothing and opens nothing.
      {{"org", "acme", {"repo.write"}, 0}, kNothing},
      {{"model", "Acme/M", {"repo.content.read"}}, kContent},
      {{"model", "acme/m", {"repo.write"}}, kRuler},
      {{"dataset", "acme/m", {"repo.write"}}, kNothing},
      {{"model", "acme/n", {"repo.write"}}, kNothing},
      {{"model", "acme/m", {"repo.writer", "repo"}}, kNothing},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Name(RightOn(WithScope(person, test.scope), repo, false)), Name(test.expected))
        << test.scope.entity_type << " " << test.scope.entity_name;
  }
}

TEST(AccessTest, ManyScopesAddUp) {
  Actor actor = WithScope(Member(kOther, OrgRole::kWrite), {"model", "acme/n", {"repo.write"}});
  actor.scopes.push_back({"model", "acme/m", {"repo.content.read"}});
  EXPECT_EQ(Name(RightOn(actor, Repo(kOrg, "acme", true), false)), "read content");
  actor.scopes.push_back({"org", "acme", {"repo.write"}, kOrg});
  EXPECT_EQ(Name(RightOn(actor, Repo(kOrg, "acme", true), false)), "write");
}

TEST(AccessTest, AFineGrainedTokenWithoutScopesSeesWhatEverybodySees) {
  Actor actor = WithToken(Session(kOwner), TokenRole::kFineGrained);
  EXPECT_EQ(Name(RightOn(actor, Repo(kOwner, "alice", false), false)), "read content");
  EXPECT_EQ(Name(RightOn(actor, Repo(kOwner, "alice", true), false)), "nothing");
  EXPECT_EQ(Name(RightOn(actor, Repo(kOwner, "alice", false, Gated::kAuto), false)), "read info");
}

TEST(AccessTest, AGrantReachesAFineGrainedTokenOnlyWhenItMayReadGatedRepositories) {
  RepoRecord gated = Repo(kOwner, "alice", false, Gated::kAuto);
  Actor actor = WithToken(Session(kOther), TokenRole::kFineGrained);
  EXPECT_EQ(Name(RightOn(actor, gated, true)), "read content");
  EXPECT_EQ(Name(RightOn(actor, gated, false)), "read info");
  actor.can_read_gated = false;
  EXPECT_EQ(Name(RightOn(actor, gated, true)), "read info");
}

TEST(AccessTest, TokensWriteOnlyWhenTheirRoleOrAScopeSaysSo) {
  Actor user = Session(kOwner);
  EXPECT_FALSE(TokenMayWrite(Actor{}));
  EXPECT_TRUE(TokenMayWrite(user));
  EXPECT_TRUE(TokenMayWrite(Actor::System()));
  EXPECT_TRUE(TokenMayWrite(WithToken(user, TokenRole::kWrite)));
  EXPECT_FALSE(TokenMayWrite(WithToken(user, TokenRole::kRead)));
  EXPECT_FALSE(TokenMayWrite(WithToken(user, TokenRole::kFineGrained)));
  EXPECT_FALSE(TokenMayWrite(WithScope(user, {"", "", {"repo.content.read"}})));
  EXPECT_TRUE(TokenMayWrite(WithScope(user, {"model", "alice/m", {"repo.write"}})));
}

TEST(AccessTest, CreatesInTheOwnNamespaceAndAsContributor) {
  EXPECT_FALSE(MayCreateIn(Actor{}, 0));
  EXPECT_FALSE(MayCreateIn(Actor{}, kOwner));
  EXPECT_TRUE(MayCreateIn(Session(kOwner), kOwner));
  EXPECT_FALSE(MayCreateIn(Session(kOther), kOwner));
  EXPECT_FALSE(MayCreateIn(Session(kOther), kOrg));
  EXPECT_FALSE(MayCreateIn(WithToken(Session(kOwner), TokenRole::kRead), kOwner));
  EXPECT_TRUE(MayCreateIn(WithToken(Session(kOwner), TokenRole::kWrite), kOwner));
  EXPECT_TRUE(MayCreateIn(Admin(kOther), kOwner));
  EXPECT_FALSE(MayCreateIn(WithToken(Admin(kOther), TokenRole::kRead), kOwner));
  EXPECT_TRUE(MayCreateIn(Actor::System(), kOrg));
  for (auto [role, expected] :
       {std::pair(OrgRole::kNoAccess, false), std::pair(OrgRole::kRead, false),
        std::pair(OrgRole::kContributor, true), std::pair(OrgRole::kWrite, true),
        std::pair(OrgRole::kAdmin, true)}) {
    EXPECT_EQ(MayCreateIn(Member(kOther, role), kOrg), expected) << RoleName(role);
  }
}

TEST(AccessTest, AScopeOnOneRepositoryDoesNotCreateOthers) {
  Actor person = Session(kOwner);
  person.org_roles = {{kOrg, OrgRole::kAdmin}};
  EXPECT_FALSE(MayCreateIn(WithScope(person, {"model", "alice/m", {"repo.write"}}), kOwner));
  EXPECT_FALSE(MayCreateIn(WithScope(person, {"org", "acme", {"repo.write"}, kOrg}), kOwner));
  EXPECT_TRUE(MayCreateIn(WithScope(person, {"org", "acme", {"repo.write"}, kOrg}), kOrg));
  EXPECT_TRUE(MayCreateIn(WithScope(person, {"user", "alice", {"repo.write"}, kOwner}), kOwner));
  EXPECT_TRUE(MayCreateIn(WithScope(person, {"", "", {"repo.write"}}), kOwner));
  EXPECT_FALSE(MayCreateIn(WithScope(person, {"", "", {"repo.content.read"}}), kOwner));
}

}  // namespace
}  // namespace hearth::hub
