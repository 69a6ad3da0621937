// A SentencePiece model file, as it is written by its trainer.
// Format: ModelProto of
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto Pure. Throws
// Error{kInvalidArgument} for bytes that are no such model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/loaders/merge_rules.h"

namespace hearth::tokenizers {

// The numbers of the format; GGUF files use the same.
enum class PieceType : int { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

struct SentencePieceModel {
  enum class Algorithm { kUnigram = 1, kBpe, kWord, kChar };

  std::vector<SentencePiece> pieces;  // by id
  Algorithm algorithm = Algorithm::kUnigram;
  // Not part of the format; other files list their rules. Absent: they follow from the scores.
  std::optional<MergeRules> merges;
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  // Ids below zero are absent.
  int unk_id = 0;
  int bos_id = 1;
  int eos_id = 2;
  std::string unk_piece = "<unk>";

  std::string precompiled_charsmap;  // empty: no character is mapped
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;

  const SentencePiece* PieceAt(int id) const {
    return id >= 0 && static_cast<size_t>(id) < pieces.size() ? &pieces[static_cast<size_t>(id)]
                                                              : nullptr;
  }
};

SentencePieceModel ParseSentencePieceModel(std::string_view bytes);

}  // namespace hearth::tokenizers
