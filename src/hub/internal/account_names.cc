#include "hub/internal/account_names.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/types.h"

namespace hearth::hub {
namespace {

// First segments of paths that exist or that later parts will have. Sorted.
constexpr std::string_view kPaths[] = {"about",
                                       "account",
                                       "accounts",
                                       "administration",
                                       "api",
                                       "assets",
                                       "auth",
                                       "avatars",
                                       "billing",
                                       "blog",
                                       "branches",
                                       "buckets",
                                       "cached-assets",
                                       "chat",
                                       "collections",
                                       "commit",
                                       "commits",
                                       "compare",
                                       "dataset",
                                       "datasets",
                                       "discussions",
                                       "docs",
                                       "downloads",
                                       "explore",
                                       "favicon",
                                       "favicon.ico",
                                       "files",
                                       "front",
                                       "healthz",
                                       "hf-inference",
                                       "home",
                                       "inference",
                                       "jobs",
                                       "join",
                                       "kernels",
                                       "learn",
                                       "licence",
                                       "license",
                                       "login",
                                       "logout",
                                       "metrics",
                                       "model",
                                       "models",
                                       "new",
                                       "new-dataset",
                                       "new-space",
                                       "notifications",
                                       "oauth",
                                       "organization",
                                       "organizations",
                                       "papers",
                                       "ping",
                                       "pipeline",
                                       "posts",
                                       "pricing",
                                       "privacy",
                                       "raw",
                                       "readyz",
                                       "register",
                                       "resolve",
                                       "robots.txt",
                                       "scheduled-jobs",
                                       "search",
                                       "settings",
                                       "sign-in",
                                       "sign-up",
                                       "signin",
                                       "signup",
                                       "sitemap.xml",
                                       "space",
                                       "spaces",
                                       "static",
                                       "status",
                                       "storage",
                                       "tags",
                                       "tasks",
                                       "telemetry",
                                       "terms-of-service",
                                       "tokens",
                                       "tree",
                                       "trending",
                                       "uploads",
                                       "users",
                                       "v1",
                                       "v2",
                                       "webhooks",
                                       "xet"};

// Words that would mislead people as the name of just anybody. Sorted.
constexpr std::string_view kAuthority[] = {
    "admin", "anonymous", "contact",  "enterprise", "help",   "hub",       "me",   "none",
    "null",  "root",      "security", "support",    "system", "undefined", "user", "www"};

static_assert(std::is_sorted(std::begin(kPaths), std::end(kPaths)));
static_assert(std::is_sorted(std::begin(kAuthority), std::end(kAuthority)));

template <size_t N>
bool Contains(const std::string_view (&sorted)[N], std::string_view name) {
  return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

}  // namespace

bool IsReservedAccountName(std::string_view name, NameFor whom) {
  std::string lower = AsciiLower(name);
  return Contains(kPaths, lower) || (whom == NameFor::kAnybody && Contains(kAuthority, lower));
}

void CheckAccountName(std::string_view name, NameFor whom) {
  CheckNamePart(name, "account name");
  if (IsReservedAccountName(name, whom)) {
    throw Error(Code::kConflict, "The name '" + std::string(name) + "' is reserved");
  }
}

}  // namespace hearth::hub
