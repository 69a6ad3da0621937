#include "hub/internal/accounts_state.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::hub {
namespace {

std::shared_ptr<Actor> ActorOfUser(const AccountEntry& entry) {
  auto actor = std::make_shared<Actor>();
  actor->user_id = entry.account->id;
  actor->user_name = entry.account->name;
  actor->site_admin = entry.account->is_admin;
  actor->org_roles.assign(entry.orgs.begin(), entry.orgs.end());
  return actor;
}

std::shared_ptr<const Actor> ActorOfToken(const AccountsState& state, const AccountEntry& entry,
                                          const TokenInfo& info) {
  if (entry.account->disabled) return nullptr;
  std::shared_ptr<Actor> actor = ActorOfUser(entry);
  actor->via = Actor::Via::kToken;
  actor->token_id = info.id;
  actor->token_role = info.role;
  actor->scopes = info.scopes;
  for (TokenScope& scope : actor->scopes) {
    if (scope.entity_type != "user" && scope.entity_type != "org") continue;
    const AccountEntry* named = state.FindByName(scope.entity_name);
    scope.account_id = named == nullptr ? 0 : named->account->id;
  }
  actor->can_read_gated = info.can_read_gated;
  return actor;
}

TokenRole ParseTokenRole(std::string_view text) {
  for (TokenRole role : {TokenRole::kRead, TokenRole::kWrite, TokenRole::kFineGrained}) {
    if (text == TokenRoleName(role)) return role;
  }
  return TokenRole::kRead;
}

std::optional<TimePoint> OptionalTime(const storage::Row& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return FromUnixMillis(row.Int(column));
}

void LoadAccounts(storage::Connection& connection, AccountsState& state) {
  connection.Query(
      "SELECT id, oid, is_org, name, fullname, email, is_admin, disabled, created_at FROM accounts",
      {}, [&](const storage::Row& row) {
        Account account;
        account.id = row.Int(0);
        account.oid = row.Str(1);
        account.is_org = row.Int(2) != 0;
        account.name = row.Str(3);
        account.fullname = row.Str(4);
        account.email = row.Str(5);
        account.is_admin = row.Int(6) != 0;
        account.disabled = row.Int(7) != 0;
        account.created_at = FromUnixMillis(row.Int(8));
        state.AddAccount(account);
      });
  connection.Query("SELECT org_id, user_id, role FROM members", {}, [&](const storage::Row& row) {
    std::optional<OrgRole> role = ParseRole(row.Text(2));
    if (!role) return;
    state.accounts[row.Int(0)].members[row.Int(1)] = *role;
    state.accounts[row.Int(1)].orgs[row.Int(0)] = *role;
  });
}

void LoadTokens(storage::Connection& connection, AccountsState& state) {
  connection.Query(
      "SELECT id, oid, user_id, name, role, scopes, can_read_gated, hash, hint, created_at, "
      "expires_at, last_used_at FROM tokens ORDER BY id",
      {}, [&](const storage::Row& row) {
        auto entry = std::make_shared<TokenEntry>();
        TokenInfo& info = entry->info;
        info.id = row.Int(0);
        info.oid = row.Str(1);
        info.user_id = row.Int(2);
        info.name = row.Str(3);
        info.role = ParseTokenRole(row.Text(4));
        info.scopes = ReadScopes(row.Text(5));
        info.can_read_gated = row.Int(6) != 0;
        entry->hash = Sha256(row.Text(7));
        info.hint = row.Str(8);
        info.created_at = FromUnixMillis(row.Int(9));
        info.expires_at = OptionalTime(row, 10);
        info.last_used_at = OptionalTime(row, 11);
        entry->last_used_ms = entry->flushed_ms = row.Int(11);
        state.AddToken(std::move(entry));
      });
}

void LoadSessions(storage::Connection& connection, AccountsState& state, TimePoint now) {
  connection.Query(
      "SELECT hash, user_id, csrf, peer, user_agent, created_at, expires_at FROM sessions "
      "WHERE expires_at > ? ORDER BY created_at",
      {ToUnixMillis(now)}, [&](const storage::Row& row) {
        auto entry = std::make_shared<SessionEntry>();
        entry->hash = Sha256(row.Text(0));
        entry->user_id = row.Int(1);
        entry->csrf = row.Str(2);
        entry->peer = row.Str(3);
        entry->user_agent = row.Str(4);
        entry->created_at = FromUnixMillis(row.Int(5));
        entry->expires_at = FromUnixMillis(row.Int(6));
        state.AddSession(std::move(entry));
      });
}

}  // namespace

std::shared_ptr<const Actor> ActorOfSession(const AccountEntry& entry, const std::string& csrf) {
  if (entry.account->disabled) return nullptr;
  std::shared_ptr<Actor> actor = ActorOfUser(entry);
  actor->via = Actor::Via::kSession;
  actor->csrf_token = csrf;
  return actor;
}

TokenInfo TokenEntry::Current() const {
  TokenInfo current = info;
  if (int64_t used = last_used_ms.load(); used != 0) current.last_used_at = FromUnixMillis(used);
  return current;
}

const AccountEntry* AccountsState::Find(int64_t id) const {
  auto found = accounts.find(id);
  return found == accounts.end() || !found->second.account ? nullptr : &found->second;
}

const AccountEntry* AccountsState::FindByName(std::string_view name) const {
  auto found = ids_by_name.find(AsciiLower(name));
  return found == ids_by_name.end() ? nullptr : Find(found->second);
}

void AccountsState::AddAccount(const Account& account) {
  accounts[account.id].account = std::make_shared<const Account>(account);
  std::string name = AsciiLower(account.name);
  ids_by_name[name] = account.id;
  in_order[account.is_org][name] = account.id;
  names.Set(static_cast<uint32_t>(account.id), name);
}

void AccountsState::AddToken(std::shared_ptr<TokenEntry> entry) {
  AccountEntry& owner = accounts[entry->info.user_id];
  entry->actor = ActorOfToken(*this, owner, entry->info);
  owner.tokens.push_back(entry);
  tokens[entry->hash] = std::move(entry);
}

void AccountsState::RemoveToken(const Sha256& hash) {
  auto found = tokens.find(hash);
  if (found == tokens.end()) return;
  std::erase(accounts[found->second->info.user_id].tokens, found->second);
  tokens.erase(found);
}

void AccountsState::AddSession(std::shared_ptr<SessionEntry> entry) {
  AccountEntry& owner = accounts[entry->user_id];
  entry->actor = ActorOfSession(owner, entry->csrf);
  owner.sessions.push_back(entry);
  sessions[entry->hash] = std::move(entry);
}

void AccountsState::RemoveSession(const Sha256& hash) {
  auto found = sessions.find(hash);
  if (found == sessions.end()) return;
  std::erase(accounts[found->second->user_id].sessions, found->second);
  sessions.erase(found);
}

void AccountsState::RemoveSessionsOf(int64_t user_id) {
  AccountEntry& entry = accounts[user_id];
  for (const auto& session : entry.sessions) sessions.erase(session->hash);
  entry.sessions.clear();
}

void AccountsState::RemoveExpiredSessions(TimePoint now) {
  std::vector<Sha256> expired;
  for (const auto& [hash, entry] : sessions) {
    if (entry->expires_at <= now) expired.push_back(hash);
  }
  for (const Sha256& hash : expired) RemoveSession(hash);
}

std::vector<Membership> AccountsState::Resolve(const std::map<int64_t, OrgRole>& roles) const {
  std::vector<Membership> result;
  for (const auto& [id, role] : roles) {
    if (const AccountEntry* entry = Find(id)) result.push_back({entry->account, role});
  }
  std::sort(result.begin(), result.end(), [](const Membership& a, const Membership& b) {
    return AsciiLower(a.account->name) < AsciiLower(b.account->name);
  });
  return result;
}

void AccountsState::RefreshActors(int64_t user_id) {
  AccountEntry& entry = accounts[user_id];
  for (auto& token : entry.tokens) token->actor = ActorOfToken(*this, entry, token->info);
  for (auto& session : entry.sessions) session->actor = ActorOfSession(entry, session->csrf);
}

AccountsState AccountsState::Load(storage::Connection& connection, TimePoint now) {
  AccountsState state;
  LoadAccounts(connection, state);
  LoadTokens(connection, state);
  LoadSessions(connection, state, now);
  return state;
}

std::string WriteScopes(const std::vector<TokenScope>& scopes) {
  Json list{Json::Array{}};
  for (const TokenScope& scope : scopes) {
    list.Push(Json::Obj({{"type", scope.entity_type},
                         {"name", scope.entity_name},
                         {"permissions", Json(scope.permissions)}}));
  }
  return list.Dump();
}

std::vector<TokenScope> ReadScopes(std::string_view text) {
  Json list = Json::Parse(text);
  std::vector<TokenScope> scopes;
  if (list.AsArray() == nullptr) return scopes;
  for (const Json& item : *list.AsArray()) {
    TokenScope scope;
    scope.entity_type = item.RequireString("type");
    scope.entity_name = item.RequireString("name");
    for (const Json& permission : item.RequireArray("permissions")) {
      if (permission.AsString() != nullptr) scope.permissions.push_back(*permission.AsString());
    }
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

void ThrowInvalidCredentials() {
  throw Error(Code::kUnauthenticated, "Invalid credentials in Authorization header");
}

void Accounts::Impl::LoadAll() {
  TimePoint now = clock.Now();
  AccountsState fresh;
  int64_t version = 0;
  db.Read([&](storage::Connection& connection) {
    fresh = AccountsState::Load(connection, now);
    version = ReadAccountsVersion(connection);
  });
  std::unique_lock lock(mutex);
  // Uses that were not written yet must survive.
  for (auto& [hash, entry] : fresh.tokens) {
    auto old = state.tokens.find(hash);
    if (old == state.tokens.end()) continue;
    entry->last_used_ms = std::max(entry->last_used_ms.load(), old->second->last_used_ms.load());
  }
  std::swap(state, fresh);
  known_version = version;
}

int64_t ReadAccountsVersion(storage::Connection& connection) {
  auto text = connection.QueryOne("SELECT value FROM meta WHERE key = 'accounts_version'", {},
                                  [](const storage::Row& row) { return row.Str(0); });
  return text ? ParseInt(*text).value_or(0) : 0;
}

void Accounts::Impl::Change(const std::function<void(storage::Connection&)>& to_database,
                            const std::function<void(AccountsState&)>& to_memory) {
  int64_t before = 0;
  db.Write([&](storage::Connection& connection) {
    before = ReadAccountsVersion(connection);
    to_database(connection);
    connection.Exec(
        "INSERT INTO meta (key, value) VALUES ('accounts_version', ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {std::to_string(before + 1)});
  });
  if (before != known_version) {
    LoadAll();
    return;
  }
  std::unique_lock lock(mutex);
  to_memory(state);
  known_version = before + 1;
}

AccountPtr Accounts::Impl::RequireUser(int64_t user_id) const {
  std::shared_lock lock(mutex);
  const AccountEntry* entry = state.Find(user_id);
  if (entry == nullptr || entry->account->is_org) {
    throw Error(Code::kNotFound, "This user does not exist");
  }
  return entry->account;
}

}  // namespace hearth::hub
