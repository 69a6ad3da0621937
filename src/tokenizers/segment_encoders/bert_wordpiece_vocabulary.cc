#include "tokenizers/segment_encoders/bert_wordpiece_vocabulary.h"

#include <string>

namespace hearth::tokenizers {
namespace {

DoubleArray TokensOf(const Vocab& vocab, const KeptTables& kept) {
  if (auto units = kept.FindArray<DoubleArray::Unit>(EncoderTable::kTokenTrie)) {
    if (auto trie = DoubleArray::FromUnits(*units, kept.owner())) return *std::move(trie);
  }
  std::vector<DoubleArray::Entry> entries;
  entries.reserve(vocab.size());
  for (uint32_t i = 0; i < vocab.size(); ++i) entries.emplace_back(vocab.TextAt(i), vocab.IdAt(i));
  return DoubleArray(std::move(entries));
}

}  // namespace

std::optional<WordPieceVocabulary> WordPieceVocabulary::Make(const Json& model, const Vocab& vocab,
                                                             const KeptTables& kept) {
  const Json* unknown = model.Find("unk_token");
  const Json* prefix = model.Find("continuing_subword_prefix");
  const Json* limit = model.Find("max_input_chars_per_word");
  if (unknown == nullptr || unknown->AsString() == nullptr || prefix == nullptr ||
      prefix->AsString() == nullptr || limit == nullptr || limit->AsUint().value_or(0) == 0) {
    return std::nullopt;
  }
  for (uint32_t i = 0; i < vocab.size(); ++i) {
    if (vocab.IdAt(i) == DoubleArray::kNoValue) return std::nullopt;
  }
  DoubleArray tokens = TokensOf(vocab, kept);
  uint32_t unknown_id = tokens.Find(*unknown->AsString());
  // Without its unknown token the reference fails on some words.
  if (unknown_id == DoubleArray::kNoValue) return std::nullopt;
  WordPieceVocabulary result(unknown_id, *limit->AsUint(), std::move(tokens));
  const DoubleArray::Unit* node = result.tokens_.Root();
  if (result.tokens_.Walk(&node, *prefix->AsString())) {
    result.continuation_ = result.tokens_.Place(node);
  }
  for (uint32_t i = 0; i < vocab.size(); ++i) {
    std::string_view token = vocab.TextAt(i);
    if (token.empty()) continue;
    size_t size = 0;
    uint32_t c = DecodeUtf8(reinterpret_cast<const uint8_t*>(token.data()), &size);
    if (size == token.size()) result.characters_.Set(c, vocab.IdAt(i));
  }
  return result;
}

void WordPieceVocabulary::Encode(std::string_view word, size_t characters,
                                 std::vector<uint32_t>* ids) const {
  if (word.empty()) return;
  if (characters > max_characters_) return ids->push_back(unknown_id_);
  const size_t first = ids->size();
  const DoubleArray::Unit* start = tokens_.Root();
  for (size_t at = 0; at < word.size();) {
    uint32_t id = DoubleArray::kNoValue;
    size_t end = at;
    const DoubleArray::Unit* node = start;
    for (size_t i = at; i < word.size(); ++i) {
      if (!tokens_.Step(&node, static_cast<uint8_t>(word[i]))) break;
      if (node->value == DoubleArray::kNoValue) continue;
      id = node->value;
      end = i + 1;
    }
    bool more = end < word.size();
    if (id == DoubleArray::kNoValue || (more && continuation_ == DoubleArray::kNoValue)) {
      ids->resize(first);
      return ids->push_back(unknown_id_);
    }
    ids->push_back(id);
    at = end;
    if (more) start = tokens_.At(continuation_);
  }
}

}  // namespace hearth::tokenizers
