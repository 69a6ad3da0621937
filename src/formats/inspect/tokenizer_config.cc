// tokenizer_config.json: the class, special tokens and chat templates.
#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 64 << 20;

int Probe(std::string_view name, std::string_view) {
  return IsNamed(name, "tokenizer_config.json") ? 90 : 0;
}

// A token is a text, or an object with its content and flags.
void AddToken(const Json& config, const std::string& key, Inspection* out) {
  const Json* token = FindPath(config, key);
  if (token == nullptr) return;
  const Json* content = token->Find("content");
  out->Add(key, content != nullptr ? *content : *token,
           "key " + key + (content != nullptr ? ".content" : ""));
}

void AddTemplates(const Json& value, Inspection* out) {
  if (const std::string* text = value.AsString()) {
    out->Add("chat template", std::to_string(text->size()) + " bytes", "key chat_template");
    return;
  }
  for (const Json& entry : value.AsArray() != nullptr ? *value.AsArray() : Json::Array()) {
    const Json* name = entry.Find("name");
    const Json* text = entry.Find("template");
    bool whole = name != nullptr && name->AsString() != nullptr && text != nullptr &&
                 text->AsString() != nullptr;
    if (!whole) continue;
    out->Add("chat template " + *name->AsString(),
             std::to_string(text->AsString()->size()) + " bytes", "key chat_template[].template");
  }
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  Json config = ReadJsonObject(source, kMaxBytes);
  AddKeys(config, {"tokenizer_class", "model_max_length", "padding_side", "truncation_side"}, out);
  for (const char* key :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
    AddToken(config, key, out);
  AddKeys(config,
          {"add_bos_token", "add_eos_token", "add_prefix_space", "do_lower_case",
           "clean_up_tokenization_spaces", "legacy", "auto_map"},
          out);
  if (const Json* templates = FindPath(config, "chat_template")) AddTemplates(*templates, out);
  if (const Json* tokens = FindPath(config, "added_tokens_decoder"))
    out->Add("added tokens", tokens->size(), "key added_tokens_decoder");
}

}  // namespace

extern const Inspector kTokenizerConfigInspector;
const Inspector kTokenizerConfigInspector = {"tokenizer configuration", Probe, Inspect};

}  // namespace hearth
