// The three readings of one repository together: kinds, reading order, card score. What `hearth
// inspect` prints and the hub keeps. Pure apart from reads. Errors: those of the view.
#pragma once

#include <optional>
#include <string>

#include "codec/json.h"
#include "hub/inspector/card/card_score.h"
#include "hub/inspector/kind/classify.h"
#include "hub/inspector/reading_order.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

// Grows with every change of a rule that may change a result: kept results of another one are
// stale.
inline constexpr int kRepoRules = 3;

struct RepoReading {
  Classification kinds;
  ReadingOrder order;
  CardScore score;
};

RepoReading ReadRepo(const RepoView& repo, const Vocabulary& words,
                     const KnownRelations& known = {});

// README.md, "" when it is too large or its large object is missing; nullopt when there is none.
std::optional<std::string> ReadCardFile(const RepoView& repo);

// Of these kinds a repository was made of another one, and its card has more to say.
bool IsDerivative(const Classification& kinds);

}  // namespace hearth::inspector
