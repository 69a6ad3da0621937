// The pieces that loaders assemble a tokenizer.json from, with the reference's keys in its order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace hearth::tokenizers::parts {

inline constexpr std::string_view kMetaspace = "\xE2\x96\x81";  // U+2581, SentencePiece's space

struct Document {
  Json added_tokens = Json::Array();
  Json normalizer;
  Json pre_tokenizer;
  Json post_processor;
  Json decoder;
  Json model;
};
Json Assemble(Document document);

// "normalizers", "pretokenizers", "processors" or "decoders" name the list of a Sequence.
Json Sequence(std::string_view list, Json::Array items);
Json ByteLevel(bool add_prefix_space, bool use_regex, bool trim_offsets = true);
Json SplitRegex(std::string_view pattern);
Json ReplaceText(std::string_view from, std::string_view to);
Json ReplaceRegex(std::string_view pattern, std::string_view to);
Json Metaspace(std::string_view prepend_scheme, bool split = true);
Json Type(std::string_view type);  // a part without options

struct AddedToken {
  uint64_t id = 0;
  std::string content;
  bool special = false;
  bool normalized = false;
  bool lstrip = false;
};
Json AddedTokens(const std::vector<AddedToken>& tokens);

// One special token around the texts of a template.
struct SpecialToken {
  std::string text;
  uint64_t id = 0;
};
// A TemplateProcessing of items: "$A", "$B" or a special token's text, with the type id after a
// colon
// ("$A:0"; 0 where absent).
Json Template(const std::vector<std::string>& single, const std::vector<std::string>& pair,
              const std::vector<SpecialToken>& special);

struct BpeFields {
  Json::Object vocab;
  std::vector<std::pair<std::string, std::string>> merges;
  std::optional<std::string> unk_token;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};
Json Bpe(BpeFields fields);
Json Unigram(const std::vector<std::pair<std::string, double>>& pieces,
             std::optional<uint64_t> unk_id, bool byte_fallback);

// ▁ to spaces, <0xXX> to bytes, all in one; then a space less at the start, where one was added.
Json SentencePieceDecoder(bool strip_first_space);

// The printable stand-in of each byte in byte-level vocabularies.
std::string SpellBytes(std::string_view bytes);

}  // namespace hearth::tokenizers::parts
