// What the files of a model say: config.json, tokenizer_config.json, safetensors and GGUF headers.
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/gguf/gguf.h"
#include "formats/safetensors/safetensors.h"
#include "hub/internal/facts_reader.h"

namespace hearth::hub {
namespace {

constexpr uint64_t kMaxConfigBytes = 4u << 20;
constexpr uint64_t kMaxTokenizerConfigBytes = 16u << 20;
constexpr uint64_t kMaxIndexBytes = 64u << 20;
constexpr size_t kMaxShards = 2000;
// A quantization_config lists modules at times; what a page shows of it fits easily.
constexpr size_t kMaxPartBytes = 16u << 10;
constexpr uint64_t kMaxTemplateBytes = 1u << 20;

// A token is a string or {"content": "...", ...}.
std::string TokenText(const Json* token) {
  if (token == nullptr) return {};
  if (const std::string* text = token->AsString()) return *text;
  return TextOf(*token, "content");
}

void CopySmall(const Json& from, std::string_view key, Json* to) {
  const Json* value = from.Find(key);
  if (value != nullptr && !value->is_null() && value->Dump().size() <= kMaxPartBytes)
    to->Set(std::string(key), *value);
}

Json CutTokenizerConfig(FactsReader* reader) {
  Json whole = reader->ReadJson("tokenizer_config.json", kMaxTokenizerConfigBytes);
  Json cut = Json::Obj();
  for (const char* key : {"bos_token", "eos_token", "pad_token", "unk_token", "mask_token",
                          "cls_token", "sep_token"}) {
    std::string text = TokenText(whole.Find(key));
    if (!text.empty()) cut.Set(key, text);
  }
  const Json* chat = whole.Find("chat_template");
  if (chat != nullptr && (chat->is_string() || chat->is_array())) {
    cut.Set("chat_template", *chat);
  } else if (auto text = reader->Read("chat_template.jinja", kMaxTemplateBytes)) {
    cut.Set("chat_template", *text);
  }
  return cut;
}

Json CutConfig(FactsReader* reader) {
  Json whole = reader->ReadJson("config.json", kMaxConfigBytes);
  Json cut = Json::Obj();
  for (const char* key : {"architectures", "model_type", "auto_map", "quantization_config"})
    CopySmall(whole, key, &cut);
  Json tokenizer = CutTokenizerConfig(reader);
  if (tokenizer.size() > 0) cut.Set("tokenizer_config", std::move(tokenizer));
  Json pipeline = reader->ReadJson("model_index.json", kMaxConfigBytes);
  std::string class_name = TextOf(pipeline, "_class_name");
  if (!class_name.empty()) cut.Set("diffusers", Json::Obj({{"_class_name", class_name}}));
  Json adapter = reader->ReadJson("adapter_config.json", kMaxConfigBytes);
  if (adapter.is_object()) {
    Json peft = Json::Obj();
    CopySmall(adapter, "base_model_name_or_path", &peft);
    CopySmall(adapter, "task_type", &peft);
    if (peft.size() > 0) cut.Set("peft", std::move(peft));
  }
  CopySmall(whole, "sklearn", &cut);
  return cut;
}

// The files that together hold the weights: model.safetensors, or the shards of its index.
std::vector<std::string> WeightFiles(FactsReader* reader) {
  if (reader->Find("model.safetensors") != nullptr) return {"model.safetensors"};
  constexpr std::string_view kIndex = "model.safetensors.index.json";
  std::optional<std::string> text = reader->Read(kIndex, kMaxIndexBytes);
  if (!text) return {};
  try {
    std::vector<std::string> files = ParseSafetensorsIndex(*text).files;
    if (files.size() > kMaxShards)
      throw Error(Code::kTooLarge, "more than " + std::to_string(kMaxShards) + " shards");
    return files;
  } catch (const Error& error) {
    reader->Warn(kIndex, error.message());
    return {};
  }
}

void ReadSafetensors(FactsReader* reader) {
  std::vector<std::string> files = WeightFiles(reader);
  std::vector<std::pair<std::string, uint64_t>> per_dtype;
  uint64_t total = 0;
  for (const std::string& path : files) {
    const Sibling* file = reader->Find(path);
    if (file == nullptr) {
      reader->Warn(path, "named by the index, but missing");
      return;
    }
    try {
      std::unique_ptr<ByteSource> source = reader->Open(*file);
      if (source == nullptr) return;
      SafetensorsHeader header = ReadSafetensorsHeader(*source);
      for (const std::string& warning : header.warnings) reader->Warn(path, warning);
      for (const auto& [dtype, count] : header.parameters) {
        auto known = std::find_if(per_dtype.begin(), per_dtype.end(),
                                  [&d = dtype](const auto& item) { return item.first == d; });
        if (known == per_dtype.end()) known = per_dtype.insert(per_dtype.end(), {dtype, 0});
        known->second += count;
      }
      total += header.total_parameters;
    } catch (const Error& error) {
      reader->Warn(path, error.message());
      return;
    }
  }
  if (files.empty()) return;
  std::stable_sort(per_dtype.begin(), per_dtype.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Json parameters = Json::Obj();
  for (const auto& [dtype, count] : per_dtype) parameters.Set(dtype, count);
  Json result = Json::Obj({{"parameters", std::move(parameters)}, {"total", total}});
  if (files.size() > 1 || files[0] != "model.safetensors") result.Set("sharded", true);
  reader->facts().safetensors = std::move(result);
  reader->facts().parameter_count = total;
}

bool IsGguf(std::string_view path) { return path.ends_with(".gguf"); }

// The first GGUF file that is a model of its own: projectors and importance matrices only when
// there is nothing else.
const Sibling* FirstGguf(const RepoFacts& facts) {
  const Sibling* fallback = nullptr;
  for (const Sibling& file : facts.siblings) {
    if (!IsGguf(file.path)) continue;
    std::string lower = AsciiLower(file.path);
    bool side =
        lower.find("mmproj") != std::string::npos || lower.find("imatrix") != std::string::npos;
    if (!side) return &file;
    if (fallback == nullptr) fallback = &file;
  }
  return fallback;
}

// "x-00001-of-00003.gguf" -> {"x-", 3}; a single file otherwise.
std::vector<std::string> GgufParts(const std::string& path) {
  constexpr size_t kTail = sizeof("00001-of-00003.gguf") - 1;
  if (path.size() <= kTail) return {path};
  std::string_view tail = std::string_view(path).substr(path.size() - kTail);
  std::optional<uint64_t> count = ParseUint(tail.substr(9, 5));
  if (!tail.starts_with("00001-of-") || !count || *count == 0 || *count > kMaxShards) return {path};
  std::vector<std::string> parts;
  for (uint64_t part = 1; part <= *count; ++part) {
    std::string number = std::to_string(part);
    parts.push_back(path.substr(0, path.size() - kTail) + std::string(5 - number.size(), '0') +
                    number + std::string(tail.substr(5)));
  }
  return parts;
}

Json GgufObject(const GgufHeader& header) {
  Json gguf =
      Json::Obj({{"total", header.total_parameters}, {"architecture", header.architecture}});
  if (header.context_length) gguf.Set("context_length", *header.context_length);
  if (const GgufMetadata* file = header.Find("quantize.imatrix.file");
      file && file->value.is_string())
    gguf.Set("quantize_imatrix_file", file->value);
  if (header.chat_template && header.chat_template->size() <= kMaxTemplateBytes)
    gguf.Set("chat_template", *header.chat_template);
  if (header.bos_token) gguf.Set("bos_token", *header.bos_token);
  if (header.eos_token) gguf.Set("eos_token", *header.eos_token);
  const GgufMetadata* causal = header.Find(header.architecture + ".attention.causal");
  if (causal != nullptr && causal->value.is_bool()) gguf.Set("causal", causal->value);
  return gguf;
}

void ReadGguf(FactsReader* reader) {
  const Sibling* first = FirstGguf(reader->facts());
  if (first == nullptr) return;
  Json object;
  uint64_t total = 0;
  for (const std::string& path : GgufParts(first->path)) {
    const Sibling* file = reader->Find(path);
    if (file == nullptr) {
      reader->Warn(path, "a part of the GGUF model is missing");
      continue;
    }
    try {
      std::unique_ptr<ByteSource> source = reader->Open(*file);
      if (source == nullptr) continue;
      GgufHeader header = ReadGgufHeader(*source);
      total += header.total_parameters;
      if (object.is_null()) object = GgufObject(header);
    } catch (const Error& error) {
      reader->Warn(path, error.message());
    }
  }
  if (object.is_null()) return;
  object.Set("total", total);
  reader->facts().gguf = std::move(object);
  if (reader->facts().parameter_count == 0) reader->facts().parameter_count = total;
}

}  // namespace

void ReadModelFiles(FactsReader* reader) {
  RepoFacts& facts = reader->facts();
  Json config = CutConfig(reader);
  if (const Json* tokenizer = config.Find("tokenizer_config"))
    facts.mask_token = TextOf(*tokenizer, "mask_token");
  if (config.size() > 0) facts.config = std::move(config);
  ReadSafetensors(reader);
  ReadGguf(reader);
}

}  // namespace hearth::hub
