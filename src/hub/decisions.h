// Decision notes kept where their author keeps them: as a commit in a private data set, made when
// it is missing. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "base/hash.h"
#include "hub/actor.h"
#include "hub/commits.h"
#include "hub/repos.h"

namespace hearth::hub {

struct DecisionFiles {
  std::string name;  // "2026-01-31-owner-name": becomes notes/<name>.md and .json
  std::string title;
  std::string markdown, json;
};

struct SavedDecision {
  RepoPtr repo;
  GitOid commit;
  std::string path;  // of the Markdown file
};

// `into` "ns/name" of a data set; "" = "<user>/decisions". A note that is there already is never
// overwritten: the next one of the day gets "-2". Throws kConflict when the data set is public: a
// note may tell of private repositories; kForbidden and kNotFound as Repos says; kUnauthenticated
// for nobody.
SavedDecision SaveDecision(Repos& repos, Commits& commits, const Actor& actor,
                           const DecisionFiles& files, const std::string& into);

// "models/ada/m" and a date -> "2026-01-31-ada-m", of letters that every file system takes.
std::string DecisionName(std::string_view date, std::string_view id);

}  // namespace hearth::hub
