#include "tokenizers/loaders/special_tokens.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::tokenizers {

std::string ConfiguredToken(const Json& config, std::string_view key, std::string_view fallback) {
  const Json* value = config.Find(key);
  if (value != nullptr && value->is_object()) value = value->Find("content");
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text != nullptr ? *text : std::string(fallback);
}

std::string ConfiguredClass(const Json& config) {
  std::string name = ConfiguredToken(config, "tokenizer_class", "");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

std::vector<parts::AddedToken> ConfiguredAddedTokens(const Json& config) {
  const Json* decoder = config.Find("added_tokens_decoder");
  std::vector<parts::AddedToken> tokens;
  if (decoder == nullptr || decoder->AsObject() == nullptr) return tokens;
  for (const auto& [key, value] : *decoder->AsObject()) {
    auto id = ParseUint(key);
    if (!id || *id > UINT32_MAX) {
      throw Error(Code::kInvalidArgument, "\"" + key + "\" in added_tokens_decoder is no id");
    }
    tokens.push_back(
        {*id, value.RequireString("content"), value.BoolField("special").value_or(false),
         value.BoolField("normalized").value_or(false), value.BoolField("lstrip").value_or(false)});
  }
  return tokens;
}

void MergeAddedTokens(const std::vector<parts::AddedToken>& more,
                      std::vector<parts::AddedToken>* tokens, Json::Object* vocab) {
  std::set<uint64_t> ids;
  for (const auto& token : *tokens) ids.insert(token.id);
  std::set<std::string_view> texts;
  if (!more.empty()) {
    for (const auto& [text, id] : *vocab) texts.insert(text);
  }
  std::vector<const parts::AddedToken*> missing;
  for (const auto& token : more) {
    if (ids.insert(token.id).second) tokens->push_back(token);
    if (texts.insert(token.content).second) missing.push_back(&token);
  }
  for (const auto* token : missing) vocab->emplace_back(token->content, token->id);
  std::sort(tokens->begin(), tokens->end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
}

Json BosEosTemplate(const std::optional<parts::SpecialToken>& bos,
                    const std::optional<parts::SpecialToken>& eos) {
  if (!bos && !eos) return Json();
  if (bos && eos) {
    const std::string &b = bos->text, &e = eos->text;
    std::vector<parts::SpecialToken> special = {*bos};
    if (e != b) special.push_back(*eos);
    return parts::Template({b, "$A", e}, {b, "$A", e, e, "$B", e}, special);
  }
  if (bos) {
    const std::string& b = bos->text;
    return parts::Template({b, "$A"}, {b, "$A", b + ":1", "$B:1"}, {*bos});
  }
  const std::string& e = eos->text;
  return parts::Template({"$A", e}, {"$A", e, "$B", e}, {*eos});
}

}  // namespace hearth::tokenizers
