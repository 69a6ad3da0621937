// The access matrix, generated: every route of the table x every method x every caller x every kind
// of repository. What each caller may do is written down here by hand (kPeople); what each route
// asks for is its Access. A route that lets somebody in, answers a refusal in its own way, or lets
// a private repository show, fails without a new line of test.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/access.h"
#include "server/app_fixture.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using hub::Right;
using ::testing::HasSubstr;
using ::testing::Not;
using MaybeRight = std::optional<Right>;

enum class Kind { kOpen, kGated, kHidden, kMissing };
constexpr Kind kKinds[] = {Kind::kOpen, Kind::kGated, Kind::kHidden, Kind::kMissing};
// The last two have the same length: their answers are compared byte by byte.
constexpr const char* kNames[] = {"open-zebra", "gated-zebra", "hidden-zebra", "absent-zebra"};
const char* NameOf(Kind kind) { return kNames[static_cast<int>(kind)]; }

struct Person {
  std::string who;
  MaybeRight open, gated, hidden;  // on the repositories of the namespace under test
  bool signed_in = true;
  bool may_write = true;  // Access::kUserWrite
  bool site_admin = false;
  bool bad_credentials = false;
  bool session = false;
  bool session_without_csrf = false;
  HeaderList headers = {};

  MaybeRight On(Kind kind) const {
    if (kind == Kind::kMissing) return std::nullopt;
    return kind == Kind::kOpen ? open : kind == Kind::kGated ? gated : hidden;
  }
};

constexpr std::string_view kPassword = "correct horse";
constexpr MaybeRight kNone = std::nullopt;
constexpr MaybeRight kInfo = Right::kReadInfo;
constexpr MaybeRight kContent = Right::kReadContent;
constexpr MaybeRight kWrite = Right::kWrite;
constexpr MaybeRight kAdmin = Right::kAdmin;

// The answer that a caller without the right must get; nullopt = it must be let in.
struct Refusal {
  int status;
  std::string code;
};

bool ChangesState(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

MaybeRight NeededRight(Access access) {
  switch (access) {
    case Access::kRepoInfo:
      return Right::kReadInfo;
    case Access::kRepoContent:
    case Access::kBucketRead:
      return Right::kReadContent;
    case Access::kRepoWrite:
    case Access::kBucketWrite:
      return Right::kWrite;
    case Access::kRepoAdmin:
    case Access::kBucketAdmin:
      return Right::kAdmin;
    default:
      return std::nullopt;
  }
}

bool OnBucket(const Route& route) {
  return route.access == Access::kBucketRead || route.access == Access::kBucketWrite ||
         route.access == Access::kBucketAdmin;
}

std::optional<Refusal> RepoRefusal(const Person& person, Kind kind, Right needed) {
  MaybeRight right = person.On(kind);
  if (!right) return Refusal{person.signed_in ? 404 : 401, "RepoNotFound"};
  if (*right >= needed) return std::nullopt;
  // The gate is named only to those who want to read; writing needs a right that it cannot give.
  bool at_the_gate = kind == Kind::kGated && needed == Right::kReadContent;
  return Refusal{person.signed_in ? 403 : 401, at_the_gate ? "GatedRepo" : ""};
}

std::optional<Refusal> ExpectedRefusal(const Route& route, const std::string& method,
                                       const Person& person, Kind kind) {
  if (route.access == Access::kSigned) return std::nullopt;  // judged apart
  if (person.bad_credentials) return Refusal{401, ""};
  if (person.session_without_csrf && ChangesState(method)) return Refusal{403, ""};
  // Buckets have no gate: there is none with the gated name.
  if (OnBucket(route) && kind == Kind::kGated) kind = Kind::kMissing;
  if (MaybeRight needed = NeededRight(route.access)) return RepoRefusal(person, kind, *needed);
  if (route.access == Access::kPublic) return std::nullopt;
  if (!person.signed_in) return Refusal{401, ""};
  if (route.access == Access::kUserWrite && !person.may_write) return Refusal{403, ""};
  if (route.access == Access::kSiteAdmin && !person.site_admin) return Refusal{403, ""};
  return std::nullopt;
}

// Pages answer a missing sign-in with the sign-in page and a hidden repository with "not found".
Refusal OnSurface(const Route& route, const std::string& method, Refusal refusal) {
  if (route.surface != Surface::kPage) return refusal;
  if (refusal.code == "RepoNotFound") refusal.status = 404;
  if (refusal.status == 401 && refusal.code.empty() && method == "GET") refusal.status = 303;
  return refusal;
}

// One line of an exception list: method and end of the pattern.
using RouteEnds = std::vector<std::pair<std::string, std::string>>;

bool Lists(const RouteEnds& ends, const std::string& method, const Route& route) {
  return std::any_of(ends.begin(), ends.end(), [&](const auto& end) {
    return end.first == method && route.pattern.ends_with(end.second);
  });
}

// Routes whose handler asks for more than the table can say: there a caller that the table lets in
// may still get 401 or 403. Every line is a decision; keep the list short.
const RouteEnds kStricterHandlers = {
    {"POST", "/like"},          // anybody sees the repository, a signed-in writer likes it
    {"DELETE", "/like"},        //
    {"POST", "/duplicate"},     // reads here, creates elsewhere
    {"PUT", "/checklist"},      // the caller's own answers, kept for them alone
    {"DELETE", "/checklist"},   //
    {"POST", "/checklist"},     //
    {"GET", "/duplicate"},      // its form: anybody who is not signed in is asked to
    {"HEAD", "/duplicate"},     //
    {"POST", "/locks/verify"},  // part of a push
    // Reads for a pull request (create_pr), otherwise writes.
    {"GET", "/xet-write-token/{rev...}"},
    {"HEAD", "/xet-write-token/{rev...}"},
};

// A right to read must not be enough to change something, except here: these POSTs read, or check
// the rest themselves.
const RouteEnds kReadingPosts = {
    {"POST", "/like"},
    {"DELETE", "/like"},
    {"POST", "/duplicate"},
    {"PUT", "/checklist"},
    {"DELETE", "/checklist"},
    {"POST", "/checklist"},
    {"POST", "/info/lfs/objects/batch"},
    {"POST", "/locks"},
    {"POST", "/locks/verify"},
    {"POST", "/unlock"},
    {"POST", "/git-upload-pack"},
    {"POST", "/paths-info/{rev...}"},
    {"POST", "/{name}/paths-info"},
    {"POST", "/lfs-files/duplicate"},
    // Asking a model reads its files.
    {"POST", "/models/{ns}/{name}"},
    {"POST", "/pipeline/{task}"},
    {"POST", "/pipeline/{task}/{ns}/{name}"},
    {"POST", "/v1/chat/completions"},
    {"POST", "/v1/completions"},
    {"POST", "/v1/embeddings"},
    {"POST", "/v1/rerank"},
    {"POST", "/generate"},
    {"POST", "/generate_stream"},
    {"POST", "/embed"},
    {"POST", "/embed_all"},
    {"POST", "/embed_sparse"},
    {"POST", "/rerank"},
    {"POST", "/predict"},
    {"POST", "/similarity"},
    {"POST", "/tokenize"},
    {"POST", "/chat_tokenize"},
    {"POST", "/decode"},
    // A job that reads the weights of two repositories.
    {"POST", "/changes/weights"},
};

// After these a caller's own session, or that of another caller who is the same person, is gone.
bool EndsSessions(const Route& route) {
  for (std::string_view part : {"logout", "/settings/sessions", "/settings/password"}) {
    if (route.pattern.find(part) != std::string::npos) return true;
  }
  return false;
}

const std::map<std::string, std::string>& CaptureValues() {
  static const std::map<std::string, std::string> values = {
      {"ns", "acme"},
      {"user", "olga"},
      {"org", "acme"},
      {"account", "acme"},
      {"rev", "main"},
      {"revision", "main"},
      {"branch", "side"},
      {"tag", "v9"},
      {"path", "README.md"},
      {"rev_path", "main/README.md"},
      {"oid", std::string(64, 'a')},
      {"sha", std::string(64, 'a')},
      {"sha256", std::string(64, 'a')},
      {"id", std::string(24, 'a')},
      {"upload", std::string(24, 'a')},
      {"part", "1"},
      {"file", "hearth.svg"},
      {"prefix", "data"},
  };
  return values;
}

// "/api/models/{ns}/{name}/tree/{rev_path...}" -> "/api/models/acme/open-zebra/tree/main/README.md"
std::string FillPattern(const std::string& pattern, const std::string& ns,
                        const std::string& name) {
  std::string path;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      path += pattern[at++];
      continue;
    }
    size_t end = pattern.find('}', at);
    std::string capture = pattern.substr(at + 1, end - at - 1);
    while (!capture.empty() && (capture.back() == '?' || capture.back() == '.')) capture.pop_back();
    at = end + 1;
    if (capture == "ns") {
      path += ns;
    } else if (capture == "name") {
      path += name;
    } else {
      auto known = CaptureValues().find(capture);
      path += known == CaptureValues().end() ? "x" : known->second;
    }
  }
  return path;
}

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class AccessMatrix : public AppFixture {
 protected:
  AccessMatrix() : table_(BuildRouteTable()) {
    MakePeople();
    for (hub::RepoType type :
         {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
      for (const std::string owner : {"acme", "olga"}) MakeRepos(type, owner);
    }
    for (const std::string owner : {"acme", "olga"}) MakeBuckets(owner);
  }

  // Those that are missing: also after a route that deletes one.
  void MakeBuckets(const std::string& owner) {
    hub::Actor creator = hub_->accounts().AuthenticateToken(owner == "acme" ? cora_ : olga_);
    for (Kind kind : {Kind::kOpen, Kind::kHidden}) {
      try {
        hub_->buckets().Create(creator, owner, NameOf(kind), kind == Kind::kHidden);
      } catch (const Error& error) {
        if (error.code() != Code::kConflict) throw;
      }
    }
  }

  void MakeRepos(hub::RepoType type, const std::string& owner) {
    hub::Actor creator = hub_->accounts().AuthenticateToken(owner == "acme" ? cora_ : olga_);
    for (Kind kind : {Kind::kOpen, Kind::kGated, Kind::kHidden}) {
      hub::NewRepo wanted;
      wanted.type = type;
      wanted.owner = owner;
      wanted.name = NameOf(kind);
      wanted.is_private = kind == Kind::kHidden;
      hub::RepoHandle made = hub_->repos().Create(creator, wanted);
      if (kind == Kind::kGated) {
        hub_->repos().UpdateSettings(
            made, {.is_private = {}, .gated = hub::Gated::kManual, .discussions_disabled = {}});
      }
    }
  }

  std::string TokenFor(int64_t user, hub::NewToken wanted) {
    wanted.name = "t";
    return hub_->accounts().CreateToken(user, wanted).second;
  }
  int64_t Member(int64_t org, const std::string& name, hub::OrgRole role) {
    int64_t user = MakeUser(name);
    hub_->accounts().SetMember(org, user, role);
    return user;
  }

  void MakePeople() {
    hub::Accounts& accounts = hub_->accounts();
    int64_t ada = accounts.CreateUser("ada", kPassword, "", false)->id;
    int64_t acme = accounts.CreateOrg("acme", "", ada)->id;
    int64_t cora = Member(acme, "cora", hub::OrgRole::kContributor);
    int64_t dora = Member(acme, "dora", hub::OrgRole::kWrite);
    int64_t olga = MakeUser("olga");
    int64_t root = accounts.CreateUser("zoe", "", "", true)->id;
    cora_ = MakeToken(cora);
    olga_ = MakeToken(olga);
    std::string other = MakeToken(MakeUser("otto"));
    std::string adas = MakeToken(ada);
    std::string expired = TokenFor(
        cora, {.role = hub::TokenRole::kWrite, .expires_at = clock_.Now() + std::chrono::hours(1)});
    std::string disabled = MakeToken(dora);
    std::string reading = MakeToken(cora, hub::TokenRole::kRead);
    std::string bare = TokenFor(ada, {.role = hub::TokenRole::kFineGrained});
    std::string scoped = TokenFor(ada, {.role = hub::TokenRole::kFineGrained,
                                        .scopes = {{"org", "acme", {"repo.content.read"}}}});
    std::string foreign = TokenFor(
        ada, {.role = hub::TokenRole::kFineGrained, .scopes = {{"user", "ada", {"repo.write"}}}});

    Person anonymous{"anonymous", kContent, kInfo, kNone};
    anonymous.signed_in = anonymous.may_write = false;
    auto token = [](std::string who, const std::string& text, MaybeRight open, MaybeRight gated,
                    MaybeRight hidden) {
      Person person{std::move(who), open, gated, hidden};
      person.headers = Bearer(text);
      return person;
    };
    Person read_token = token("the creator's read token", reading, kContent, kContent, kContent);
    read_token.may_write = false;
    Person bare_token = token("a fine-grained token without scopes", bare, kContent, kInfo, kNone);
    bare_token.may_write = false;
    Person scoped_token =
        token("a fine-grained token that reads acme", scoped, kContent, kContent, kContent);
    scoped_token.may_write = false;
    Person site_admin = token("site admin", MakeToken(root), kAdmin, kAdmin, kAdmin);
    site_admin.site_admin = true;
    Person site_admin_reading =
        token("site admin's read token", MakeToken(root, hub::TokenRole::kRead), kContent, kContent,
              kContent);
    site_admin_reading.may_write = false;
    Person expired_person = token("an expired token", expired, kNone, kNone, kNone);
    Person disabled_person = token("a disabled member", disabled, kNone, kNone, kNone);
    Person unknown_person = token("an unknown token", "hf_unknown", kNone, kNone, kNone);
    for (Person* person : {&expired_person, &disabled_person, &unknown_person}) {
      person->bad_credentials = true;
    }
    Person session_person{"org admin by session", kAdmin, kAdmin, kAdmin};
    session_person.session = true;
    Person forged_person{"org admin by session without CSRF token", kAdmin, kAdmin, kAdmin};
    forged_person.session = forged_person.session_without_csrf = true;

    of_acme_ = {
        anonymous,
        token("other user", other, kContent, kInfo, kNone),
        token("member without access", MakeToken(Member(acme, "nora", hub::OrgRole::kNoAccess)),
              kContent, kInfo, kNone),
        token("org read", MakeToken(Member(acme, "rita", hub::OrgRole::kRead)), kContent, kContent,
              kContent),
        token("contributor, not the creator",
              MakeToken(Member(acme, "carl", hub::OrgRole::kContributor)), kContent, kContent,
              kContent),
        token("contributor, the creator", cora_, kAdmin, kAdmin, kAdmin),
        token("org write", MakeToken(Member(acme, "wim", hub::OrgRole::kWrite)), kWrite, kWrite,
              kWrite),
        token("org admin", adas, kAdmin, kAdmin, kAdmin),
        token("a fine-grained token for another namespace", foreign, kContent, kInfo, kNone),
        read_token,
        bare_token,
        scoped_token,
        site_admin,
        site_admin_reading,
        expired_person,
        disabled_person,
        unknown_person,
        session_person,
        forged_person,
    };
    of_olga_ = {
        anonymous,
        token("other user", other, kContent, kInfo, kNone),
        token("admin of an organisation", adas, kContent, kInfo, kNone),
        token("owner", olga_, kAdmin, kAdmin, kAdmin),
        site_admin,
        expired_person,
    };
    accounts.SetDisabled(dora, true);
    clock_.Advance(std::chrono::hours(2));
    SignIn();
  }

  // Also after a route that ends sessions.
  void SignIn() {
    for (Person& person : of_acme_) {
      if (!person.session) continue;
      std::string cookie = hub_->accounts().Login("ada", kPassword, "::1", "test");
      person.headers = {{"Cookie", "hearth_session=" + cookie}};
      if (person.session_without_csrf) continue;
      person.headers.emplace_back("X-CSRF-Token",
                                  hub_->accounts().AuthenticateSession(cookie)->csrf_token);
    }
  }

  Call MakeCall(const Route& route, const std::string& method, const Person& person,
                const std::string& ns, Kind kind) const {
    Call call{method, FillPattern(route.pattern, ns, NameOf(kind)), person.headers, ""};
    if (route.pattern.ends_with("/info/refs")) call.target += "?service=git-upload-pack";
    if (ChangesState(method)) {
      call.headers.emplace_back("Content-Type", "application/json");
      call.body = "{}";
    }
    return call;
  }

  void CheckRefused(const Route& route, const std::string& method, const net::Response& response,
                    const Refusal& expected, const std::string& what) {
    Refusal refusal = OnSurface(route, method, expected);
    EXPECT_EQ(response.status, refusal.status) << what << "\n" << BodyText(response);
    if (response.status == 303) {
      EXPECT_THAT(response.headers.Get("Location"), HasSubstr("/login")) << what;
      return;
    }
    EXPECT_EQ(response.headers.Get("X-Error-Code"), refusal.code) << what;
    EXPECT_NE(response.headers.Get("X-Error-Message"), "") << what;
    if (refusal.status == 401 && route.surface == Surface::kGit) {
      EXPECT_NE(response.headers.Get("WWW-Authenticate"), "") << what << ": git would not ask";
    }
    if (refusal.status == 401 && route.surface == Surface::kLfs) {
      EXPECT_NE(response.headers.Get("LFS-Authenticate"), "") << what;
    }
  }

  void CheckLetIn(const Route& route, const std::string& method, const net::Response& response,
                  const std::string& what) {
    // 501 is the documented answer of LFS locking.
    EXPECT_TRUE(response.status < 500 || response.status == 501) << what << "\n"
                                                                 << BodyText(response);
    if (Lists(kStricterHandlers, method, route)) return;
    EXPECT_NE(response.status, 401) << what << "\n" << BodyText(response);
    EXPECT_NE(response.status, 403) << what << "\n" << BodyText(response);
    std::string code = response.headers.Get("X-Error-Code");
    EXPECT_NE(code, "RepoNotFound") << what;
    EXPECT_NE(code, "GatedRepo") << what;
    if (response.status == 303) {
      EXPECT_THAT(response.headers.Get("Location"), Not(HasSubstr("/login?next"))) << what;
    }
  }

  void CheckCell(const Route& route, const std::string& method, const Person& person,
                 const std::string& ns, Kind kind) {
    Call call = MakeCall(route, method, person, ns, kind);
    std::string what = method + " " + call.target + " by " + person.who;
    net::Response response = Send(call);
    ASSERT_EQ(response.route, route.pattern) << what << " reached another route";
    std::optional<Refusal> refusal = ExpectedRefusal(route, method, person, kind);
    if (refusal) {
      CheckRefused(route, method, response, *refusal, what);
    } else if (route.access == Access::kSigned) {
      EXPECT_GE(response.status, 400) << what << ": served without a signature";
    } else {
      CheckLetIn(route, method, response, what);
      if (method == "DELETE" && route.access == Access::kBucketAdmin) MakeBuckets(ns);
    }
    ++cells_;
  }

  // Nothing in the answer may tell a hidden repository from one that does not exist.
  void CheckIndistinguishable(const Route& route, const std::string& method, const Person& person,
                              const std::string& ns) {
    Call call = MakeCall(route, method, person, ns, Kind::kHidden);
    net::Response hidden = Send(call);
    net::Response missing = Send(MakeCall(route, method, person, ns, Kind::kMissing));
    std::string what = method + " " + call.target + " by " + person.who;
    auto neutral = [](const net::Response& response) {
      std::string text = std::to_string(response.status) + "\n";
      for (const auto& [name, value] : response.headers.fields())
        text += name + ": " + value + "\n";
      text += BodyText(response);
      // Differs from answer to answer.
      if (size_t at = text.find("'nonce-"); at != std::string::npos) {
        std::string nonce = text.substr(at + 7, text.find('\'', at + 7) - at - 7);
        text = ReplaceAll(text, nonce, "NONCE");
      }
      text = ReplaceAll(text, NameOf(Kind::kHidden), "NAME");
      return ReplaceAll(text, NameOf(Kind::kMissing), "NAME");
    };
    EXPECT_EQ(neutral(hidden), neutral(missing)) << what;
  }

  RouteTable table_;
  std::string cora_, olga_;
  std::vector<Person> of_acme_, of_olga_;
  int cells_ = 0;
};

std::vector<std::string> MethodsOf(const Route& route) {
  std::vector<std::string> methods;
  for (std::string_view method : Split(route.methods, ',')) methods.emplace_back(TrimAscii(method));
  return methods;
}

bool NamesRepository(const Route& route) {
  return route.pattern.find("{ns}") != std::string::npos &&
         route.pattern.find("{name}") != std::string::npos;
}

TEST_F(AccessMatrix, EveryRouteOnARepositoryAsksForARightOnIt) {
  ASSERT_FALSE(table_.routes().empty());
  for (const Route& route : table_.routes()) {
    bool by_right = NeededRight(route.access).has_value();
    if (NamesRepository(route)) {
      EXPECT_TRUE(by_right || route.access == Access::kSigned) << route.pattern;
    } else {
      EXPECT_FALSE(by_right) << route.pattern << " opens a repository that its path does not name";
    }
    for (const std::string& method : MethodsOf(route)) {
      bool reading = route.access == Access::kRepoInfo || route.access == Access::kRepoContent;
      if (!reading || !ChangesState(method)) continue;
      EXPECT_TRUE(Lists(kReadingPosts, method, route)) << method << " " << route.pattern;
    }
  }
}

// Else a user of that name would hide the route, or the route the user's pages.
TEST_F(AccessMatrix, TheFirstWordOfARouteIsNobodysName) {
  std::set<std::string> words;
  for (const Route& route : table_.routes()) {
    std::string word = route.pattern.substr(1, route.pattern.find('/', 1) - 1);
    if (!word.empty() && word.find('{') == std::string::npos) words.insert(word);
  }
  EXPECT_GT(words.size(), 20u);
  for (const std::string& word : words) {
    try {
      hub_->accounts().CreateUser(word, "", "", true);
      ADD_FAILURE() << "a user may be called " << word;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Code::kConflict || error.code() == Code::kInvalidArgument)
          << word << ": " << error.message();
    }
  }
}

TEST_F(AccessMatrix, EveryCallerOnEveryRouteOfAnOrganisationsRepositories) {
  for (const Route& route : table_.routes()) {
    if (!NamesRepository(route)) continue;
    for (const std::string& method : MethodsOf(route)) {
      // The second round meets caches that those who may see everything have filled.
      for (int round = 0; round < (ChangesState(method) ? 1 : 2); ++round) {
        for (const Person& person : of_acme_) {
          for (Kind kind : kKinds) {
            ASSERT_NO_FATAL_FAILURE(CheckCell(route, method, person, "acme", kind));
          }
        }
      }
    }
  }
  EXPECT_GT(cells_, 0);
}

TEST_F(AccessMatrix, EveryCallerOnEveryRouteOfAUsersRepositories) {
  for (const Route& route : table_.routes()) {
    if (!NamesRepository(route)) continue;
    for (const std::string& method : MethodsOf(route)) {
      for (const Person& person : of_olga_) {
        for (Kind kind : kKinds) {
          ASSERT_NO_FATAL_FAILURE(CheckCell(route, method, person, "olga", kind));
        }
      }
    }
  }
  EXPECT_GT(cells_, 0);
}

TEST_F(AccessMatrix, EveryCallerOnEveryRouteWithoutARepository) {
  for (const Route& route : table_.routes()) {
    if (NamesRepository(route)) continue;
    for (const std::string& method : MethodsOf(route)) {
      for (const Person& person : of_acme_) {
        if (person.session && EndsSessions(route)) SignIn();
        std::string what = method + " " + route.pattern + " by " + person.who;
        net::Response response = Send(MakeCall(route, method, person, "acme", Kind::kMissing));
        ASSERT_EQ(response.route, route.pattern) << what << " reached another route";
        std::optional<Refusal> refusal = ExpectedRefusal(route, method, person, Kind::kMissing);
        if (refusal) {
          CheckRefused(route, method, response, *refusal, what);
        } else if (route.access == Access::kSigned) {
          EXPECT_GE(response.status, 400) << what << ": served without a signature";
        } else {
          // The handler decides the rest: it sees no repository by itself. This hub runs no models.
          EXPECT_TRUE(response.status < 500 || response.status == 501) << what << "\n"
                                                                       << BodyText(response);
        }
      }
    }
    if (EndsSessions(route)) SignIn();
  }
}

TEST_F(AccessMatrix, AHiddenRepositoryAnswersLikeAMissingOne) {
  for (const Route& route : table_.routes()) {
    if (!NamesRepository(route)) continue;
    for (const std::string& method : MethodsOf(route)) {
      for (const Person& person : of_acme_) {
        if (person.hidden) continue;
        CheckIndistinguishable(route, method, person, "acme");
      }
    }
  }
}

TEST_F(AccessMatrix, ListsAndCountsDoNotShowHiddenRepositories) {
  const std::string query =
      "?q=zebra&search=zebra&author=acme&limit=100&full=true&type=model&type=dataset&type=space";
  int shown_to_members = 0;
  for (const Route& route : table_.routes()) {
    if (NamesRepository(route) || !route.methods.starts_with("GET")) continue;
    std::string target = FillPattern(route.pattern, "acme", "") + query;
    for (const Person& person : of_acme_) {
      if (person.bad_credentials) continue;
      std::string body = BodyText(Send({.target = target, .headers = person.headers}));
      if (person.hidden) {
        if (body.find(NameOf(Kind::kHidden)) != std::string::npos) ++shown_to_members;
        continue;
      }
      EXPECT_THAT(body, Not(HasSubstr(NameOf(Kind::kHidden)))) << target << " by " << person.who;
    }
  }
  EXPECT_GT(shown_to_members, 0) << "the lists are empty: this test would not see a leak";
}

// Routes that name the repository in the body get the same rules from their handlers.
TEST_F(AccessMatrix, RepositoriesNamedInTheBodyAreGuardedToo) {
  struct Case {
    const char* path;
    const char* method;
    Json body;
  };
  const Case cases[] = {
      {"/api/repos/delete", "DELETE",
       Json::Obj({{"name", "hidden-zebra"}, {"organization", "acme"}, {"type", "model"}})},
      {"/api/repos/move", "POST",
       Json::Obj({{"fromRepo", "acme/hidden-zebra"}, {"toRepo", "acme/x"}, {"type", "model"}})},
      {"/api/repos/move", "POST",
       Json::Obj({{"fromRepo", "acme/hidden-zebra"}, {"toRepo", "acme/x"}, {"type", "bucket"}})},
  };
  for (const Case& test : cases) {
    for (const Person& person : of_acme_) {
      if (person.hidden == kAdmin && !person.session_without_csrf) continue;
      std::string what = std::string(test.method) + " " + test.path + " by " + person.who;
      HeaderList headers = person.headers;
      headers.emplace_back("Content-Type", "application/json");
      net::Response response = Send({.method = test.method,
                                     .target = test.path,
                                     .headers = headers,
                                     .body = test.body.Dump()});
      EXPECT_THAT(response.status, ::testing::AnyOf(401, 403, 404)) << what;
      if (!person.hidden && person.signed_in && person.may_write && !person.bad_credentials) {
        EXPECT_EQ(response.status, 404) << what << ": a hidden repository was told from a missing";
      }
      EXPECT_NE(hub_->repos().Find(hub::RepoType::kModel, "acme", "hidden-zebra"), nullptr) << what;
      EXPECT_NO_THROW(
          hub_->buckets().Open(hub::Actor::System(), "acme/hidden-zebra", Right::kReadContent))
          << what;
    }
  }
}

TEST_F(AccessMatrix, NobodyCreatesInANamespaceThatIsNotTheirs) {
  int buckets = 0;
  for (const Person& person : of_acme_) {
    bool may_create = person.who.starts_with("contributor") || person.who == "org write" ||
                      person.who == "org admin" || person.who == "site admin" ||
                      person.who == "org admin by session";
    HeaderList headers = person.headers;
    headers.emplace_back("Content-Type", "application/json");
    Json body = Json::Obj({{"name", "fresh"}, {"organization", "acme"}, {"type", "model"}});
    net::Response response = Send(
        {.method = "POST", .target = "/api/repos/create", .headers = headers, .body = body.Dump()});
    if (may_create) {
      EXPECT_THAT(response.status, ::testing::AnyOf(200, 409)) << person.who;
    } else {
      EXPECT_THAT(response.status, ::testing::AnyOf(401, 403)) << person.who;
    }
    hub::RepoPtr made = hub_->repos().Find(hub::RepoType::kModel, "acme", "fresh");
    EXPECT_EQ(made != nullptr, may_create) << person.who;
    if (made) hub_->repos().Delete(hub_->repos().OpenAsSystem(made));

    response = Send({.method = "POST",
                     .target = "/api/buckets/acme/bucket-of-" + std::to_string(++buckets),
                     .headers = headers,
                     .body = "{}"});
    EXPECT_THAT(response.status,
                may_create ? ::testing::AnyOf(200, 200) : ::testing::AnyOf(401, 403))
        << person.who;
  }
}

// The service is in the query here: the table cannot tell a push from a fetch.
TEST_F(AccessMatrix, GitAdvertisesReceivePackOnlyToWriters) {
  for (const Person& person : of_acme_) {
    for (Kind kind : kKinds) {
      net::Response response = Send({.target = "/acme/" + std::string(NameOf(kind)) +
                                               ".git/info/refs?service=git-receive-pack",
                                     .headers = person.headers});
      std::string what = person.who + " on " + NameOf(kind);
      MaybeRight right = person.On(kind);
      if (person.bad_credentials) {
        EXPECT_EQ(response.status, 401) << what;
      } else if (right && *right >= Right::kWrite) {
        EXPECT_EQ(response.status, 200) << what;
      } else {
        EXPECT_THAT(response.status, ::testing::AnyOf(401, 403, 404)) << what;
        if (!person.signed_in) {
          EXPECT_EQ(response.status, 401) << what;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hearth::server
