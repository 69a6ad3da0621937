// What the models with a {"token": id} vocabulary share: look-ups by text and by id.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "tokenizers/model.h"
#include "tokenizers/models/model_parts.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {

class VocabModel : public Model {
 public:
  explicit VocabModel(Vocab vocab) : vocab_(std::move(vocab)) {}

  std::optional<uint32_t> FindId(std::string_view token) const override {
    return vocab_.FindId(token);
  }
  std::optional<std::string_view> FindToken(uint32_t id) const override {
    return vocab_.FindToken(id);
  }
  size_t vocab_size() const override { return vocab_.size(); }
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const override {
    vocab_.ForEachToken(visit);
  }
  ModelTables tables() const override { return {.vocab = &vocab_}; }

 protected:
  const Vocab& vocab() const { return vocab_; }

 private:
  Vocab vocab_;
};

// Throws Error{kInvalidArgument} when the member is absent.
inline const Json& RequireField(const Json& json, std::string_view key) {
  const Json* field = json.Find(key);
  if (field == nullptr) {
    throw Error(Code::kInvalidArgument, "\"" + std::string(key) + "\" is required");
  }
  return *field;
}

// The vocabulary that was read before, or else the "vocab" object.
inline Vocab TakeVocab(const Json& json, ModelParts* parts) {
  if (parts->vocab) return *std::move(parts->vocab);
  return ParseVocab(RequireField(json, "vocab"));
}

}  // namespace hearth::tokenizers
