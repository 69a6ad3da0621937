// What Accounts keeps in memory: all of it, because every request asks for some of it. A lookup is
// one SHA-256 of the token and one probe of a table under a shared lock. An account with two tokens
// costs about 2 KB.
//
// Entries are immutable or atomic, and replaced under the exclusive lock. Writers take
// `write_mutex` first, write the database, then the memory: readers never see what is not durable.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "hub/accounts.h"
#include "hub/internal/login_throttle.h"
#include "hub/internal/name_index.h"

namespace hearth::hub {

struct TokenEntry {
  TokenInfo info;  // last_used_at as it was loaded; the newer value is below
  Sha256 hash;
  std::shared_ptr<const Actor> actor;  // nullptr: the account is disabled
  std::atomic<int64_t> last_used_ms{0};
  std::atomic<int64_t> flushed_ms{0};

  TokenInfo Current() const;
};

struct SessionEntry {
  Sha256 hash;
  int64_t user_id = 0;
  std::string csrf;
  std::string peer;
  std::string user_agent;
  TimePoint created_at;
  TimePoint expires_at;
  std::shared_ptr<const Actor> actor;
};

struct AccountEntry {
  AccountPtr account;
  std::map<int64_t, OrgRole> orgs;     // of a user
  std::map<int64_t, OrgRole> members;  // of an organisation
  std::vector<std::shared_ptr<TokenEntry>> tokens;
  std::vector<std::shared_ptr<SessionEntry>> sessions;
};

struct AccountsState {
  std::unordered_map<int64_t, AccountEntry> accounts;
  std::unordered_map<std::string, int64_t> ids_by_name;  // lower case
  std::map<std::string, int64_t> in_order[2];            // the same, of users and of organisations
  NameIndex names;                                       // by account id
  std::unordered_map<Sha256, std::shared_ptr<TokenEntry>> tokens;
  std::unordered_map<Sha256, std::shared_ptr<SessionEntry>> sessions;

  const AccountEntry* Find(int64_t id) const;
  const AccountEntry* FindByName(std::string_view name) const;
  void AddAccount(const Account& account);
  void AddToken(std::shared_ptr<TokenEntry> entry);
  void RemoveToken(const Sha256& hash);
  void AddSession(std::shared_ptr<SessionEntry> entry);
  void RemoveSession(const Sha256& hash);
  void RemoveSessionsOf(int64_t user_id);
  void RemoveExpiredSessions(TimePoint now);
  // Members or organisations by name.
  std::vector<Membership> Resolve(const std::map<int64_t, OrgRole>& roles) const;
  // Makes the Actor snapshots of a user's tokens and sessions again.
  void RefreshActors(int64_t user_id);

  static AccountsState Load(storage::Connection& connection, TimePoint now);
};

// nullptr when the account is disabled.
std::shared_ptr<const Actor> ActorOfSession(const AccountEntry& entry, const std::string& csrf);

// Fine-grained scopes as the `scopes` column keeps them.
std::string WriteScopes(const std::vector<TokenScope>& scopes);
std::vector<TokenScope> ReadScopes(std::string_view text);
[[noreturn]] void ThrowInvalidCredentials();
// A number that grows with every change of accounts, members, tokens or sessions.
int64_t ReadAccountsVersion(storage::Connection& connection);

struct Accounts::Impl {
  Impl(storage::Database& db, Clock& clock)
      : db(db),
        clock(clock),
        throttle(clock, "Too many failed logins. Try again later."),
        sign_ups(clock, "Too many accounts were made from your network. Try again later.") {}

  storage::Database& db;
  Clock& clock;
  LoginThrottle throttle;
  LoginThrottle sign_ups;  // counts every one, by address
  std::mutex write_mutex;
  int64_t known_version = -1;  // of the accounts tables; under write_mutex
  // The database's change counter at the last look for what other processes wrote.
  std::atomic<int64_t> seen_changes{-1};
  mutable std::shared_mutex mutex;
  AccountsState state;

  // Runs `to_database` in one transaction together with a step of the version, then `to_memory`
  // under the exclusive lock. When another process wrote in between, loads everything instead.
  // The caller holds write_mutex.
  void Change(const std::function<void(storage::Connection&)>& to_database,
              const std::function<void(AccountsState&)>& to_memory);
  void LoadAll();  // write_mutex held
  // Who uses the token, noting that it was used; null when it is unknown, ended or disabled.
  std::shared_ptr<const Actor> UseToken(const Sha256& hash);
  // kNotFound when there is no such user (or it is an organisation).
  AccountPtr RequireUser(int64_t user_id) const;
  AccountPtr CreateAccount(Account account, std::string_view password_hash, int64_t creator_id);
  void CheckToken(int64_t user_id, const NewToken& token) const;  // throws kInvalidArgument
  std::vector<Sha256> SessionsWhere(int64_t user_id,
                                    const std::function<bool(const std::string& id)>& wanted) const;
  void EndSessions(const std::vector<Sha256>& hashes);  // write_mutex held
  TokenInfo InsertToken(int64_t user_id, const NewToken& token, std::string_view text);
};

}  // namespace hearth::hub
