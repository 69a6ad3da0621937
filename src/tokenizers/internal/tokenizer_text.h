// The text of a tokenizer.json, read without making values of its large members: a quarter of a
// million merges as JSON values take longer than everything else that loading does.
//
// Pure. What is not plain and well formed gives nullopt, never a wrong result: the caller then
// parses the text in the ordinary way, which tells what is the matter with it.
#pragma once

#include <optional>
#include <string_view>

#include "codec/json.h"
#include "tokenizers/models/model_parts.h"

namespace hearth::tokenizers::internal {

struct TokenizerText {
  Json rest;  // the whole tokenizer.json with null for what is in `parts`
  ModelParts parts;
};

std::optional<TokenizerText> ReadTokenizerText(std::string_view json);

}  // namespace hearth::tokenizers::internal
