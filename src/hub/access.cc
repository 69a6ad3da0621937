#include "hub/access.h"

#include <algorithm>

#include "base/bytes.h"

namespace hearth::hub {
namespace {

// What the rules ask about a repository or a bucket.
struct Subject {
  int64_t owner_id = 0;
  int64_t creator_id = 0;
  bool is_private = false;
  bool gated = false;
  const RepoRecord* repo = nullptr;  // what a token's scope may name; nullptr for a bucket
};

Subject SubjectOf(const RepoRecord& repo) {
  return {repo.owner_id, repo.creator_id, repo.is_private, repo.gated != Gated::kOff, &repo};
}

// What the person may do, whatever credential was used.
std::optional<Right> RightOfPerson(const Actor& actor, const Subject& subject, bool gate_granted) {
  if (actor.via == Actor::Via::kSystem || actor.site_admin) return Right::kAdmin;
  if (actor.signed_in() && actor.user_id == subject.owner_id) return Right::kAdmin;
  OrgRole role = OrgRole::kNoAccess;
  for (const auto& [org, org_role] : actor.org_roles) {
    if (org == subject.owner_id) role = org_role;
  }
  if (role == OrgRole::kAdmin) return Right::kAdmin;
  if (role == OrgRole::kWrite) return Right::kWrite;
  // A contributor creates repositories and rules those; on the others of the organisation they only
  // read.
  if (role == OrgRole::kContributor && subject.creator_id == actor.user_id) return Right::kAdmin;
  if (role == OrgRole::kRead || role == OrgRole::kContributor) return Right::kReadContent;
  if (subject.is_private) return std::nullopt;
  if (subject.gated && !gate_granted) return Right::kReadInfo;
  return Right::kReadContent;
}

bool ScopeCoversAccount(const TokenScope& scope, int64_t account_id) {
  if (scope.entity_type.empty()) return true;
  return (scope.entity_type == "user" || scope.entity_type == "org") &&
         scope.account_id == account_id;
}

bool ScopeCovers(const TokenScope& scope, const Subject& subject) {
  if (ScopeCoversAccount(scope, subject.owner_id)) return true;
  return subject.repo != nullptr && scope.entity_type == SingularName(subject.repo->type) &&
         AsciiEqualsIgnoreCase(scope.entity_name, subject.repo->FullName());
}

bool HasPermission(const TokenScope& scope, std::string_view permission) {
  return std::find(scope.permissions.begin(), scope.permissions.end(), permission) !=
         scope.permissions.end();
}

// What a fine-grained token lets through: nullopt = nothing beyond what is public.
std::optional<Right> ScopeLimit(const Actor& actor, const Subject& subject) {
  std::optional<Right> limit;
  for (const TokenScope& scope : actor.scopes) {
    if (!ScopeCovers(scope, subject)) continue;
    if (HasPermission(scope, "repo.write")) return Right::kAdmin;
    if (HasPermission(scope, "repo.content.read")) limit = Right::kReadContent;
  }
  return limit;
}

std::optional<Right> RightOnSubject(const Actor& actor, const Subject& subject, bool gate_granted) {
  std::optional<Right> right = RightOfPerson(actor, subject, gate_granted);
  if (!right || actor.via != Actor::Via::kToken) return right;
  if (actor.token_role == TokenRole::kWrite) return right;
  if (actor.token_role == TokenRole::kRead) return std::min(*right, Right::kReadContent);
  // Fine-grained: the listed scopes, and what everybody may see.
  std::optional<Right> open = RightOfPerson(Actor{}, subject, false);
  if (gate_granted && actor.can_read_gated && open) open = Right::kReadContent;
  std::optional<Right> limit = ScopeLimit(actor, subject);
  if (!limit) return open;
  Right scoped = std::min(*right, *limit);
  return open ? std::max(scoped, *open) : scoped;
}

}  // namespace

Actor Actor::System() {
  Actor actor;
  actor.via = Via::kSystem;
  actor.token_role = TokenRole::kWrite;
  return actor;
}

std::optional<Right> RightOn(const Actor& actor, const RepoRecord& repo, bool gate_granted) {
  return RightOnSubject(actor, SubjectOf(repo), gate_granted);
}

std::optional<Right> RightOn(const Actor& actor, const BucketRecord& bucket) {
  Subject subject{bucket.owner_id, bucket.creator_id, bucket.is_private};
  return RightOnSubject(actor, subject, false);
}

bool TokenMayWrite(const Actor& actor) {
  if (actor.via == Actor::Via::kSystem || actor.via == Actor::Via::kSession) return true;
  if (actor.via == Actor::Via::kAnonymous) return false;
  if (actor.token_role == TokenRole::kWrite) return true;
  if (actor.token_role == TokenRole::kRead) return false;
  return std::any_of(actor.scopes.begin(), actor.scopes.end(),
                     [](const TokenScope& scope) { return HasPermission(scope, "repo.write"); });
}

bool MayCreateIn(const Actor& actor, int64_t owner_id) {
  if (actor.via == Actor::Via::kSystem) return true;
  if (!actor.signed_in() || !TokenMayWrite(actor)) return false;
  bool member = actor.user_id == owner_id || actor.site_admin;
  for (const auto& [org, role] : actor.org_roles) {
    if (org == owner_id && role >= OrgRole::kContributor) member = true;
  }
  if (!member || actor.via != Actor::Via::kToken || actor.token_role != TokenRole::kFineGrained) {
    return member;
  }
  // A scope on one repository must not become the right to make others.
  return std::any_of(actor.scopes.begin(), actor.scopes.end(), [&](const TokenScope& scope) {
    return ScopeCoversAccount(scope, owner_id) && HasPermission(scope, "repo.write");
  });
}

}  // namespace hearth::hub
