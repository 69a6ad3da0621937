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
#include <vector>

#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

class ByteBpePlanBuilder {
 public:
  explicit ByteBpePlanBuilder(ByteBpeConfig config);

  // Tokens first, then merges in rank order. A token added twice keeps its last id.
  void AddToken(std::string_view token, uint64_t id);
  void AddMerge(std::string_view left, std::string_view right);
  std::shared_ptr<const ByteBpePlan> Build();

 private:
  struct Token {
    uint32_t offset;
    uint32_t size;
    uint32_t id;
  };
  struct Merge {
    uint32_t left, right, merged;
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // The bytes that `token` stands for, in decoded_; false when a character is no byte.
  bool Decode(std::string_view token);
  // The slot of the bytes at the end of bytes_ (size of them from `offset`).
  size_t FindSlot(std::string_view bytes, uint64_t hash) const;
  const Token* Find(std::string_view bytes) const;
  void GrowSlots();
  std::string_view BytesOf(const Token& token) const {
    return std::string_view(bytes_).substr(token.offset, token.size);
  }

  void AddPairs(ByteBpePlan* plan);
  void AddShortTokens(ByteBpePlan* plan);
  void AddLongTokens(ByteBpePlan* plan);

  ByteBpeConfig config_;
  bool fits_ = true;
  int16_t byte_of_[512];  // code point of the alphabet -> byte, -1
  std::string decoded_, decoded_right_;
  std::string bytes_;
  std::vector<Token> tokens_;
  std::vector<uint64_t> slots_;  // high half of the hash << 32 | index + 1
  std::vector<Merge> merges_;
  std::shared_ptr<struct ByteBpeTables> tables_;
};

}  // namespace hearth::tokenizers
