// WordPiece over one normalised word: the longest token at each place, the whole word unknown when
// a place has none. Immutable after construction; safe for concurrent use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/segment_encoders/code_point_table.h"
#include "tokenizers/segment_encoders/double_array.h"
#include "tokenizers/segment_encoders/encoder_tables.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

class WordPieceVocabulary {
 public:
  // `model` is the "model" object without its vocabulary; nullopt where equal ids are not certain.
  static std::optional<WordPieceVocabulary> Make(const Json& model, const Vocab& vocab,
                                                 const KeptTables& kept = {});
  EncoderTableList tables() const {
    return {{EncoderTable::kTokenTrie, TableBytes(tokens_.units())}};
  }

  uint32_t unknown_id() const { return unknown_id_; }
  // The id of a word of one character.
  uint32_t CharacterId(uint32_t code_point) const { return characters_[code_point]; }
  // Appends the ids of a word of `characters` characters. Nothing for an empty one. Linear: no
  // place is walked from further than the longest token.
  void Encode(std::string_view word, size_t characters, std::vector<uint32_t>* ids) const;

 private:
  WordPieceVocabulary(uint32_t unknown_id, size_t max_characters, DoubleArray tokens)
      : unknown_id_(unknown_id),
        max_characters_(max_characters),
        tokens_(std::move(tokens)),
        characters_(unknown_id) {}

  uint32_t unknown_id_;
  size_t max_characters_;
  DoubleArray tokens_;
  uint32_t continuation_ = DoubleArray::kNoValue;  // place of the node of the prefix
  CodePointTable<uint32_t> characters_;
};

}  // namespace hearth::tokenizers
