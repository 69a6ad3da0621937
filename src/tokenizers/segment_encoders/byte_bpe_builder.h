// Makes a ByteBpePlan from the vocabulary and merges of a tokenizer.json.
//
// Strings come as the file has them: each byte of a token written as one character of the
// byte-level alphabet. Not thread-safe. A vocabulary that the plan cannot hold, or that the
// reference would refuse, ends in nullptr from Build: the caller takes the plain path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizers/models/bpe_merges.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

class ByteBpePlanBuilder {
 public:
  explicit ByteBpePlanBuilder(ByteBpeConfig config);

  // Tokens first, then merges in rank order. A token added twice keeps its last id.
  void AddToken(std::string_view token, uint64_t id);
  void AddMerge(const BpeMerge& merge);
  std::shared_ptr<const ByteBpePlan> Build();

 private:
  struct Token {
    uint32_t offset;
    uint32_t size;
    uint32_t id;
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // Appends the bytes that `token` stands for; false when a character is no byte.
  bool Decode(std::string_view token, std::string* bytes) const;
  static bool IsShort(std::string_view bytes);
  std::string_view BytesOf(const Token& token) const {
    return std::string_view(bytes_).substr(token.offset, token.size);
  }
  // The table of all tokens.
  void IndexTokens();
  void Ask(std::string_view bytes) const;
  uint32_t Find(std::string_view bytes) const;  // the id, or kNone

  void AddPairs(ByteBpePlan* plan);
  void AddShortTokens(ByteBpePlan* plan);
  void AddLongTokens(ByteBpePlan* plan);

  ByteBpeConfig config_;
  bool fits_ = true;
  int16_t byte_of_[512];  // code point of the alphabet -> byte, -1
  std::string bytes_;
  std::vector<Token> tokens_;
  std::unordered_map<std::string_view, uint32_t> long_tokens_;  // into bytes_
  std::vector<bool> no_piece_;  // by id: the token is of no use to a merge
  std::vector<BpeMerge> merges_;
  std::shared_ptr<struct ByteBpeTables> tables_;
};

}  // namespace hearth::tokenizers
