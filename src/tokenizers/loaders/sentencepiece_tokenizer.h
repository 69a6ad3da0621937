// A tokenizer.json from the contents of a SentencePiece model, whichever file they came in.
//
// The plain form follows SentencePiece itself: its normalisation (character map, spaces trimmed and
// collapsed, one in front), then BPE or Viterbi over the whole text, so ids equal SentencePiece's.
// Two things a tokenizer.json cannot say: between added tokens each stretch of text is normalised
// for itself (SentencePiece trims and prefixes the whole text once), and control tokens in text are
// always recognised. The other forms are those that the reference's converters write for that class
// of model.
#pragma once

#include <optional>
#include <string_view>

#include "codec/json.h"
#include "tokenizers/loaders/sentencepiece_model.h"

namespace hearth::tokenizers {

struct SentencePieceStyle {
  enum class Form { kPlain, kLlama, kGemma, kT5, kXlmRoberta };
  Form form = Form::kPlain;
  // kLlama: a space in front of each stretch between added tokens, not of the text alone.
  bool legacy = false;
  // Unset: bos for BPE models, neither for Unigram models (forms other than kPlain: their own).
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
};

// Models of characters are BPE without rules, models of words WordLevel: of unknown words side by
// side each is an unknown token, where SentencePiece makes one of them all.
// Throws Error{kUnimplemented} for suffixed spaces beside user-defined symbols, and for models of
// words with byte fallback of which some word is a single character.
Json MakeTokenizerJson(const SentencePieceModel& model, const SentencePieceStyle& style);

}  // namespace hearth::tokenizers
