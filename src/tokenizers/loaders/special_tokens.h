// What tokenizer_config.json says about tokens, for files that carry a bare vocabulary.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/loaders/parts.h"

namespace hearth::tokenizers {

// "unk_token" and the like: a text, or an object with "content". `fallback` when absent or null.
std::string ConfiguredToken(const Json& config, std::string_view key, std::string_view fallback);

// "tokenizer_class" without "Fast" at its end; empty when absent.
std::string ConfiguredClass(const Json& config);

// The tokens of "added_tokens_decoder", by id. Throws Error{kInvalidArgument} for a malformed one.
std::vector<parts::AddedToken> ConfiguredAddedTokens(const Json& config);

// Adds to `tokens` those of `more` with new ids, to `vocab` those with new texts, and sorts
// `tokens` by id. A token keeps its id in the reference only if the model's vocabulary holds it.
void MergeAddedTokens(const std::vector<parts::AddedToken>& more,
                      std::vector<parts::AddedToken>* tokens, Json::Object* vocab);

// bos and eos around a text. A pair with bos alone or eos alone repeats it for the second text;
// with both it is the form of RoBERTa: bos A eos eos B eos. Null when neither is given.
Json BosEosTemplate(const std::optional<parts::SpecialToken>& bos,
                    const std::optional<parts::SpecialToken>& eos);

}  // namespace hearth::tokenizers
