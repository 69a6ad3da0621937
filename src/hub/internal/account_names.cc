#include "hub/internal/account_names.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/types.h"

namespace hearth::hub {
namespace {

// Paths that exist, paths of later parts, and words that would mislead as a name.
constexpr std::string_view kReserved[] = {
    "about",
    "account",
    "accounts",
    "admin",
    "anonymous",
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
    "contact",
    "dataset",
    "datasets",
    "discussions",
    "docs",
    "downloads",
    "enterprise",
    "explore",
    "favicon",
    "favicon.ico",
    "files",
    "front",
    "healthz",
    "help",
    "home",
    "hub",
    "inference",
    "join",
    "jobs",
    "kernels",
    "learn",
    "licence",
    "license",
    "login",
    "logout",
    "me",
    "metrics",
    "model",
    "models",
    "new",
    "new-dataset",
    "new-space",
    "none",
    "notifications",
    "null",
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
    "root",
    "scheduled-jobs",
    "search",
    "security",
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
    "support",
    "system",
    "tags",
    "tasks",
    "telemetry",
    "terms-of-service",
    "tokens",
    "tree",
    "trending",
    "undefined",
    "uploads",
    "user",
    "users",
    "v1",
    "v2",
    "webhooks",
    "www",
    "xet",
};

}  // namespace

bool IsReservedAccountName(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), AsciiLower(name)) !=
         std::end(kReserved);
}

void CheckAccountName(std::string_view name) {
  CheckNamePart(name, "account name");
  if (IsReservedAccountName(name)) {
    throw Error(Code::kConflict, "The name '" + std::string(name) + "' is reserved");
  }
}

}  // namespace hearth::hub
