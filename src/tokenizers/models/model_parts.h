// The large members of a "model" object, read before the rest of it: straight from the text of a
// tokenizer.json, or from a compiled one. A model takes what is there and reads the others from
// the JSON value.
#pragma once

#include <memory>
#include <optional>

#include "codec/json.h"
#include "tokenizers/model.h"
#include "tokenizers/models/bpe_merges.h"
#include "tokenizers/models/scored_pieces.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

struct ModelParts {
  std::optional<Vocab> vocab;          // "vocab", an object
  std::optional<ScoredPieces> pieces;  // "vocab", a list
  std::optional<BpeMerges> merges;     // "merges", of that vocabulary
};

// A member that the loaders of binary files give a Unigram model: its scores were never text
// (scored_pieces.h). Files have none, and none is written.
inline constexpr const char* kBinaryScores = "binary_scores";

// As ParseModel(json), which may lack the members that `parts` has. An object without "type" must
// have all of them.
std::unique_ptr<Model> ParseModel(const Json& json, ModelParts parts);

}  // namespace hearth::tokenizers
