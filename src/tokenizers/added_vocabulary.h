// Tokens that were added on top of a model's vocabulary, and how they are found in a text.
//
// Each has flags that decide what it matches: only whole words (single_word), with the white space
// before and after it (lstrip, rstrip), in the text as it is or as the normalizer makes it
// (normalized). Special ones are left out of decoded text on request.
//
// Thread rule: const use from any thread; changing it is for one owner alone.
// Format: the "added_tokens" array of a tokenizer.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "codec/json.h"
#include "tokenizers/internal/string_hash.h"
#include "tokenizers/internal/token_searcher.h"
#include "tokenizers/pre_tokenized_string.h"

namespace hearth::tokenizers {

class Model;
class Normalizer;

struct AddedToken {
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = true;
  bool special = false;
  bool operator==(const AddedToken&) const = default;

  // Special tokens are matched in the text as it is.
  static AddedToken Special(std::string content) {
    return {.content = std::move(content), .normalized = false, .special = true};
  }
};

class AddedVocabulary {
 public:
  // Adds tokens that are not there yet with the same flags; those of the model keep their id,
  // others get the next free one. Returns how many were added or changed. `normalizer` may be
  // nullptr.
  size_t Add(std::span<const AddedToken> tokens, const Model& model, const Normalizer* normalizer);
  // Must be called when the normalizer changes: normalized tokens match in their new form.
  void Renormalize(const Normalizer* normalizer);

  // With true, special tokens in a text are text.
  void set_encode_special_tokens(bool value) { encode_special_tokens_ = value; }
  bool encode_special_tokens() const { return encode_special_tokens_; }

  size_t size() const { return ids_.size(); }
  std::optional<uint32_t> FindId(std::string_view content) const;
  // The form in which the token leaves the tokenizer: what the normalizer made of it, where it is
  // matched in that form.
  std::optional<std::string_view> FindToken(uint32_t id) const;
  const AddedToken* Find(uint32_t id) const;
  bool IsSpecial(std::string_view content) const { return special_.contains(content); }
  // In rising order of ids.
  const std::map<uint32_t, AddedToken>& tokens() const { return tokens_; }

  // Cuts the text at the tokens, normalizing what lies between them.
  void Extract(const Normalizer* normalizer, PreTokenizedString* text) const;

  // The next token of either kind in a text that no normalizer changes, from `from` on, with the
  // white space that it takes. For the fast path: nothing is normalized here.
  struct Match {
    size_t begin = 0;
    size_t end = 0;
    uint32_t id = 0;
  };
  template <typename Take>
  void ForEachMatch(std::string_view text, bool normalized, Take&& take) const;
  bool has_normalized() const { return !normalized_.empty(); }
  bool has_plain() const { return !plain_.empty(); }
  // Normalized tokens that became empty cut a text into characters.
  bool has_empty() const { return normalized_.has_empty_token(); }

  Json ToJson() const;

 private:
  void Rebuild();
  std::optional<Match> Accept(std::string_view text, const internal::TokenSearcher::Match& match,
                              size_t taken) const;
  void SplitAtTokens(const NormalizedString& text, bool normalized,
                     PreTokenizedString::Sink* sink) const;

  std::unordered_map<std::string, uint32_t, internal::StringHash, std::equal_to<>> ids_;
  std::map<uint32_t, AddedToken> tokens_;
  std::unordered_map<uint32_t, std::string> normalized_forms_;  // where they differ
  std::unordered_set<std::string, internal::StringHash, std::equal_to<>> special_;
  internal::TokenSearcher plain_;
  internal::TokenSearcher normalized_;
  bool encode_special_tokens_ = false;
};

// The tokens of the array with the ids that the file gives them. Throws Error{kInvalidArgument}.
std::vector<std::pair<uint32_t, AddedToken>> ParseAddedTokens(const Json& json);

template <typename Take>
void AddedVocabulary::ForEachMatch(std::string_view text, bool normalized, Take&& take) const {
  const internal::TokenSearcher& searcher = normalized ? normalized_ : plain_;
  size_t from = 0;   // where the search goes on
  size_t taken = 0;  // end of the last token, white space included
  while (auto match = searcher.Find(text, from)) {
    from = match->end;
    if (std::optional<Match> accepted = Accept(text, *match, taken)) {
      taken = accepted->end;
      take(*accepted);
    }
  }
}

}  // namespace hearth::tokenizers
