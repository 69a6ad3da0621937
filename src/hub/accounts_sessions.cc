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
            {Blob(entry->hash), entry->user_id, entry->csrf, peer.substr(0, 64),
             user_agent.substr(0, kMaxUserAgentBytes), ToUnixMillis(entry->created_at),
             ToUnixMillis(entry->expires_at)});
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
