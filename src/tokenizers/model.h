// The stage that turns a piece of text (a pre-token) into tokens of a vocabulary.
//
// One file per model under models/, one line in models.inc. Implementations are immutable after
// construction and safe for concurrent use. They are the exact, plain path: offsets and values
// included; segment_encoder.h is the fast one, and must agree with it id by id.
// Format: the "model" object of a tokenizer.json.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/encoding.h"

namespace hearth::tokenizers {

class BpeMerges;
class ScoredPieces;
class Vocab;

// The large tables of a model, flat, for whoever lays the same model out in another way (segment
// encoders, the compiled cache). nullptr: a model of this kind has none.
struct ModelTables {
  const Vocab* vocab = nullptr;
  const BpeMerges* merges = nullptr;
  const ScoredPieces* pieces = nullptr;
};

class Model {
 public:
  virtual ~Model() = default;

  // Appends the tokens of one piece. Throws Error{kInvalidArgument} where the reference fails too
  // (for example an unknown word without an unk_token in WordLevel).
  virtual void Tokenize(std::string_view piece, std::vector<Token>* tokens) const = 0;

  virtual std::optional<uint32_t> FindId(std::string_view token) const = 0;
  virtual std::optional<std::string_view> FindToken(uint32_t id) const = 0;
  virtual size_t vocab_size() const = 0;
  // Calls for each (token, id), in rising id order.
  virtual void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const = 0;

  // "BPE", "WordPiece", "Unigram", "WordLevel".
  virtual std::string_view type() const = 0;
  // What tokens inside of words begin with ("##"); empty when they are not marked.
  virtual std::string_view word_part_prefix() const { return {}; }
  // The object of tokenizer.json, equal to what the reference writes.
  virtual Json ToJson() const = 0;
  // They live as long as the model.
  virtual ModelTables tables() const = 0;
};

// Throws Error{kInvalidArgument} naming the key at fault. An object without "type" is recognised
// by its fields, as the reference does.
std::unique_ptr<Model> ParseModel(const Json& json);

}  // namespace hearth::tokenizers
