#include "tokenizers/added_vocabulary.h"

#include <algorithm>

#include "base/error.h"
#include "text/unicode.h"
#include "tokenizers/internal/characters.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/model.h"
#include "tokenizers/normalizer.h"

namespace hearth::tokenizers {
namespace {

std::string NormalForm(const std::string& content, const Normalizer* normalizer) {
  if (normalizer == nullptr) return content;
  internal::Arena arena;
  NormalizedString text(content, &arena);
  normalizer->Normalize(&text);
  return std::string(text.text());
}

size_t SkipSpaceBefore(std::string_view text, size_t end) {
  while (end > 0) {
    internal::Character before = internal::CharacterBefore(text, end);
    if (!IsCrateSpace(before.value)) break;
    end -= before.length;
  }
  return end;
}

size_t SkipSpaceAfter(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    internal::Character after = internal::CharacterAt(text, begin);
    if (!IsCrateSpace(after.value)) break;
    begin += after.length;
  }
  return begin;
}

bool TouchesWord(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && IsCrateWord(internal::CharacterBefore(text, begin).value)) {
    return true;
  }
  return end < text.size() && IsCrateWord(internal::CharacterAt(text, end).value);
}

void AddCharacters(const NormalizedString& text, size_t begin, size_t end,
                   PreTokenizedString::Sink* sink) {
  while (begin < end) {
    size_t length = internal::CharacterLength(text.text(), begin);
    sink->Add(text.Slice(begin, begin + length));
    begin += length;
  }
}

}  // namespace

size_t AddedVocabulary::Add(std::span<const AddedToken> tokens, const Model& model,
                            const Normalizer* normalizer) {
  auto vocab_size = static_cast<uint32_t>(model.vocab_size());
  uint32_t next_id = vocab_size;
  if (!tokens_.empty()) {
    uint32_t last = tokens_.rbegin()->first;
    if (last >= vocab_size || vocab_size == 0) next_id = last + 1;
  }
  size_t added = 0;
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    std::optional<uint32_t> known = FindId(token.content);
    if (known && *Find(*known) == token) continue;
    uint32_t id;
    if (known) {
      id = *known;
    } else if (std::optional<uint32_t> in_model = model.FindId(token.content)) {
      id = *in_model;
    } else {
      id = next_id++;
    }
    if (token.normalized) {
      std::string form = NormalForm(token.content, normalizer);
      if (form != token.content) normalized_forms_[id] = std::move(form);
    }
    ids_[token.content] = id;
    if (token.special) special_.insert(token.content);
    tokens_[id] = token;
    ++added;
  }
  Rebuild();
  return added;
}

void AddedVocabulary::Renormalize(const Normalizer* normalizer) {
  normalized_forms_.clear();
  for (const auto& [id, token] : tokens_) {
    if (!token.normalized) continue;
    std::string form = NormalForm(token.content, normalizer);
    if (form != token.content) normalized_forms_[id] = std::move(form);
  }
  Rebuild();
}

void AddedVocabulary::Rebuild() {
  std::vector<std::pair<std::string_view, uint32_t>> plain;
  std::vector<std::pair<std::string_view, uint32_t>> normalized;
  for (const auto& [id, token] : tokens_) {
    if (!token.normalized) {
      plain.emplace_back(token.content, id);
      continue;
    }
    auto form = normalized_forms_.find(id);
    normalized.emplace_back(form == normalized_forms_.end() ? token.content : form->second, id);
  }
  plain_ = internal::TokenSearcher(plain);
  normalized_ = internal::TokenSearcher(normalized);
}

std::optional<uint32_t> AddedVocabulary::FindId(std::string_view content) const {
  auto found = ids_.find(content);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const AddedToken* AddedVocabulary::Find(uint32_t id) const {
  auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> AddedVocabulary::FindToken(uint32_t id) const {
  const AddedToken* token = Find(id);
  if (token == nullptr) return std::nullopt;
  if (!normalized_forms_.empty()) {
    if (auto form = normalized_forms_.find(id); form != normalized_forms_.end()) {
      return form->second;
    }
  }
  return token->content;
}

// Decides whether the token may match here, and takes the white space that belongs to it. `taken`
// is where the last token ended: white space is taken once.
std::optional<AddedVocabulary::Match> AddedVocabulary::Accept(
    std::string_view text, const internal::TokenSearcher::Match& match, size_t taken) const {
  const AddedToken& token = tokens_.find(match.id)->second;
  if (encode_special_tokens_ && special_.contains(token.content)) return std::nullopt;
  if (token.single_word && TouchesWord(text, match.begin, match.end)) return std::nullopt;
  Match accepted{match.begin, match.end, match.id};
  if (token.lstrip) accepted.begin = std::max(SkipSpaceBefore(text, match.begin), taken);
  if (token.rstrip) accepted.end = SkipSpaceAfter(text, match.end);
  if (accepted.begin > accepted.end) return std::nullopt;  // all of it was taken already
  return accepted;
}

void AddedVocabulary::SplitAtTokens(const NormalizedString& text, bool normalized,
                                    PreTokenizedString::Sink* sink) const {
  bool by_character = normalized && has_empty();
  size_t taken = 0;
  auto add_gap = [&](size_t end) {
    if (taken >= end) return;
    if (by_character) {
      AddCharacters(text, taken, end, sink);
    } else {
      sink->Add(text.Slice(taken, end));
    }
  };
  ForEachMatch(text.text(), normalized, [&](const Match& match) {
    add_gap(match.begin);
    sink->AddToken(text.Slice(match.begin, match.end), match.id);
    taken = match.end;
  });
  add_gap(text.text().size());
}

void AddedVocabulary::Extract(const Normalizer* normalizer, PreTokenizedString* text) const {
  if (!plain_.empty()) {
    text->SplitParts([this](const NormalizedString& part, PreTokenizedString::Sink* sink) {
      SplitAtTokens(part, false, sink);
    });
  }
  text->SplitParts([&](NormalizedString part, PreTokenizedString::Sink* sink) {
    if (normalizer != nullptr) normalizer->Normalize(&part);
    SplitAtTokens(part, true, sink);
  });
}

Json AddedVocabulary::ToJson() const {
  Json::Array list;
  for (const auto& [id, token] : tokens_) {
    list.push_back(Json::Obj({{"id", id},
                              {"content", token.content},
                              {"single_word", token.single_word},
                              {"lstrip", token.lstrip},
                              {"rstrip", token.rstrip},
                              {"normalized", token.normalized},
                              {"special", token.special}}));
  }
  return Json(std::move(list));
}

std::vector<std::pair<uint32_t, AddedToken>> ParseAddedTokens(const Json& json) {
  const Json::Array* list = json.AsArray();
  if (list == nullptr) throw Error(Code::kInvalidArgument, "\"added_tokens\" must be an array");
  std::vector<std::pair<uint32_t, AddedToken>> tokens;
  for (const Json& item : *list) {
    tokens.emplace_back(internal::RequireUint32(item, "id"),
                        AddedToken{.content = item.RequireString("content"),
                                   .single_word = internal::RequireBool(item, "single_word"),
                                   .lstrip = internal::RequireBool(item, "lstrip"),
                                   .rstrip = internal::RequireBool(item, "rstrip"),
                                   .normalized = internal::RequireBool(item, "normalized"),
                                   .special = internal::RequireBool(item, "special")});
  }
  return tokens;
}

}  // namespace hearth::tokenizers
