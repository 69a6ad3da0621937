#include "hub/accounts.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/internal/account_names.h"
#include "hub/internal/accounts_state.h"
#include "hub/internal/passwords.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxElsewhere = 5000;

constexpr size_t kMaxFullnameBytes = 200;
constexpr size_t kMaxEmailBytes = 254;  // RFC 5321

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void CheckEmail(std::string_view email) {
  if (email.empty()) return;
  size_t at = email.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == email.size() ||
      email.size() > kMaxEmailBytes || HasControl(email) ||
      email.find(' ') != std::string_view::npos) {
    throw Error(Code::kInvalidArgument, "Invalid e-mail address");
  }
}

void CheckFullname(std::string_view fullname) {
  if (fullname.size() > kMaxFullnameBytes || HasControl(fullname)) {
    throw Error(Code::kInvalidArgument,
                "Invalid full name: at most 200 bytes without control characters");
  }
}

size_t CountAdmins(const AccountEntry& org) {
  return static_cast<size_t>(std::count_if(org.members.begin(), org.members.end(),
                                           [](auto& m) { return m.second == OrgRole::kAdmin; }));
}

}  // namespace

Accounts::Accounts(storage::Database& db, Clock& clock) : impl_(std::make_unique<Impl>(db, clock)) {
  std::lock_guard lock(impl_->write_mutex);
  impl_->LoadAll();
}

Accounts::~Accounts() = default;

AccountPtr Accounts::Impl::CreateAccount(Account account, std::string_view password_hash,
                                         int64_t creator_id) {
  account.oid = NewObjectId();
  account.created_at = clock.Now();
  std::string lower = AsciiLower(account.name);
  Error taken(Code::kConflict, "The name '" + account.name + "' is already taken");
  std::lock_guard lock(write_mutex);
  Change(
      [&](storage::Connection& connection) {
        if (connection.QueryInt("SELECT id FROM accounts WHERE name_lower = ?", {lower})) {
          throw taken;
        }
        connection.Exec(
            "INSERT INTO accounts (oid, is_org, name, name_lower, fullname, email, password_hash, "
            "is_admin, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {account.oid, account.is_org, account.name, lower, account.fullname, account.email,
             password_hash, account.is_admin, ToUnixMillis(account.created_at)});
        account.id = connection.LastInsertId();
        if (creator_id != 0) {
          connection.Exec("INSERT INTO members (org_id, user_id, role) VALUES (?, ?, ?)",
                          {account.id, creator_id, RoleName(OrgRole::kAdmin)});
        }
      },
      [&](AccountsState& state) {
        state.AddAccount(account);
        if (creator_id == 0) return;
        state.accounts[account.id].members[creator_id] = OrgRole::kAdmin;
        state.accounts[creator_id].orgs[account.id] = OrgRole::kAdmin;
        state.RefreshActors(creator_id);
      });
  return std::make_shared<const Account>(std::move(account));
}

AccountPtr Accounts::CreateUser(std::string_view name, std::string_view password,
                                std::string_view email, bool site_admin) {
  CheckAccountName(name, site_admin ? NameFor::kSiteAdmin : NameFor::kAnybody);
  CheckEmail(email);
  std::string hash;
  if (!password.empty()) {
    CheckPassword(password);
    if (FindByName(name) == nullptr) hash = HashPassword(password);
  }
  Account account;
  account.name = name;
  account.fullname = name;
  account.email = email;
  account.is_admin = site_admin;
  return impl_->CreateAccount(std::move(account), hash, 0);
}

AccountPtr Accounts::CreateOrg(std::string_view name, std::string_view fullname,
                               int64_t creator_id) {
  CheckAccountName(name, NameFor::kAnybody);
  CheckFullname(fullname);
  if (creator_id != 0) impl_->RequireUser(creator_id);
  Account account;
  account.is_org = true;
  account.name = name;
  account.fullname = TrimAscii(fullname).empty() ? name : TrimAscii(fullname);
  return impl_->CreateAccount(std::move(account), "", creator_id);
}

AccountPtr Accounts::FindByName(std::string_view name) const {
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.FindByName(name);
  return entry == nullptr ? nullptr : entry->account;
}

AccountPtr Accounts::FindById(int64_t id) const {
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(id);
  return entry == nullptr ? nullptr : entry->account;
}

std::vector<AccountPtr> Accounts::List(bool orgs) const {
  std::vector<AccountPtr> found;
  std::shared_lock lock(impl_->mutex);
  for (const auto& [name, id] : impl_->state.in_order[orgs])
    found.push_back(impl_->state.Find(id)->account);
  return found;
}

size_t Accounts::Count(bool orgs) const {
  std::shared_lock lock(impl_->mutex);
  return impl_->state.in_order[orgs].size();
}

std::vector<AccountPtr> Accounts::FindByText(std::string_view text, bool orgs, size_t limit) const {
  std::string needle = AsciiLower(text);
  std::vector<AccountPtr> found;
  if (needle.empty()) return found;
  std::shared_lock lock(impl_->mutex);
  const AccountsState& state = impl_->state;
  const auto& names = state.in_order[orgs];
  for (auto at = names.lower_bound(needle);
       at != names.end() && at->first.starts_with(needle) && found.size() < limit; ++at) {
    AccountPtr account = state.Find(at->second)->account;
    if (!account->disabled) found.push_back(std::move(account));
  }
  if (found.size() == limit) return found;
  // Of a text that very many hold, any of them.
  std::vector<std::pair<std::string_view, AccountPtr>> elsewhere;
  state.names.Scan(needle, [&](uint32_t id) {
    const AccountPtr& account = state.Find(id)->account;
    std::string_view name = state.names.At(id);
    if (account->is_org == orgs && !account->disabled && !name.starts_with(needle))
      elsewhere.emplace_back(name, account);
    return elsewhere.size() < kMaxElsewhere;
  });
  auto wanted = static_cast<ptrdiff_t>(std::min(limit - found.size(), elsewhere.size()));
  std::partial_sort(elsewhere.begin(), elsewhere.begin() + wanted, elsewhere.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto at = elsewhere.begin(); at != elsewhere.begin() + wanted; ++at)
    found.push_back(at->second);
  return found;
}

void Accounts::SetDisabled(int64_t user_id, bool disabled) {
  impl_->RequireUser(user_id);
  std::lock_guard lock(impl_->write_mutex);
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("UPDATE accounts SET disabled = ? WHERE id = ?", {disabled, user_id});
        if (disabled) connection.Exec("DELETE FROM sessions WHERE user_id = ?", {user_id});
      },
      [&](AccountsState& state) {
        AccountEntry& entry = state.accounts[user_id];
        Account changed = *entry.account;
        changed.disabled = disabled;
        entry.account = std::make_shared<const Account>(std::move(changed));
        if (disabled) state.RemoveSessionsOf(user_id);
        state.RefreshActors(user_id);
      });
}

void Accounts::SetPassword(int64_t user_id, std::string_view password) {
  impl_->RequireUser(user_id);
  CheckPassword(password);
  std::string hash = HashPassword(password);
  std::lock_guard lock(impl_->write_mutex);
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("UPDATE accounts SET password_hash = ? WHERE id = ?", {hash, user_id});
        connection.Exec("DELETE FROM sessions WHERE user_id = ?", {user_id});
      },
      [&](AccountsState& state) { state.RemoveSessionsOf(user_id); });
}

void Accounts::SetSiteAdmin(int64_t user_id, bool is_admin) {
  impl_->RequireUser(user_id);
  std::lock_guard lock(impl_->write_mutex);
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("UPDATE accounts SET is_admin = ? WHERE id = ?", {is_admin, user_id});
      },
      [&](AccountsState& state) {
        AccountEntry& entry = state.accounts[user_id];
        Account changed = *entry.account;
        changed.is_admin = is_admin;
        entry.account = std::make_shared<const Account>(std::move(changed));
        state.RefreshActors(user_id);
      });
}

void Accounts::SetProfile(int64_t account_id, std::string_view fullname, std::string_view email) {
  fullname = TrimAscii(fullname);
  email = TrimAscii(email);
  CheckFullname(fullname);
  CheckEmail(email);
  AccountPtr account = FindById(account_id);
  if (account == nullptr) throw Error(Code::kNotFound, "This account does not exist");
  std::string shown = fullname.empty() ? account->name : std::string(fullname);
  std::lock_guard lock(impl_->write_mutex);
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("UPDATE accounts SET fullname = ?, email = ? WHERE id = ?",
                        {shown, email, account_id});
      },
      [&](AccountsState& state) {
        AccountEntry& entry = state.accounts[account_id];
        Account changed = *entry.account;
        changed.fullname = shown;
        changed.email = email;
        entry.account = std::make_shared<const Account>(std::move(changed));
      });
}

void Accounts::SetMember(int64_t org_id, int64_t user_id, std::optional<OrgRole> role) {
  impl_->RequireUser(user_id);
  std::lock_guard lock(impl_->write_mutex);
  {
    std::shared_lock read(impl_->mutex);
    const AccountEntry* org = impl_->state.Find(org_id);
    if (org == nullptr || !org->account->is_org) {
      throw Error(Code::kNotFound, "This organization does not exist");
    }
    auto member = org->members.find(user_id);
    bool is_admin = member != org->members.end() && member->second == OrgRole::kAdmin;
    if (is_admin && role != OrgRole::kAdmin && CountAdmins(*org) == 1) {
      throw Error(Code::kConflict, "An organization must keep at least one admin");
    }
  }
  impl_->Change(
      [&](storage::Connection& connection) {
        connection.Exec("DELETE FROM members WHERE org_id = ? AND user_id = ?", {org_id, user_id});
        if (!role) return;
        connection.Exec("INSERT INTO members (org_id, user_id, role) VALUES (?, ?, ?)",
                        {org_id, user_id, RoleName(*role)});
      },
      [&](AccountsState& state) {
        if (role) {
          state.accounts[org_id].members[user_id] = *role;
          state.accounts[user_id].orgs[org_id] = *role;
        } else {
          state.accounts[org_id].members.erase(user_id);
          state.accounts[user_id].orgs.erase(org_id);
        }
        state.RefreshActors(user_id);
      });
}

std::vector<Membership> Accounts::OrgsOf(int64_t user_id) const {
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(user_id);
  return entry == nullptr ? std::vector<Membership>{} : impl_->state.Resolve(entry->orgs);
}

std::vector<Membership> Accounts::MembersOf(int64_t org_id) const {
  std::shared_lock lock(impl_->mutex);
  const AccountEntry* entry = impl_->state.Find(org_id);
  return entry == nullptr ? std::vector<Membership>{} : impl_->state.Resolve(entry->members);
}

void Accounts::Reload() {
  std::lock_guard lock(impl_->write_mutex);
  int64_t version = impl_->db.ReadValue(
      [](storage::Connection& connection) { return ReadAccountsVersion(connection); });
  if (version != impl_->known_version) impl_->LoadAll();
}

bool Accounts::ReloadIfChanged() {
  int64_t now = impl_->db.ChangeCounter();
  if (now == impl_->seen_changes) return false;
  Reload();
  impl_->seen_changes = now;
  return true;
}

}  // namespace hearth::hub
