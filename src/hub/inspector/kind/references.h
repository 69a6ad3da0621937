// The other repositories that one names: on its card, in its configuration, and in the code of a
// Space. Pure, thread-safe; never throws on content.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/inspector/finding.h"

namespace hearth::inspector {

enum class ReferenceState {
  kUnknown,     // nobody looked
  kHere,        // the caller may read it here
  kNotHere,     // it is not here, or not for the caller: the two look alike
  kNoRevision,  // it is here, the revision is not
};
std::string_view StateName(ReferenceState state);  // "unknown", "here", "not_here", "no_revision"

struct Reference {
  std::string role;                // "base_model", "dataset", "model", "space", "code"
  std::string type;                // "model", "dataset", "space"
  std::string id;                  // "ns/name", or a one-part alias
  std::string revision;            // "" = main
  Level level = Level::kDeclared;  // code that was read by its words is kInferred
  Evidence evidence;
  ReferenceState state = ReferenceState::kUnknown;
};

enum class CodeLanguage { kPython, kScript, kShell };  // kScript: JavaScript, TypeScript, HTML
// What a program loads by a call with the id in a string, directly or through a name that a string
// was given to before. At most 200; `file` goes into the evidence.
std::vector<Reference> ScanCode(std::string_view code, CodeLanguage language,
                                const std::string& file);

// "ns/name" as the hub allows it; one part only when `one_part`.
bool IsRepoId(std::string_view text, bool one_part);

}  // namespace hearth::inspector
