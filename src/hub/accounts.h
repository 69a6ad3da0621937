// Users, organisations, memberships, access tokens, web sessions. Thread-safe. State is in the
// database; hot lookups are cached in memory and dropped on every change (also changes made by
// another process, see Hub::StartBackground).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "hub/actor.h"
#include "hub/types.h"
#include "storage/db/database.h"

namespace hearth::hub {

inline constexpr std::chrono::hours kSessionLifetime{24 * 30};

struct Account {
  int64_t id = 0;
  std::string oid;  // 24 hex
  bool is_org = false;
  std::string name;  // canonical case
  std::string fullname;
  std::string email;
  bool is_admin = false;  // of the site
  bool disabled = false;
  TimePoint created_at;
};
using AccountPtr = std::shared_ptr<const Account>;

struct Membership {
  AccountPtr account;  // the organisation or the user, whichever was asked for
  OrgRole role;
};

struct TokenInfo {
  int64_t id = 0;
  std::string oid;
  int64_t user_id = 0;
  std::string name;
  TokenRole role = TokenRole::kRead;
  std::vector<TokenScope> scopes;
  bool can_read_gated = true;
  std::string hint;  // "hf_...abcd": last four characters, for lists
  TimePoint created_at;
  std::optional<TimePoint> expires_at;
  std::optional<TimePoint> last_used_at;
};

struct NewToken {
  std::string name;
  TokenRole role = TokenRole::kRead;
  std::vector<TokenScope> scopes;
  bool can_read_gated = true;
  std::optional<TimePoint> expires_at;
};

// A web session as its owner sees it in a list.
struct SessionInfo {
  std::string id;  // names the session; tells nothing of its cookie
  std::string peer;
  std::string user_agent;
  TimePoint created_at;
  TimePoint expires_at;
};

class Accounts {
 public:
  Accounts(storage::Database& db, Clock& clock);
  ~Accounts();

  // --- accounts. Creation throws kConflict for a taken or reserved name, kInvalidArgument for an
  // illegal one or for a password of fewer than 8 characters. An empty password makes an account
  // that cannot log in by password (tokens only). The creator of an organisation is its admin; 0 =
  // nobody is, yet.
  AccountPtr CreateUser(std::string_view name, std::string_view password, std::string_view email,
                        bool site_admin);
  AccountPtr CreateOrg(std::string_view name, std::string_view fullname, int64_t creator_id);
  AccountPtr FindByName(std::string_view name) const;  // any case; nullptr when unknown
  AccountPtr FindById(int64_t id) const;
  std::vector<AccountPtr> List(bool orgs) const;  // by name
  size_t Count(bool orgs) const;
  // Those not disabled whose name holds the text, any case: at the start before elsewhere, then by
  // name. "" is in none.
  std::vector<AccountPtr> FindByText(std::string_view text, bool orgs, size_t limit) const;
  void SetDisabled(int64_t user_id, bool disabled);  // ends sessions and refuses tokens at once
  void SetPassword(int64_t user_id, std::string_view password);  // ends sessions
  void SetSiteAdmin(int64_t user_id, bool is_admin);
  // Of a user or an organisation. An empty full name becomes the account's name. kInvalidArgument.
  void SetProfile(int64_t account_id, std::string_view fullname, std::string_view email);
  // nullopt removes. kConflict when the last admin would go.
  void SetMember(int64_t org_id, int64_t user_id, std::optional<OrgRole> role);
  std::vector<Membership> OrgsOf(int64_t user_id) const;
  std::vector<Membership> MembersOf(int64_t org_id) const;

  // --- tokens. The text ("hf_" + 34 characters) is returned once and stored only as a SHA-256.
  std::pair<TokenInfo, std::string> CreateToken(int64_t user_id, const NewToken& token);
  // For automation (HEARTH_ADMIN_TOKEN): a token with a given text ("hf_", 16 characters or more).
  // The same text for the same user again gives the token that is there; kConflict for another
  // user.
  TokenInfo ImportToken(int64_t user_id, const NewToken& token, std::string_view text);
  std::vector<TokenInfo> ListTokens(int64_t user_id) const;
  void RevokeToken(int64_t user_id, std::string_view token_oid);  // kNotFound

  // --- authentication. Throws kUnauthenticated "Invalid credentials in Authorization header".
  // A token that another process has just made is known.
  Actor AuthenticateToken(std::string_view token_text);
  // Login by password; kUnauthenticated when wrong, kTooManyRequests after repeated failures per
  // account and address. Returns the session cookie value (stored hashed).
  std::string Login(std::string_view name, std::string_view password, std::string_view peer,
                    std::string_view user_agent);
  std::optional<Actor> AuthenticateSession(
      std::string_view cookie);  // nullopt when unknown or expired
  // An account that a visitor makes: CreateUser and Login in one. kTooManyRequests when many were
  // made from one address.
  std::string SignUp(std::string_view name, std::string_view password, std::string_view email,
                     std::string_view peer, std::string_view user_agent);
  // Sessions that have not expired, the newest first.
  std::vector<SessionInfo> ListSessions(int64_t user_id) const;
  static std::string SessionId(std::string_view cookie);
  // kNotFound when the user has no such session.
  void EndSession(int64_t user_id, std::string_view session_id);
  // Ends all but one.
  void EndOtherSessions(int64_t user_id, std::string_view kept_session_id);
  // The person behind an account, with all that they may do; nullopt when unknown or disabled. For
  // permissions that were handed out under that account.
  std::optional<Actor> ActorOf(int64_t user_id) const;
  void Logout(std::string_view cookie);
  // What token `actor.token_id` is, for whoami-v2.
  std::optional<TokenInfo> TokenOf(const Actor& actor) const;

  // Brings memory up to date with what another process wrote; cheap when nothing of accounts
  // changed.
  void Reload();
  // Writes remembered last-used times; called by the background thread and at shutdown.
  void FlushLastUsed();

 private:
  // Reload(), and free while nobody has written anything; false then.
  bool ReloadIfChanged();

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::hub
