// A tokenizer.json for byte-level BPE: split by patterns, spell bytes as letters, merge.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/loaders/parts.h"

namespace hearth::tokenizers {

// The split of GPT-2 is the pre-tokenizer's own; the others are patterns, applied one after
// another.
inline constexpr std::string_view kGpt2Split = "gpt2";
inline constexpr std::string_view kLlama3Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen2Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct ByteLevelOptions {
  std::vector<std::string> patterns;  // {kGpt2Split} alone, or regular expressions
  bool individual_digits = false;     // each digit apart, before the patterns
  bool nfc = false;
  bool add_prefix_space = false;
  bool trim_offsets = false;  // of the post-processor
  std::optional<parts::SpecialToken> bos;
  std::optional<parts::SpecialToken> eos;
  std::vector<parts::AddedToken> added_tokens;
};

Json MakeByteLevelTokenizerJson(parts::BpeFields fields, const ByteLevelOptions& options);

}  // namespace hearth::tokenizers
