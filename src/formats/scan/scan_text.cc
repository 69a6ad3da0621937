#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/percent.h"
#include "formats/archive/archive_tar.h"
#include "formats/pickle/pickle_globals.h"
#include "formats/scan/internal/scan_context.h"

namespace hearth {
namespace {

// Depth-first over all members; `visit` gets the key and the value.
template <typename Visit>
void Walk(const Json& value, const Visit& visit, int depth = 0) {
  if (depth > 150) return;
  if (const Json::Object* object = value.AsObject()) {
    for (const auto& [key, item] : *object) {
      visit(key, item);
      Walk(item, visit, depth + 1);
    }
  } else if (const Json::Array* items = value.AsArray()) {
    for (const Json& item : *items) Walk(item, visit, depth + 1);
  }
}

void AddTemplate(ScanContext& context, const std::string& path, const std::string& text) {
  for (const ScanFinding& finding : ScanTemplate(text, path)) {
    context.Add(finding.severity, finding.kind, finding.path, finding.offset, finding.evidence,
                finding.advice);
  }
}

// Hydra and its like call what _target_ names.
void CheckTarget(ScanContext& context, const std::string& path, const std::string& target) {
  size_t dot = target.rfind('.');
  if (dot == std::string::npos) return;
  std::string_view text = target;
  bool bad = ClassifyGlobal(text.substr(0, dot), text.substr(dot + 1)) == GlobalClass::kDangerous;
  context.Add(bad ? Severity::kDangerous : Severity::kNote, "config-target", path, 0,
              "_target_ " + target,
              bad ? "configuration loaders call this" : "configuration loaders import this");
}

void CheckAutoMap(ScanContext& context, const std::string& path, const Json& map) {
  std::string names;
  Walk(Json::Obj({{"auto_map", map}}), [&](const std::string&, const Json& value) {
    if (const std::string* text = value.AsString()) names += (names.empty() ? "" : ", ") + *text;
    if (const Json::Array* list = value.AsArray()) {
      for (const Json& item : *list) {
        if (const std::string* text = item.AsString()) names += (names.empty() ? "" : ", ") + *text;
      }
    }
  });
  context.Add(Severity::kSuspicious, "remote-code", path, 0, "auto_map: " + names,
              "trust_remote_code=True runs these Python files: read them first");
}

// A template, a list of named ones, or an object of them.
void AddTemplates(ScanContext& context, const std::string& path, const Json& value, int depth = 0) {
  constexpr int kDeepest = 3;
  if (value.AsString() != nullptr) AddTemplate(context, path, *value.AsString());
  if (depth == kDeepest) return;
  if (const Json::Array* list = value.AsArray()) {
    for (const Json& entry : *list) AddTemplates(context, path, entry, depth + 1);
  }
  if (const Json::Object* named = value.AsObject()) {
    for (const auto& [name, entry] : *named) AddTemplates(context, path, entry, depth + 1);
  }
}

// {"custom_pipelines": {task: {"impl": "file.Class"}}}: code of the repository.
void CheckPipelines(ScanContext& context, const std::string& path, const Json& pipelines) {
  const Json::Object* tasks = pipelines.AsObject();
  if (tasks == nullptr) return;
  for (const auto& [task, entry] : *tasks) {
    const Json* code = entry.Find("impl");
    if (code == nullptr || code->AsString() == nullptr) continue;
    context.Add(Severity::kSuspicious, "remote-code", path, 0,
                "custom_pipelines: " + code->AsString()->substr(0, 200),
                "trust_remote_code=True runs this Python file: read it first");
  }
}

// Is `module` one of these, or below one?
bool IsBelow(std::string_view module, std::initializer_list<std::string_view> known) {
  std::string_view root = module.substr(0, module.find('.'));
  return std::find(known.begin(), known.end(), root) != known.end();
}

void AddImport(ScanContext& context, const std::string& path, const std::string& what) {
  context.Add(Severity::kSuspicious, "remote-code", path, 0, what.substr(0, 300),
              "loading imports this module, which is none of the known libraries'");
}

// sentence-transformers imports what each "type" of modules.json names.
void CheckModules(ScanContext& context, const std::string& path, const Json& modules) {
  Walk(modules, [&](const std::string& key, const Json& value) {
    const std::string* type = value.AsString();
    if (key == "type" && type != nullptr && !IsBelow(*type, {"sentence_transformers"}))
      AddImport(context, path, "type " + *type);
  });
}

// diffusers imports the library of each part: [library, class], where a library may be a folder of
// its own pipelines.
void CheckPipelineParts(ScanContext& context, const std::string& path, const Json& index) {
  static constexpr std::string_view kKnown[] = {
#define HEARTH_DIFFUSERS_PART(name) name,
#include "formats/scan/internal/diffusers_parts.inc"
#undef HEARTH_DIFFUSERS_PART
  };
  Walk(index, [&](const std::string& key, const Json& value) {
    const Json::Array* pair = value.AsArray();
    if (pair == nullptr || pair->empty() || (*pair)[0].AsString() == nullptr) return;
    const std::string& library = *(*pair)[0].AsString();
    bool known = key != "_class_name" &&
                 std::find(std::begin(kKnown), std::end(kKnown), library) != std::end(kKnown);
    if (!known) AddImport(context, path, key + " of the library " + library);
  });
}

// The files of a checkpoint in pieces.
void CheckWeightMap(ScanContext& context, const std::string& path, const Json& map) {
  Walk(map, [&](const std::string&, const Json& value) {
    const std::string* file = value.AsString();
    if (file == nullptr) return;
    bool leaves = LeavesFolder(*file) || file->find('\\') != std::string::npos ||
                  file->ends_with("/..") || (file->size() > 1 && (*file)[1] == ':');
    if (!leaves) return;
    context.Add(Severity::kDangerous, "path-escape", path, 0,
                "weights at \"" + file->substr(0, 200) + "\"",
                "a loader would read a file outside of the model's folder");
  });
}

// Loaders of JSON and of YAML take UTF-16 and UTF-32 as well. What matters is ASCII, so the other
// bytes of it are left out.
void RemoveWideEncoding(ScanContext& context, const ScanItem& item, std::string_view what,
                        std::string* text) {
  if (text->find('\0') == std::string::npos) return;
  context.Add(Severity::kSuspicious, "odd-encoding", item.path, 0,
              std::string(what) + " that is not UTF-8", "an honest writer does not make this");
  std::erase_if(*text, [](char c) { return c == '\0' || c == '\xFF' || c == '\xFE'; });
}

// Files that loaders find by their names, and whose plain keys are names of modules or files.
bool IsNamedForImports(std::string_view name) {
  return name == "modules.json" || name == "model_index.json" || name.ends_with(".index.json");
}

void ExamineJson(ScanContext& context, ScanItem& item) {
  std::optional<std::string> text = context.ReadText(item);
  if (!text) return;
  RemoveWideEncoding(context, item, "JSON", &*text);
  // Without these words there is nothing to find, and tokenizer.json need not become a tree.
  bool keras = text->find("\"class_name\"") != std::string::npos;
  bool other = text->find("\"auto_map\"") != std::string::npos ||
               text->find("\"_target_\"") != std::string::npos ||
               text->find("\"custom_pipelines\"") != std::string::npos ||
               text->find("chat_template") != std::string::npos ||
               text->find("\"auto_mapping\"") != std::string::npos ||
               text->find("\\u00") != std::string::npos || IsNamedForImports(item.name());
  if (!keras && !other) return;
  Json json;
  try {
    json = Json::Parse(*text);
  } catch (const Error& error) {
    // Python also takes NaN and the like.
    bool lambda = keras && text->find("Lambda") != std::string::npos;
    context.Add(lambda ? Severity::kDangerous : Severity::kSuspicious,
                lambda ? "keras-lambda" : "not-examined", item.path, 0,
                "JSON that is not valid: " + error.message(), "laxer readers may take it");
    return;
  }
  std::string_view name = item.name();
  bool is_tokenizer = name == "tokenizer.json";
  if (keras || (!is_tokenizer && json.Find("config") != nullptr))
    ExamineKerasConfig(context, item.path, json);
  if (is_tokenizer) return;
  if (name == "modules.json") CheckModules(context, item.path, json);
  if (name == "model_index.json") CheckPipelineParts(context, item.path, json);
  Walk(json, [&](const std::string& key, const Json& value) {
    if (key == "auto_map" && (value.is_object() || value.is_string()))
      CheckAutoMap(context, item.path, value);
    if (key == "weight_map" && name.ends_with(".index.json"))
      CheckWeightMap(context, item.path, value);
    const Json* library = key == "auto_mapping" ? value.Find("parent_library") : nullptr;
    if (library != nullptr && library->AsString() != nullptr &&
        !IsBelow(*library->AsString(),
                 {"transformers", "diffusers", "sentence_transformers", "peft", "timm", "torch"})) {
      AddImport(context, item.path, "parent_library " + *library->AsString());
    }
    if (key == "custom_pipelines") CheckPipelines(context, item.path, value);
    if (key == "_target_" && value.AsString() != nullptr)
      CheckTarget(context, item.path, *value.AsString());
    if (key.find("chat_template") != std::string::npos) AddTemplates(context, item.path, value);
  });
}

void ExamineYaml(ScanContext& context, ScanItem& item) {
  std::optional<std::string> text = context.ReadText(item);
  if (!text) return;
  RemoveWideEncoding(context, item, "YAML", &*text);
  text = DecodePercent(*text);
  for (std::string_view tag : {"!!python/", "tag:yaml.org,2002:python/"}) {
    for (size_t at = text->find(tag); at != std::string::npos; at = text->find(tag, at + 1)) {
      size_t end = text->find_first_of(" \n\r\t[{", at);
      std::string what = text->substr(at, std::min<size_t>(end - at, 200));
      bool plain =
          what.find("/tuple") != std::string::npos || what.find("/str") != std::string::npos ||
          what.find("/unicode") != std::string::npos || what.find("/int") != std::string::npos ||
          what.find("/dict") != std::string::npos || what.find("/list") != std::string::npos;
      if (!plain) {
        context.Add(Severity::kDangerous, "yaml-python", item.path, at, what,
                    "unsafe YAML loaders call this");
      }
    }
  }
  for (size_t at = text->find("_target_:"); at != std::string::npos;
       at = text->find("_target_:", at + 1)) {
    size_t end = text->find('\n', at);
    std::string_view value = TrimAscii(
        std::string_view(*text).substr(at + 9, end == std::string::npos ? end : end - at - 9));
    while (!value.empty() && (value.front() == '"' || value.front() == '\''))
      value.remove_prefix(1);
    while (!value.empty() && (value.back() == '"' || value.back() == '\'')) value.remove_suffix(1);
    CheckTarget(context, item.path, std::string(value));
  }
}

// MLflow imports what loader_module names.
void ExamineMlModel(ScanContext& context, ScanItem& item) {
  ExamineYaml(context, item);
  std::optional<std::string> text = context.ReadText(item);
  if (!text) return;
  std::erase(*text, '\0');
  constexpr std::string_view kKey = "loader_module";
  for (size_t at = text->find(kKey); at != std::string::npos; at = text->find(kKey, at + 1)) {
    std::string_view line = std::string_view(*text).substr(at + kKey.size());
    line = line.substr(0, line.find_first_of("\n,}"));
    size_t begin = line.find_first_not_of("\"' \t:");
    std::string_view module =
        begin == std::string_view::npos ? std::string_view() : line.substr(begin);
    module = module.substr(0, module.find_last_not_of("\"' \t\r") + 1);
    if (!IsBelow(module, {"mlflow"}))
      AddImport(context, item.path, "loader_module " + std::string(module));
  }
}

// TorchScript source: operators of its interpreter that reach files.
void ExamineTorchScript(ScanContext& context, ScanItem& item) {
  std::optional<std::string> text = context.ReadText(item);
  if (!text) return;
  for (std::string_view word : {"torch.from_file", "aten::from_file", "ops.aten.from_file",
                                "torch.save(", "aten::save", "ops.aten.save"}) {
    size_t at = text->find(word);
    if (at == std::string::npos) continue;
    context.Add(Severity::kDangerous, "torchscript-files", item.path, at, std::string(word),
                "the program reads or writes files when it runs");
  }
}

}  // namespace

bool ExamineText(ScanContext& context, ScanItem& item) {
  std::string extension = AsciiLower(item.extension());
  std::string name = AsciiLower(item.name());
  char first = '\0';
  for (char c : item.first) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\xEF' || c == '\xBB' ||
        c == '\xBF')
      continue;
    first = c;
    break;
  }
  // Templates and YAML may start like JSON.
  if (extension == "jinja" || extension == "jinja2" || extension == "j2") {
    if (std::optional<std::string> text = context.ReadText(item))
      AddTemplate(context, item.path, *text);
    return true;
  }
  if (name == "mlmodel") {
    ExamineMlModel(context, item);
    return true;
  }
  if (extension == "yaml" || extension == "yml") {
    ExamineYaml(context, item);
    // JSON is YAML.
    if (first == '{' && !item.stray) ExamineJson(context, item);
    return true;
  }
  if (extension == "json" || extension == "webmanifest" ||
      (first == '{' && item.first.find('"') != std::string::npos)) {
    if (extension == "jsonl" || item.stray) return true;
    ExamineJson(context, item);
    return true;
  }
  if (extension == "py") {
    bool torchscript = item.path.find("/code/") != std::string::npos && item.depth > 0;
    if (torchscript) {
      ExamineTorchScript(context, item);
    } else {
      context.Add(Severity::kNote, "source-code", item.path, 0, "Python source",
                  "runs when it is imported, or by trust_remote_code=True");
    }
    return true;
  }
  if (extension == "sh" || extension == "bat" || extension == "ps1" ||
      item.first.substr(0, 2) == "#!") {
    context.Add(Severity::kNote, "source-code", item.path, 0, "a script");
    return true;
  }
  static constexpr std::string_view kPlain[] = {"md",    "txt",           "csv",       "tsv",
                                                "jsonl", "gitattributes", "gitignore", "html",
                                                "model", "png",           "jpg",       "jpeg"};
  return std::find(std::begin(kPlain), std::end(kPlain), extension) != std::end(kPlain) &&
         extension != "model";
}

}  // namespace hearth
