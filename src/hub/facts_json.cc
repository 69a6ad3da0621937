#include "hub/internal/facts_json.h"

#include "base/error.h"
#include "hub/internal/card_fields.h"

namespace hearth::hub {
namespace {

// Counts changes of what is computed: rows of an older version are computed again.
constexpr int64_t kFactsVersion = 1;

// [path, blob, size] or [path, blob, size, sha256, pointer size]: a repository may have ten
// thousand.
Json SiblingsToJson(const std::vector<Sibling>& siblings) {
  Json::Array list;
  list.reserve(siblings.size());
  for (const Sibling& file : siblings) {
    Json row = Json::Arr({file.path, file.blob.Hex(), file.size_bytes});
    if (file.lfs) {
      row.Push(file.lfs->Hex());
      row.Push(file.pointer_bytes);
    }
    list.push_back(std::move(row));
  }
  return Json(std::move(list));
}

[[noreturn]] void Damaged() {
  throw Error(Code::kInvalidArgument, "stored facts are damaged or of another version");
}

Sibling SiblingFromJson(const Json& row) {
  const Json::Array* items = row.AsArray();
  if (items == nullptr || items->size() < 3) Damaged();
  const std::string* path = (*items)[0].AsString();
  const std::string* blob = (*items)[1].AsString();
  std::optional<int64_t> size = (*items)[2].AsInt();
  if (path == nullptr || blob == nullptr || !size) Damaged();
  std::optional<GitOid> oid = GitOid::FromHex(*blob);
  if (!oid) Damaged();
  Sibling file{*path, *oid, static_cast<uint64_t>(*size), {}, 0};
  if (items->size() >= 5) {
    const std::string* sha = (*items)[3].AsString();
    if (sha == nullptr) Damaged();
    file.lfs = Sha256::FromHex(*sha);
    file.pointer_bytes = static_cast<uint64_t>((*items)[4].AsInt().value_or(0));
  }
  return file;
}

Json VerdictToJson(const RunVerdict& run) {
  return Json::Obj({{"by", run.judged_by},
                    {"tasks", Json(run.tasks)},
                    {"reason", run.reason},
                    {"memory", run.memory_bytes},
                    {"gguf", run.gguf_file}});
}

RunVerdict VerdictFromJson(const Json& row) {
  RunVerdict run;
  run.judged_by = TextOf(row, "by");
  run.tasks = TextList(row.Find("tasks"));
  run.reason = TextOf(row, "reason");
  if (const Json* memory = row.Find("memory"))
    run.memory_bytes = static_cast<uint64_t>(memory->AsInt().value_or(0));
  run.gguf_file = TextOf(row, "gguf");
  return run;
}

Json Take(Json* object, std::string_view key) {
  Json* value = object->Find(key);
  return value == nullptr ? Json() : std::move(*value);
}

}  // namespace

std::string FactsToText(const RepoFacts& facts) {
  Json row = Json::Obj({{"version", kFactsVersion},
                        {"commit", facts.commit.Hex()},
                        {"card", facts.card_data},
                        {"text", facts.card_text},
                        {"tags", Json(facts.tags)},
                        {"task", facts.pipeline_tag},
                        {"library", facts.library_name},
                        {"mask", facts.mask_token},
                        {"config", facts.config},
                        {"transformers", facts.transformers_info},
                        {"safetensors", facts.safetensors},
                        {"gguf", facts.gguf},
                        {"index", facts.model_index},
                        {"widget", facts.widget_data},
                        {"base", facts.base_models},
                        {"description", facts.description},
                        {"space", facts.space},
                        {"parameters", facts.parameter_count},
                        {"bytes", facts.main_bytes},
                        {"warnings", Json(facts.warnings)}});
  if (!facts.run.judged_by.empty()) row.Set("run", VerdictToJson(facts.run));
  row.Set("files", SiblingsToJson(facts.siblings));
  return row.Dump();
}

RepoFacts FactsFromText(std::string_view text) {
  Json row = Json::Parse(text);
  const Json* version = row.Find("version");
  if (version == nullptr || version->AsInt() != std::optional<int64_t>(kFactsVersion)) Damaged();
  std::optional<GitOid> commit = GitOid::FromHex(TextOf(row, "commit"));
  const Json* files = row.Find("files");
  if (!commit || files == nullptr || !files->is_array()) Damaged();
  RepoFacts facts;
  facts.commit = *commit;
  facts.card_data = Take(&row, "card");
  facts.card_text = TextOf(row, "text");
  facts.tags = TextList(row.Find("tags"));
  facts.pipeline_tag = TextOf(row, "task");
  facts.library_name = TextOf(row, "library");
  facts.mask_token = TextOf(row, "mask");
  facts.config = Take(&row, "config");
  facts.transformers_info = Take(&row, "transformers");
  facts.safetensors = Take(&row, "safetensors");
  facts.gguf = Take(&row, "gguf");
  facts.model_index = Take(&row, "index");
  facts.widget_data = Take(&row, "widget");
  facts.base_models = Take(&row, "base");
  facts.description = TextOf(row, "description");
  facts.space = Take(&row, "space");
  if (const Json* count = row.Find("parameters"))
    facts.parameter_count = static_cast<uint64_t>(count->AsInt().value_or(0));
  if (const Json* bytes = row.Find("bytes"))
    facts.main_bytes = static_cast<uint64_t>(bytes->AsInt().value_or(0));
  if (const Json* run = row.Find("run")) facts.run = VerdictFromJson(*run);
  facts.warnings = TextList(row.Find("warnings"));
  facts.siblings.reserve(files->size());
  for (const Json& file : *files->AsArray()) facts.siblings.push_back(SiblingFromJson(file));
  return facts;
}

}  // namespace hearth::hub
