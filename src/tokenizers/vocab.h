// Tokens and their ids, flat: one string of all tokens, offsets into it, and an open-addressing
// table of positions. No pointer is stored, so the arrays can be written to a file and mapped.
//
// Ids may have holes and may be large (an index by id is dense only where that costs little).
// A token given twice keeps the last id, as a JSON object read into a map does. Two tokens with one
// id are both found by text; FindToken() answers with the last of them.
//
// Immutable after construction and safe for concurrent use. Find* are O(token length) and
// O(1) / O(log n).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace hearth::tokenizers {

// Of a token's bytes; the same in every process, so that tables may be stored.
uint64_t HashToken(std::string_view text);

class Vocab {
 public:
  using Entry = std::pair<std::string_view, uint32_t>;

  Vocab() : Vocab(std::vector<Entry>()) {}
  // Copies the texts. Throws Error{kTooLarge} above 4 GiB of text.
  explicit Vocab(const std::vector<Entry>& entries);

  std::optional<uint32_t> FindId(std::string_view token) const;
  std::optional<std::string_view> FindToken(uint32_t id) const;
  // Distinct tokens (not the largest id plus one).
  size_t size() const { return ids_.size(); }
  size_t longest_token_bytes() const { return longest_token_bytes_; }
  // Each id once, rising.
  void ForEachId(const std::function<void(std::string_view, uint32_t)>& visit) const;
  // Each token once, ids rising; where an id has several tokens all are visited.
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const;

 private:
  std::string_view TokenAt(uint32_t entry) const {
    return {text_.data() + offsets_[entry], offsets_[entry + 1] - offsets_[entry]};
  }
  // The slot of `token`, or the empty slot where it belongs.
  size_t FindSlot(std::string_view token, uint32_t tag) const;
  void Insert(std::string_view token, uint32_t id);
  void IndexIds();

  struct Slot {
    uint32_t tag = 0;    // upper half of the hash: most mismatches never touch the text
    uint32_t entry = 0;  // index + 1; 0 is empty
  };

  std::string text_;
  std::vector<uint32_t> offsets_;  // size() + 1
  std::vector<uint32_t> ids_;      // by entry
  std::vector<Slot> slots_;        // a power of two, at most half full
  std::vector<uint32_t> by_id_;    // entries sorted by id
  std::vector<uint32_t> dense_;    // id -> entry + 1 (0: a hole); empty when ids are sparse
  size_t longest_token_bytes_ = 0;
};

// The {"token": id} object of a tokenizer.json. Throws Error{kInvalidArgument} naming the token
// whose id is not an unsigned 32-bit integer.
Vocab ParseVocab(const Json& object);
// One member per id, rising, as the reference writes it.
Json VocabToJson(const Vocab& vocab);

}  // namespace hearth::tokenizers
