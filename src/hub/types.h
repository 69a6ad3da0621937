// The nouns of the hub. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::hub {

enum class RepoType { kModel, kDataset, kSpace };

// "models", "datasets", "spaces" (API paths), "model", ... (JSON), "" / "datasets/" / "spaces/"
// (page and git paths).
std::string_view PluralName(RepoType type);
std::string_view SingularName(RepoType type);
std::string_view PathPrefix(RepoType type);
// Accepts singular and plural; nullopt otherwise.
std::optional<RepoType> ParseRepoType(std::string_view text);

// namespace/name as a client wrote it; compare without case through RepoKey().
struct RepoId {
  std::string owner;
  std::string name;
  std::string Full() const { return owner + "/" + name; }
};
// "ns/name"; throws kInvalidArgument with the rule that is broken (0.1 "Repo id" of the wire
// reference).
RepoId ParseRepoId(std::string_view text);
// Checks one part; `what` names it in the error. Reserved owner names (api, datasets, ...) are
// refused for accounts elsewhere.
void CheckNamePart(std::string_view part, std::string_view what);
// Lower-cased "ns/name": the lookup key.
std::string RepoKey(std::string_view owner, std::string_view name);

// What a caller may do with a repository, each includes the ones above it.
enum class Right {
  kReadInfo,     // see that it exists, its info, tree and refs
  kReadContent,  // fetch files (gated repositories: granted users only)
  kWrite,        // commit, branch, tag, settings that only touch content
  kAdmin,        // delete, move, visibility, access
};

// Role of a member in an organisation, weakest first. Wire spelling in RoleName.
enum class OrgRole { kNoAccess, kRead, kContributor, kWrite, kAdmin };
std::string_view RoleName(OrgRole role);
std::optional<OrgRole> ParseRole(std::string_view text);

enum class TokenRole { kRead, kWrite, kFineGrained };
std::string_view TokenRoleName(TokenRole role);  // "read", "write", "fineGrained"

enum class Gated { kOff, kAuto, kManual };

}  // namespace hearth::hub
