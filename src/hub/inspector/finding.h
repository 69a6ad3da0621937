// What the inspector says: a value, how well it is known, and where that stands. Nothing is
// guessed: what a repository does not say is a finding of level kMissing. Value types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace hearth::inspector {

enum class Level {
  kProved,    // the bytes show it: tensors, hashes, headers, files that must be there
  kDeclared,  // the author says so: front matter, config fields, names
  kInferred,  // follows from several signs, none of which settles it
  kMissing,   // nobody says so
};
std::string_view LevelName(Level level);  // "proved", "declared", "inferred", "missing"

// One place that a reader can open to see for themselves.
struct Evidence {
  std::string file;  // path in the repository; "" = the repository as a whole
  std::string
      place;  // "line 12", "/quantization_config/quant_method", "tensor a.b.weight"; may be ""
  std::string rule;  // which rule made it evidence: one short sentence for people
  std::string repo;  // another repository ("ns/name@commit"); "" = the inspected one
};

struct Finding {
  Json value;  // null when missing
  Level level = Level::kMissing;
  std::vector<Evidence> evidence;
};

// {"value", "level", "evidence": [{"file", "place"?, "rule", "repo"?}]}
Json ToJson(const Finding& finding);
Json ToJson(const Evidence& evidence);

}  // namespace hearth::inspector
