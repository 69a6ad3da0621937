#include "tokenizers/internal/special_tokens.h"

#include <limits>

namespace hearth::tokenizers::internal {
namespace {

void Insert(const SpecialToken& special, uint32_t type_id, size_t at, Encoding* encoding) {
  auto position = static_cast<ptrdiff_t>(at);
  auto insert = [position](auto& values, auto value) {
    values.insert(values.begin() + position, std::move(value));
  };
  insert(encoding->ids, special.id);
  insert(encoding->type_ids, type_id);
  insert(encoding->tokens, special.token);
  insert(encoding->word_ids, std::optional<uint32_t>());
  insert(encoding->offsets, Offsets{});
}

void SurroundOne(const Surroundings& surroundings, Encoding* encoding) {
  size_t size = encoding->size();
  encoding->Reserve(size + 2);
  size_t begin = surroundings.before == nullptr ? 0 : 1;
  if (begin != 0) Insert(*surroundings.before, surroundings.type_id, 0, encoding);
  if (surroundings.after != nullptr) {
    Insert(*surroundings.after, surroundings.type_id, encoding->size(), encoding);
  }
  encoding->special_tokens_mask.assign(encoding->size(), 1);
  for (size_t i = begin; i < begin + size; ++i) encoding->special_tokens_mask[i] = 0;
  encoding->attention_mask.assign(encoding->size(), 1);
  encoding->sequence_ranges.assign(1, {surroundings.sequence, begin, begin + size});
}

}  // namespace

std::optional<SpecialToken> SpecialToken::Parse(const Json& json, std::string_view key) {
  const Json* field = json.Find(key);
  const Json::Array* pair = field == nullptr ? nullptr : field->AsArray();
  if (pair == nullptr || pair->size() != 2) return std::nullopt;
  const std::string* token = (*pair)[0].AsString();
  std::optional<uint64_t> id = (*pair)[1].AsUint();
  if (token == nullptr || !id || *id > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return SpecialToken{*token, static_cast<uint32_t>(*id)};
}

Json SpecialToken::ToJson() const { return Json::Arr({token, id}); }

void Surround(const Surroundings& surroundings, Encoding* encoding) {
  SurroundOne(surroundings, encoding);
  for (Encoding& piece : encoding->overflowing) {
    piece.overflowing.clear();
    SurroundOne(surroundings, &piece);
  }
}

}  // namespace hearth::tokenizers::internal
