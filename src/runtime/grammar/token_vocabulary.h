// A tokenizer's vocabulary as a constraint sees it: the bytes that each token adds to a text, in a
// trie laid out for walking.
//
// Nodes stand in the order of a depth-first walk, so that a walk goes forwards through one array
// and leaves a subtree out by one jump.
//
// Thread rule: immutable after construction, may be shared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenizers/tokenizer.h"

namespace hearth::runtime {

class TokenVocabulary {
 public:
  static constexpr uint32_t kNoToken = UINT32_MAX;
  struct Node {
    uint32_t end = 0;           // the first node behind this one's subtree
    uint32_t token = kNoToken;  // the text from the root to here is this token
    uint16_t depth = 0;         // bytes from the root; the root has 0
    uint8_t byte = 0;
  };

  // `tokens[id]`: the token's bytes; empty where it adds no text (special tokens), which a
  // constraint never allows. `eos`: what ends a text. Errors: kTooLarge for more than 2^24 tokens
  // or 2^28 bytes.
  TokenVocabulary(std::vector<std::string> tokens, std::vector<uint32_t> eos);
  // By the tokenizer's decoder: byte-level alphabets, "▁" for a space, <0xXX> bytes, "##" of
  // WordPiece. Special added tokens add no text, unless it is one of `marks`. `size`: of the
  // model's scores, at least the tokenizer's vocabulary.
  static TokenVocabulary FromTokenizer(const tokenizers::Tokenizer& tokenizer, size_t size,
                                       std::vector<uint32_t> eos,
                                       const std::vector<std::string>& marks = {});

  size_t size() const { return tokens_.size(); }
  const std::string& bytes(uint32_t token) const { return tokens_[token]; }
  std::span<const uint32_t> eos() const { return eos_; }
  std::span<const Node> nodes() const { return nodes_; }
  // Another token with the same bytes, kNoToken after the last.
  uint32_t NextTwin(uint32_t token) const { return twins_.empty() ? kNoToken : twins_[token]; }
  size_t max_depth() const { return max_depth_; }

 private:
  std::vector<std::string> tokens_;
  std::vector<uint32_t> eos_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> twins_;  // empty when no two tokens have the same bytes
  size_t max_depth_ = 0;
};

}  // namespace hearth::runtime
