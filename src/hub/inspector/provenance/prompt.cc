#include "hub/inspector/provenance/prompt.h"

#include "base/hash.h"
#include "hub/inspector/provenance/declared.h"

namespace hearth::inspector {
namespace {

constexpr uint64_t kMaxTokenizerBytes = 64u << 20;
constexpr size_t kMaxListed = 200;

std::optional<std::string> TemplateOf(const Json& config) {
  const Json* value = config.Find("chat_template");
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = value->AsString()) return *text;
  const Json::Array* list = value->AsArray();
  if (list == nullptr) return std::nullopt;
  for (const Json& item : *list) {
    const Json *name = item.Find("name"), *text = item.Find("template");
    if (name != nullptr && *name == Json("default") && text != nullptr &&
        text->AsString() != nullptr)
      return *text->AsString();
  }
  return std::nullopt;
}

// A token is a string or {"content": "...", ...}.
std::string TokenText(const Json& token) {
  const Json* content = token.is_object() ? token.Find("content") : &token;
  const std::string* text = content == nullptr ? nullptr : content->AsString();
  return text == nullptr ? "" : *text;
}

template <typename Map>
void DiffMaps(const Map& before, const Map& after, const char* name, Json* result) {
  if (before == after) return;
  Json added = Json::Obj(), removed = Json::Obj(), moved = Json::Obj();
  for (const auto& [key, value] : after) {
    auto old = before.find(key);
    if (old == before.end() && added.size() < kMaxListed) added.Set(key, value);
    if (old != before.end() && old->second != value && moved.size() < kMaxListed)
      moved.Set(key, Json::Arr({old->second, value}));
  }
  for (const auto& [key, value] : before)
    if (!after.contains(key) && removed.size() < kMaxListed) removed.Set(key, value);
  result->Set(name, Json::Obj({{"added", std::move(added)},
                               {"removed", std::move(removed)},
                               {"changed", std::move(moved)}}));
}

template <typename T>
void DiffOne(const T& before, const T& after, const char* name, Json* result) {
  if (before != after) result->Set(name, Json::Arr({before, after}));
}

}  // namespace

std::optional<Prompt> FindPrompt(const RepoView& view, const WeightHeaders* headers,
                                 const std::string& weights_file) {
  if (std::optional<std::string> text = view.ReadText("chat_template.jinja"))
    return Prompt{*text, "chat_template.jinja", ""};
  for (const char* file : {"tokenizer_config.json", "chat_template.json"}) {
    if (std::optional<std::string> text = TemplateOf(ReadJsonFile(view, file)))
      return Prompt{*text, file, "/chat_template"};
  }
  if (headers == nullptr) return std::nullopt;
  for (const auto& [key, value] : headers->metadata) {
    if (key == "tokenizer.chat_template") return Prompt{value, weights_file, "metadata " + key};
  }
  return std::nullopt;
}

std::optional<TokenizerFacts> ReadTokenizer(const RepoView& view) {
  Json whole = ReadJsonFile(view, "tokenizer.json", kMaxTokenizerBytes);
  if (!whole.is_object()) return std::nullopt;
  TokenizerFacts facts;
  facts.file = "tokenizer.json";
  if (const Json* model = whole.Find("model")) {
    if (const Json* type = model->Find("type")) facts.model = TokenText(*type);
    if (const Json* vocabulary = model->Find("vocab")) {
      facts.vocabulary = vocabulary->size();
      facts.rest = Sha256Of(vocabulary->Dump()).Hex();
    }
    if (const Json* merges = model->Find("merges")) {
      facts.merges = merges->size();
      facts.rest += Sha256Of(merges->Dump()).Hex();
    }
  }
  if (const Json* added = whole.Find("added_tokens"); added != nullptr && added->AsArray()) {
    for (const Json& token : *added->AsArray()) {
      const Json* id = token.Find("id");
      std::string text = TokenText(token);
      if (!text.empty() && id != nullptr) facts.added[text] = id->AsUint().value_or(0);
    }
  }
  for (const char* part : {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
    if (const Json* value = whole.Find(part)) facts.rest += value->Dump();
  Json config = ReadJsonFile(view, "tokenizer_config.json");
  for (const char* key : {"bos_token", "eos_token", "pad_token", "unk_token", "cls_token",
                          "sep_token", "mask_token"}) {
    const Json* token = config.Find(key);
    std::string text = token == nullptr ? "" : TokenText(*token);
    if (!text.empty()) facts.special[key] = text;
  }
  return facts;
}

Json DiffTokenizers(const TokenizerFacts& before, const TokenizerFacts& after) {
  Json result = Json::Obj();
  DiffOne(before.model, after.model, "model", &result);
  DiffOne(before.vocabulary, after.vocabulary, "vocabulary", &result);
  DiffOne(before.merges, after.merges, "merges", &result);
  DiffMaps(before.added, after.added, "added_tokens", &result);
  DiffMaps(before.special, after.special, "special", &result);
  if (before.rest != after.rest && result.size() == 0) result.Set("rules", "they differ");
  return result;
}

}  // namespace hearth::inspector
