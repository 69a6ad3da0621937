#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/accounts.h"
#include "hub/internal/accounts_state.h"
#include "hub/internal/passwords.h"

namespace hearth::hub {
namespace {

constexpr size_t kCookieLength = 43;  // alphanumerics: 256 bits
constexpr size_t kMaxCookieLength = 128;
constexpr size_t kMaxSessionsPerUser = 50;
constexpr size_t kMaxUserAgentBytes = 300;
constexpr size_t kMaxPeerBytes = 64;
constexpr size_t kSessionIdLength = 32;

struct Credentials {
  int64_t user_id = 0;
  std::string password_hash;  // "" for an unknown, disabled or passwordless account
};

Credentials FindCredentials(storage::Database& db, std::string_view name) {
  auto found = db.ReadValue([&](storage::Connection& connection) {
    return connection.QueryOne(
        "SELECT id, password_hash FROM accounts "
        "WHERE name_lower = ? AND is_org = 0 AND disabled = 0",
        {AsciiLower(name)}, [](const storage::Row& row) {
          return Credentials{row.Int(0), row.Str(1)};
        });
  });
  return found.value_or(Credentials{});
}

// Sessions that must go so that a new one fits: the oldest beyond the limit.
std::vector<Sha256> SurplusSessions(const AccountEntry& entry) {
  std::vector<Sha256> surplus;
  if (entry.sessions.size() < kMaxSessionsPerUser) return surplus;
  size_t count = entry.sessions.size() - kMaxSessionsPerUser + 1;
  for (size_t i = 0; i < count; ++i) surplus.push_back(entry.sessions[i]->hash);
  return surplus;
}

storage::BlobValue Blob(const Sha256& hash) { return {std::string(hash.raw())}; }

std::string IdOf(const Sha256& hash) { return hash.Hex().substr(0, kSessionIdLength); }

}  // namespace

std::string Accounts::Login(std::string_view name, std::string_view password, std::string_view peer,
                            std::string_view user_agent) {
  impl_->throttle.Begin(name, peer);
  Credentials known = FindCredentials(impl_->db, name);
  if (!VerifyPassword(known.password_hash, password)) {
    throw Error(Code::kUnauthenticated, "Invalid username or password.");
  }
  impl_->throttle.Succeed(name, peer);

  std::string cookie = RandomAlphanumeric(kCookieLength);
  auto entry = std::make_shared<SessionEntry>();
  entry->hash = Sha256Of(cookie);
  entry->user_id = known.user_id;
  entry->csrf = RandomAlphanumeric(kCookieLength);
  entry->peer = peer.substr(0, kMaxPeerBytes);
  entry->user_agent = user_agent.substr(0, kMaxUserAgentBytes);
  entry->created_at = impl_->clock.Now();
  entry->expires_at = entry->created_at + kSessionLifetime;
  std::lock_guard lock(impl_->write_mutex);
  std::vector<Sha256> surplus;
  {
    std::shared_lock read(impl_->mutex);
    const AccountEntry* account = impl_->state.Find(known.user_id);
    if (account != nullptr) surplus = SurplusSessions(*account);
  }
  impl_->Change(
      [&](storage::Connection& connection) {
        // The password may have been changed, or the account disabled, since it was looked at.
        if (connection.QueryInt("SELECT COUNT(*) FROM accounts WHERE id = ? AND disabled = 0 AND "
                                "password_hash = ?",
                                {known.user_id, known.password_hash}) != 1) {
          throw Error(Code::kUnauthenticated, "Invalid username or password.");
        }
        connection.Exec("DELETE FROM sessions WHERE expires_at <= ?",
                        {ToUnixMillis(entry->created_at)});
        for (const Sha256& hash : surplus) {
          connection.Exec("DELETE FROM sessions WHERE hash = ?", {Blob(hash)});
        }
        connection.Exec(
            "INSERT INTO sessions (hash, user_id, csrf, peer, user_agent, created_at, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            {Blob(entry->hash), entry->user_id, entry->csrf, entry->peer, entry->user_agent,
             ToUnixMillis(entry->created_at), ToUnixMillis(entry->expires_at)});
      },
      [&](AccountsState& state) {
        state.RemoveExpiredSessions(entry->created_at);
        for (const Sha256& hash : surplus) state.RemoveSession(hash);
        state.AddSession(entry);
      });
  return cookie;
}

std::optional<Actor> Accounts::AuthenticateSession(std::string_view cookie) {
  if (cookie.empty() || cookie.size() > kMaxCookieLength) return std::nullopt;
  Sha256 hash = Sha256Of(cookie);
  TimePoint now = impl_->clock.Now();
  std::shared_lock lock(impl_->mutex);
  auto found = impl_->state.sessions.find(hash);
  if (found == impl_->state.sessions.end()) return std::nullopt;
  const SessionEntry& entry = *found->second;
  if (!entry.actor || entry.expires_at <= now) return std::nullopt;
  return *entry.actor;
}

std::string Accounts::SignUp(std::string_view name, std::string_view password,
                             std::string_view email, std::string_view peer,
                             std::string_view user_agent) {
  if (password.empty()) {
    throw Error(Code::kInvalidArgument, "The password must have at least 8 characters");
  }
  impl_->sign_ups.Begin("", peer);
  CreateUser(name, password, email, false);
  return Login(name, password, peer, user_agent);
}

std::string Accounts::SessionId(std::string_view cookie) { return IdOf(Sha256Of(cookie)); }

std::vector<SessionInfo> Accounts::ListSessions(int64_t user_id) const {
  std::vector<SessionInfo> list;
  TimePoint now = impl_->clock.Now();
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(user_id);
  if (entry == nullptr) return list;
  for (const auto& session : entry->sessions) {
    if (session->expires_at <= now) continue;
    list.push_back({IdOf(session->hash), session->peer, session->user_agent, session->created_at,
                    session->expires_at});
  }
  std::reverse(list.begin(), list.end());
  return list;
}

std::vector<Sha256> Accounts::Impl::SessionsWhere(
    int64_t user_id, const std::function<bool(const std::string& id)>& wanted) const {
  std::vector<Sha256> hashes;
  std::shared_lock lock(mutex);
  const AccountEntry* entry = state.Find(user_id);
  if (entry == nullptr) return hashes;
  for (const auto& session : entry->sessions) {
    if (wanted(IdOf(session->hash))) hashes.push_back(session->hash);
  }
  return hashes;
}

void Accounts::Impl::EndSessions(const std::vector<Sha256>& hashes) {
  Change(
      [&](storage::Connection& connection) {
        for (const Sha256& hash : hashes) {
          connection.Exec("DELETE FROM sessions WHERE hash = ?", {Blob(hash)});
        }
      },
      [&](AccountsState& after) {
        for (const Sha256& hash : hashes) after.RemoveSession(hash);
      });
}

void Accounts::EndSession(int64_t user_id, std::string_view session_id) {
  std::lock_guard lock(impl_->write_mutex);
  auto found = impl_->SessionsWhere(user_id, [&](const auto& id) { return id == session_id; });
  if (found.empty()) throw Error(Code::kNotFound, "This session does not exist");
  impl_->EndSessions(found);
}

void Accounts::EndOtherSessions(int64_t user_id, std::string_view kept_session_id) {
  std::lock_guard lock(impl_->write_mutex);
  auto found = impl_->SessionsWhere(user_id, [&](const auto& id) { return id != kept_session_id; });
  if (!found.empty()) impl_->EndSessions(found);
}

std::optional<Actor> Accounts::ActorOf(int64_t user_id) const {
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(user_id);
  if (entry == nullptr || entry->account->is_org) return std::nullopt;
  std::shared_ptr<const Actor> actor = ActorOfSession(*entry, "");
  if (!actor) return std::nullopt;
  return *actor;
}

void Accounts::Logout(std::string_view cookie) {
  if (cookie.empty() || cookie.size() > kMaxCookieLength) return;
  Sha256 hash = Sha256Of(cookie);
  std::lock_guard lock(impl_->write_mutex);
  {
    std::shared_lock read(impl_->mutex);
    if (!impl_->state.sessions.contains(hash)) return;
  }
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("DELETE FROM sessions WHERE hash = ?", {Blob(hash)});
      },
      [&](AccountsState& state) { state.RemoveSession(hash); });
}

}  // namespace hearth::hub
