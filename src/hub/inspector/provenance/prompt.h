// The chat template and the tokenizer of a repository, as far as they are compared. Pure apart from
// reads of the view.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/weight_sets.h"

namespace hearth::inspector {

struct Prompt {
  std::string text;
  std::string file, place;
};
// chat_template.jinja, tokenizer_config.json, or the header of the GGUF file that `headers` (may be
// null) is of. The template named "default" of several.
std::optional<Prompt> FindPrompt(const RepoView& view, const WeightHeaders* headers,
                                 const std::string& weights_file);

struct TokenizerFacts {
  std::string file;
  std::string model;  // "BPE"
  uint64_t vocabulary = 0;
  uint64_t merges = 0;
  std::map<std::string, uint64_t> added;       // text -> id
  std::map<std::string, std::string> special;  // "eos_token" -> text
  std::string rest;  // the other parts of tokenizer.json, which must be equal as they are
};
// nullopt without a tokenizer.json that can be read.
std::optional<TokenizerFacts> ReadTokenizer(const RepoView& view);
// An object with a member for each thing that differs; empty = the same.
Json DiffTokenizers(const TokenizerFacts& before, const TokenizerFacts& after);

}  // namespace hearth::inspector
