#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/accounts.h"
#include "hub/internal/accounts_state.h"

namespace hearth::hub {
namespace {

constexpr std::string_view kTokenPrefix = "hf_";  // clients and secret scanners look for it
constexpr size_t kTokenRandomLength = 34;         // 202 bits
constexpr size_t kMinImportedLength = 16;
constexpr size_t kMaxTokenLength = 256;
constexpr size_t kMaxTokenNameBytes = 128;
constexpr size_t kMaxTokensPerUser = 1000;
constexpr size_t kMaxScopes = 200;
constexpr size_t kMaxPermissions = 64;
// Recording every use to the millisecond would make all cores fight for one cache line.
constexpr int64_t kLastUsedStepMs = 1000;

constexpr std::string_view kEntityTypes[] = {"", "user", "org", "model", "dataset", "space"};

bool IsPermission(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
  });
}

void CheckScope(const TokenScope& scope) {
  if (std::find(std::begin(kEntityTypes), std::end(kEntityTypes), scope.entity_type) ==
      std::end(kEntityTypes)) {
    throw Error(Code::kInvalidArgument,
                "Invalid token scope: the entity type must be user, org, model, dataset or space");
  }
  if (scope.entity_type == "user" || scope.entity_type == "org") {
    CheckNamePart(scope.entity_name, "entity name");
  } else if (!scope.entity_type.empty()) {
    ParseRepoId(scope.entity_name);
  } else if (!scope.entity_name.empty()) {
    throw Error(Code::kInvalidArgument, "Invalid token scope: a global scope names no entity");
  }
  if (scope.permissions.size() > kMaxPermissions ||
      !std::all_of(scope.permissions.begin(), scope.permissions.end(), IsPermission)) {
    throw Error(Code::kInvalidArgument, "Invalid token scope: bad permission");
  }
}

void CheckNewToken(const NewToken& token, TimePoint now) {
  bool printable = std::none_of(token.name.begin(), token.name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (TrimAscii(token.name).empty() || token.name.size() > kMaxTokenNameBytes || !printable) {
    throw Error(Code::kInvalidArgument,
                "Invalid token name: 1 to 128 bytes without control characters");
  }
  if (token.role != TokenRole::kFineGrained && !token.scopes.empty()) {
    throw Error(Code::kInvalidArgument, "Only fine-grained tokens have scopes");
  }
  if (token.scopes.size() > kMaxScopes) {
    throw Error(Code::kInvalidArgument, "A token has at most 200 scopes");
  }
  for (const TokenScope& scope : token.scopes) CheckScope(scope);
  if (token.expires_at && *token.expires_at <= now) {
    throw Error(Code::kInvalidArgument, "The token's expiry must be in the future");
  }
}

bool IsTokenText(std::string_view text) {
  return text.size() >= kMinImportedLength && text.size() <= kMaxTokenLength &&
         text.starts_with(kTokenPrefix) && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

}  // namespace

TokenInfo Accounts::Impl::InsertToken(int64_t user_id, const NewToken& token,
                                      std::string_view text) {
  auto entry = std::make_shared<TokenEntry>();
  entry->hash = Sha256Of(text);
  TokenInfo& info = entry->info;
  info.oid = NewObjectId();
  info.user_id = user_id;
  info.name = token.name;
  info.role = token.role;
  info.scopes = token.scopes;
  info.can_read_gated = token.can_read_gated;
  info.hint = std::string(kTokenPrefix) + "..." + std::string(text.substr(text.size() - 4));
  info.created_at = clock.Now();
  info.expires_at = token.expires_at;
  std::optional<int64_t> expires;
  if (info.expires_at) expires = ToUnixMillis(*info.expires_at);
  std::lock_guard lock(write_mutex);
  Change(
      [&](storage::Connection& connection) {
        auto count =
            connection.QueryInt("SELECT COUNT(*) FROM tokens WHERE user_id = ?", {user_id});
        if (count.value_or(0) >= static_cast<int64_t>(kMaxTokensPerUser)) {
          throw Error(Code::kConflict, "A user has at most 1000 tokens; revoke some first");
        }
        connection.Exec(
            "INSERT INTO tokens (oid, user_id, name, role, scopes, can_read_gated, hash, hint, "
            "created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {info.oid, user_id, info.name, TokenRoleName(info.role), WriteScopes(info.scopes),
             info.can_read_gated, storage::BlobValue{std::string(entry->hash.raw())}, info.hint,
             ToUnixMillis(info.created_at), expires});
        info.id = connection.LastInsertId();
      },
      [&](AccountsState& state) { state.AddToken(entry); });
  return info;
}

void Accounts::Impl::CheckToken(int64_t user_id, const NewToken& token) const {
  RequireUser(user_id);
  CheckNewToken(token, clock.Now());
  std::shared_lock lock(mutex);
  for (const TokenScope& scope : token.scopes) {
    bool org = scope.entity_type == "org";
    if (!org && scope.entity_type != "user") continue;
    const AccountEntry* named = state.FindByName(scope.entity_name);
    if (named == nullptr || named->account->is_org != org) {
      throw Error(Code::kInvalidArgument, "Invalid token scope: there is no " + scope.entity_type +
                                              " '" + scope.entity_name + "'");
    }
  }
}

std::pair<TokenInfo, std::string> Accounts::CreateToken(int64_t user_id, const NewToken& token) {
  impl_->CheckToken(user_id, token);
  std::string text = std::string(kTokenPrefix) + RandomAlphanumeric(kTokenRandomLength);
  return {impl_->InsertToken(user_id, token, text), text};
}

TokenInfo Accounts::ImportToken(int64_t user_id, const NewToken& token, std::string_view text) {
  impl_->CheckToken(user_id, token);
  if (!IsTokenText(text)) {
    throw Error(Code::kInvalidArgument,
                "A token must start with hf_ and have 16 to 256 letters, digits, '_' or '-'");
  }
  {
    std::shared_lock lock(impl_->mutex);
    auto found = impl_->state.tokens.find(Sha256Of(text));
    if (found != impl_->state.tokens.end()) {
      if (found->second->info.user_id == user_id) return found->second->Current();
      throw Error(Code::kConflict, "This token belongs to another user");
    }
  }
  return impl_->InsertToken(user_id, token, text);
}

std::vector<TokenInfo> Accounts::ListTokens(int64_t user_id) const {
  std::vector<TokenInfo> list;
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(user_id);
  if (entry == nullptr) return list;
  for (const auto& token : entry->tokens) list.push_back(token->Current());
  return list;
}

void Accounts::RevokeToken(int64_t user_id, std::string_view token_oid) {
  std::lock_guard lock(impl_->write_mutex);
  Sha256 hash;
  bool found = false;
  {
    std::shared_lock read(impl_->mutex);
    const AccountEntry* entry = impl_->state.Find(user_id);
    if (entry != nullptr) {
      for (const auto& token : entry->tokens) {
        if (token->info.oid != token_oid) continue;
        hash = token->hash;
        found = true;
      }
    }
  }
  if (!found) throw Error(Code::kNotFound, "This token does not exist");
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("DELETE FROM tokens WHERE user_id = ? AND oid = ?", {user_id, token_oid});
      },
      [&](AccountsState& state) { state.RemoveToken(hash); });
}

Actor Accounts::AuthenticateToken(std::string_view token_text) {
  if (token_text.empty() || token_text.size() > kMaxTokenLength) ThrowInvalidCredentials();
  Sha256 hash = Sha256Of(token_text);
  std::shared_ptr<const Actor> actor = impl_->UseToken(hash);
  if (!actor && ReloadIfChanged()) actor = impl_->UseToken(hash);
  if (!actor) ThrowInvalidCredentials();
  return *actor;
}

std::shared_ptr<const Actor> Accounts::Impl::UseToken(const Sha256& hash) {
  TimePoint now = clock.Now();
  std::shared_lock lock(mutex);
  auto found = state.tokens.find(hash);
  if (found == state.tokens.end()) return nullptr;
  TokenEntry& entry = *found->second;
  if (!entry.actor || (entry.info.expires_at && *entry.info.expires_at <= now)) return nullptr;
  int64_t now_ms = ToUnixMillis(now);
  if (now_ms - entry.last_used_ms.load(std::memory_order_relaxed) >= kLastUsedStepMs) {
    entry.last_used_ms.store(now_ms, std::memory_order_relaxed);
  }
  return entry.actor;
}

std::optional<TokenInfo> Accounts::TokenOf(const Actor& actor) const {
  if (actor.via != Actor::Via::kToken) return std::nullopt;
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(actor.user_id);
  if (entry == nullptr) return std::nullopt;
  for (const auto& token : entry->tokens) {
    if (token->info.id == actor.token_id) return token->Current();
  }
  return std::nullopt;
}

void Accounts::FlushLastUsed() {
  std::vector<std::shared_ptr<TokenEntry>> used;
  {
    std::shared_lock lock(impl_->mutex);
    for (const auto& [hash, entry] : impl_->state.tokens) {
      if (entry->last_used_ms.load() > entry->flushed_ms.load()) used.push_back(entry);
    }
  }
  if (used.empty()) return;
  std::vector<int64_t> times;
  for (const auto& entry : used) times.push_back(entry->last_used_ms.load());
  impl_->db.Write([&](storage::Connection& connection) {
    for (size_t i = 0; i < used.size(); ++i) {
      connection.Exec("UPDATE tokens SET last_used_at = ? WHERE id = ?",
                      {times[i], used[i]->info.id});
    }
  });
  for (size_t i = 0; i < used.size(); ++i) used[i]->flushed_ms = times[i];
}

}  // namespace hearth::hub
