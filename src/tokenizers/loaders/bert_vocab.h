// A tokenizer.json for a WordPiece vocabulary, as the reference's BERT converter writes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "tokenizers/loaders/parts.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

struct BertOptions {
  bool lowercase = true;
  std::optional<bool> strip_accents;  // unset: as lowercase says
  bool handle_chinese_chars = true;
  std::string unk_token = "[UNK]";
  std::string cls_token = "[CLS]";
  std::string sep_token = "[SEP]";
  std::string pad_token = "[PAD]";
  std::string mask_token = "[MASK]";
  std::vector<parts::AddedToken> added_tokens;  // besides the five above
};

// `vocab`: token -> id; of a token given twice the last counts.
Json MakeBertTokenizerJson(const Json::Object& vocab, const BertOptions& options);

}  // namespace hearth::tokenizers
