// May something derived from `parent` stand under `child`? Rules over the rows of licences.inc,
// each with a name, a sentence and the place in the parent's text. A reading aid, not legal advice.
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/licences/licence.h"

namespace hearth::inspector {

// How the child came from the parent.
enum class Relation { kCopy, kConverted, kQuantized, kFinetune, kAdapter, kMerge, kDataset };
std::string_view RelationName(Relation relation);  // "copy", "finetune", ...

enum class Compatibility {
  kOk,        // nothing to do
  kDuty,      // possible, with duties
  kWarning,   // unsettled: read it
  kUnknown,   // one of the two is not known well enough
  kConflict,  // the parent's licence does not allow it
};
std::string_view CompatibilityName(Compatibility verdict);  // "ok", "duty", "warning", ...

struct CompatVerdict {
  Compatibility verdict = Compatibility::kUnknown;
  std::string rule;                 // stable word: "nc-parent", "share-alike", ...
  std::string text;                 // one sentence for people
  std::string place;                // where the parent's text says so; may be ""
  std::vector<std::string> duties;  // each one sentence
};
Json ToJson(const CompatVerdict& verdict);

CompatVerdict Compat(const Licence& child, const Licence& parent, Relation relation);
// By ids; one that has no row counts as unknown.
CompatVerdict Compat(std::string_view child, std::string_view parent, Relation relation);

// Whether any known licence could stand over something made of both.
CompatVerdict CompatOfParents(const Licence& a, const Licence& b);

// What may be done, and what must, when both hold at once: rights of both, duties of either, the
// more binding class. An unknown one makes the whole unknown.
struct Effective {
  LicenceClass cls = LicenceClass::kPublicDomain;
  LicenceFlags flags = kAllMay;
  std::vector<std::string> ids;  // of the licences that hold, each once
  bool complete = true;          // no member was unknown
};
void Meet(const Licence& licence, Effective* effective);

}  // namespace hearth::inspector
