// The two large members of a tokenizer.json, read without making values of them: a quarter of a
// million merges as JSON values take longer than everything else that loading does.
//
// Pure functions. What is not plain and well formed gives nullopt or false, never a wrong result:
// the caller then parses the file in the ordinary way, which tells what is the matter with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::tokenizers {

struct TokenizerJsonParts {
  std::string rest;         // the file with an empty vocab and empty merges
  std::string_view vocab;   // the object, braces included
  std::string_view merges;  // the array, brackets included
};

// nullopt: not an object with a model that has a vocab object and a merges array, each once.
std::optional<TokenizerJsonParts> CutTokenizerJson(std::string_view json);

// Each calls in file order; the views last for the call. False: not of the form "token": id, or not
// pairs of two strings (["a", "b"] or "a b").
bool ForEachToken(std::string_view vocab,
                  const std::function<void(std::string_view, uint64_t)>& visit);
bool ForEachMerge(std::string_view merges,
                  const std::function<void(std::string_view, std::string_view)>& visit);

}  // namespace hearth::tokenizers
