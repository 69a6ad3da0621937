// What one caller can see of the repositories that another one names.
#include <algorithm>
#include <set>

#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxLookups = 60;  // repositories that are opened for one answer

// Every file of weights is, byte for byte, one of the other repository. Large objects carry the
// digest of their content, so nothing is read.
bool IsCopyOf(const Classification& result, const RepoView& other) {
  if (result.weight_digests.empty()) return false;
  std::set<std::string> digests;
  for (const RepoFile& file : other.files()) {
    if (file.sha256) digests.insert(file.sha256->Hex());
  }
  return std::all_of(result.weight_digests.begin(), result.weight_digests.end(),
                     [&](const std::string& digest) { return digests.contains(digest); });
}

void TakeCopy(const RepoView& other, Classification* result) {
  // A copy is not tuned, and not a model of its own.
  std::erase_if(result->kinds, [](const KindFinding& kind) {
    return (kind.kind == "finetune" && kind.level == Level::kInferred) || kind.kind == "base";
  });
  Evidence evidence = At("", "", "every file of weights has the SHA-256 of one there");
  evidence.repo = other.id() + "@" + other.commit();
  result->Add("copy", Level::kProved, evidence).facts.Set("of", other.id());
  std::stable_sort(result->kinds.begin(), result->kinds.end(),
                   [](const KindFinding& a, const KindFinding& b) { return a.level < b.level; });
}

void WarnOf(const Reference& reference, bool space, Classification* result) {
  bool no_revision = reference.state == ReferenceState::kNoRevision;
  if (!no_revision && reference.state != ReferenceState::kNotHere) return;
  // Bases and data of a model often live on another hub; what an app loads must be here, and so
  // must a revision of what is here.
  bool needed = space || reference.role == "code" || no_revision;
  if (!needed) return;
  std::string name = "the " + reference.type + " " + reference.id;
  std::string message = space ? "The Space names " + name : "It names " + name;
  message += no_revision ? " at the revision " + reference.revision + ", which does not exist."
                         : ", which is not here.";
  result->Warn(no_revision ? "reference_revision" : "reference_missing", reference.level, message)
      .evidence = {reference.evidence};
}

}  // namespace

void Resolve(std::string_view id, const Neighbours& neighbours, Classification* result) {
  bool space = result->type == "space";
  size_t lookups = 0;
  for (Reference& reference : result->references) {
    if (++lookups > kMaxLookups) break;
    std::unique_ptr<RepoView> other =
        neighbours.Find(reference.type, reference.id, reference.revision);
    if (other == nullptr && !reference.revision.empty() &&
        neighbours.Find(reference.type, reference.id, "") != nullptr) {
      reference.state = ReferenceState::kNoRevision;
    } else {
      reference.state = other != nullptr ? ReferenceState::kHere : ReferenceState::kNotHere;
    }
    WarnOf(reference, space, result);
    bool parent = reference.role == "base_model" && other != nullptr;
    if (parent && other->id() != id && IsCopyOf(*result, *other)) TakeCopy(*other, result);
  }
}

}  // namespace hearth::inspector
