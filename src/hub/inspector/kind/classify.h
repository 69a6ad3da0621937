// What a repository is: every kind that fits, each with how well that is known and where it stands,
// and the places where the repository contradicts itself.
//
// "proved" is said only when bytes that were read show it: tensors and their types, headers, files
// that must be there. What a tool or a person wrote down (a card, mergekit's record, a field of a
// configuration) is "declared"; what several signs suggest is "inferred". A name alone makes
// nothing: it is evidence beside others, or the cause of an alarm when the bytes say otherwise.
//
// Two steps, because the second depends on who asks: Classify reads one repository, and its result
// may be kept and shown to everybody who may read that; Resolve looks up what the repository names
// among the repositories that one caller may read. docs/inspector.md has the table of kinds.
//
// Pure apart from reads. Errors: those of the views, for a damaged repository.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/card/card_document.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/kind/references.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

struct KindFinding {
  std::string kind;  // "adapter", "quantized", ... (docs/inspector.md)
  Level level = Level::kInferred;
  Json facts = Json::Obj();  // {"method": "gptq", "bits": 4}
  std::vector<Evidence> evidence;
};

struct Alarm {
  std::string alarm;  // "weights_in_dataset", ...
  Level level = Level::kProved;
  std::string message;  // one sentence
  std::vector<Evidence> evidence;
};

struct Classification {
  std::string type;  // "model", "dataset", "space"; of a folder what it looks like; "" = unclear
  bool type_said = false;          // the hub keeps it under that type
  std::vector<KindFinding> kinds;  // proved ones first
  std::vector<Alarm> alarms;
  std::vector<Reference> references;
  std::vector<std::string> not_read;
  // SHA-256 of every file of weights, hexadecimal; empty when one has none that is known.
  std::vector<std::string> weight_digests;

  const KindFinding* Find(std::string_view kind) const;  // nullptr = it is not one
  bool Is(std::string_view kind) const { return Find(kind) != nullptr; }
  // Adds a kind, or evidence to one that is there; the better level counts.
  KindFinding& Add(std::string_view kind, Level level, Evidence evidence);
  Alarm& Warn(std::string_view alarm, Level level, std::string message);
};

// Kinds that other rules have proved by what this one does not read, such as hashes of tensors
// across repositories: they are taken over as they are.
struct KnownRelations {
  std::vector<KindFinding> kinds;  // "copy", "finetune", "merged", ...
};

Classification Classify(const RepoView& repo, const CardDocument& card,
                        const KnownRelations& known = {});

// Sets the state of each reference, and adds what follows: a copy whose files are those of the
// named repository, shapes that cannot come from the named base, models that are not there.
// `id` is that of the classified repository. Opens at most 60 repositories.
void Resolve(std::string_view id, const Neighbours& neighbours, Classification* result);

// {"type": finding, "kinds": [{"value", "level", "evidence", "facts"}], "alarms": [...],
//  "references": [...], "not_read": [...]}
Json ToJson(const Classification& result);
// To be kept, and the reverse. Throws kInvalidArgument for what KeptJson did not make.
Json KeptJson(const Classification& result);
Classification ClassificationFromJson(const Json& json);

}  // namespace hearth::inspector
