#include "hub/types.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxNamePart = 96;  // wire reference 0.1, "Repo id"

constexpr std::string_view kPlural[] = {"models", "datasets", "spaces"};
constexpr std::string_view kSingular[] = {"model", "dataset", "space"};
constexpr std::string_view kPrefix[] = {"", "datasets/", "spaces/"};
constexpr std::string_view kRoles[] = {"no_access", "read", "contributor", "write", "admin"};
constexpr std::string_view kTokenRoles[] = {"read", "write", "fineGrained"};

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

bool IsEdge(char c) { return c == '-' || c == '.'; }

}  // namespace

std::string_view PluralName(RepoType type) { return kPlural[static_cast<int>(type)]; }
std::string_view SingularName(RepoType type) { return kSingular[static_cast<int>(type)]; }
std::string_view PathPrefix(RepoType type) { return kPrefix[static_cast<int>(type)]; }

std::optional<RepoType> ParseRepoType(std::string_view text) {
  for (int i = 0; i < 3; ++i) {
    if (text == kPlural[i] || text == kSingular[i]) return static_cast<RepoType>(i);
  }
  return std::nullopt;
}

void CheckNamePart(std::string_view part, std::string_view what) {
  auto fail = [&](std::string_view rule) {
    throw Error(Code::kInvalidArgument, "Invalid " + std::string(what) + " '" +
                                            std::string(part.substr(0, 120)) +
                                            "': " + std::string(rule));
  };
  if (part.empty()) fail("it must not be empty");
  if (part.size() > kMaxNamePart) fail("at most 96 characters are allowed");
  for (char c : part) {
    if (!IsNameChar(c)) fail("only letters, digits, '-', '_' and '.' are allowed");
  }
  if (IsEdge(part.front()) || IsEdge(part.back())) fail("it must not start or end with '-' or '.'");
  if (part.find("--") != std::string_view::npos || part.find("..") != std::string_view::npos) {
    fail("'--' and '..' are not allowed");
  }
  if (AsciiLower(part).ends_with(".git")) fail("it must not end with '.git'");
}

RepoId ParseRepoId(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.find('/', slash + 1) != std::string_view::npos) {
    throw Error(Code::kInvalidArgument, "Invalid repository id '" +
                                            std::string(text.substr(0, 200)) +
                                            "': it must be 'namespace/name'");
  }
  RepoId id{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  CheckNamePart(id.owner, "namespace");
  CheckNamePart(id.name, "repository name");
  return id;
}

std::string RepoKey(std::string_view owner, std::string_view name) {
  std::string key;
  key.reserve(owner.size() + 1 + name.size());
  key.append(owner).append(1, '/').append(name);
  AsciiLowerInPlace(&key);
  return key;
}

std::string_view RoleName(OrgRole role) { return kRoles[static_cast<int>(role)]; }

std::optional<OrgRole> ParseRole(std::string_view text) {
  for (int i = 0; i < 5; ++i) {
    if (text == kRoles[i]) return static_cast<OrgRole>(i);
  }
  return std::nullopt;
}

std::string_view TokenRoleName(TokenRole role) { return kTokenRoles[static_cast<int>(role)]; }

}  // namespace hearth::hub
