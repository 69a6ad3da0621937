// tokenizer.json: the stages of a tokenizer and the size of its vocabulary.
#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 256 << 20;

int Probe(std::string_view name, std::string_view) {
  return IsNamed(name, "tokenizer.json") ? 90 : 0;
}

// "Sequence(NFC, Lowercase)": the type of a stage, with those inside of it.
std::string StageText(const Json& stage, int depth = 0) {
  const Json* type = stage.Find("type");
  std::string text = type != nullptr && type->AsString() != nullptr ? *type->AsString() : "?";
  if (depth > 4) return text;
  for (const char* key : {"normalizers", "pretokenizers", "processors", "decoders"}) {
    const Json* inner = stage.Find(key);
    if (inner == nullptr || inner->AsArray() == nullptr) continue;
    text += "(";
    for (const Json& part : *inner->AsArray())
      text += (text.back() == '(' ? "" : ", ") + StageText(part, depth + 1);
    text += ")";
  }
  return text;
}

// Models from before 2021 say no type: the keys tell.
std::string ModelType(const Json& model) {
  if (const Json* type = model.Find("type"); type != nullptr && type->AsString() != nullptr)
    return *type->AsString();
  if (model.Find("merges") != nullptr) return "BPE";
  if (model.Find("continuing_subword_prefix") != nullptr) return "WordPiece";
  return model.Find("unk_id") != nullptr ? "Unigram" : "WordLevel";
}

void AddAddedTokens(const Json& tokens, Inspection* out) {
  size_t special = 0;
  for (const Json& token : tokens.AsArray() != nullptr ? *tokens.AsArray() : Json::Array()) {
    const Json* flag = token.Find("special");
    if (flag != nullptr && flag->AsBool() == true) ++special;
    const Json* content = token.Find("content");
    const Json* id = token.Find("id");
    if (content != nullptr && content->AsString() != nullptr && id != nullptr)
      out->metadata.emplace_back("added token " + id->Dump(), *content);
  }
  out->Add("added tokens", tokens.size(), "key added_tokens");
  out->Add("special tokens", special, "key added_tokens[].special");
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  Json json = ReadJsonObject(source, kMaxBytes);
  const Json* model = FindPath(json, "model");
  if (model != nullptr && model->is_object()) {
    bool told = FindPath(*model, "type") != nullptr;
    out->Add("model", ModelType(*model), told ? "key model.type" : "keys of model");
    if (const Json* vocabulary = FindPath(*model, "vocab"))
      out->Add("vocabulary", vocabulary->size(), "key model.vocab");
    if (const Json* merges = FindPath(*model, "merges"))
      out->Add("merges", merges->size(), "key model.merges");
  } else {
    out->warnings.push_back("the tokenizer has no model");
  }
  for (const char* stage : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    if (const Json* value = FindPath(json, stage))
      out->Add(stage, StageText(*value), "key " + std::string(stage) + ".type");
  }
  AddKeys(json,
          {"model.unk_token", "model.unk_id", "model.byte_fallback",
           "model.continuing_subword_prefix", "truncation", "padding", "version"},
          out);
  if (const Json* tokens = FindPath(json, "added_tokens")) AddAddedTokens(*tokens, out);
}

}  // namespace

extern const Inspector kTokenizerInspector;
const Inspector kTokenizerInspector = {"tokenizer", Probe, Inspect};

}  // namespace hearth
