// A repository as JSON: the info object, list rows and `expand` fields (sections 2.1-2.4 of the
// wire reference). Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"

namespace hearth::server {

// What the caller asked for.
struct RepoJsonOptions {
  std::vector<std::string> expand;  // checked names; empty = the default fields
  bool in_list = false;
  bool full = false;       // lists only
  bool card_data = false;  // lists only
  bool config = false;     // lists only
  bool blobs = false;
  bool security_status = false;
  // The caller may read the files, so may be told what scans found in them.
  bool security_readable = false;
};

// Throws kInvalidArgument for a name that this type does not have; drops repeated names, each of
// which would be computed again.
void CheckExpand(hub::RepoType type, std::vector<std::string>* expand);
// True when the answer shows more than the repository, or not the same to everybody, so that it
// must not be kept.
bool DependsOnOthers(const RepoJsonOptions& options);

// `commit` = what the facts are about; nullopt = the head of main. The caller has checked access.
Json RepoJson(hub::Hub& hub, const hub::RepoHandle& repo, std::optional<GitOid> commit,
              const RepoJsonOptions& options);

// false | "auto" | "manual"
Json GatedJson(hub::Gated gated);

}  // namespace hearth::server
